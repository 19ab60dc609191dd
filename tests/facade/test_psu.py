"""The end user of a call, amounts, and the pure parts of an authorisation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from openpayments_client.models import ChallengeData, Links, MonetaryAmount
from openpayments_client.operations import OPERATIONS

from openpayments_facade import (
    Approach,
    AuthorisationFailedError,
    Challenge,
    InvalidArgumentError,
    OpenPayments,
    Psu,
    PsuContext,
    UnreadableAmountError,
    money,
)
from openpayments_facade._protocol.binding import bind
from openpayments_facade._protocol.sca import POLL_INTERVAL, choose_method, decide_approach, link

SOMEBODY = Psu(
    ip_address="203.0.113.7",
    id="example-user",
    corporate_id="example-company",
    user_agent="Mozilla/5.0",
    ip_port=4711,
    accept_language="sv",
    geo_location="GEO:59.329323;018.068581",
    device_id="99435c7e-ad88-49ec-a2ad-99ddcb1f5555",
    http_method="GET",
)


def test_the_headers_of_a_user() -> None:
    everywhere = SOMEBODY.headers(identify=False)
    assert everywhere == {
        "PSU-IP-Address": "203.0.113.7",
        "PSU-IP-Port": "4711",
        "PSU-User-Agent": "Mozilla/5.0",
        "PSU-Accept-Language": "sv",
        "PSU-Http-Method": "GET",
        "PSU-Device-ID": "99435c7e-ad88-49ec-a2ad-99ddcb1f5555",
        "PSU-Geo-Location": "GEO:59.329323;018.068581",
    }
    identified = SOMEBODY.headers()
    assert identified == {**everywhere, "PSU-ID": "example-user", "PSU-Corporate-ID": "example-company"}
    assert Psu().headers(identify=True) == {}
    assert (SOMEBODY.is_attended, Psu(id="example-user").is_attended) == (True, False)
    types = Psu(id_type="personal", corporate_id_type="company")
    assert types.headers(identify=False) == {}
    assert types.headers(identify=True) == {"PSU-ID-Type": "personal", "PSU-Corporate-ID-Type": "company"}
    assert Psu(id_type="personal").headers() == {"PSU-ID-Type": "personal"}
    assert Psu(authoriser_id="example-signer").headers() == {"PSU-Authoriser-ID": "example-signer"}


def test_an_address_that_an_ipv6_socket_has_mapped_is_sent_as_ipv4() -> None:
    for mapped in ("::ffff:203.0.113.7", "::FFFF:cb00:7107"):
        assert Psu(ip_address=mapped).headers() == {"PSU-IP-Address": "203.0.113.7"}
        assert Psu.from_headers({}, client_ip=mapped).ip_address == "203.0.113.7"
    assert Psu(ip_address="2001:db8::7").headers() == {"PSU-IP-Address": "2001:db8::7"}


def test_the_user_of_a_company_has_business_accounts() -> None:
    """The provider's samples of 2022: corporate if there is a company's id."""
    assert Psu(corporate_id="example-company").context is PsuContext.CORPORATE
    assert Psu.from_headers({}, client_ip="203.0.113.7", corporate_id="example-company").context is PsuContext.CORPORATE
    assert Psu(corporate_id="example-company", context=PsuContext.PRIVATE).context is PsuContext.PRIVATE
    assert Psu(id="example-user").context is None


def test_a_repr_shows_neither_id_nor_address() -> None:
    bank = bind("ESSESESS", SOMEBODY, "08999", False)
    for shown in (repr(SOMEBODY), str(SOMEBODY), repr(bank)):
        for hidden in ("203.0.113.7", "example-user", "example-company", "4711", "GEO", "99435c7e"):
            assert hidden not in shown


def test_a_web_request_makes_a_psu() -> None:
    headers = {"USER-AGENT": " Mozilla/5.0\t", "Accept": "text/html", "Cookie": "x"}
    psu = Psu.from_headers(headers, client_ip="2001:db8::7", context="corporate", id="example-user")
    assert psu == Psu(
        user_agent="Mozilla/5.0", ip_address="2001:db8::7", context=PsuContext.CORPORATE, id="example-user"
    )
    for odd_agent in ("Mözilla/5.0", "sv\r\nX-Evil: 1", " "):
        assert Psu.from_headers({"User-Agent": odd_agent}, client_ip="203.0.113.7").user_agent is None
    for nobody in ("unknown", "", None):
        with pytest.raises(InvalidArgumentError, match="client_ip"):
            Psu.from_headers({}, client_ip=nobody)  # type: ignore[arg-type]
    headers_of_another_kind: Any
    for headers_of_another_kind in (None, [("User-Agent", "x")], "User-Agent: x"):
        with pytest.raises(InvalidArgumentError, match="headers"):
            Psu.from_headers(headers_of_another_kind, client_ip="203.0.113.7")
    odd: Any = {5: "x", "User-Agent": "y", "Accept": 5}
    assert Psu.from_headers(odd, client_ip="203.0.113.7").user_agent == "y"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ip_address", ""),
        ("ip_address", "203.0.113.256"),
        ("ip_address", "localhost"),
        ("ip_address", 5),
        ("ip_address", "203.0.113.99, 10.0.0.1"),
        ("ip_address", "fe80::1%eth0"),
        ("ip_address", "fe80::1%x\r\nX-Evil: 1"),
        ("id", ""),
        ("id", "a\r\nX-Evil: 1"),
        ("id", "ä"),
        ("id", 5),
        ("corporate_id", " "),
        ("id", " x"),
        ("user_agent", "x "),
        ("user_agent", "a\nb"),
        ("ip_port", 0),
        ("ip_port", "80"),
        pytest.param("ip_port", 10**5000, id="very long"),
        ("ip_port", True),
        ("device_id", "phone"),
        ("device_id", "\n" + 31 * "1"),
        ("device_id", 5),
        ("geo_location", "59,18"),
        ("http_method", "BREW"),
        ("http_method", ["GET"]),
        ("context", "personal"),
    ],
)
def test_a_bad_field_is_named_and_not_shown(field: str, value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=field) as caught:
        Psu(**{field: value})
    assert caught.value.argument == field
    assert "Evil" not in str(caught.value)
    # nor in an exception behind it; a context is no secret
    assert field == "context" or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("argument", "values"),
    [
        ("bic_fi", {"bic_fi": "SEB"}),
        ("psu", {"psu": {"ip_address": "203.0.113.7"}}),
        ("affiliated_aspsp", {"affiliated_aspsp": "a\r\nb"}),
        ("affiliated_aspsp", {"affiliated_aspsp": 8999}),
        ("redirect_preferred", {"redirect_preferred": "true"}),
    ],
)
def test_a_bank_that_is_none_is_refused(argument: str, values: dict[str, Any]) -> None:
    with OpenPayments(client_id="an-id", client_secret="a-secret") as op:
        with pytest.raises(InvalidArgumentError) as caught:
            op.at_bank(**{"bic_fi": "ESSESESS", "psu": SOMEBODY, **values})
        assert caught.value.argument == argument


def test_what_is_bound_to_a_bank_goes_where_the_description_has_it() -> None:
    known = {name: operation.arguments for name, operation in OPERATIONS.items()}
    bank = bind("SWEDSESS", SOMEBODY, "08999", False)
    plain = bank.arguments(known["get_balances"])
    assert (plain["x_bic_fi"], plain["tpp_redirect_preferred"]) == ("SWEDSESS", "false")
    assert (plain["psu_id"], plain["psu_corporate_id"]) == ("example-user", "example-company")
    assert "x_affiliated_aspsp_id" not in plain
    assert bank.arguments(known["create_consent"])["x_affiliated_aspsp_id"] == "08999"
    # the older headers go where they used to be
    assert plain["psu_accept_language"] == "sv"
    assert "psu_accept_language" not in bank.arguments(known["get_card_balances"])


@pytest.mark.parametrize(("preferred", "sent"), [(True, "true"), (False, "false"), (None, "false")])
def test_the_redirect_preference_is_always_sent(preferred: bool | None, sent: str) -> None:
    bank = bind("SWEDSESS", None, None, preferred)
    for operation in ("create_consent", "get_consent_status", "get_balances", "get_card_account_list"):
        assert bank.arguments(OPERATIONS[operation].arguments)["tpp_redirect_preferred"] == sent


def test_a_bank_is_a_value() -> None:
    with OpenPayments(client_id="an-id", client_secret="a-secret") as op:
        bank = op.at_bank("ESSESESS", SOMEBODY)
        assert bank == op.at_bank("ESSESESS", SOMEBODY)
        assert hash(bank) == hash(op.at_bank("ESSESESS", SOMEBODY))
        others = (
            op.at_bank("SWEDSESS", SOMEBODY),
            op.at_bank("ESSESESS"),
            op.at_bank("ESSESESS", SOMEBODY, redirect_preferred=True),
            op.with_options(timeout=5).at_bank("ESSESESS", SOMEBODY),
        )
        assert bank not in others
        assert bank != "ESSESESS"
        with OpenPayments(client_id="an-id", client_secret="a-secret") as another:
            assert bank != another.at_bank("ESSESESS", SOMEBODY)
        accounts = bank.accounts("a-consent")
        transactions = accounts.transactions("an-account", delta_list=True)
        assert repr(bank.consents) == "<Consents at ESSESESS>"
        assert repr(accounts) == "<Accounts of consent 'a-consent' at ESSESESS>"
        assert repr(transactions) == "<Transactions /psd2/accountinformation/v1/accounts/an-account/transactions>"


def test_amounts_are_exact() -> None:
    assert money(MonetaryAmount(currency="SEK", amount="-12345678901234.567")) == Decimal("-12345678901234.567")
    assert money("0.10") + money("0.20") == Decimal("0.30")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1234.5", "1234.5"),
        ("1234,50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("1.234.567", "1234567"),
        ("1 234\u00a0567,8", "1234567.8"),
        ("1'234.50", "1234.50"),
        ("0,125", "0.125"),
        ("125.50-", "-125.50"),
        ("\u2212 125.50", "-125.50"),
        ("+1", "1"),
        ("SEK -125.50", "-125.50"),
        ("125.50 SEK", "125.50"),
        ("1.5E2", "150"),
        (".5", "0.5"),
        ("5.", "5"),
    ],
)
def test_amounts_as_banks_write_them(text: str, value: str) -> None:
    assert str(money(text)) == str(Decimal(value))
    assert money(MonetaryAmount(amount=text)) == Decimal(value)


UNREADABLE = [
    "",
    "-",
    "NaN",
    "Infinity",
    "1,234",
    "12,34,567",
    "1..2",
    "1,5.5",
    "12 34",
    "--5",
    "-5-",
    "1e999",
    "٣",
    "x",
]


@pytest.mark.parametrize(
    "text", [*UNREADABLE, "1..2", "1,5.5", "12 34", "--5", "-5-", "1e999", "\u0663", "x", "9" * 1000]
)
def test_an_amount_that_cannot_be_read_is_an_error_of_its_own(text: str) -> None:
    for amount in (text, MonetaryAmount(amount=text)):
        with pytest.raises(UnreadableAmountError) as caught:
            money(amount)
        assert isinstance(caught.value, ValueError)
        assert not isinstance(caught.value, InvalidArgumentError)


def test_an_amount_that_the_bank_left_out_is_its_mistake_and_a_float_is_the_callers() -> None:
    for missing in (MonetaryAmount(currency="SEK"), None):
        with pytest.raises(UnreadableAmountError):
            money(missing)
    for wrong in (1.5, 1, True, b"1"):
        with pytest.raises(InvalidArgumentError, match="amount"):
            money(wrong)  # type: ignore[arg-type]


def links(**hrefs: Any) -> Links:
    return Links.from_dict(hrefs)


def test_a_link_may_be_an_object_a_text_or_nothing() -> None:
    found = links(a={"href": "/a"}, b="/b", c=None, d="")
    assert [link(found, name) for name in "abcde"] == ["/a", "/b", None, None, None]
    assert link(None, "a") is None


@pytest.mark.parametrize(
    ("header", "found", "challenge", "approach", "template"),
    [
        ("REDIRECT", links(scaOAuth={"href": "/o"}, scaRedirect="/r"), False, Approach.OAUTH_REDIRECT, "/o"),
        ("redirect", links(scaRedirect="/r"), False, Approach.REDIRECT, "/r"),
        ("DECOUPLED", links(scaOAuth="/o"), True, Approach.DECOUPLED, None),
        ("DECOUPLED", None, False, Approach.DECOUPLED, None),
        (None, links(scaOAuth="/o"), False, Approach.OAUTH_REDIRECT, "/o"),
        (None, links(scaStatus="/s"), True, Approach.DECOUPLED, None),
        (None, links(scaOAuth="/o"), True, Approach.DECOUPLED, None),
        ("SOMETHING", links(scaRedirect="/r"), False, Approach.REDIRECT, "/r"),
    ],
)
def test_the_header_decides_first_then_the_links(
    header: str | None, found: Links | None, challenge: bool, approach: Approach, template: str | None
) -> None:
    assert decide_approach(header, found, has_challenge=challenge, is_over=False) == (approach, template)


@pytest.mark.parametrize("header", ["EMBEDDED", "REDIRECT"])
def test_an_approach_that_leads_nowhere_is_said(header: str) -> None:
    with pytest.raises(AuthorisationFailedError):
        decide_approach(header, links(scaStatus="/s"), has_challenge=False, is_over=False)
    assert decide_approach("REDIRECT", None, has_challenge=False, is_over=True) == (Approach.DECOUPLED, None)


def test_the_method_is_chosen_for_a_user_on_another_device() -> None:
    def choose(*offered: str) -> str:
        return choose_method(offered, same_device=False)

    assert choose("mbid_animated_qr_token", "mbid", "mbid_animated_qr_image") == "mbid_animated_qr_image"
    assert choose("mbid_same_device", "mbid", "mbid_animated_qr_token") == "mbid_animated_qr_token"
    assert choose("mbid_same_device", "mbid") == "mbid"
    assert choose("mbid_same_device", "sms") == "sms"
    assert choose("mbid_same_device") == "mbid"
    assert choose("card", "sms") == "card"
    assert choose() == "mbid"


def test_the_method_is_chosen_for_a_user_whose_app_is_on_this_device() -> None:
    def choose(*offered: str) -> str:
        return choose_method(offered, same_device=True)

    assert choose("mbid_animated_qr_token", "mbid", "mbid_same_device") == "mbid_same_device"
    assert choose("mbid_animated_qr_token", "mbid", "sms") == "mbid"
    assert choose("mbid_animated_qr_token", "sms") == "sms"
    # nobody can scan what the own screen shows
    assert choose("mbid_animated_qr_token", "mbid_animated_qr_image") == "mbid"
    assert choose() == "mbid"


def test_the_status_is_read_as_often_as_the_samples_do() -> None:
    assert [POLL_INTERVAL[approach] for approach in Approach] == [2.0, 2.0, 1.0]


def test_a_challenge_says_what_to_show() -> None:
    started = Challenge.of(ChallengeData(data=["t0ken"]), "mbid")
    assert started is not None
    assert started.app_link() == "https://app.bankid.com/?autostarttoken=t0ken&redirect=null"
    assert started.app_link("https://app.example.com/?a=b") == (
        "https://app.bankid.com/?autostarttoken=t0ken&redirect=https%3A%2F%2Fapp.example.com%2F%3Fa%3Db"
    )
    assert started.qr_content == started.app_link()
    animated = Challenge.of(ChallengeData.from_dict({"data": "bankid.67df"}), "mbid_animated_qr_token")
    assert animated is not None
    assert (animated.qr_content, animated.app_link()) == ("bankid.67df", None)
    image = Challenge.of(ChallengeData(image="aGVq"), "mbid_animated_qr_image")
    assert image is not None
    assert (image.qr_image, image.qr_content) == ("data:image/png;base64,aGVq", None)
    ready = Challenge.of(ChallengeData(image="data:image/png;base64,aGVq"), "mbid_animated_qr_image")
    assert ready is not None
    assert ready.qr_image == image.qr_image
    elsewhere = Challenge.of(ChallengeData(image="https://bank.example/qr.png"), "mbid_animated_qr_image")
    assert elsewhere is not None
    assert elsewhere.qr_image == "https://bank.example/qr.png"
    assert Challenge.of(ChallengeData(data=[]), "mbid") is None
    odd: dict[str, Any]
    for odd in ({"data": {}}, {"data": [True]}, {"image": {}}, {"additionalInformation": ["a", "b"]}):
        assert Challenge.of(ChallengeData.from_dict(odd), "mbid") is None
    assert Challenge.of(None, "mbid") is None
    assert "t0ken" not in repr(started)

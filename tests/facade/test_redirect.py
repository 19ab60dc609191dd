"""The browser's part of an authorisation, and the fields of a user's token. Nothing is sent here."""

from __future__ import annotations

import copy
import pickle
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from openpayments_facade import (
    Approach,
    Authorisation,
    AuthorisationFailedError,
    CallbackRejectedError,
    Environment,
    InvalidArgumentError,
    OpenPayments,
    UserToken,
)
from openpayments_facade._protocol.redirect import RedirectUrl

if TYPE_CHECKING:
    from collections.abc import Callable

TEMPLATE = (
    "https://auth.sandbox.openbankingplatform.com/connect/authorize?client_id=[CLIENT_ID]"
    "&scope=accountinformation%20private&response_type=code&redirect_uri=[TPP_REDIRECT_URI]&state=[TPP_STATE]"
    "&acr_values=idp:ESSESESS%20consentId:c%20consentAuthorisationId:a"
)
CALLBACK = "https://app.example.com/callback?from=bank"


@pytest.fixture
def op() -> OpenPayments:
    return OpenPayments(client_id="an-id", client_secret="a-secret")


def test_a_link_is_filled(op: OpenPayments) -> None:
    url = op.oauth.redirect_url(TEMPLATE, redirect_uri=CALLBACK, state="a state&more")
    query = parse_qs(urlsplit(url).query)
    assert query["client_id"] == ["an-id"]
    assert query["redirect_uri"] == [CALLBACK]
    assert query["state"] == ["a state&more"] == [url.state]
    assert query["acr_values"] == ["idp:ESSESESS consentId:c consentAuthorisationId:a"]
    assert "[" not in url


def test_a_state_is_made_that_nobody_guesses(op: OpenPayments) -> None:
    urls = [op.oauth.redirect_url(TEMPLATE, redirect_uri=CALLBACK) for _ in range(50)]
    assert len({url.state for url in urls}) == 50
    assert all(len(url.state) >= 32 and url.state in url for url in urls)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda url: pickle.loads(pickle.dumps(url))])
def test_a_link_can_be_kept_in_a_session(op: OpenPayments, again: Callable[[RedirectUrl], RedirectUrl]) -> None:
    url = op.oauth.redirect_url(TEMPLATE, redirect_uri=CALLBACK)
    kept = again(url)
    assert type(kept) is RedirectUrl
    assert (kept, kept.state, kept.is_elsewhere) == (url, url.state, False)
    elsewhere = RedirectUrl("https://bank.example/", "s", True)
    assert (again(elsewhere), again(elsewhere).state, again(elsewhere).is_elsewhere) == (elsewhere, "s", True)


def test_encoded_placeholders_and_relative_links_are_understood(op: OpenPayments) -> None:
    template = urlsplit(TEMPLATE)
    relative = template._replace(scheme="", netloc="").geturl().replace("[", "%5B").replace("]", "%5D")
    assert op.oauth.redirect_url(relative, redirect_uri=CALLBACK, state="s") == op.oauth.redirect_url(
        TEMPLATE, redirect_uri=CALLBACK, state="s"
    )


@pytest.mark.parametrize(
    "template",
    [
        "https://evil.example/connect/authorize?state=[TPP_STATE]",
        "http://auth.sandbox.openbankingplatform.com/connect/authorize?state=[TPP_STATE]",
        "https://auth.sandbox.openbankingplatform.com:444/connect/authorize?state=[TPP_STATE]",
        "https://auth.sandbox.openbankingplatform.com@evil.example/?state=[TPP_STATE]",
        "https://evil.example\\@auth.sandbox.openbankingplatform.com/?state=[TPP_STATE]",
        "https://user@auth.sandbox.openbankingplatform.com/?state=[TPP_STATE]",
        "https://auth.sandbox.openbankingplatform.com.evil.example/?state=[TPP_STATE]",
        "https://api.sandbox.openbankingplatform.com/connect/authorize?state=[TPP_STATE]",
        "//evil.example/?state=[TPP_STATE]",
        "javascript:alert(1)?state=[TPP_STATE]",
        "https://auth.sandbox.openbankingplatform.com/connect/authorize",
        "https://auth.sandbox.openbankingplatform.com/?state=[TPP_STATE]&idp=[BICFI]",
        "https://auth.sandbox.openbankingplatform.com/?state=[TPP_STATE]\r\nx",
        "https://[::1?state=[TPP_STATE]",
        "https://auth.sandbox.openbankingplatform.com/connect/authorize#state=[TPP_STATE]",
        "https://auth.sandbox.openbankingplatform.com:0443/?state=[TPP_STATE]",
        "https://auth.sandbox.openbankingplatform.com:port/?state=[TPP_STATE]",
        "",
        None,
        5,
    ],
)
def test_a_link_that_leads_elsewhere_or_can_not_be_filled_is_refused(op: OpenPayments, template: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="template") as caught:
        op.oauth.redirect_url(template, redirect_uri=CALLBACK)
    assert caught.value.argument == "template"


def begun(op: OpenPayments, template: str, approach: Approach) -> Authorisation:
    """An authorisation whose bank gave this link."""
    saved = {"bic_fi": "ESSESESS", "consent_id": "c", "authorisation_id": "a"}
    return op.at_bank("ESSESESS").consents.resume({**saved, "approach": str(approach), "template": template})


BANK = "https://bank.example"


@pytest.mark.parametrize(
    ("link", "url"),
    [
        (f"{BANK}/sign?id=1", f"{BANK}/sign?id=1"),
        (f"{BANK}/sign?id=1&back=[TPP_REDIRECT_URI]", f"{BANK}/sign?id=1&back=https%3A%2F%2Fapp.example.com%2Fcb"),
        (f"{BANK}/sign?%5BCLIENT_ID%5D&[TPP_STATE]#part", f"{BANK}/sign?an-id&a%20state#part"),
        (f"{BANK}/sign?ids[one]=1", f"{BANK}/sign?ids[one]=1"),
        ("//bank.example:8443/sign", f"{BANK}:8443/sign"),
        ("http://127.0.0.1:8000/sign", "http://127.0.0.1:8000/sign"),
        ("http://localhost/sign", "http://localhost/sign"),
        ("https://api.sandbox.openbankingplatform.com/r", "https://api.sandbox.openbankingplatform.com/r"),
        (" https://bank.example/a b&amp;c=[BICFI]\n", f"{BANK}/a%20b&c=ESSESESS"),
    ],
)
def test_a_plain_link_that_leads_elsewhere_is_had_when_it_is_asked_for(op: OpenPayments, link: str, url: str) -> None:
    authorisation = begun(op, link, Approach.REDIRECT)
    found = authorisation.redirect_url(redirect_uri="https://app.example.com/cb", state="a state", allow_elsewhere=True)
    assert (found, found.state, found.is_elsewhere) == (url, "a state", True)
    with pytest.raises(AuthorisationFailedError, match=r"auth host .*, so it is not followed; .*allow_elsewhere=True"):
        authorisation.redirect_url(redirect_uri=CALLBACK)


def test_a_plain_link_without_a_place_for_the_state_is_had_when_it_is_asked_for(op: OpenPayments) -> None:
    authorisation = begun(op, "/connect/authorize?id=1", Approach.REDIRECT)
    with pytest.raises(AuthorisationFailedError, match="no placeholder"):
        authorisation.redirect_url(redirect_uri=CALLBACK)
    url = authorisation.redirect_url(redirect_uri=CALLBACK, allow_elsewhere=True)
    assert (url, url.is_elsewhere) == ("https://auth.sandbox.openbankingplatform.com/connect/authorize?id=1", True)


@pytest.mark.parametrize(
    ("more", "filled"),
    [
        ("&acr_values=idp:[BICFI]", "&acr_values=idp:ESSESESS"),
        ("&scope=accountinformation private", "&scope=accountinformation%20private"),
        ("&amp;a=1", "&a=1"),
        (" \n", ""),
    ],
)
def test_a_link_may_be_written_in_other_ways(op: OpenPayments, more: str, filled: str) -> None:
    authorisation = begun(op, TEMPLATE + more, Approach.OAUTH_REDIRECT)
    url = authorisation.redirect_url(redirect_uri=CALLBACK, state="s")
    assert url == op.oauth.redirect_url(TEMPLATE, redirect_uri=CALLBACK, state="s") + filled


@pytest.mark.parametrize(
    "link",
    [
        "http://bank.example/sign",
        "http://auth.sandbox.openbankingplatform.com/connect/authorize?state=[TPP_STATE]",
        "https://user@bank.example/sign",
        "https://auth.sandbox.openbankingplatform.com@bank.example/sign",
        "https://bank.example\\@auth.sandbox.openbankingplatform.com/sign",
        "https://:443/sign",
        "https://bank.example:port/sign",
        "https://[::1/sign",
        "https://bank.example/a\tb",
        "https://bank.example/\nx",
        "javascript:alert(1)",
        "JavaScript://bank.example/%0Aalert(1)",
        "data:text/html,x",
        "bankid:///?autostarttoken=t",
        "mailto:x@bank.example",
        "https://auth.sandbox.openbankingplatform.com/?state=[TPP_STATE]&idp=[BIC]",
        "/.well-known/oauth-authorization-server",
    ],
)
def test_a_plain_link_that_no_browser_should_follow_is_the_banks_fault(op: OpenPayments, link: str) -> None:
    authorisation = begun(op, link, Approach.REDIRECT)
    for allow_elsewhere in (False, True):
        with pytest.raises(AuthorisationFailedError, match=r"^the bank's link ") as caught:
            authorisation.redirect_url(redirect_uri=CALLBACK, allow_elsewhere=allow_elsewhere)
        assert (caught.value.consent_id, caught.value.authorisation_id) == ("c", "a")


def test_a_link_for_a_code_never_leads_elsewhere(op: OpenPayments) -> None:
    authorisation = begun(op, f"{BANK}/?state=[TPP_STATE]", Approach.OAUTH_REDIRECT)
    for allow_elsewhere in (False, True):
        with pytest.raises(AuthorisationFailedError, match=r"so it is not followed$"):
            authorisation.redirect_url(redirect_uri=CALLBACK, allow_elsewhere=allow_elsewhere)
    url = begun(op, TEMPLATE, Approach.OAUTH_REDIRECT).redirect_url(redirect_uri=CALLBACK, allow_elsewhere=True)
    assert not url.is_elsewhere


@pytest.mark.parametrize(
    ("argument", "wrong"),
    [
        ("allow_elsewhere", {"allow_elsewhere": "yes"}),
        ("state", {"state": ""}),
        ("redirect_uri", {"redirect_uri": "x"}),
    ],
)
def test_what_the_caller_passed_is_still_the_callers(op: OpenPayments, argument: str, wrong: dict[str, Any]) -> None:
    authorisation = begun(op, "https://bank.example/sign", Approach.REDIRECT)
    with pytest.raises(InvalidArgumentError) as caught:
        authorisation.redirect_url(**{"redirect_uri": CALLBACK, **wrong})
    assert caught.value.argument == argument


AUTH_HOSTS = {
    "sandbox": "auth.sandbox.openbankingplatform.com",
    "sandbox-oauth": "oauth.sandbox.openbankingplatform.com",
    "production": "auth.openbankingplatform.com",
    "mine": "auth.example.com",
}


@pytest.mark.parametrize("link_of", AUTH_HOSTS)
@pytest.mark.parametrize("environment", AUTH_HOSTS)
def test_a_link_may_lead_to_either_auth_host_of_the_sandbox(environment: str, link_of: str) -> None:
    mine = Environment("mine", "https://auth.example.com", "https://api.example.com")
    given: Any = mine if environment == "mine" else environment
    template = TEMPLATE.replace(AUTH_HOSTS["sandbox"], AUTH_HOSTS[link_of])
    with OpenPayments(client_id="an-id", client_secret="a-secret", environment=given) as op:
        if environment == link_of or {environment, link_of} == {"sandbox", "sandbox-oauth"}:
            url = op.oauth.redirect_url(template, redirect_uri=CALLBACK)
            assert urlsplit(url).netloc == AUTH_HOSTS[link_of]
        else:
            with pytest.raises(InvalidArgumentError, match=f"auth host https://.*{AUTH_HOSTS[environment]}") as caught:
                op.oauth.redirect_url(template, redirect_uri=CALLBACK)
            assert caught.value.argument == "template"


def test_a_relative_link_leads_to_the_auth_host_that_is_configured() -> None:
    relative = urlsplit(TEMPLATE)._replace(scheme="", netloc="").geturl()
    with OpenPayments(client_id="an-id", client_secret="a-secret", environment="sandbox-oauth") as op:
        assert urlsplit(op.oauth.redirect_url(relative, redirect_uri=CALLBACK)).netloc == AUTH_HOSTS["sandbox-oauth"]


def test_a_link_may_name_the_default_port(op: OpenPayments) -> None:
    template = TEMPLATE.replace(".com/", ".com:443/")
    assert op.oauth.redirect_url(template, redirect_uri=CALLBACK, state="s").startswith(template.split("?")[0])
    environment = Environment(name="e", auth_url="https://auth.example.com:443", api_url="https://api.example.com")
    with OpenPayments(client_id="an-id", client_secret="a-secret", environment=environment) as other:
        url = other.oauth.redirect_url("https://auth.example.com/?s=[TPP_STATE]", redirect_uri=CALLBACK, state="s")
    assert url == "https://auth.example.com/?s=s"


@pytest.mark.parametrize("uri", ["com.example.app:/callback", "com.example.app://callback"])
def test_a_redirect_uri_may_belong_to_an_app(op: OpenPayments, uri: str) -> None:
    url = op.oauth.redirect_url(TEMPLATE, redirect_uri=uri)
    assert parse_qs(urlsplit(url).query)["redirect_uri"] == [uri]


@pytest.mark.parametrize(
    "uri",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "\ud800://x",
        "",
        "/callback",
        "https://",
        "https://a b",
        "https://x.example/#part",
        "https://[",
        None,
        5,
    ],
)
def test_a_redirect_uri_that_is_none_is_refused(op: OpenPayments, uri: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="redirect_uri"):
        op.oauth.redirect_url(TEMPLATE, redirect_uri=uri)


@pytest.mark.parametrize("state", ["", 5, "\ud800"])
def test_a_state_that_is_none_is_refused(op: OpenPayments, state: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="state"):
        op.oauth.redirect_url(TEMPLATE, redirect_uri=CALLBACK, state=state)
    with pytest.raises(InvalidArgumentError, match="state"):
        op.oauth.read_callback("https://app.example.com/?state=", state=state)


def test_a_callback_has_a_code_or_none(op: OpenPayments) -> None:
    callback = op.oauth.read_callback("https://app.example.com/cb?code=k0de&scope=a%20b&state=s", state="s")
    assert (callback.code, callback.scope) == ("k0de", "a b")
    assert "k0de" not in repr(callback)
    plain = op.oauth.read_callback("/cb?scope=a&state=s", state="s")
    assert (plain.code, plain.scope) == (None, "a")


def test_a_callback_with_an_error_failed(op: OpenPayments) -> None:
    url = "https://app.example.com/cb?error=access_denied&error_description=no%0Athanks&state=s"
    with pytest.raises(AuthorisationFailedError, match="access_denied: no thanks") as caught:
        op.oauth.read_callback(url, state="s")
    assert (caught.value.code, caught.value.text) == ("access_denied", "no thanks")
    assert caught.value.trying_again_helps is None


def test_an_error_may_have_nothing_but_a_description(op: OpenPayments) -> None:
    with pytest.raises(AuthorisationFailedError, match="too late") as caught:
        op.oauth.read_callback("https://app.example.com/cb?error_description=too+late&state=s", state="s")
    assert (caught.value.code, caught.value.trying_again_helps) == (None, None)
    # beside a code it means nothing
    callback = op.oauth.read_callback("https://app.example.com/cb?error_description=fine&code=c&state=s", state="s")
    assert callback.code == "c"


def test_a_code_that_can_not_be_sent_is_the_callbacks_fault(op: OpenPayments) -> None:
    with pytest.raises(AuthorisationFailedError, match="code that can't be used") as caught:
        op.oauth.read_callback("https://app.example.com/cb?code=k0de%0A&state=s", state="s")
    assert "k0de" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example.com/cb?code=k0de&state=another",
        "https://app.example.com/cb?code=k0de&state=",
        "https://app.example.com/cb?code=k0de",
        "https://app.example.com/cb?error=access_denied&state=another",
        "https://app.example.com/cb?code=k0de&code=d&state=s",
        "https://app.example.com/cb?code=k0de&state=s&state=s",
        "https://app.example.com/cb?code=k0de&state=\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
        "https://app.example.com/cb#code=k0de&state=s",
        "https://app.example.com/cb?error=no&error=yes&state=s",
        "https://[::1?state=s",
        "https://app.example.com/cb?code=k0de&state=\ud800",
        "https://app.example.com/\ud800?code=k0de&state=s",
    ],
)
def test_a_callback_of_somebody_else_is_rejected(op: OpenPayments, url: str) -> None:
    with pytest.raises(CallbackRejectedError, match="may be old or forged") as caught:
        op.oauth.read_callback(url, state="s")
    assert "k0de" not in str(caught.value)
    assert (caught.value.code, caught.value.text, caught.value.trying_again_helps) == (None, None, None)


@pytest.mark.parametrize(
    "url",
    [
        b"https://app.example.com/cb?code=k0de&state=s",
        None,
        5,
    ],
)
def test_a_callback_that_is_no_string_is_refused(op: OpenPayments, url: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="url") as caught:
        op.oauth.read_callback(url, state="s")
    assert "k0de" not in str(caught.value)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "has no state"),
        ("?error=server_error", "has no state, but the error server_error"),
        ("?error=no&error_description=not%0Atoday", "has no state, but the error no: not today"),
        ("?state=yours", "has a different state than the redirect URL"),
        ("?state=s&state=s", "has state more than once"),
    ],
)
def test_a_rejected_callback_says_why(op: OpenPayments, query: str, said: str) -> None:
    with pytest.raises(CallbackRejectedError) as caught:
        op.oauth.read_callback(f"https://app.example.com/cb{query}", state="s")
    doubt = "it may be old or forged, and the authorisation itself may still go on"
    assert str(caught.value) == f"the callback {said}, so it is not accepted: {doubt}"


def test_a_callback_that_is_no_string_says_what_would_be_one(op: OpenPayments) -> None:
    url: Any = httpx.URL("https://app.example.com/cb?state=s")
    with pytest.raises(InvalidArgumentError) as caught:
        op.oauth.read_callback(url, state="s")
    assert str(caught.value) == "url must be a string, such as str(request.url), not URL"


FULL = {
    "access_token": "a-t0ken",
    "token_type": "Bearer",
    "scope": "accountinformation private",
    "expires_in": "3600",
    "status": "approved",
    "refresh_token": "r3fresh",
    "refresh_token_expires_in": 86400,
    "refresh_token_issued_at": 1700000000,
    "refresh_count": "2",
    "bank": "ESSESESS",
}


def test_a_users_token_carries_every_field_and_shows_none_that_is_secret() -> None:
    token = UserToken.from_dict(FULL)
    assert token.access_token.reveal() == "a-t0ken"
    assert (token.expires_in, token.refresh_count, token.status) == (3600, 2, "approved")
    assert token.expires_at == token.received_at + 3600
    assert token.additional_fields == {"bank": "ESSESESS"}
    assert UserToken.from_dict(token.to_dict()) == token
    assert "a-t0ken" not in repr(token)
    assert "r3fresh" not in repr(token)
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(token)


def test_a_users_token_may_have_nothing_but_a_token() -> None:
    odd = {
        "access_token": "a",
        "expires_in": [],
        "scope": 5,
        "refresh_token": "",
        "refresh_count": True,
        "status": None,
    }
    token = UserToken.from_dict(odd)
    assert (token.token_type, token.expires_at, token.refresh_token, token.scope) == ("Bearer", None, None, None)
    assert UserToken.from_dict(token.to_dict()) == token


def test_a_lifetime_that_no_clock_can_hold_is_unknown() -> None:
    assert UserToken.from_dict({"access_token": "a", "expires_in": 10**400}).expires_at is None


def test_users_tokens_can_be_kept_in_a_set() -> None:
    token = UserToken.from_dict(FULL)
    same, other = UserToken.from_dict(token.to_dict()), UserToken.from_dict({**token.to_dict(), "bank": "SWEDSESS"})
    assert {token, same} == {token}
    assert token != other
    assert len({token, other}) == 2


@pytest.mark.parametrize("received_at", [10**400, float("nan"), "1", True, None])
def test_when_a_token_was_received_is_a_time(received_at: Any) -> None:
    before = time.time()
    token = UserToken.from_dict({"access_token": "a", "expires_in": 60, "received_at": received_at})
    assert before <= token.received_at <= time.time()


@pytest.mark.parametrize("received_at", [10**400, 5])
def test_a_server_is_not_believed_when_its_token_was_received(received_at: int) -> None:
    body = {"access_token": "a", "refresh_token": "r", "token_type": "Bearer", "received_at": received_at}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=body))
    before = time.time()
    with OpenPayments(
        client_id="an-id", client_secret="a-secret", api_scopes=["accountinformation"], transport=transport
    ) as op:
        first = op.oauth.exchange_code(code="c", redirect_uri=CALLBACK, consent_id="c", authorisation_id="a")
        for token in (first, op.oauth.refresh(first)):
            assert before <= token.received_at <= time.time()


@pytest.mark.parametrize("stored", [{}, {"access_token": ""}, {"access_token": 5}, None, []])
def test_what_holds_no_token_is_refused(stored: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="stored"):
        UserToken.from_dict(stored)

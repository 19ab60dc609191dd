"""Approving by redirect: the page, clicked as a browser would submit it, and what the application gets back."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import httpx
import pytest

from tests.simulator.callers import REDIRECT_URI, YEAR, BankCaller, fill

if TYPE_CHECKING:
    from tests.simulator.callers import Clock
from tests.simulator.rules import of_2021

pytestmark = pytest.mark.simulator(token_lifetime=YEAR)


class Page(HTMLParser):
    """The forms of a page, as far as a browser needs them."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__()
        self.url = str(response.url)
        self.action = self.method = ""
        self.hidden: dict[str, str] = {}
        self.buttons: dict[str, tuple[str, str]] = {}
        self._button: tuple[str, str] | None = None
        self.feed(response.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action, self.method = urljoin(self.url, values.get("action", "")), values["method"]
        elif tag == "input":
            assert values["type"] == "hidden"
            self.hidden[values["name"]] = values["value"]
        elif tag == "button":
            assert values["type"] == "submit"
            self._button = (values["name"], values["value"])

    def handle_data(self, data: str) -> None:
        if self._button is not None:
            self.buttons[data] = self._button
            self._button = None

    def press(self, http: httpx.Client, label: str) -> httpx.Response:
        name, value = self.buttons[label]
        return http.request(self.method, self.action, data={**self.hidden, name: value})


def click(http: httpx.Client, link: str, label: str) -> httpx.Response:
    response = http.get(link)
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    return Page(response).press(http, label)


def returned(response: httpx.Response) -> dict[str, str]:
    """What the redirect URI gets in its query."""
    assert response.status_code == 303
    url = httpx.URL(response.headers["Location"])
    assert str(url.copy_with(query=None)) == REDIRECT_URI
    return dict(url.params)


def refused(response: httpx.Response) -> str:
    """Asserts that the browser stays where it is, and gives the page."""
    assert response.status_code == 400
    assert "Location" not in response.headers
    return response.text


def test_selecting_a_method_gives_a_link_to_fill_in(seb: BankCaller) -> None:
    consent_id = seb.create()
    path = seb.start(consent_id)
    response = seb.call("PUT", path, json={"authenticationMethodId": "mbid"})
    assert response.headers["ASPSP-SCA-Approach"] == "REDIRECT"
    body = response.json()
    assert body == {
        "scaStatus": "scaMethodSelected",
        "chosenScaMethod": {
            "authenticationType": "PUSH_OTP",
            "authenticationMethodId": "mbid",
            "name": "Mobile BankID",
        },
        "_links": {
            "scaStatus": {"href": f"/psd2/consent/v1/consents/{path}"},
            "scaOAuth": {
                "href": f"{seb.simulator.auth_url}/connect/authorize?client_id=[CLIENT_ID]"
                "&scope=accountinformation%20private&response_type=code&redirect_uri=[TPP_REDIRECT_URI]"
                f"&state=[TPP_STATE]&acr_values=idp:ESSESESS%20consentId:{consent_id}"
                f"%20consentAuthorisationId:{path.rpartition('/')[2]}"
            },
        },
    }


def test_approving(seb: BankCaller) -> None:
    consent_id, path, link = seb.link(state='"a" <state> & more')
    answer = returned(click(seb.http, link, "Approve"))
    code = answer.pop("code")
    assert answer == {"scope": "accountinformation private", "state": '"a" <state> & more'}
    # nothing is settled before the code was exchanged
    assert (seb.sca_status(path), seb.status(consent_id)) == ("scaMethodSelected", "received")
    response = seb.exchange(path, code)
    assert response.json()["scope"] == "accountinformation private"
    assert (seb.sca_status(path), seb.status(consent_id)) == ("finalised", "valid")
    assert seb.exchange(path, code).text == '{"error":"invalid_grant"}'


def test_declining(seb: BankCaller) -> None:
    consent_id, path, link = seb.link()
    assert returned(click(seb.http, link, "Decline")) == {"error": "access_denied", "state": "a state"}
    assert (seb.sca_status(path), seb.status(consent_id)) == ("failed", "rejected")
    assert "the authorisation is failed" in refused(seb.http.get(link))


def test_the_page_names_bank_and_last_day_and_shows_nothing_as_markup(seb: BankCaller) -> None:
    link = seb.link(state="<script>alert(1)</script>")[2]
    text = seb.http.get(link).text
    assert "Skandinaviska Enskilda Banken AB" in text
    assert "2026-06-01" in text
    assert "<script>" not in text


def test_a_redirect_uri_keeps_its_query(seb: BankCaller) -> None:
    _, _, link = seb.link(redirect_uri=f"{REDIRECT_URI}?tenant=1")
    location = click(seb.http, link, "Decline").headers["Location"]
    assert location == f"{REDIRECT_URI}?tenant=1&error=access_denied&state=a%20state"


def test_visiting_is_opening_the_page_and_pressing_a_button(seb: BankCaller) -> None:
    _, path, link = seb.link()
    answer = httpx.URL(seb.simulator.visit(link))
    assert set(answer.params) == {"code", "scope", "state"}
    assert seb.exchange(path, answer.params["code"]).status_code == 200
    link = seb.link()[2]
    assert "error=access_denied" in seb.simulator.visit(link, approve=False)
    with pytest.raises(ValueError, match="the authorisation is failed"):
        seb.simulator.visit(link)
    with pytest.raises(ValueError, match="does not begin with"):
        seb.simulator.visit(link.replace("/connect/", "/other/"))


@pytest.mark.parametrize("label", ["Approve", "Decline"])
def test_a_user_whose_authorisation_fails(seb: BankCaller, label: str) -> None:
    seb.headers["PSU-ID"] = "example-fails"
    consent_id, path, link = seb.link()
    assert returned(click(seb.http, link, label)) == {"error": "access_denied", "state": "a state"}
    assert (seb.get(path).json(), seb.status(consent_id)) == ({"scaStatus": "failed"}, "rejected")


def test_a_user_who_declines(seb: BankCaller) -> None:
    _, path, link = seb.link()
    click(seb.http, link, "Decline")
    (message,) = seb.get(path).json()["tppMessages"]
    assert (message["category"], message["code"]) == ("ERROR", "USER_CANCEL")


@of_2021
def test_who_the_user_is_may_be_said_when_the_consent_is_created(seb: BankCaller) -> None:
    seb.headers.pop("PSU-ID")
    _, path, link = seb.link(headers={"PSU-ID": "example-fails"})
    click(seb.http, link, "Approve")
    assert seb.sca_status(path) == "failed"


def test_a_user_who_is_exempted(seb: BankCaller) -> None:
    consent_id = seb.create()
    path = seb.start(consent_id, headers={"PSU-ID": "example-exempted"})
    body = seb.select(path)
    assert body["scaStatus"] == "exempted"
    assert list(body["_links"]) == ["scaStatus"]
    assert (seb.sca_status(path), seb.status(consent_id)) == ("exempted", "valid")


@of_2021
def test_a_user_who_never_ends(seb: BankCaller) -> None:
    seb.headers.pop("PSU-ID")
    consent_id = seb.create()
    path = seb.start(consent_id)
    template = seb.select(path, headers={"PSU-ID": "example-never-ends"})["_links"]["scaOAuth"]["href"]
    link = fill(template, seb.simulator.client_id, REDIRECT_URI, "1")
    for label in ("Approve", "Decline", "Approve"):
        response = click(seb.http, link, label)
        assert response.status_code == 200
        assert "has not answered" in response.text
    assert (seb.sca_status(path), seb.status(consent_id)) == ("scaMethodSelected", "received")
    with pytest.raises(ValueError, match="does not answer"):
        seb.simulator.visit(link)


def test_the_time_that_a_consent_waits_ends_with_it(seb: BankCaller, clock: Clock) -> None:
    _, _, link = seb.link(validUntil="2026-03-01")
    clock.next_day()
    assert "the authorisation is failed" in refused(seb.http.get(link))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("response_type=code", "response_type=token", "response_type"),
        ("client_id=", "client_id=0", "client_id is not known"),
        ("client_id=", "nobody=", "client_id is missing"),
        ("scope=accountinformation", "scope=everything", "scope: unknown"),
        ("redirect_uri=https%3A", "redirect_uri=javascript%3A", "redirect_uri is not an absolute"),
        ("redirect_uri=https%3A", "redirect_uri=com.example.app%3A", "redirect_uri is not an absolute"),
        ("redirect_uri=https%3A%2F%2F", "redirect_uri=", "redirect_uri is not an absolute"),
        ("redirect_uri=https%3A%2F%2F", "redirect_uri=https%3A", "redirect_uri is not an absolute"),
        ("redirect_uri=https%3A%2F%2F", "redirect_uri=https%3A%2F%2F%5B", "redirect_uri is not a URI"),
        ("callback", "callback%23fragment", "redirect_uri is not an absolute"),
        ("idp:ESSESESS", "idp:NDEASESS", "no consent of that bank"),
        ("consentId:", "consentId:0", "no consent of that bank"),
        ("consentId:", "quoteId:", "does not say what is to be approved"),
        ("consentAuthorisationId:", "consentAuthorisationId:0", "no authorisation"),
        ("response_type=code", "response_type=code&state=2", "more than once: state"),
        ("state=a%20state", "state=[TPP_STATE]", "placeholder [TPP_STATE]"),
    ],
)
def test_links_that_do_not_work(seb: BankCaller, old: str, new: str, reason: str) -> None:
    _, path, link = seb.link()
    assert link.count(old) == 1
    assert reason in refused(seb.http.get(link.replace(old, new)))
    assert seb.sca_status(path) == "scaMethodSelected"


@pytest.mark.parametrize("decision", ["", "perhaps"])
def test_a_form_without_a_decision(seb: BankCaller, decision: str) -> None:
    page = Page(seb.http.get(seb.link()[2]))
    response = seb.http.post(page.action, data={**page.hidden, "decision": decision})
    assert "decision must be" in refused(response)


def test_a_form_with_two_decisions(seb: BankCaller) -> None:
    page = Page(seb.http.get(seb.link()[2]))
    response = seb.http.post(page.action, data={**page.hidden, "decision": ["approve", "decline"]})
    assert "more than once: decision" in refused(response)


def test_a_link_before_a_method_was_selected(seb: BankCaller) -> None:
    consent_id, _, link = seb.link()
    early = seb.start(consent_id).rpartition("/")[2]
    link = link.partition("consentAuthorisationId:")[0] + f"consentAuthorisationId:{early}"
    assert "the authorisation is received" in refused(seb.http.get(link))


@pytest.mark.simulator(redirect_uris=[REDIRECT_URI])
def test_redirect_uris_can_be_registered(seb: BankCaller) -> None:
    assert seb.http.get(seb.link()[2]).status_code == 200
    other = seb.link(redirect_uri=f"{REDIRECT_URI}/")[2]
    assert "not one of those" in refused(seb.http.get(other))


@pytest.mark.simulator(plain_redirect=True)
def test_a_redirect_without_a_code(seb: BankCaller) -> None:
    consent_id, path, link = seb.link()
    assert returned(click(seb.http, link, "Approve")) == {
        "scope": "accountinformation private",
        "state": "a state",
    }
    assert (seb.sca_status(path), seb.status(consent_id)) == ("finalised", "valid")
    links = seb.select(seb.start(seb.create()))["_links"]
    assert set(links) == {"scaStatus", "scaRedirect"}


def test_a_code_by_control_activates_a_consent_that_is_there(seb: BankCaller) -> None:
    consent_id, path, _ = seb.link()
    code = seb.simulator.issue_code(
        redirect_uri=REDIRECT_URI, consent_id=consent_id, authorisation_id=path.rpartition("/")[2]
    )
    assert seb.exchange(path, code).status_code == 200
    assert seb.status(consent_id) == "valid"


def test_a_code_that_comes_too_late_changes_nothing(seb: BankCaller) -> None:
    consent_id, path, link = seb.link()
    code = httpx.URL(seb.simulator.visit(link)).params["code"]
    seb.call("DELETE", consent_id)
    assert seb.exchange(path, code).status_code == 200
    assert (seb.sca_status(path), seb.status(consent_id)) == ("failed", "terminatedByTpp")

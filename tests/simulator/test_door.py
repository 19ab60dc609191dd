"""What a web page of somebody else can't do to a simulator on the same machine, and what no caller can."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.simulator.callers import AS_JSON, BankCaller, Caller

LONGEST = 1024 * 1024
JOURNAL = "/simulator/requests"
# as a browser sends them, for a click in a page of another site and for what that page's scripts and frames do
FOREIGN = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
FRAME = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
IMAGE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}


@pytest.fixture(params=["auth", "api"])
def origin(request: pytest.FixtureRequest, caller: Caller) -> str:
    return caller.simulator.auth_url if request.param == "auth" else caller.simulator.api_url


def refused(response: httpx.Response, status: int, text: str) -> None:
    assert (response.status_code, response.headers["Content-Type"]) == (status, "text/plain; charset=utf-8")
    assert text in response.text


@pytest.mark.parametrize("host", ["evil.example:{port}", "evil.example", "localhost.evil.example", "[", "10.0.0.1", ""])
@pytest.mark.parametrize("path", [JOURNAL, "/connect/authorize", "/psd2/aspspinformation/v1/countries"])
def test_another_host(caller: Caller, origin: str, host: str, path: str) -> None:
    response = caller.http.get(origin + path, headers={"Host": host.format(port=urlsplit(origin).port)})
    refused(response, 421, "Host is 127.0.0.1 or localhost")
    assert caller.simulator.requests == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1:{port}", "localhost:{port}", "LocalHost:{port}", "[::1]:{port}", "localhost:1"]
)
def test_its_own_host(caller: Caller, origin: str, host: str) -> None:
    response = caller.http.get(origin + JOURNAL, headers={"Host": host.format(port=urlsplit(origin).port)})
    assert response.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        FOREIGN,
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost:{port}"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        FOREIGN | NAVIGATION,
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/simulator/tokens/revoke"), ("DELETE", JOURNAL), ("GET", JOURNAL), ("POST", "/simulator/faults")],
)
def test_the_control_path_from_another_page(
    caller: Caller, origin: str, headers: dict[str, str], method: str, path: str
) -> None:
    token = caller.token()
    port = urlsplit(origin).port
    sent = AS_JSON | {name: value.format(port=port) for name, value in headers.items()}
    refused(caller.http.request(method, origin + path, headers=sent, content='{"status": 500}'), 403, "other web pages")
    assert caller.get("/countries", token=token).status_code == 200
    assert len(caller.simulator.requests) == 2


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_what_a_form_can_send_to_the_control_path(caller: Caller, origin: str, media_type: str | None) -> None:
    token = caller.token()
    headers = {} if media_type is None else {"Content-Type": media_type}
    for path, body in (("tokens/revoke", ""), ("faults", '{"status": 500}')):
        response = caller.http.post(f"{origin}/simulator/{path}", content=body, headers=headers)
        refused(response, 415, "Content-Type: application/json")
    assert caller.get("/countries", token=token).status_code == 200


@pytest.mark.parametrize("path", ["/simulator/faults", "/connect/authorize", "/psd2/consent/v1/consents"])
def test_nobody_is_told_that_another_page_may_ask(caller: Caller, origin: str, path: str) -> None:
    headers = FOREIGN | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    response = caller.http.options(origin + path, headers=headers)
    refused(response, 403, "other web pages")
    assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize("headers", [FRAME, IMAGE, FOREIGN])
def test_what_another_page_loads_uses_up_no_fault_and_fills_no_journal(
    caller: Caller, origin: str, headers: dict[str, str]
) -> None:
    fault = caller.simulator.misbehave(status=500)
    refused(caller.http.get(f"{origin}/anything", headers=headers), 403, "other web pages")
    assert (fault.used, caller.simulator.requests) == (0, [])


def form_of(link: str) -> tuple[str, dict[str, str]]:
    """The form of a page, as any page could have it: its action and its fields, pressed."""
    page, _, query = link.partition("?")
    return page, {**dict(httpx.QueryParams(query)), "decision": "approve"}


@pytest.mark.parametrize(
    "headers", [FOREIGN | NAVIGATION, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "{api_url}"}]
)
def test_the_form_can_not_be_forged(seb: BankCaller, headers: dict[str, str]) -> None:
    _, path, link = seb.link()
    action, fields = form_of(link)
    sent = {name: value.format(api_url=seb.simulator.api_url) for name, value in headers.items()}
    refused(seb.http.post(action, data=fields, headers=sent), 403, "other web pages")
    assert seb.http.get(link).status_code == 200
    assert seb.sca_status(path) == "scaMethodSelected"


def test_a_browser_comes_from_the_application_and_goes_back(seb: BankCaller) -> None:
    link = seb.link()[2]
    page = seb.http.get(link, headers={"Sec-Fetch-Site": "cross-site", **NAVIGATION})
    assert page.status_code == 200
    action, fields = form_of(link)
    own = {"Origin": seb.simulator.auth_url, "Sec-Fetch-Site": "same-origin", **NAVIGATION}
    response = seb.http.post(action, data=fields, headers=own)
    assert response.status_code == 303
    assert "code=" in response.headers["Location"]


def test_what_pages_tell_browsers(seb: BankCaller) -> None:
    link = seb.link()[2]
    for response in (seb.http.get(link), seb.http.get(f"{link}0"), seb.http.get(f"{seb.simulator.auth_url}/kyc/")):
        policy = dict(part.split(" ", 1) for part in response.headers["Content-Security-Policy"].split("; "))
        assert (policy["default-src"], policy["frame-ancestors"]) == ("'none'", "'none'")
        assert response.headers["X-Frame-Options"] == "DENY"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        # with no-referrer the page's own form has `Origin: null`
        assert response.headers["Referrer-Policy"] == "same-origin"
        assert not [name for name in response.headers if name.startswith("access-control")]


def in_chunks(length: int) -> Iterator[bytes]:
    for begin in range(0, length, 65536):
        yield b" " * min(65536, length - begin)


@pytest.mark.parametrize(
    "path", ["/connect/token", "/connect/authorize", "/simulator/faults", "/psd2/consent/v1/consents"]
)
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_without_an_end(caller: Caller, origin: str, path: str, chunked: bool) -> None:
    def send(length: int) -> httpx.Response:
        body: Any = in_chunks(length) if chunked else b" " * length
        return caller.http.post(origin + path, content=body, headers=AS_JSON)

    refused(send(LONGEST + 1), 413, "1 MiB")
    assert send(LONGEST).status_code in {400, 401, 404}
    assert [entry.status for entry in caller.simulator.requests][:1] == ([] if "/simulator/" in path else [413])


def test_a_form_of_many_fields_is_refused_at_once(seb: BankCaller) -> None:
    for path in ("/connect/authorize", "/kyc/", "/connect/token"):
        form = "&".join(f"a{number}=" for number in range(100_000))
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        response = seb.http.post(f"{seb.simulator.auth_url}{path}", content=form, headers=headers)
        assert response.status_code == 400

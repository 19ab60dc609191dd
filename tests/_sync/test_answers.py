# Written by `make unasync` from tests/_async/test_answers.py; do not edit.
"""Whatever the hosts answer ends in one clear exception."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest
from openpayments_client.api.kyc import get_kyc_status

from openpayments_facade import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ConnectionFailedError,
    ConsentExpiredError,
    ConsentInvalidError,
    InvalidScopeError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ScaRequiredError,
    ServerError,
    TimedOutError,
    TokenError,
    UnauthorizedError,
    UnreadableResponseError,
)
from openpayments_facade.tokens import forget_all

if TYPE_CHECKING:
    from openpayments_facade import OpenPayments
    from openpayments_facade.simulator import Simulator

BROKEN: list[dict[str, Any]] = [
    {"body": "<h1>Bad gateway</h1>", "content_type": "text/html"},
    {"body": "", "content_type": "application/json"},
    {"body": '{"countries": [{"isoCo', "content_type": "application/json"},
    {"body": "[]", "content_type": "application/json"},
    {"body": '"text"', "content_type": "application/json"},
    {"body": b"\xff\xfe\x00", "content_type": "application/json"},
    {"body": "[" * 100_000, "content_type": "application/json"},
]


@pytest.mark.parametrize("broken", BROKEN, ids=["html", "empty", "truncated", "list", "text", "bytes", "deep"])
@pytest.mark.parametrize("status", [200, 400, 404, 418, 500, 502, 599])
def test_a_broken_body_of_the_api_host(simulator: Simulator, status: int, broken: dict[str, Any]) -> None:
    with simulator.client(max_retries=0) as op:
        op.access_token()
        simulator.misbehave("/psd2", status=status, **broken)
        with pytest.raises(UnreadableResponseError if status == 200 else APIError) as caught:
            op.countries.list()
    assert caught.value.status_code == status
    assert caught.value.request_id == simulator.requests[-1].headers["x-request-id"]


@pytest.mark.parametrize("broken", BROKEN, ids=["html", "empty", "truncated", "list", "text", "bytes", "deep"])
@pytest.mark.parametrize("status", [200, 400, 404, 418, 500, 502, 599])
def test_a_broken_body_of_the_auth_host(simulator: Simulator, status: int, broken: dict[str, Any]) -> None:
    simulator.misbehave("/connect/token", status=status, **broken)
    with simulator.client(max_retries=0) as op:
        with pytest.raises(UnreadableResponseError if status == 200 else TokenError) as caught:
            op.countries.list()
    assert caught.value.status_code == status
    assert caught.value.request_id == simulator.requests[-1].headers["x-request-id"]
    assert len(simulator.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"more": 1},
        {"countries": "SE"},
        {"countries": 0},
        {"countries": True},
        [{"isoCountryCode": "SE"}, {"isoCountryCode": "FI"}],
        [[{"countries": []}]],
        "SE",
    ],
)
def test_a_body_of_another_shape_is_unreadable(op: OpenPayments, simulator: Simulator, body: Any) -> None:
    simulator.misbehave("/psd2", body=body)
    with pytest.raises(UnreadableResponseError, match="200 with an answer that can't be read"):
        op.countries.list()


def test_what_nobody_described_is_kept(op: OpenPayments, simulator: Simulator) -> None:
    country = {"isoCountryCode": "SE", "name": "Sweden", "id": None, "currency": "SEK"}
    simulator.misbehave("/psd2", body={"countries": [country], "more": 1})
    (sweden,) = op.countries.list()
    assert sweden.additional_properties == {"currency": "SEK"}
    assert sweden.id is None


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "FORMAT_ERROR", BadRequestError),
        (401, "CERTIFICATE_MISSING", UnauthorizedError),
        (401, "CONSENT_INVALID", ConsentInvalidError),
        (401, "CONSENT_EXPIRED", ConsentExpiredError),
        (403, "CONSENT_UNKNOWN", ConsentInvalidError),
        (403, "SERVICE_BLOCKED", PermissionDeniedError),
        (405, "SERVICE_INVALID", APIError),
        (409, "STATUS_INVALID", ConflictError),
        (429, "SOMETHING_NEW", RateLimitedError),
        (503, "SOMETHING_NEW", ServerError),
    ],
)
def test_status_and_code_choose_the_exception(
    simulator: Simulator, status: int, code: str, kind: type[APIError]
) -> None:
    message = {"category": "ERROR", "code": code, "text": "because", "path": "here"}
    bodies: list[Any] = [
        {"tppMessages": [message]},
        [message],
        {"type": "about:blank", "code": code, "title": "no", "detail": "because"},
    ]
    with simulator.client(max_retries=0) as op:
        for body in bodies:
            simulator.misbehave("/psd2", status=status, body=body)
            with pytest.raises(APIError) as caught:
                op.countries.list()
            assert type(caught.value) is kind
            assert (caught.value.code, caught.value.messages[0].text) == (code, "because")


EXPIRED = '{"tppMessages": [{"category": "ERROR", "code": "CONSENT_EXPIRED", "text": "%s"}]}'


@pytest.mark.parametrize(
    ("text", "encoding", "charset"),
    [
        ("är slut", "utf-8", ""),
        ("är slut", "utf-8", "; charset=iso-8859-1"),
        ("är slut", "utf-8-sig", ""),
        ("är\tslut", "utf-8", ""),
        ("är slut", "utf-16", ""),
        ("är slut", "utf-16-be", "; charset=utf-16"),
        ("är slut", "utf-32-le", ""),
        ("är slut: 5 €", "cp1252", ""),
        ("är slut: 5 €", "cp1252", "; charset=iso-8859-1"),
        ("är slut: 5 €", "cp1252", "; charset=nothing"),
        ("är slut", "cp1252", "; charset=rot13"),
        ("zgoda wygasła", "iso-8859-2", '; charset="ISO-8859-2"'),
        ("zgoda wygasła", "windows-1250", "; charset=windows-1250"),
        ("�r slut", "latin-1", "; charset=utf-8"),
    ],
)
def test_an_error_in_any_encoding_says_the_same(simulator: Simulator, text: str, encoding: str, charset: str) -> None:
    body = (EXPIRED % text).replace("�", "ä").encode(encoding)
    with simulator.client() as op:
        for each in (body, b"\xef\xbb\xbf" + body, body + b"\0" if "utf-" not in encoding else body):
            simulator.misbehave("/psd2", status=401, body=each, content_type=f"application/json{charset}")
            with pytest.raises(ConsentExpiredError) as caught:
                op.countries.list()
            assert caught.value.messages[0].text == text.replace("\t", " ")
            assert caught.value.body == EXPIRED % text
    assert simulator.token_requests == 1


@pytest.mark.parametrize(("name", "encoding"), [("Łódź", "iso-8859-2"), ("Łódź", "windows-1250"), ("Åland", "cp1252")])
def test_a_success_in_the_encoding_that_it_declares(
    op: OpenPayments, simulator: Simulator, name: str, encoding: str
) -> None:
    body = f'{{"countries": [{{"isoCountryCode": "XX", "name": "{name}"}}]}}'.encode(encoding)
    for each in (body, b"\xef\xbb\xbf" * 2 + body, body + b"\0"):
        simulator.misbehave("/psd2", body=each, content_type=f"application/json; charset={encoding}")
        (country,) = op.countries.list()
        assert country.name == name


def test_an_error_keeps_its_body_as_it_came(op: OpenPayments, simulator: Simulator) -> None:
    token = op.access_token()
    body = '{"n":12345678901234567.89,"n":1.10, "m":1e400,"s":"\\u00e5\\/"}'
    for said, kept in ((body, body), (body.replace("}", f',"t":"{token}"}}'), body.replace("}", ',"t":"***"}'))):
        simulator.misbehave("/psd2", status=400, body=said, content_type="application/json")
        with pytest.raises(BadRequestError) as caught:
            op.countries.list()
        assert caught.value.body == kept
    # not its second character: "3\\u0034..." has a token that begins with "34" as it stands
    escaped = f"{token[:4]}\\u{ord(token[4]):04x}{token[5:]}"
    simulator.misbehave("/psd2", status=400, body=body + escaped, content_type="text/plain")
    with pytest.raises(BadRequestError) as caught:
        op.countries.list()
    assert caught.value.body == body.replace("\\u00e5\\/", "å/") + "***"


def test_a_problem_without_a_code(op: OpenPayments, simulator: Simulator) -> None:
    """KYC answers with these (the provider's description of 2026)."""
    path = "/kyc/integration/v1/status/5560000000"
    for body in ({"title": "Not Found", "status": 404, "detail": None}, {"detail": "Not Found"}):
        simulator.misbehave(path, status=404, body=body)
        with pytest.raises(NotFoundError, match="404 Not Found") as caught:
            op.call(get_kyc_status, "5560000000")
        assert (caught.value.code, caught.value.messages[0].text) == (None, "Not Found")


def test_a_bank_that_wants_the_user_again(op: OpenPayments, simulator: Simulator) -> None:
    text = "Unauthorized, request not successful. Statement requires SCA"
    simulator.misbehave("/psd2", status=401, body={"tppMessages": [{"category": "ERROR", "text": text}]})
    with pytest.raises(ScaRequiredError):
        op.countries.list()
    assert simulator.token_requests == 1


def test_wrong_credentials(simulator: Simulator) -> None:
    with simulator.client(client_secret="wrong") as op:
        with pytest.raises(AuthenticationError) as caught:
            op.countries.list()
    assert caught.value.code == "invalid_client"


@pytest.mark.openpayments_simulator(api_scopes=["aspspinformation"])
def test_a_scope_that_the_application_does_not_have(simulator: Simulator) -> None:
    with simulator.client(api_scopes=["aspspinformation", "paymentinitiation"]) as op:
        with pytest.raises(InvalidScopeError):
            op.countries.list()


def test_a_redirect_is_not_followed(simulator: Simulator) -> None:
    headers = {"Location": simulator.api_url + "/elsewhere"}
    simulator.misbehave("/connect/token", status=307, headers=headers, body="")
    with simulator.client(max_retries=0) as op:
        with pytest.raises(TokenError, match="redirect"):
            op.countries.list()
    assert [request.path for request in simulator.requests] == ["/connect/token"]
    simulator.reset()
    with simulator.client(psu_context="corporate") as op:
        op.access_token()
        simulator.misbehave("/psd2", status=302, headers=headers, body="")
        with pytest.raises(APIError, match="redirect"):
            op.countries.list()
    assert [request.path for request in simulator.requests][1:] == ["/psd2/aspspinformation/v1/countries"]


def test_a_host_that_is_not_there(simulator: Simulator) -> None:
    client = simulator.client(max_retries=0)
    other = simulator.client(max_retries=0, psu_context="corporate")
    client.access_token()
    simulator.stop()
    with client as op, other as cold:
        with pytest.raises(ConnectionFailedError, match="ConnectError"):
            op.countries.list()
        with pytest.raises(ConnectionFailedError, match="token endpoint"):
            cold.countries.list()


def test_a_server_that_takes_too_long(simulator: Simulator) -> None:
    with simulator.client(max_retries=0) as op:
        op.access_token()
        simulator.misbehave("/psd2", delay=30)
        with pytest.raises(TimedOutError, match="ReadTimeout"):
            op.with_options(timeout=0.05).countries.list()
        simulator.misbehave("/psd2", delay=30)
        with pytest.raises(TimedOutError):
            op.with_options(total_timeout=0.05).countries.list()


def test_an_error_has_the_answer_without_the_token(op: OpenPayments, simulator: Simulator) -> None:
    token = op.access_token()
    escaped = "".join(f"\\u{ord(character):04x}" for character in token)
    body = f'{{"tppMessages": [{{"code": "FORMAT_ERROR", "text": "not {escaped}", "category": "ERROR"}}]}}'
    challenge = {"WWW-Authenticate": f"Bearer realm={token}"}
    for status in (400, 302):
        simulator.misbehave("/psd2", status=status, body=body, content_type="application/json", headers=challenge)
        with pytest.raises(APIError) as caught:
            op.countries.list()
        assert caught.value.headers["www-authenticate"] == "Bearer realm=***"
        assert '"text": "not ***"' in caught.value.body
        assert token not in str(caught.value) + repr(vars(caught.value))
    simulator.misbehave("/psd2", status=502, body="x" * 20_000, content_type="text/html", times=3)
    with pytest.raises(ServerError) as caught_too:
        op.countries.list()
    assert len(caught_too.value.body) == 10_000
    assert pickle.loads(pickle.dumps(caught_too.value)).headers["content-type"].startswith("text/html")


def test_a_warning_is_not_the_reason(op: OpenPayments, simulator: Simulator) -> None:
    messages = [
        {"category": "WARNING", "code": "TOKEN_OLD", "text": "t" * 600},
        {"category": "ERROR", "code": "CONSENT_EXPIRED"},
    ]
    simulator.misbehave("/psd2", status=401, body={"tppMessages": messages})
    with pytest.raises(ConsentExpiredError) as caught:
        op.countries.list()
    assert caught.value.code == "CONSENT_EXPIRED"
    assert [len(message.text or "") for message in caught.value.messages] == [512, 0]


@pytest.mark.parametrize("wait", ["Thu, 01 Jan 2026 00:00:00 +99999999999999999999", "-1", "soon", "9" * 400])
def test_a_wait_that_is_none_or_absurd(simulator: Simulator, wait: str) -> None:
    for path in ("/connect/token", "/psd2"):
        simulator.misbehave(path, status=503, headers={"Retry-After": wait})
    with simulator.client(max_retries=0) as op:
        with pytest.raises(TokenError):
            op.countries.list()
    with simulator.client(max_retries=0) as op:
        forget_all()
        with pytest.raises(ServerError):
            op.countries.list()

"""The browser's way: no callback of another state is accepted, no link leads elsewhere, and no text tells a secret."""

from __future__ import annotations

import functools
import html
import re
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, quote_plus, urlencode, urlsplit

import httpx
from hypothesis import strategies as st

from openpayments_facade import (
    AuthorisationFailedError,
    CallbackRejectedError,
    InvalidArgumentError,
    OpenPayments,
    OpenPaymentsError,
    UserToken,
)
from tests.fuzz.carrier import AT, CLIENT_ID, CLIENT_SECRET, Carrier
from tests.fuzz.fuzzing import fuzzed
from tests.fuzz.hostile import cases_of, like, pieces, spliced, texts, things

BACK, STATE, CODE = "https://shop.example/back?from=bank", "st4te-that+is/secret=1", "c0de-that+is/secret=1"
ID = "3f1d0c7e-8a52-4a1e-9a44-6f0a1f6f2f10"


@functools.cache
def carried() -> tuple[Carrier, OpenPayments]:
    carrier = Carrier(lambda _: httpx.Response(404))
    return carrier, carrier.client()


def check_silent(error: OpenPaymentsError, *secrets: str) -> None:
    """Nothing that an exception says or holds quotes a secret."""
    texts = [str(error), repr(error), *map(str, vars(error).values())]
    for text in texts:
        assert text.isprintable()
        for secret in secrets:
            if len(secret) >= 8:
                forms = [encode(secret, errors="surrogatepass") for encode in (quote, quote_plus)]
                assert not any(form.casefold() in text.casefold() for form in (secret, html.escape(secret), *forms))


def encodable(text: str) -> str:
    return text.encode(errors="replace").decode()


encodings = st.sampled_from(
    [lambda text: text, quote, quote_plus, html.escape, str.upper, lambda text: quote(quote(text))]
)
secrets = st.sampled_from([STATE, CODE, STATE[:-1], STATE + "x", STATE[4:], ""])
written = st.builds(lambda encode, text: encode(text), encodings, secrets)
names = st.sampled_from(
    ["state", "code", "error", "error_description", "scope", "STATE", "Code", "amp;state", "state[]"]
)
pairs = st.builds(
    lambda name, value, mark, joint: f"{joint}{name}{mark}{value}",
    names | texts,
    written | written.flatmap(spliced) | texts,
    st.sampled_from(["=", "=", "=", "%3D", ""]),
    st.sampled_from(["&", "&", "&", ";", "&amp;", "?", "#", "%26", "&&", "\n"]),
)
right = f"state={quote(STATE, safe='')}"
queries = st.lists(pairs | st.just("&" + right), max_size=5).map("".join).map(lambda text: text.lstrip("&"))
addresses = st.builds(
    lambda start, joint, query: start + joint + query,
    st.sampled_from([BACK, BACK[:25], "", "/back", "https://evil.example/"]) | pieces,
    st.sampled_from(["?", "&", "#", ""]),
    queries,
)
# another state alone, and errors that quote what the callback brought
near = st.builds(lambda state: f"{BACK}&state={quote(state, safe='')}&code=x", secrets | spliced(STATE).map(encodable))
telling = st.builds(
    lambda name, value: f"{BACK}&{right}&code={quote(CODE, safe='')}&{name}={value}",
    st.sampled_from(["error", "error_description"]),
    st.builds(lambda one, form, two: quote_plus(encodable(one + form + two)), texts, written, texts),
)
good = st.lists(pairs, max_size=3).map(lambda found: f"https://shop.example/back?{right}{''.join(found)}")


def found(name: str, address: str) -> list[str]:
    """A parameter's values in an address, whose names may be in capitals, and its & encoded for HTML."""
    # browsers, too, leave out line breaks and tabs
    query = re.sub("[\\r\\n\\t]", "", address).partition("#")[0].partition("?")[2]
    pairs = [(each.lower().removeprefix("amp;"), value) for each, value in parse_qsl(query, keep_blank_values=True)]
    return [value for each, value in pairs if each == name]


@fuzzed("callbacks", 900, 120_000, address=good | addresses | near | telling | good.flatmap(spliced) | things)
def test_only_a_callback_with_the_state_is_accepted(address: Any) -> None:
    _, op = carried()
    try:
        callback = op.oauth.read_callback(address, state=STATE)
    except (CallbackRejectedError, AuthorisationFailedError) as error:
        return check_silent(error, STATE, *(found("code", address) if isinstance(address, str) else ()))
    except InvalidArgumentError as error:
        assert not isinstance(address, str)
        return check_silent(error)
    assert found("state", address) == [STATE]
    assert found("code", address) in ([], [callback.code or ""])
    assert repr(callback) == f"Callback(scope={callback.scope!r})"
    return None


@fuzzed("callbacks", 150, 15_000, state=texts | things, other=texts, code=texts)
def test_a_state_is_only_itself(state: Any, other: str, code: str) -> None:
    _, op = carried()
    query = {"state": other, "code": code}
    address = "https://shop.example/back?" + urlencode(query, errors="surrogatepass")
    try:
        op.oauth.read_callback(address, state=state)
    except (CallbackRejectedError, AuthorisationFailedError, InvalidArgumentError) as error:
        return check_silent(error)
    assert state == other
    return None


placeholders = st.sampled_from(
    [
        "[CLIENT_ID]",
        "[TPP_REDIRECT_URI]",
        "[TPP_STATE]",
        "[tpp_state]",
        "%5BTPP_STATE%5D",
        "[BICFI]",
        "[OTHER]",
        "[",
        "]",
    ]
)
LINK = f"{AT.auth_url}/connect/authorize?client_id=[CLIENT_ID]&redirect_uri=[TPP_REDIRECT_URI]&state=[TPP_STATE]"
links = st.lists(
    st.sampled_from([AT.auth_url, "https:", "//", "/", "auth.fuzzed.example", "?", "&state=", "#", "@", "\\"])
    | placeholders
    | pieces,
    max_size=8,
).map("".join)
ARGUMENTS: dict[str, st.SearchStrategy[Any]] = {
    "template": links | spliced(LINK) | spliced(LINK).flatmap(spliced) | things,
    "redirect_uri": like(BACK),
    "state": like(STATE),
}


@fuzzed("callbacks", 450, 70_000, passed=cases_of(ARGUMENTS))
def test_a_link_leads_to_the_auth_host_and_carries_the_state(passed: tuple[str, Any]) -> None:
    name, value = passed
    _, op = carried()
    given = {"template": LINK, "redirect_uri": BACK, "state": STATE, name: value}
    try:
        url = op.oauth.redirect_url(**given)
    except InvalidArgumentError as error:
        return check_silent(error, given["state"] if isinstance(given["state"], str) else "")
    parsed = httpx.URL(url)  # as another parser than ours understands it
    assert (parsed.scheme, parsed.host, parsed.userinfo) == ("https", "auth.fuzzed.example", b"")
    assert url.isprintable()
    assert "\\" not in url
    assert not url.is_elsewhere
    if isinstance(given["state"], str):
        assert url.state == given["state"]
    assert url.state in [each for _, each in parse_qsl(url.partition("?")[2])] or quote(url.state, safe="") in url
    if name != "template":
        found = parse_qs(urlsplit(url).query, strict_parsing=True)
        assert found == {"client_id": [CLIENT_ID], "redirect_uri": [given["redirect_uri"]], "state": [url.state]}
    return None


EXCHANGE: dict[str, Any] = {"code": CODE, "redirect_uri": BACK, "authorisation_id": ID, "consent_id": ID}


@fuzzed(
    "callbacks",
    150,
    15_000,
    passed=cases_of({**{name: like(it) for name, it in EXCHANGE.items()}, "payment_id": things}),
)
def test_a_code_is_exchanged_as_it_is(passed: tuple[str, Any]) -> None:
    name, value = passed
    carrier, op = carried()
    carrier.tokens.clear()
    given = {**EXCHANGE, name: value}
    try:
        token = op.oauth.exchange_code(**given)
    except InvalidArgumentError as error:
        assert carrier.tokens == []
        return check_silent(error, given["code"] if isinstance(given["code"], str) else "", CLIENT_SECRET)
    assert isinstance(token, UserToken)
    [request] = carrier.tokens
    assert str(request.url) == f"{AT.auth_url}/connect/token"
    pairs = parse_qsl(request.content.decode("ascii"), strict_parsing=True)
    assert len(pairs) == len(dict(pairs)) == 6
    assert (dict(pairs)["code"], dict(pairs)["redirect_uri"]) == (given["code"], given["redirect_uri"])
    headers = {each.lower(): it for each, it in request.headers.items()}
    kind = "consent" if given.get("consent_id") is not None else "payment"
    assert headers[f"x-{kind}id"] == str.__str__(str(given[f"{kind}_id"]))
    assert headers[f"x-{kind}authorisationid"] == str.__str__(str(given["authorisation_id"]))
    return None

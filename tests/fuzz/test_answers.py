"""Recorded answers with other bytes, headers or status: a value, or an exception that is not the caller's fault."""

from __future__ import annotations

import codecs
import functools
import gzip
import pickle
import zlib
from typing import Any, NamedTuple

import httpx
import yaml
from hypothesis import strategies as st

from openpayments_facade import ConfigurationError, InvalidArgumentError, OpenPayments, OpenPaymentsError
from tests.canned_server import TOKEN, Given
from tests.conftest import CASSETTES
from tests.described import arguments, bodies, endpoint, product_of
from tests.fuzz.carrier import Carrier, known_of
from tests.fuzz.fuzzing import fuzzed
from tests.fuzz.hostile import SNIPPETS, pieces
from tests.tools.inventory import INVENTORY, Known

BEARER = str(TOKEN["access_token"])


class Recorded(NamedTuple):
    known: Known
    given: Given


def recorded() -> list[Recorded]:
    """Each answer of the API host in the cassettes, once."""
    found: dict[Any, Recorded] = {}
    for path in sorted(CASSETTES.glob("*.yaml")):
        for each in yaml.load(path.read_text(), yaml.CSafeLoader)["interactions"]:
            request = httpx.Request(each["request"]["method"], each["request"]["uri"])
            known, answer = known_of(request), each["response"]
            if known is not None:
                headers = {name: values[0] for name, values in answer["headers"].items() if name != "x-request-id"}
                content = answer["body"]["string"].encode()
                found.setdefault(
                    (known.name, answer["status"]["code"], len(content) // 100),
                    Recorded(known, Given(answer["status"]["code"], headers, content)),
                )
    return [*found.values()]


ALL = recorded()


def both(data: bytes, other: bytes, at: int, upto: int) -> bytes:
    return data[: at % (len(data) + 1)] + other[upto % (len(other) + 1) :]


PIECES = [each.encode("utf-8", "surrogatepass") for each in SNIPPETS if len(each) < 100]
PIECES += [
    b"\xff",
    b"\x80",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    codecs.BOM_UTF8,
    codecs.BOM_UTF16,
    b"{",
    b"}",
    b"[" * 2000,
    b'"',
]
PIECES += [b"1" * 5000, b"1e999", b"NaN", b"\\ud800", b"\\u0000", b"null", b"-", BEARER.encode(), b'{"a":' * 2000]
counts = st.integers(0, 3000)
changes = st.one_of(
    st.builds(lambda at: lambda data: data[: at % (len(data) + 1)], counts),
    st.builds(lambda at: lambda data: data[at % (len(data) + 1) :], counts),
    st.builds(
        lambda at, piece, over: lambda data: data[: at % (len(data) + 1)] + piece + data[at % (len(data) + 1) + over :],
        counts,
        st.sampled_from(PIECES) | st.binary(max_size=4),
        st.sampled_from([0, 0, 1, 2, 10]),
    ),
    st.builds(
        lambda at, bit: (
            lambda data: bytes(byte ^ (1 << bit if index == at % len(data) else 0) for index, byte in enumerate(data))
        ),
        counts,
        st.integers(0, 7),
    ),
    st.builds(
        lambda other, at, upto: lambda data: both(data, ALL[other].given.content, at, upto),
        st.integers(0, len(ALL) - 1),
        counts,
        counts,
    ),
    st.sampled_from(["utf-16", "utf-16-le", "utf-32-be", "utf-8-sig", "cp1252", "shift-jis", "utf-7", "cp037"]).map(
        lambda encoding: lambda data: data.decode("utf-8", "replace").encode(encoding, "replace")
    ),
    st.sampled_from([gzip.compress, zlib.compress, lambda data: data * 3, lambda data: b"", lambda data: b"\n" + data]),
)
NAMES = ["Content-Type", "Content-Encoding", "Retry-After", "Link", "Location", "ASPSP-SCA-Approach", "X-Request-ID"]
NAMES += ["WWW-Authenticate", "Set-Cookie", "Transfer-Encoding", "Content-Length", "Date"]
VALUES = ["text/html", "application/json; charset=utf-16", "application/json; charset=x-unknown", "application/xml"]
VALUES += [
    "gzip",
    "deflate",
    "br",
    "zstd",
    "identity",
    "gzip, gzip",
    "x" * 3000,
    "-1",
    "1e9",
    "9" * 400,
    "0",
    "nan",
    "",
]
VALUES += ["Wed, 21 Oct 2015 07:28:00 GMT", '</x?y=1>; rel="next"', "<https://evil.example/?a=b>; rel=next", "REDIRECT"]
VALUES += [f"Bearer {BEARER}", 'Bearer error="invalid_token"', "chunked"]
values = st.sampled_from(VALUES) | pieces.map(lambda text: "".join(c for c in text if c == "\t" or " " <= c <= "\xff"))
headers = st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=2)
statuses = st.sampled_from([200, 201, 202, 204, 206, 301, 304, 307, 400, 401, 403, 404, 405, 409, 429, 500, 503, 599])


@functools.cache
def carried() -> tuple[Carrier, OpenPayments]:
    carrier = Carrier(lambda _: httpx.Response(204))
    return carrier, carrier.client()


@functools.cache
def arguments_of(name: str) -> dict[str, Any]:
    known = INVENTORY[name]
    given = arguments(known)
    for body in [*bodies(known).values()][:1]:
        given |= {"body": body, **product_of(known, body)}
    return given


def check_failure(error: OpenPaymentsError, status: int) -> None:
    # what came is never the caller's fault
    assert not isinstance(error, InvalidArgumentError | ConfigurationError)
    texts = [str(error), repr(error), *map(str, vars(error).values() if status not in range(200, 300) else ())]
    assert BEARER not in " ".join(texts)
    assert str(error).isprintable()
    assert len(str(error)) < 2000
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@fuzzed(
    "answers",
    1000,
    110_000,
    one=st.integers(0, len(ALL) - 1),
    changes=st.lists(changes, max_size=3),
    more=headers,
    status=st.none() | st.none() | statuses | st.integers(100, 999),
)
def test_changed_bytes_end_in_a_value_or_in_a_documented_exception(
    one: int, changes: list[Any], more: list[tuple[str, str]], status: int | None
) -> None:
    known, given = ALL[one]
    content = functools.reduce(lambda data, change: change(data), changes, given.content) or b""
    carrier, op = carried()
    sent = [*given.headers.items(), *more]
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in sent]
    carrier.answer = lambda _: httpx.Response(status or given.status, headers=encoded, stream=httpx.ByteStream(content))
    carrier.requests.clear()
    try:
        read = op.call(endpoint(known), **arguments_of(known.name))
    except OpenPaymentsError as error:
        check_failure(error, status or given.status)
    else:
        assert read is None or type(read).from_dict(read.to_dict()) == read
        repr(read)
    assert len(carrier.requests) <= 2  # a token that is blamed is replaced


def test_the_recorded_answers_are_many() -> None:
    assert len({each.known.name for each in ALL}) >= 30
    assert {200, 201, 204, 400, 401, 403, 404, 405, 429} <= {each.given.status for each in ALL}

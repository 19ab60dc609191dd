"""The faults: each a small named thing that a host, a proxy or somebody between does to a connection or an answer."""

from __future__ import annotations

import functools
import gzip
import json
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from .wire import DROP, FOREIGN, Answer, Got, Line, Proxy, Stage, Wire, client_tls, host_tls

if TYPE_CHECKING:
    from .rules import Gets

Does = Callable[[Line, Got], object]
MIB: Final = 1 << 20


@frozen(kw_only=True)
class Fault:
    """One fault, and what is known of it."""

    kind: str
    name: str
    does: Does
    gets: Gets = "error"
    """Whether it does not keep a call from its answer, does so, or may."""
    is_own: bool = True
    """Whether what the host answers is for this request."""
    stage: Stage = "request"
    connects: bool = True
    """Whether there is a connection, so that a request can leave."""
    where: str = "plain"
    """`plain`, `tls`, `proxy` or `https proxy`."""
    is_proxys: bool = True
    """Whether the proxy does it, if there is one."""
    through: Callable[[socket.socket, bytes], None] | None = None
    host_tls: Callable[[], ssl.SSLContext] | None = None
    client_tls: Callable[[], ssl.SSLContext] = client_tls
    before: Callable[[Wire], object] | None = None
    """What the host does to its connections when the fault begins."""
    is_heavy: bool = False
    """Whether memory and the event loop are watched as well, in a process of its own."""
    has_status: bool = False
    """Whether an error has to have the answer's status."""
    operations: tuple[str, ...] = ("token", "read", "page", "consent", "payment", "authorisation")


FAULTS: Final[dict[str, Fault]] = {}


def add(kind: str, name: str, does: Does, **about: Any) -> None:
    assert name not in FAULTS, name
    FAULTS[name] = Fault(kind=kind, name=name, does=does, **about)


def says(raw: Callable[[Answer], bytes], *, then: Callable[[Line], object] | None = None) -> Does:
    """Sends what `raw` makes of the good answer. `then`: what becomes of the connection; it stays by default."""

    def does(line: Line, got: Got) -> None:
        line.send(raw(line.answer(got)))
        if then is not None:
            then(line)

    return does


def junks(raw: Callable[[Answer, bytes], bytes], *, then: Callable[[Line], object] | None = Line.close) -> Does:
    """Like `says`, with what must not be quoted."""

    def does(line: Line, got: Got) -> None:
        line.send(raw(line.answer(got), line.junk(got)))
        if then is not None:
            then(line)

    return does


def answering(**changes: Any) -> Does:
    """Sends the good answer with some things changed."""
    return says(lambda answer: answer.but(**changes).whole)


def sending(data: bytes, then: Callable[[Line], object] = Line.close) -> Does:
    """Sends these bytes, whatever was asked."""

    def does(line: Line, got: Got) -> None:
        line.send(data)
        then(line)

    return does


def cut_off(line: Line) -> None:
    """Ends the connection without a word of TLS."""
    line.connection.close()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def chunked(answer: Answer, *headers: bytes) -> bytes:
    """The head of a chunked answer, and all of its body but the end."""
    half = len(answer.body) // 2
    head = answer.head(b"Transfer-Encoding: chunked", *headers)
    return head + chunk(answer.body[:half]) + chunk(answer.body[half:])


END: Final = b"0\r\n\r\n"
CHUNKED: Final = b"Transfer-Encoding: chunked"


# Where it breaks: how much of the answer comes, before silence, the end, or a reset. Line by line.

_CUTS: Final[dict[str, Callable[[Answer], bytes]]] = {
    "after the request": lambda a: b"",
    "in the status line": lambda a: b"HTTP/1.1 2",
    "in the headers": lambda a: a.head(size=True)[:40],
    "before the body": lambda a: a.head(size=True),
    "in the body": lambda a: a.whole[:-9],
    "in a chunk's size": lambda a: a.head(CHUNKED) + b"1",
    "in a chunk": lambda a: a.head(CHUNKED) + b"40\r\n" + a.body[:9],
    "before the last chunk": lambda a: chunked(a),
    "in the trailers": lambda a: chunked(a) + b"0\r\nX-Sum",
    "after a 100": lambda a: b"HTTP/1.1 100 Continue\r\n\r\n",
}
for _where, _cut in _CUTS.items():
    add("closed", f"closed {_where}", says(_cut, then=Line.close))
    add("reset", f"reset {_where}", says(_cut, then=Line.reset))
    add("silent", f"silent {_where}", says(_cut, then=Line.hold))


def _refuse(wire: Wire) -> None:
    wire.deafen()
    wire.hang_up()


def _at_once(does: Does) -> dict[str, Any]:
    return {"does": does, "stage": "connection", "before": Wire.hang_up}


add("closed", "refused", lambda line, _: line.close(), before=_refuse, connects=False)
add("closed", "closed at once", **_at_once(lambda line, _: line.close()))


def _reset_soon(line: Line, got: Got) -> None:
    time.sleep(0.05)  # before the connection is known to be there, a reset is a refusal
    line.reset()


add("reset", "reset at once", **_at_once(_reset_soon))
add("silent", "silent from the start", **_at_once(lambda line, _: line.hold()))
add("closed", "closed at the first byte", lambda line, _: line.close(), stage="bytes")
add("reset", "reset at the first byte", lambda line, _: line.reset(), stage="bytes")
add("closed", "closed while idle", says(lambda a: a.whole), before=Wire.hang_up, gets="answer")


def _half_close(line: Line) -> None:
    line.connection.shutdown(socket.SHUT_WR)
    line.hold()


add("silent", "silent at the first byte", lambda line, _: line.hold(), stage="bytes")
add("closed", "whole answer, then half closed", says(lambda a: a.whole, then=_half_close), gets="answer")
add("reset", "whole answer, then reset", says(lambda a: a.whole, then=Line.reset), gets="any")


# Dripping: one byte after the other, for longer than anybody waits.


def drips(before: Callable[[Answer], bytes], drop: Callable[[Answer], Iterator[bytes]] | bytes) -> Does:
    def does(line: Line, got: Got) -> None:
        answer = line.answer(got)
        line.send(before(answer))
        while True:
            for each in [drop] if isinstance(drop, bytes) else drop(answer):
                line.send(each)
                time.sleep(DROP)

    return does


def bytewise(data: bytes) -> Iterator[bytes]:
    return (data[at : at + 1] for at in range(len(data)))


_DRIPS: Final[dict[str, tuple[Callable[[Answer], bytes], Any]]] = {
    "the status line": (lambda a: b"HTTP/1.1 200 ", b"O"),
    "a header": (lambda a: a.head()[:-2] + b"X-Long: ", b"a"),
    "headers": (lambda a: a.head()[:-2], b"X-More: 1\r\n"),
    "the body": (lambda a: a.head(b"Content-Length: 100000"), b" "),
    "a body without a size": (lambda a: a.head(b"Connection: close"), b" "),
    "a chunk": (lambda a: a.head(CHUNKED) + b"10000\r\n", b" "),
    "chunks": (lambda a: a.head(CHUNKED), b"1\r\n \r\n"),
    "a chunk's size": (lambda a: a.head(CHUNKED) + b"1;", b"a"),
    "trailers": (lambda a: chunked(a) + b"0\r\n", b"X-More: 1\r\n"),
    "gzip of nothing": (
        lambda a: a.head(CHUNKED, b"Content-Encoding: gzip") + b"a\r\n\x1f\x8b\x08\0\0\0\0\0\0\xff\r\n",
        b"5\r\n\0\0\0\xff\xff\r\n",
    ),
    "answers of status 100": (lambda a: b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "answers of status 103": (lambda a: b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
}
for _what, (_before, _drop) in _DRIPS.items():
    add("dripping", f"drips {_what}", drips(_before, _drop))
add("dripping", "drips the whole answer", drips(lambda a: b"", lambda a: bytewise(a.whole * 100)))
add("dripping", "drips an error's body", drips(lambda a: a.but(status=500).head(b"Content-Length: 100000"), b" "))


# Answers of others, and what stands before or behind an answer.

OTHERS: Final[dict[str, dict[str, Any]]] = {
    "another's answer": {},
    "another's 404": {"status": 404},
    "another's 401": {"status": 401},
    "another's 500": {"status": 500},
    "another's 204": {"status": 204, "body": b""},
}
for _what, _changes in OTHERS.items():

    def _others(line: Line, got: Got, changes: dict[str, Any] = _changes) -> None:
        line.send(line.answer(got, FOREIGN).but(**changes).whole)

    add("mixed up", _what, _others, is_own=False)


def behind(request_id: str | None, **changes: Any) -> Does:
    """The right answer, and in the same segment another one."""

    def does(line: Line, got: Got) -> None:
        other = line.answer(got, FOREIGN).but(request_id=request_id, **changes)
        line.send(line.answer(got).whole, other.whole)

    return does


add("mixed up", "two answers in one segment", behind(FOREIGN), gets="answer")
add("mixed up", "two answers in one segment, without an id", behind(None), gets="answer")
add("mixed up", "two answers in one segment, one a 401", behind(None, status=401), gets="answer")
add("mixed up", "the same answer twice", says(lambda a: a.whole + a.whole), gets="answer")


def filled(a: Answer, size: int = 65_536) -> bytes:
    """The answer, as long as what is read at once."""
    padded = (a.holding(a.body + b" " * more) for more in range(size - len(a.whole) - 9, size))
    return next(each for each in padded if len(each) == size)


def _behind_much(line: Line, got: Got) -> None:
    line.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MIB)
    line.send(filled(line.answer(got)), line.answer(got, FOREIGN).but(request_id=None).whole)


# the first answer of a connection comes as a whole, however long it is
add("mixed up", "an answer of 65,536 bytes, and another", _behind_much, gets="answer", before=Wire.hang_up)


def _unasked(line: Line, got: Got) -> None:
    foreign = line.answer(Got("GET", got.target or "/countries", FOREIGN, ""))
    line.send(foreign.whole)
    line.hold()


add("mixed up", "an answer before the request", _unasked, stage="connection", before=Wire.hang_up, is_own=False)
_UNASKED: Final = Answer(200, b'{"countries": [{"isoCountryCode": "SE", "name": "unasked"}]}', None).whole


def _speak(wire: Wire) -> None:
    wire.speak(_UNASKED)
    time.sleep(0.05)  # until it has come


add("mixed up", "an answer while idle, without an id", says(lambda a: a.whole), before=_speak, gets="answer")


def _late(line: Line, got: Got) -> None:
    """As from a proxy that has lost count."""
    others = [each for each in line.wire.former if each.request_id != got.request_id]
    line.send((others or [line.answer(got, FOREIGN)])[-1].whole)


add("mixed up", "the late answer of a former request", _late, is_own=False)
_IDS: Final[dict[str, tuple[Gets, bool, Callable[[Answer], Answer]]]] = {
    "its id in capitals": ("answer", True, lambda a: a.but(request_id=(a.request_id or "").upper())),
    "no id": ("answer", True, lambda a: a.but(request_id=None)),
    "an empty id": ("any", True, lambda a: a.but(request_id="")),
    "its id and another": ("any", True, lambda a: a.but(headers=(b"X-Request-ID: " + FOREIGN.encode(),))),
    "its id twice": ("any", True, lambda a: a.but(headers=(b"X-Request-ID: " + (a.request_id or "").encode(),))),
    "an id that is none": ("error", False, lambda a: a.but(request_id="not-an-id")),
}
for _what, (_gets, _own, _change) in _IDS.items():

    def _other_id(a: Answer, change: Callable[[Answer], Answer] = _change) -> bytes:
        return change(a).whole

    add("mixed up", f"an answer with {_what}", says(_other_id), gets=_gets, is_own=_own)

_AFTER: Final[dict[str, tuple[Gets, Callable[[Answer, bytes], bytes]]]] = {
    "the declared length": ("answer", lambda a, junk: a.whole + junk),
    "the last chunk": ("answer", lambda a, junk: chunked(a) + END + junk),
    "a 204": ("any", lambda a, junk: a.but(status=204, body=b"").head() + junk + b"\r\n\r\n"),
    "a 204 with a length": ("any", lambda a, junk: a.but(status=204).whole + junk),
    "a 304": ("error", lambda a, junk: a.but(status=304).head() + junk + b"\r\n\r\n"),
    "a 205": ("any", lambda a, junk: a.but(status=205, body=b"").whole + junk),
    "a 404": ("error", lambda a, junk: a.but(status=404, body=b"{}").whole + junk),
}
for _what, (_gets, _junk) in _AFTER.items():
    add("mixed up", f"bytes after {_what}", junks(_junk, then=None), gets=_gets)


# How an answer is written.

_WRITTEN: Final[dict[str, tuple[Gets, Callable[[Answer], bytes]]]] = {
    "a 100 before it": ("answer", lambda a: b"HTTP/1.1 100 Continue\r\n\r\n" + a.whole),
    "a 103 before it": ("answer", lambda a: b"HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n" + a.whole),
    "fifty 102 before it": ("answer", lambda a: b"HTTP/1.1 102 Processing\r\n\r\n" * 50 + a.whole),
    "a 100 with a body before it": ("any", lambda a: b"HTTP/1.1 100 OK\r\nContent-Length: 2\r\n\r\n{}" + a.whole),
    "a 101": ("error", lambda a: b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n" + a.whole),
    "a blank line before it": ("any", lambda a: b"\r\n" + a.whole),
    "no phrase": ("answer", lambda a: a.head(line=b"HTTP/1.1 %d" % a.status, size=True) + a.body),
    "HTTP/1.0": ("answer", lambda a: a.head(line=b"HTTP/1.0 %d OK" % a.status, size=True) + a.body),
    "HTTP/3.0": ("any", lambda a: a.head(line=b"HTTP/3.0 200 OK", size=True) + a.body),
    "ICY": ("error", lambda a: a.head(line=b"ICY 200 OK", size=True) + a.body),
    "no status line": ("error", lambda a: a.body),
    "an HTTP/2 preface": ("error", lambda a: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"),
    "HTTP/2 frames": ("error", lambda a: b"\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x64" * 20 + b"\r\n\r\n"),
    "an SSH banner": ("error", lambda a: b"SSH-2.0-OpenSSH_9.6\r\n"),
    "a TLS alert": ("error", lambda a: b"\x15\3\1\0\2\2\x28"),
    "status 99": ("error", lambda a: a.head(line=b"HTTP/1.1 99 Low", size=True) + a.body),
    "status 1000": ("error", lambda a: a.head(line=b"HTTP/1.1 1000 High", size=True) + a.body),
    "bare line feeds": ("any", lambda a: a.head(size=True).replace(b"\r\n", b"\n") + a.body),
    "a folded header": ("any", lambda a: a.head(b"X-Folded: a\r\n b", size=True) + a.body),
    "an empty header name": ("error", lambda a: a.head(b": nothing", size=True) + a.body),
    "a space in a header's name": ("error", lambda a: a.head(b"X Space: a", size=True) + a.body),
    "a NUL in a header": ("error", lambda a: a.head(b"X-Nul: a\0b", size=True) + a.body),
    "bytes above ASCII in a header": ("answer", lambda a: a.head(b"X-Name: \xf6\xff\xc3\xa5", size=True) + a.body),
    "a header of 100 KB": ("any", lambda a: a.head(b"X-Long: " + b"a" * 100_000, size=True) + a.body),
    "10,000 headers": ("any", lambda a: a.head(*[b"X-%d: a" % n for n in range(10_000)], size=True) + a.body),
    "a chunk's extension of 100 KB": (
        "any",
        lambda a: a.head(CHUNKED) + b"%x;%s\r\n%s\r\n" % (len(a.body), b"a" * 100_000, a.body) + END,
    ),
    "chunks": ("answer", lambda a: chunked(a) + END),
    "trailers": ("answer", lambda a: chunked(a) + b"0\r\nX-Sum: 1\r\n\r\n"),
    "a chunk's extension": ("answer", lambda a: a.head(CHUNKED) + b"%x;a=b\r\n%s\r\n" % (len(a.body), a.body) + END),
    "a chunk's size that is none": ("error", lambda a: a.head(CHUNKED) + b"nonsense\r\n" + a.body),
    "a negative chunk": ("error", lambda a: a.head(CHUNKED) + b"-5\r\n" + a.body),
    "a chunk longer than it says": ("error", lambda a: a.head(CHUNKED) + b"5\r\n" + a.body + b"\r\n" + END),
    "a chunk of 2^70 bytes": ("error", lambda a: a.head(CHUNKED) + b"%x\r\n" % (1 << 70) + a.body),
    "a length and chunks": ("any", lambda a: a.head(b"Content-Length: 5", CHUNKED) + chunk(a.body) + END),
    "an unknown transfer encoding": ("error", lambda a: a.head(b"Transfer-Encoding: rot13", size=True) + a.body),
    "gzip as transfer encoding": ("error", lambda a: a.head(b"Transfer-Encoding: gzip, chunked") + END),
    "a length too short": ("error", lambda a: a.head(b"Content-Length: %d" % (len(a.body) - 4)) + a.body),
    "a length too long": ("error", lambda a: a.head(b"Content-Length: %d" % (len(a.body) + 9)) + a.body),
    "a negative length": ("error", lambda a: a.head(b"Content-Length: -5") + a.body),
    "a length that is none": ("error", lambda a: a.head(b"Content-Length: many") + a.body),
    "a length with a sign": ("error", lambda a: a.head(b"Content-Length: +%d" % len(a.body)) + a.body),
    "two lengths": ("error", lambda a: a.head(b"Content-Length: 5", size=True) + a.body),
    "the same length twice": ("any", lambda a: a.head(b"Content-Length: %d" % len(a.body), size=True) + a.body),
    "a length of 10^30": ("error", lambda a: a.head(b"Content-Length: 1%s" % (b"0" * 30)) + a.body),
}
for _what, (_gets, _written) in _WRITTEN.items():
    add("written oddly", f"an answer with {_what}", says(_written, then=Line.close), gets=_gets)
add("written oddly", "an answer without a size", says(lambda a: a.head() + a.body, then=Line.close), gets="answer")
add("written oddly", "an SSH banner, then silence", **_at_once(sending(b"SSH-2.0-x\r\n", Line.hold)))


def _interim(line: Line, got: Got) -> None:
    while True:
        line.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 20)
        time.sleep(0.001)


add("written oddly", "answers of status 103 without end", _interim)

_QUOTES: Final[dict[str, Callable[[Answer, bytes], bytes]]] = {
    "status line": lambda a, junk: junk + b"\r\n\r\n",
    "phrase": lambda a, junk: a.head(line=b"HTTP/1.1 500 " + junk, size=True) + a.body,
    "status": lambda a, junk: b"HTTP/1.1 " + junk + b"\r\n\r\n",
    "header without a colon": lambda a, junk: a.head(junk, size=True) + a.body,
    "header's name": lambda a, junk: a.head(junk + b": x", size=True) + a.body,
    "header with a NUL": lambda a, junk: a.head(b"X-Junk: \0" + junk, size=True) + a.body,
    "length": lambda a, junk: a.head(b"Content-Length: " + junk) + a.body,
    "transfer encoding": lambda a, junk: a.head(b"Transfer-Encoding: " + junk) + a.body,
    "chunk's size": lambda a, junk: a.head(CHUNKED) + junk + b"\r\n",
    "content encoding": lambda a, junk: a.holding(b"{}", b"Content-Encoding: " + junk),
    "content type": lambda a, junk: a.but(body=b"<").head(b"Content-Type: text/" + junk, size=True) + b"<",
    "body": lambda a, junk: a.holding(junk),
    "JSON": lambda a, junk: a.holding(json.dumps({junk.decode(): junk.decode()}).encode()),
    "page of an error": lambda a, junk: a.but(status=502, body=b"<h1>" + junk + b"</h1>").whole,
    "header of an error": lambda a, junk: a.but(status=404, headers=(b"X-Echo: " + junk,)).whole,
}
for _what, _quote in _QUOTES.items():
    add("quoting", f"account number and token in the {_what}", junks(_quote), gets="any")


# Encodings.


def packed(data: bytes, wbits: int = 31) -> bytes:
    packer = zlib.compressobj(wbits=wbits)
    return packer.compress(data) + packer.flush()


GZIP: Final = b"Content-Encoding: gzip"
_ENCODED: Final[dict[str, tuple[Gets, Callable[[Answer], bytes]]]] = {
    "gzip": ("answer", lambda a: a.holding(packed(a.body), GZIP)),
    "gzip in capitals": ("answer", lambda a: a.holding(packed(a.body), b"Content-Encoding: GZIP")),
    "x-gzip": ("any", lambda a: a.holding(packed(a.body), b"Content-Encoding: x-gzip")),
    "deflate": ("answer", lambda a: a.holding(packed(a.body, 15), b"Content-Encoding: deflate")),
    "raw deflate": ("answer", lambda a: a.holding(packed(a.body, -15), b"Content-Encoding: deflate")),
    "identity": ("answer", lambda a: a.holding(a.body, b"Content-Encoding: identity")),
    "gzip, cut": ("error", lambda a: a.holding(packed(a.body)[:-12], GZIP)),
    "gzip without its end": ("any", lambda a: a.holding(packed(a.body)[:-8], GZIP)),
    "gzip with a wrong sum": ("error", lambda a: a.holding(packed(a.body)[:-8] + b"\0" * 8, GZIP)),
    "broken gzip": ("error", lambda a: a.holding(packed(a.body)[:10] + b"\xff" * 30, GZIP)),
    "gzip and more": ("any", lambda a: a.holding(packed(a.body) + b"more", GZIP)),
    "gzip in two members": ("any", lambda a: a.holding(packed(a.body[:9]) + packed(a.body[9:]), GZIP)),
    "gzip twice": ("any", lambda a: a.holding(packed(packed(a.body)), b"Content-Encoding: gzip, gzip")),
    "gzip that is none": ("error", lambda a: a.holding(a.body, GZIP)),
    "gzip of nothing": ("error", lambda a: a.holding(packed(b""), GZIP)),
    "gzip that is not named": ("error", lambda a: a.holding(packed(a.body))),
    "br, unasked": ("error", lambda a: a.holding(b"\x0b\x02\x80{}\x03", b"Content-Encoding: br")),
    "zstd, unasked": ("error", lambda a: a.holding(b"\x28\xb5\x2f\xfd\0\0\x11\0\0{}", b"Content-Encoding: zstd")),
    "an unknown encoding": ("any", lambda a: a.holding(a.body, b"Content-Encoding: rot13")),
    "twenty encodings": ("any", lambda a: a.holding(a.body, b"Content-Encoding: " + b"gzip, " * 20)),
}
for _what, (_gets, _encoded) in _ENCODED.items():
    add("encodings", f"a body in {_what}", says(_encoded), gets=_gets)


# Sizes.


def zeros(mebibytes: int, byte: bytes = b" ") -> Iterator[bytes]:
    """So much of nothing as gzip, piece by piece."""
    packer = zlib.compressobj(9, wbits=31)
    for _ in range(mebibytes):
        if piece := packer.compress(byte * MIB):
            yield piece
    yield packer.flush()


_BOMB: Final = b"".join(zeros(80))
_BOMB_TWICE: Final = gzip.compress(_BOMB, 9)


def sends(head: Callable[[Answer], bytes], pieces: Callable[[], Iterator[bytes]]) -> Does:
    def does(line: Line, got: Got) -> None:
        line.send(head(line.answer(got)))
        for piece in pieces():
            line.send(piece)
        line.close()

    return does


def bomb(status: int = 0) -> Does:
    return says(lambda a: a.but(status=status or a.status).holding(_BOMB, GZIP))


def _pieces(mebibytes: int) -> Iterator[bytes]:
    return (b" " * MIB for _ in range(mebibytes))


def _without_end() -> Iterator[bytes]:
    while True:
        yield b" " * MIB
        time.sleep(0.004)


add("sizes", "80 MB in 80 KB of gzip", bomb())
add("sizes", "80 MB in 80 KB of gzip, status 500", bomb(500))
add("sizes", "80 MB in 80 KB of gzip, status 401", bomb(401))
add("sizes", "80 MB in gzip in gzip", says(lambda a: a.holding(_BOMB_TWICE, b"Content-Encoding: gzip, gzip")))
add("sizes", "80 MB", sends(lambda a: a.head(b"Content-Length: %d" % (80 * MIB)), lambda: _pieces(80)))
add("sizes", "80 MB, status 500", sends(lambda a: a.but(status=500).head(), lambda: _pieces(80)))
add("sizes", "a body without end", sends(lambda a: a.head(), _without_end))
add("sizes", "chunks without end", sends(lambda a: a.head(CHUNKED), lambda: map(chunk, _without_end())))
add("sizes", "a header without end", sends(lambda a: a.head()[:-2] + b"X-Long: ", _without_end))
add("sizes", "gzip of nothing without end", sends(lambda a: a.head(GZIP), lambda: _nothing_without_end()))


def _nothing_without_end() -> Iterator[bytes]:
    yield b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    while True:
        yield b"\0\0\0\xff\xff" * 200_000
        time.sleep(0.004)


# What takes long to decode or to parse if nobody stops it.


def heavy(name: str, does: Does, **about: Any) -> None:
    add("sizes", name, does, is_heavy=True, **about)


def endless(first: bytes, piece: bytes) -> bytes:
    """gzip of `first`, and of a gigabyte of pieces of a megabyte; without an end."""
    packer = zlib.compressobj(9, wbits=31)
    start, more = (packer.compress(each) + packer.flush(zlib.Z_FULL_FLUSH) for each in (first, piece))
    return start + more * 1000


NESTED: Final = b"Content-Encoding: gzip, gzip, gzip"
_blocks = functools.cache(lambda: packed(endless(b"\x1f\x8b\x08\0\0\0\0\0\0\xff", b"\0\0\0\xff\xff" * 200_000)))
_lists = functools.cache(lambda: packed(b"[" + b"[]," * 10_000_000))
_page = functools.cache(lambda: packed(b"<" + b"\xe9" * 30_000_000))


def punycode(status: int, size: int) -> Does:
    """A text whose decoder takes the square of its length."""
    body = packed(b"\xe9" + b"a" * 1000 + b"-" + b"a" * size)
    typed = b"text/plain; charset=punycode"
    return says(lambda a: a.but(status=status or a.status).holding(body, GZIP).replace(b"application/json", typed))


heavy("1 GB of zeros behind the end of gzip, in gzip in gzip",
      says(lambda a: a.holding(packed(endless(packed(a.body), bytes(MIB))), NESTED)), gets="any")  # fmt: skip
heavy("1 GB of gzip of nothing, in gzip in gzip", says(lambda a: a.holding(_blocks(), NESTED)))
heavy("30,000 chunks of a byte",
      says(lambda a: a.head(CHUNKED) + b"1\r\n \r\n" * 30_000 + chunk(a.body) + END), gets="any")  # fmt: skip
heavy("250 KB of punycode, status 400", punycode(400, 250_000))
heavy("1 MB of punycode", punycode(0, 1_000_000))
heavy("12,000 encodings", says(lambda a: a.holding(packed(a.body), b"Content-Encoding: " + b"gzip," * 12_000)))
heavy("30 MB of empty lists", says(lambda a: a.holding(_lists(), GZIP)))
heavy("30 MB of no JSON", says(lambda a: a.holding(_page(), GZIP)))


def _tokens(line: Line, got: Got) -> None:
    line.send(line.answer(got).holding(packed(b"<" + got.token.encode() * 1_000_000), GZIP))


heavy("the token a million times", _tokens, operations=("read", "page", "consent", "payment", "authorisation"))


# Statuses.

_BODIES: Final = {"JSON": b"{}", "HTML": b"<html>Gateway</html>", "nothing": b""}
_STATUSES: Final = (
    *(202, 203, 206, 226, 299, 300, 304, 305, *range(400, 419), *range(421, 427), 428, 429, 431, 451, 460, 499),
    *(*range(500, 506), 507, 508, 511, 520, 599, 600, 999),
)
for _number, _status in enumerate(_STATUSES):
    _kind = list(_BODIES)[_number % 3]

    def _with(a: Answer, status: int = _status, body: bytes = _BODIES[_kind]) -> bytes:
        return a.but(status=status, headers=(b"Content-Length: %d" % len(body),)).head() + body

    add("statuses", f"{_status} with {_kind}", says(_with), gets="any" if _status < 300 else "error")
for _body in ("HTML", "nothing"):
    for _status in (200, 401, 500):
        if f"{_status} with {_body}" not in FAULTS:
            add("statuses", f"{_status} with {_body}", answering(status=_status, body=_BODIES[_body]))
add("statuses", "204 without a body", says(lambda a: a.but(status=204).head()), gets="any")
add("statuses", "205 without a body", says(lambda a: a.but(status=205).head()), gets="any")
add("statuses", "429 for an hour", answering(status=429, headers=(b"Retry-After: 3600",)))
add("statuses", "503 with an odd Retry-After", answering(status=503, headers=(b"Retry-After: -1e9",)))


# Redirects.

_PLACES: Final = {
    "another host": "http://127.0.0.2:{port}/stranger",
    "another port": "http://127.0.0.1:{port}/stranger",
    "another path": "/stranger",
    "itself": "{target}",
    "a file": "file:///etc/passwd",
    "an address that is none": "http://[::bad",
    "a name and a password": "http://user:password@127.0.0.1:{port}/stranger",
}


def pointing(header: str, status: int = 0) -> Does:
    def does(line: Line, got: Got) -> None:
        answer, said = line.answer(got), header.format(port=line.wire.port, target=got.target)
        line.send(answer.but(status=status or answer.status, headers=(said.encode(),)).whole)

    return does


for _number, (_where, _place) in enumerate(_PLACES.items()):
    _status = (301, 302, 303, 307, 308)[_number % 5]

    add(
        "redirects", f"{_status} to {_where}", pointing("Location: " + _place, _status),
        has_status=True, before=Wire.listen_elsewhere,
    )  # fmt: skip
_ELSEWHERE: Final = _PLACES["another host"]
for _what, _header in (("201 that lies", f"Location: {_ELSEWHERE}"), ("Refresh to", f"Refresh: 0; url={_ELSEWHERE}")):
    add("redirects", f"{_what} elsewhere", pointing(_header), gets="answer", before=Wire.listen_elsewhere)


# JSON.

_JSON: Final[dict[str, tuple[Gets, Callable[[bytes], bytes]]]] = {
    "cut": ("error", lambda body: body[:-9]),
    "NaN": ("any", lambda body: b'{"x": NaN, ' + body[1:]),
    "infinity": ("any", lambda body: b'{"x": -Infinity, "y": 1e999, ' + body[1:]),
    "a number of 100,000 digits": ("any", lambda body: b'{"x": ' + b"9" * 100_000 + b", " + body[1:]),
    "100,000 lists in each other": ("any", lambda body: b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b", " + body[1:]),
    "100,000 open objects": ("error", lambda body: b'{"x": ' * 100_000),
    "names twice": ("any", lambda body: body[:-1] + b", " + body[1:]),
    "30,000 names": ("any", lambda body: body[:-1] + b"".join(b', "n%d": 1' % n for n in range(30_000)) + b"}"),
    "a byte order mark": ("answer", lambda body: b"\xef\xbb\xbf" + body),
    "UTF-16": ("any", lambda body: body.decode().encode("utf-16")),
    "UTF-32": ("any", lambda body: body.decode().encode("utf-32")),
    "Latin-1": ("any", lambda body: b'{"x": "f\xf6r", ' + body[1:]),
    "half a surrogate": ("any", lambda body: b'{"x": "\\ud800", ' + body[1:]),
    "control characters": ("any", lambda body: b'{"x": "a\nb\x1b[2J", ' + body[1:]),
    "more behind it": ("error", lambda body: body + b" {}"),
    "itself twice": ("error", lambda body: body + body),
    "a comment": ("error", lambda body: b"/* good */" + body),
    "single quotes": ("error", lambda body: body.replace(b'"', b"'")),
    "an empty object": ("any", lambda body: b"{}"),
    "an object of something else": ("error", lambda body: b'{"error": null}'),
    "a list": ("error", lambda body: b"[1, 2]"),
    "a string": ("error", lambda body: b'"text"'),
    "a number": ("error", lambda body: b"7"),
    "null": ("error", lambda body: b"null"),
    "true": ("error", lambda body: b"true"),
    "NUL": ("error", lambda body: b"\0" * 100),
    "spaces alone": ("error", lambda body: b" " * 100),
    "itself in a list": ("any", lambda body: b"[" + body + b"]"),
}
for _what, (_gets, _mutated) in _JSON.items():

    def _json(a: Answer, mutated: Callable[[bytes], bytes] = _mutated) -> bytes:
        return a.holding(mutated(a.body))

    add("JSON", f"JSON: {_what}", says(_json), gets=_gets)


# What a token endpoint may answer.


def grants(change: Callable[[dict[str, Any]], object]) -> Does:
    def raw(a: Answer) -> bytes:
        body = json.loads(a.body)
        change(body)
        return a.holding(json.dumps(body).encode())

    return says(raw)


_GRANTS: Final[dict[str, tuple[Gets, Callable[[dict[str, Any]], object]]]] = {
    "no token": ("error", lambda body: body.pop("access_token")),
    "an empty token": ("error", lambda body: body.update(access_token="")),
    "null for a token": ("error", lambda body: body.update(access_token=None)),
    "a token with a line break": ("error", lambda body: body.update(access_token="a\r\nX-Evil: b")),
    "a token beyond ASCII": ("error", lambda body: body.update(access_token="tök")),
    "a token with spaces": ("error", lambda body: body.update(access_token="a b c")),
    "a number for a token": ("error", lambda body: body.update(access_token=12345)),
    "a token of 40 KB": ("any", lambda body: body.update(access_token="a" * 40_000)),
    "a token of 5 MB": ("error", lambda body: body.update(access_token="a" * 5_000_000)),
    "no type": ("any", lambda body: body.pop("token_type")),
    "a type of its own": ("error", lambda body: body.update(token_type="mac")),
    "no lifetime": ("answer", lambda body: body.pop("expires_in")),
    "a lifetime of 0": ("answer", lambda body: body.update(expires_in=0)),
    "a negative lifetime": ("answer", lambda body: body.update(expires_in=-5)),
    "a lifetime in words": ("answer", lambda body: body.update(expires_in="an hour")),
    "a lifetime without end": ("answer", lambda body: body.update(expires_in=float("inf"))),
    "a lifetime of 10^400": ("answer", lambda body: body.update(expires_in=10**400)),
    "a list for a lifetime": ("answer", lambda body: body.update(expires_in=[1, 2])),
    "true for a lifetime": ("answer", lambda body: body.update(expires_in=True)),
    "half of the scope": ("answer", lambda body: body.update(scope="something")),
    "a scope of 20,000 words": ("any", lambda body: body.update(scope="a " * 20_000)),
    "a number for a scope": ("answer", lambda body: body.update(scope=7)),
    "an error beside it": ("error", lambda body: body.update(error="invalid_client")),
}
for _what, (_gets, _granting) in _GRANTS.items():
    add("tokens", f"a grant with {_what}", grants(_granting), gets=_gets, operations=("token",))
for _status, _error in (
    (400, b"invalid_scope"),
    (401, b"invalid_client"),
    (400, b"invented"),
    (503, b"temporarily_unavailable"),
):
    _does = answering(status=_status, body=b'{"error": "%s"}' % _error)
    add("tokens", f"{_status} {_error.decode()}", _does, operations=("token",))


def _secret_quoted(a: Answer, junk: bytes) -> bytes:
    body = {"error": "invented", "error_description": junk.decode().split()[1]}
    return a.but(status=400, body=json.dumps(body).encode()).whole


add("tokens", "an error that quotes the secret", junks(_secret_quoted, then=None), operations=("token",))


# TLS.


def dripping(outside: socket.socket, data: bytes) -> None:
    for byte in data:
        outside.sendall(bytes([byte]))
        time.sleep(DROP)


def tls(name: str, does: Does, **about: Any) -> None:
    add("TLS", f"TLS: {name}", does, **{"where": "tls", "before": Wire.hang_up, "connects": False, **about})


WELL: Final = says(lambda a: a.whole)
for _name in ("wrong host", "expired", "not yet valid", "unknown CA", "TLS 1.2 and asks for a certificate"):
    tls(_name, WELL, host_tls=functools.partial(host_tls, _name))
# with TLS 1.3 the host refuses only after the request has left
_asking = functools.partial(host_tls, "asks for a certificate")
_shown = functools.partial(client_tls, with_certificate=True)
tls("asks for a certificate", WELL, host_tls=_asking, connects=True)
tls("asks, and gets it", WELL, host_tls=_asking, client_tls=_shown, gets="answer", connects=True)
tls("closed before the handshake", lambda line, _: line.close(), stage="connection")
tls("reset before the handshake", _reset_soon, stage="connection")
tls("silent before the handshake", lambda line, _: line.hold(), stage="connection")
tls("no TLS at all", sending(b"HTTP/1.1 400 Bad\r\n\r\n", Line.hold), stage="connection")
tls("an alert", sending(b"\x15\3\3\0\2\2\x28", Line.hold), stage="connection")
tls("garbage", sending(b"\x16\3\3\0\x40" + b"\xff" * 64, Line.hold), stage="connection")
tls("drips its handshake", WELL, through=dripping)
tls("well", WELL, gets="answer", connects=True)
tls("cut before the answer", says(lambda a: b"", then=cut_off), connects=True)
tls("cut in the answer", says(lambda a: a.whole[:-9], then=cut_off), connects=True)
tls(
    "cut in an answer without a size",
    says(lambda a: a.head() + a.body[:-9], then=cut_off),
    connects=True,
)
tls(
    "cut after an answer without a size",
    says(lambda a: a.head() + a.body, then=cut_off),
    connects=True,
    gets="any",
)
tls("silent in the answer", says(lambda a: a.whole[:-9], then=Line.hold), connects=True)
tls("drips headers", drips(lambda a: a.head()[:-2], b"X-More: 1\r\n"), connects=True)
tls("two answers in one segment", behind(None), connects=True, gets="answer")
tls("another's answer", lambda line, got: line.send(line.answer(got, FOREIGN).whole), connects=True, is_own=False)


def _two_records(line: Line, got: Got) -> None:
    line.cork(1)
    line.send(line.answer(got).whole)
    line.send(line.answer(got, FOREIGN).but(request_id=None).whole)
    line.cork(0)


tls("two answers in two records of one segment", _two_records, connects=True, gets="answer")


# a handshake message of the greatest length, which never ends
_ENDLESS: Final = drips(lambda a: b"\x16\3\3\x40\0\2\0\xff\xff", b"\0")
tls("drips a record without end", _ENDLESS, stage="connection")


# A proxy.


def proxied(name: str, does: Does, **about: Any) -> None:
    add("proxy", f"proxy: {name}", does, **{"where": "proxy", "before": Wire.hang_up, "connects": False, **about})


def tunnels(greeting: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> Does:
    def does(line: Line, got: Got) -> None:
        assert isinstance(line.wire, Proxy)
        line.wire.tunnel(line, got, greeting)

    return does


_GO: Final = b"HTTP/1.1 200 OK\r\n"
_PAGE: Final = b"Content-Type: text/html\r\nContent-Length: 11\r\n\r\n<h1>No</h1>"
_TUNNELS: Final = {
    "well": tunnels(),
    "CONNECT gets 200 and leftovers": tunnels(_GO + b"\r\nleft"),
    "CONNECT gets 200 and an answer": tunnels(_GO + b"\r\n" + _UNASKED),
    "CONNECT gets 200 with a length": tunnels(_GO + b"Content-Length: 0\r\n\r\n"),
}
for _what, _does in _TUNNELS.items():
    proxied(_what, _does, gets="answer" if _what == "well" else "any", connects=True)
_REFUSALS: Final = {
    "CONNECT gets 407": sending(b"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic\r\n" + _PAGE),
    "CONNECT gets 403": sending(b"HTTP/1.1 403 No\r\n" + _PAGE),
    "CONNECT gets 502": sending(b"HTTP/1.1 502 Bad\r\n" + _PAGE),
    "CONNECT gets 503 and silence": sending(b"HTTP/1.1 503 Bad\r\n" + _PAGE, Line.hold),
    "CONNECT gets 302": sending(b"HTTP/1.1 302 Found\r\nLocation: /stranger\r\nContent-Length: 0\r\n\r\n"),
    "CONNECT gets 200 and a page": sending(_GO + _PAGE),
    "CONNECT gets 200 and silence": sending(_GO + b"\r\n", Line.hold),
    "CONNECT is reset": sending(b"", Line.reset),
    "CONNECT is closed": sending(b""),
    "CONNECT gets silence": sending(b"", Line.hold),
    "CONNECT gets dripping headers": drips(lambda a: _GO, b"X-More: 1\r\n"),
    "CONNECT gets 100 without end": drips(lambda a: b"", b"HTTP/1.1 100 Go\r\n\r\n"),
    "CONNECT gets a header of 200 KB": sending(_GO + b"X-Long: " + b"a" * 200_000 + b"\r\n\r\n"),
    "CONNECT gets an SSH banner": sending(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "CONNECT's phrase is an account number": junks(
        lambda a, junk: b"HTTP/1.1 502 " + junk + b"\r\nContent-Length: 0\r\n\r\n"
    ),
    "CONNECT's status line is an account number": junks(lambda a, junk: junk + b"\r\n\r\n"),
}
for _what, _does in _REFUSALS.items():
    proxied(_what, _does)

# The same through a proxy that is reached by TLS: TLS within TLS.
for _name in ("well", "CONNECT gets 502", "CONNECT gets 200 and silence", "CONNECT gets silence", "CONNECT is closed"):
    _plain = FAULTS[f"proxy: {_name}"]
    add("proxy over TLS", f"proxy over TLS: {_name}", _plain.does,
        where="https proxy", before=Wire.hang_up, connects=_plain.connects, gets=_plain.gets)  # fmt: skip
for _name in (
    "TLS: two answers in two records of one segment", "closed in the body", "silent in the headers", "drips headers",
    "drips the body", "another's answer", "80 MB in 80 KB of gzip", "500 with HTML",
):  # fmt: skip
    _plain = FAULTS[_name]
    add("proxy over TLS", f"proxy over TLS: {_name.removeprefix('TLS: ')}", _plain.does,
        where="https proxy", is_proxys=False, is_own=_plain.is_own, gets=_plain.gets)  # fmt: skip

"""The provider's hosts and a proxy on loopback, which answer well until a fault is armed."""

from __future__ import annotations

import functools
import json
import math
import re
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, Self

import trustme
from attrs import evolve, frozen

HOSTS: Final = {"api": "api.faults.example", "auth": "auth.faults.example"}
FOREIGN: Final = "00000000-0000-4000-8000-00000000beef"
"""The request id of somebody else."""
DROP: Final = 0.03
"""Seconds between the bytes that drip."""
GIVES_UP: Final = 4.0
"""Seconds after which a fault ends, if nobody has ended it."""
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ID: Final = re.compile(rb"\r\nx-request-id: *([^\r]*)", re.IGNORECASE)
_BEARER: Final = re.compile(rb"\r\nauthorization: *Bearer ([^\r]*)", re.IGNORECASE)


@frozen
class Got:
    """A request that has come."""

    method: str
    target: str
    request_id: str
    token: str
    """The bearer token; the body for a request for one."""


@frozen
class Answer:
    """What a host answers when all is well."""

    status: int
    body: bytes
    request_id: str | None
    headers: tuple[bytes, ...] = ()

    def head(self, *more: bytes, line: bytes = b"", size: bool = False) -> bytes:
        """Status line and headers, with the body's `size` if wanted."""
        lines = [line or b"HTTP/1.1 %d Whatever" % self.status, b"Content-Type: application/json"]
        lines += [] if self.request_id is None else [b"X-Request-ID: " + self.request_id.encode()]
        lines += [b"Content-Length: %d" % len(self.body)] if size else []
        return b"\r\n".join([*lines, *self.headers, *more, b"", b""])

    @property
    def whole(self) -> bytes:
        return self.head(size=True) + self.body

    def but(self, **changes: object) -> Answer:
        return evolve(self, **changes)  # type: ignore[arg-type]

    def holding(self, body: bytes, *headers: bytes) -> bytes:
        """The whole answer with another body."""
        return self.but(body=body, headers=headers).whole


class Line:
    """One connection, as a fault sees it."""

    def __init__(self, wire: Wire, connection: socket.socket) -> None:
        self.wire, self.connection = wire, connection
        self.is_over = False
        self.peer: int = connection.getpeername()[1] if connection.family == socket.AF_INET else 0

    def send(self, *parts: bytes) -> None:
        if time.monotonic() > self.wire.gives_up:
            raise ConnectionError
        self.connection.sendall(b"".join(parts))

    def cork(self, on: int) -> None:
        """Keeps what is sent back, until it is `on` no more: it leaves as one segment. Where the system can."""
        if (option := getattr(socket, "TCP_CORK", None)) is not None:
            self.connection.setsockopt(socket.IPPROTO_TCP, option, on)

    def drip(self, data: bytes, pause: float = DROP) -> None:
        for byte in data:
            self.send(bytes([byte]))
            time.sleep(pause)

    def hold(self) -> None:
        """Waits, silently, until the other side is gone."""
        self.is_over = True
        self.connection.settimeout(min(max(0.1, self.wire.gives_up - time.monotonic()), GIVES_UP))
        with suppress(OSError):
            while self.connection.recv(65536):
                pass

    def close(self) -> None:
        """Ends what is sent, without a word of TLS, and waits until the other side is gone."""
        self.is_over = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
        self.hold()

    def reset(self) -> None:
        self.is_over = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def answer(self, got: Got, request_id: str | None = None) -> Answer:
        """The right answer; or the one that somebody else's request would get."""
        return self.wire.answer(evolve(got, request_id=request_id) if request_id else got)

    def junk(self, got: Got) -> bytes:
        """What must not be quoted: an account number, and the token or secret that the request carried."""
        return b"%s %s" % (self.wire.account, got.token.encode())


Stage = Literal["connection", "bytes", "request"]


class Wire:
    """One host. `arm(...)` makes it misbehave until `disarm()`."""

    def __init__(self, number: int, tls: Callable[[], ssl.SSLContext] | None = None) -> None:
        self.account = b"SE359%07d00000000000" % number
        self.requests: list[Got] = []
        self.tokens: list[str] = []
        self.peers: list[int] = []
        """The port at the other end of the connection of each request."""
        self.former: list[Answer] = []
        """The good answers that were sent."""
        self._number, self._tls, self._well = number, tls, tls
        self._fault: Callable[[Line, Got], object] | None = None
        self._stage: Stage = "request"
        self._through: Callable[[socket.socket, bytes], None] | None = None
        self._lines: set[socket.socket] = set()
        self._lock = threading.RLock()
        self._listeners: dict[str, socket.socket] = {}
        self.gives_up = math.inf
        """When a fault ends by itself, so that a call that would wait for ever does not."""
        self._placeholder = _bound(0)  # keeps the port while nobody listens
        self.port: int = self._placeholder.getsockname()[1]
        self.listen()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.deafen()
        self.hang_up()
        self._placeholder.close()

    def arm(
        self,
        fault: Callable[[Line, Got], object],
        stage: Stage = "request",
        through: Callable[[socket.socket, bytes], None] | None = None,
        tls: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        """From now on new connections, first bytes or requests meet the fault; what the host sends goes `through`."""
        self.gives_up = time.monotonic() + GIVES_UP
        self._fault, self._stage, self._through = fault, stage, through
        self._tls = tls or self._well

    def disarm(self) -> None:
        """All is well again."""
        self._fault, self._through, self._tls, self.gives_up = None, None, self._well, math.inf
        self.listen()

    def hang_up(self) -> None:
        """Ends all connections."""
        with self._lock:
            for connection in self._lines:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def speak(self, data: bytes) -> None:
        """Sends something on all open connections, unasked."""
        with self._lock:
            for connection in self._lines:
                with suppress(OSError):
                    connection.sendall(data)

    def deafen(self) -> None:
        """Refuses connections."""
        with self._lock:
            for listener in self._listeners.values():
                listener.shutdown(socket.SHUT_RDWR)  # ends `accept`, which closing would not
                listener.close()
            self._listeners.clear()

    def listen(self, address: str = "127.0.0.1") -> None:
        if address not in self._listeners:
            self._listeners[address] = listener = _bound(self.port, address)
            listener.listen(64)
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def listen_elsewhere(self) -> None:
        """Is another host as well, whose requests count with the others."""
        with suppress(OSError):  # not every system has more of the loopback
            self.listen("127.0.0.2")

    def open_connections(self, patience: float) -> int:
        """How many connections the other side has not given up after some seconds."""
        deadline = time.monotonic() + patience
        while self._lines and time.monotonic() < deadline:
            time.sleep(0.01)
        return len(self._lines)

    def answer(self, got: Got) -> Answer:
        """The right answer to a request: it has the request's id in its body."""
        path, _, query = got.target.partition("?")
        mine, status = got.request_id, 200
        body: object
        if path == "/connect/token":
            self.tokens.append(f"tok-{self._number:07d}-{len(self.tokens)}")
            body = {"access_token": self.tokens[-1], "expires_in": 3600, "token_type": "Bearer"}
        elif path.endswith("/countries"):
            body = {"countries": [{"isoCountryCode": "SE", "name": mine}]}
        elif path.endswith("/transactions"):
            last = "continuationKey=2" in query
            money = {"amount": "1.00", "currency": "SEK"}
            booked = [{"entryReference": f"{mine}-{2 if last else 1}", "transactionAmount": money}]
            links = {} if last else {"next": {"href": f"{path}?bookingStatus=booked&continuationKey=2"}}
            body = {"transactions": {"booked": booked, "_links": links}}
        else:
            ids = dict.fromkeys(("paymentId", "consentId", "authorisationId"), mine)
            statuses = {"transactionStatus": "RCVD", "consentStatus": "received", "scaStatus": "received"}
            status, body = 201, {**ids, **statuses, "_links": {}}
        return Answer(status, json.dumps(body).encode(), got.request_id)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # it listens no more
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        """All requests of one connection."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._lines.add(connection)
        inner, through = connection, self._through
        try:
            if self._fault and self._stage == "connection":
                return self._misbehave(Line(self, connection), Got("", "", FOREIGN, ""))
            if through is not None:
                inner = _relayed(connection, through)
            if self._tls is not None:
                inner = self._tls().wrap_socket(inner, server_side=True)
                with self._lock:  # that has taken the socket over
                    self._lines.add(inner)
            self.converse(Line(self, inner))
        except (OSError, ConnectionError, ValueError):
            pass
        finally:
            with self._lock:
                self._lines -= {connection, inner}
            for each in (inner, connection):
                with suppress(OSError):
                    each.close()
        return None

    def converse(self, line: Line) -> None:
        received = b""
        while not line.is_over:
            received += _some(line.connection, 1)
            if self._fault and self._stage == "bytes":
                return self._misbehave(line, Got("", "", FOREIGN, ""))
            while b"\r\n\r\n" not in received:
                received += _some(line.connection)
            head, _, received = received.partition(b"\r\n\r\n")
            length = int(found[1]) if (found := _LENGTH.search(head)) else 0
            while len(received) < length:
                received += _some(line.connection)
            body, received = received[:length], received[length:]
            self.respond(line, _read(head, body))
        return None

    def respond(self, line: Line, got: Got) -> None:
        self.requests.append(got)
        self.peers.append(line.peer)
        is_first_page = got.target.partition("?")[0].endswith("/transactions") and "continuationKey" not in got.target
        if self._fault and self._stage == "request" and not is_first_page:
            self._misbehave(line, got)
        else:
            self.former.append(self.answer(got))
            line.send(self.former[-1].whole)

    def _misbehave(self, line: Line, got: Got) -> None:
        if (fault := self._fault) is not None:  # a late connection may find that all is well again
            fault(line, got)


class Proxy(Wire):
    """A proxy to hosts that nobody else can reach."""

    def __init__(self, number: int, hosts: dict[str, Wire]) -> None:
        super().__init__(number)
        self.hosts = hosts
        self.target = ""
        """The host whose tunnels meet the fault."""

    def respond(self, line: Line, got: Got) -> None:
        host = got.target.partition(":")[0]
        if self._fault and host == self.target:
            self._misbehave(line, got)
        else:
            self.tunnel(line, got)

    def tunnel(self, line: Line, got: Got, greeting: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> None:
        line.is_over = True
        line.send(greeting)
        self.hosts[got.target.partition(":")[0]].serve(line.connection)


class Front:
    """TLS before a proxy."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy, self._listener = proxy, _bound(0)
        self.port: int = self._listener.getsockname()[1]
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._relay, args=self._listener.accept()[:1], daemon=True).start()

    def _relay(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError), connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with (
                host_tls().wrap_socket(connection, server_side=True) as outside,
                socket.create_connection(("127.0.0.1", self._proxy.port)) as inside,
            ):
                while True:
                    ready = [outside] if outside.pending() else select.select([outside, inside], [], [])[0]
                    for source, to in ((outside, inside), (inside, outside)):
                        if source in ready:
                            to.sendall(_some(source))


def _read(head: bytes, body: bytes) -> Got:
    method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
    request_id = found[1].decode() if (found := _ID.search(head)) else ""
    token = found[1].decode() if (found := _BEARER.search(head)) else body.decode()
    return Got(method, target, request_id, token)


def _some(connection: socket.socket, size: int = 65536) -> bytes:
    some = connection.recv(size)
    if not some:
        raise ConnectionError
    return some


def _bound(port: int, address: str = "127.0.0.1") -> socket.socket:
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.bind((address, port))
    return found


def _relayed(outside: socket.socket, through: Callable[[socket.socket, bytes], None]) -> socket.socket:
    """A socket whose bytes reach `outside` as `through` sends them."""
    inside, ours = socket.socketpair()

    def pump(source: socket.socket, to: Callable[[bytes], None]) -> None:
        with suppress(OSError):
            while some := source.recv(65536):
                to(some)
        for each in (outside, ours):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        if source is ours:
            ours.close()

    for source, to in ((outside, ours.sendall), (ours, functools.partial(through, outside))):
        threading.Thread(target=pump, args=(source, to), daemon=True).start()
    return inside


@functools.cache
def _authorities() -> tuple[trustme.CA, trustme.CA]:
    """The CA that clients trust, and one that they don't."""
    return trustme.CA(), trustme.CA()


def _days(number: int) -> datetime:
    return datetime.now(UTC) + timedelta(days=number)


@functools.cache
def host_tls(kind: str = "well") -> ssl.SSLContext:
    """What a host shows of itself."""
    ours, others = _authorities()
    names = ["elsewhere.faults.example"] if kind == "wrong host" else [*HOSTS.values(), "127.0.0.1"]
    days = {"expired": (-9, -2), "not yet valid": (2, 9)}.get(kind, (-1, 9))
    certificate = (others if kind == "unknown CA" else ours).issue_cert(
        *names, not_before=_days(days[0]), not_after=_days(days[1])
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    if kind == "asks for a certificate":
        context.verify_mode = ssl.CERT_REQUIRED
        ours.configure_trust(context)
    if kind == "TLS 1.2 and asks for a certificate":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        ours.configure_trust(context)
    return context


@functools.cache
def client_tls(*, with_certificate: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context()
    ours, _ = _authorities()
    ours.configure_trust(context)
    if with_certificate:
        ours.issue_cert("client.faults.example").configure_cert(context)
    return context

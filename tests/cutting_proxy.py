"""A TCP proxy on loopback that cuts the connection of one request where it is told to."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections import Counter
from contextlib import suppress
from enum import Enum
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from attrs import define

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_AT_ONCE = struct.pack("ii", 1, 0)


class Cut(Enum):
    """Where a connection breaks."""

    REFUSED = "before connecting"
    NOTHING_SENT = "connected, nothing sent"
    IN_THE_REQUEST = "in the middle of the request"
    NOT_CARRIED_OUT = "all sent, not carried out"
    NO_ANSWER = "carried out, no answer"
    IN_THE_ANSWER = "in the middle of the answer"


@define
class _Plan:
    cut: Cut
    after: int
    share: float
    idle: bool
    back_after: float | None


class CuttingProxy:
    """A proxy to one host, for one caller who sends one request after the other.

    `cut(...)` says what becomes of the next request that is not a GET; `mend()` ends that.
    """

    def __init__(self, upstream: str) -> None:
        host = urlsplit(upstream)
        self._upstream = (host.hostname, host.port)
        # it never listens, and keeps the port while nobody does
        self._placeholder = bound(0)
        self._port = self._placeholder.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self.cuts: Counter[Cut] = Counter()
        """How many connections it has cut, and where; those that were refused nobody can count."""
        self._plan: _Plan | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        self._listener: socket.socket | None = None
        self._listen()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.mend()
        self._stop_listening()
        self._hang_up()
        self._placeholder.close()

    def cut(
        self, cut: Cut, *, after: int = 0, share: float = 0.5, idle: bool = False, back_after: float | None = None
    ) -> None:
        """Cuts the connection of the next request that is not a GET, once.

        Args:
            cut: Where.
            after: How many such requests pass before.
            share: How much of a request or an answer passes, from 0 to 1, where it breaks within.
            idle: For NOTHING_SENT: closes a connection that is kept for the next request, instead of a new one.
            back_after: For REFUSED: seconds until the host is there again. None for `mend()`.
        """
        with self._lock:
            self._plan = _Plan(cut, after, share, idle, back_after)
            if not after:
                self._break_off()

    def mend(self) -> None:
        """From now on all requests pass."""
        with self._lock:
            self._plan = None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._listen()

    def _break_off(self) -> None:
        """What has to be done before the request comes."""
        plan = self._plan
        if plan is None or plan.cut not in {Cut.REFUSED, Cut.NOTHING_SENT}:
            return
        if plan.cut is Cut.REFUSED:
            self._stop_listening()
            if plan.back_after is not None:
                self._timer = threading.Timer(plan.back_after, self.mend)
                self._timer.start()
        elif plan.idle:
            self.cuts[plan.cut] += 1
            self._plan = None
        self._hang_up()

    def _hang_up(self) -> None:
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _stop_listening(self) -> None:
        with self._lock:
            listener, self._listener = self._listener, None
            if listener is not None:
                listener.shutdown(socket.SHUT_RDWR)  # ends `accept`, which closing would not
                listener.close()

    def _listen(self) -> None:
        if self._listener is None:
            self._listener = bound(self._port)
            self._listener.listen()
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # it listens no more
                return
            with self._lock:
                self._open.add(connection)
                plan = self._plan
                closes = plan is not None and plan.cut is Cut.NOTHING_SENT and not plan.after
                if closes:
                    self._plan = None
                    self.cuts[Cut.NOTHING_SENT] += 1
            if closes:
                self._close(connection, at_once=plan is not None and plan.share < 0.5)
            else:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _close(self, connection: socket.socket, *, at_once: bool) -> None:
        with self._lock:
            self._open.discard(connection)
        if at_once:  # by a reset
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        connection.close()

    def _serve(self, connection: socket.socket) -> None:
        was_cut = False
        with suppress(OSError), socket.create_connection(self._upstream) as upstream:
            upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not was_cut and (begun := connection.recv(1)):
                was_cut = self._pass_on(connection, upstream, begun)
        self._close(connection, at_once=was_cut)

    def _pass_on(self, connection: socket.socket, upstream: socket.socket, begun: bytes) -> bool:
        """One request and its answer. Whether the connection has to be reset."""
        plan = self._take(begun)
        if plan is not None and plan.cut is Cut.IN_THE_REQUEST:
            connection.recv(1 + int(500 * plan.share))
            return True
        request = _message(connection, begun)
        if plan is not None and plan.cut is Cut.NOT_CARRIED_OUT:
            return True
        upstream.sendall(request)
        answer = _message(upstream)
        if plan is not None and plan.cut is Cut.NO_ANSWER:
            return True
        if plan is not None and plan.cut is Cut.IN_THE_ANSWER:
            connection.sendall(answer[: 1 + int((len(answer) - 2) * plan.share)])
            connection.shutdown(socket.SHUT_WR)  # not at once: a reset takes away what was not read yet
            connection.recv(1)
            return True
        with self._lock:
            last = begun != b"G" and self._count()
            if last:  # said by the host itself: the next request needs another connection
                answer = answer.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1)
                self._open.discard(connection)
                self._break_off()
        connection.sendall(answer)
        return False

    def _take(self, begun: bytes) -> _Plan | None:
        """The plan for a request that begins with this byte, if it is its turn."""
        with self._lock:
            plan = self._plan
            if plan is None or plan.after or begun == b"G":
                return None
            self._plan = None
            self.cuts[plan.cut] += 1
            return plan

    def _count(self) -> bool:
        """Counts a request that passed. Whether the next one needs a new connection, in order to be cut."""
        plan = self._plan
        if plan is None or not plan.after:
            return False
        plan.after -= 1
        return not plan.after and plan.cut in {Cut.REFUSED, Cut.NOTHING_SENT} and not plan.idle


def bound(port: int) -> socket.socket:
    """A socket that has a port of loopback, and does not listen."""
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.bind(("127.0.0.1", port))
    return found


def _message(connection: socket.socket, begun: bytes = b"") -> bytes:
    """A whole request or answer. Raises ConnectionError if it ends before."""
    received = begun
    while b"\r\n\r\n" not in received:
        received += _some(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    found = _LENGTH.search(head)
    missing = (int(found[1]) if found else 0) - len(body)
    while missing > 0:
        received += (some := _some(connection))
        missing -= len(some)
    return received


def _some(connection: socket.socket) -> bytes:
    some = connection.recv(65536)
    if not some:
        raise ConnectionError
    return some

"""A server that answers with bytes as they are, for what no HTTP library would send."""

from __future__ import annotations

import socketserver
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread

Send = Callable[[bytes], None]


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    requests = 0


@contextmanager
def answering(answer: Callable[[Send], None]) -> Iterator[tuple[str, Callable[[], int]]]:
    """The server's URL, and how many requests it had. `answer` sends until it is done or nobody listens any more."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            received = b""
            while b"\r\n\r\n" not in received:
                chunk = self.request.recv(65536)
                if not chunk:
                    return
                received += chunk
            server.requests += 1
            with suppress(OSError):
                answer(self.request.sendall)

    with _Server(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", lambda: server.requests
        server.shutdown()
        thread.join()


@contextmanager
def talking(answer: Callable[[bytes], bytes]) -> Iterator[tuple[str, list[int]]]:
    """A server that keeps its connections: its URL, and for each request the number of the connection that it came on.

    `answer` gets the head of a request, and returns all that is sent before the next one.
    """
    used: list[int] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            server.requests += 1
            number = server.requests
            with suppress(OSError):
                while head := b"".join(iter(lambda: self.rfile.readline().rstrip(b"\r\n") + b"\n", b"\n")):
                    lengths = [line[15:] for line in head.lower().split(b"\n") if line.startswith(b"content-length:")]
                    self.rfile.read(int(lengths[0]) if lengths else 0)
                    used.append(number)
                    self.request.sendall(answer(head))

    with _Server(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", used
        server.shutdown()
        thread.join()

"""A uvicorn server in a background thread, with one listening socket for each of the provider's hosts."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from .hosts import Wire
from .journal import Host

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["ADDRESS", "ServerThread", "Tls"]

ADDRESS = "127.0.0.1"
# seconds that a client has, twice, to read its last answer when the server stops
_PATIENCE = 0.25

Application = Callable[[Host, Wire, Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class Tls:
    """PEM files: the server's certificate, its key (if not in the same file), and the CAs of accepted clients.

    Plain http without a certificate.
    """

    certfile: str | PathLike[str] | None = None
    keyfile: str | PathLike[str] | None = None
    ca_certs: str | PathLike[str] | None = None


class ServerThread:
    """Runs from construction to `stop()`. Raises OSError if a port is taken, ssl.SSLError for unusable certificates."""

    def __init__(self, application: Application, *, auth_port: int, api_port: int, tls: Tls) -> None:
        self._application = application
        config = uvicorn.Config(
            self._dispatch,
            # fixed, not detected: the simulator answers the same whatever else is installed
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            # recordings of the same requests have the same bytes
            server_header=False,
            date_header=False,
            timeout_keep_alive=60,
            ssl_certfile=tls.certfile,
            ssl_keyfile=tls.keyfile,
            ssl_ca_certs=tls.ca_certs,
            ssl_cert_reqs=ssl.CERT_REQUIRED if tls.ca_certs else ssl.CERT_NONE,
        )
        config.load()
        with ExitStack() as stack:
            sockets = [
                stack.enter_context(socket.create_server((ADDRESS, port), backlog=2048))
                for port in (auth_port, api_port)
            ]
            for listener in sockets:
                # inherited by its connections; without it every answer after the first waits 40 ms for an ACK
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.auth_port, self.api_port = (listener.getsockname()[1] for listener in sockets)
            stack.pop_all()
        self._hosts: dict[int, Host] = {self.auth_port: "auth", self.api_port: "api"}
        self._server = _Server(config)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(
            target=self._run, args=(sockets,), name=f"openpayments-simulator-{self.api_port}", daemon=True
        )
        self._thread.start()
        self._server.ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    def stop(self) -> None:
        """Ends delays, closes every connection and joins the thread."""
        self._server.stop()
        self._thread.join()

    def join(self, timeout: float) -> bool:
        """Waits so many seconds at most. Returns whether the thread has ended."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self, sockets: list[socket.socket]) -> None:
        try:
            self._server.run(sockets=sockets)
        except BaseException as error:
            self._failure = error
        finally:
            for listener in sockets:
                listener.close()
            self._server.ready.set()

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._application(self._hosts[scope["server"][1]], self._server, scope, receive, send)


class _Server(uvicorn.Server):
    """uvicorn's own loop checks only ten times a second whether to end; tests start and stop hundreds of servers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        assert self._loop is not None
        with suppress(RuntimeError):  # the loop has ended already
            self._loop.call_soon_threadsafe(self._stopping.set)

    async def pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def hang_up(self, scope: Scope, receive: Receive) -> None:
        for connection in list(self.server_state.connections):
            if isinstance(connection, H11Protocol) and connection.client == scope["client"]:
                connection.transport.close()
        while (await receive())["type"] != "http.disconnect":
            pass

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._finish_accepting(sockets or [])
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        loop = asyncio.get_running_loop()
        begin = loop.time()
        while (self.server_state.connections or self.server_state.tasks) and loop.time() < begin + 2 * _PATIENCE:
            if loop.time() > begin + _PATIENCE:
                for connection in list(self.server_state.connections):
                    connection.transport.abort()
            await asyncio.sleep(0.001)

    async def _finish_accepting(self, sockets: list[socket.socket]) -> None:
        # asyncio loses the socket of a connection that it is accepting while its Server is closed
        for listener in sockets:
            with suppress(NotImplementedError):  # Windows
                asyncio.get_running_loop().remove_reader(listener)
        accepting = asyncio.all_tasks() - self.server_state.tasks - {asyncio.current_task()}
        if accepting:
            _, shaking_hands = await asyncio.wait(accepting, timeout=0.1)
            for task in shaking_hands:
                task.cancel()
            await asyncio.wait(accepting)

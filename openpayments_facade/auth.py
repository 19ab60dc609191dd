"""Adds the bearer token to a request (document 001: `Authorization: Bearer [ACCESS_TOKEN]`)."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from .tokens import AccessToken

__all__ = ["BearerAuth"]


class BearerAuth(httpx.Auth):
    """Puts a token into a request while it is being sent, so that no request of ours holds it before."""

    def __init__(self, token: AccessToken) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Called by httpx."""
        request.headers["Authorization"] = f"Bearer {self._token.value.reveal()}"
        yield request

    def scrub(self, content: bytes) -> bytes:
        """An error's body without the token, in case a server quotes it."""
        return content.replace(self._token.value.reveal().encode(), b"***")

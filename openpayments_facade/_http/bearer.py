"""Adds the bearer token to a request (document 001: `Authorization: Bearer [ACCESS_TOKEN]`)."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..tokens import AccessToken

__all__ = ["BearerAuth"]


class BearerAuth(httpx.Auth):
    """Puts a token into a request while it is being sent, so that no request of ours holds it before."""

    def __init__(self, token: AccessToken) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Called by httpx."""
        request.headers["Authorization"] = f"Bearer {self._token.value.reveal()}"
        yield request

    def scrub(self, text: str) -> str:
        """A text of the server without the token, in case it is quoted."""
        return text.replace(self._token.value.reveal(), "***")

    def scrub_headers(self, headers: httpx.Headers) -> httpx.Headers:
        """An error's headers without the token."""
        plain = [(name, self.scrub(value)) for name, value in headers.multi_items()]
        return httpx.Headers(plain, encoding=headers.encoding)

    def scrub_body(self, content: bytes) -> bytes:
        """An error's body without the token, whatever JSON escapes it is written with."""
        text = content.decode(errors="replace")
        with suppress(ValueError, RecursionError):
            text = json.dumps(json.loads(text), ensure_ascii=False)
        return self.scrub(text).encode(errors="replace")

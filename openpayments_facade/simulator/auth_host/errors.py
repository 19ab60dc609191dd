"""The auth host's answers to refused token requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["OAuthError"]


class OAuthError(Exception):
    """An error answer of the token endpoint (RFC 6749, section 5.2)."""

    def __init__(
        self,
        error: str,
        description: str | None = None,
        *,
        status: int = 400,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, error, description)
        self.status = status
        self.description = description
        self.headers = headers
        self._body = {"error": error} if description is None else {"error": error, "error_description": description}

    def response(self) -> JSONResponse:
        return JSONResponse(self._body, self.status, self.headers)

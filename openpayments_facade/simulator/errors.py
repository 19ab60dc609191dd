"""The error bodies of the provider: `tppMessages` on the API host, OAuth's on the auth host (facts 60, section 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ApiError", "OAuthError"]

_LONGEST_TEXT = 512


class ApiError(Exception):
    """An answer of the API host that is no success: `{"tppMessages": [{"category": "ERROR", "code": ...}]}`."""

    def __init__(
        self, status: int, code: str, text: str, *, path: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, code, text)
        self.status = status
        self.message = {"category": "ERROR", "code": code, "text": text[:_LONGEST_TEXT]}
        if path is not None:
            self.message["path"] = path
        self.headers = headers

    def response(self, *, as_problem: bool = False) -> JSONResponse:
        if as_problem:
            code, text = self.message["code"], self.message["text"]
            problem = {"type": f"urn:open-payments:{code}", "code": code, "title": code, "detail": text}
            return JSONResponse(problem, self.status, self.headers, media_type="application/problem+json")
        return JSONResponse({"tppMessages": [self.message]}, self.status, self.headers)


class OAuthError(Exception):
    """An answer of the token endpoint that is no success (RFC 6749, section 5.2)."""

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
        self.body = {"error": error} if description is None else {"error": error, "error_description": description}
        self.headers = headers

    def response(self) -> JSONResponse:
        return JSONResponse(self.body, self.status, self.headers)

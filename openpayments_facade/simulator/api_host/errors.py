"""The API host's answers to refused calls: `tppMessages`, or `application/problem+json`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ApiError", "malformed"]

_LONGEST_TEXT = 512


class ApiError(Exception):
    """An error answer of the API host: `{"tppMessages": [{"category": "ERROR", "code": ...}]}`."""

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


def malformed(path: str | None, text: str) -> ApiError:
    """The error for a header, parameter or body field that is missing or malformed."""
    return ApiError(400, "FORMAT_ERROR", text, path=path)

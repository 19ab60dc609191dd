"""The API host's answers to refused calls: `tppMessages`, or `application/problem+json`, or the form of KYC."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ApiError", "malformed"]

_LONGEST_TEXT = 512


class ApiError(Exception):
    """An error answer of the API host: `{"tppMessages": [{"category": "ERROR", "code": ...}]}`.

    `further` are fields beside the messages.
    """

    def __init__(
        self,
        status: int,
        code: str,
        text: str,
        *,
        path: str | None = None,
        headers: Mapping[str, str] | None = None,
        further: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(status, code, text)
        self.status = status
        self.message = {"category": "ERROR", "code": code, "text": text[:_LONGEST_TEXT]}
        if path is not None:
            self.message["path"] = path
        self.headers = headers
        self.further = further or {}

    def response(self, *, as_problem: bool = False) -> JSONResponse:
        if as_problem:
            code, text = self.message["code"], self.message["text"]
            problem = {"type": f"urn:open-payments:{code}", "code": code, "title": code, "detail": text}
            problem |= {name: value for name, value in self.further.items() if name == "_links"}
            return JSONResponse(problem, self.status, self.headers, media_type="application/problem+json")
        return JSONResponse({"tppMessages": [self.message], **self.further}, self.status, self.headers)

    def details(self, path: str) -> JSONResponse:
        """The answer in the form of KYC: RFC 7807 without a code. `path` is that of the request."""
        details = {
            "type": f"urn:open-payments:{self.message['code']}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.message["text"],
            "instance": path,
        }
        return JSONResponse(details, self.status, self.headers)


def malformed(path: str | None, text: str) -> ApiError:
    """The error for a header, parameter or body field that is missing or malformed."""
    return ApiError(400, "FORMAT_ERROR", text, path=path)

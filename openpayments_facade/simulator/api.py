"""What every operation of the API host asks for before it answers (facts 10-auth, section 4; facts 60, section 2)."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .errors import ApiError
from .request_ids import REQUEST_ID, request_id_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from starlette.datastructures import Headers
    from starlette.requests import Request

    from .provider import Provider

__all__ = ["check_call", "operation", "path_value", "query_list"]


def operation(
    provider: Provider,
    path: str,
    handler: Callable[[Request], Any],
    *,
    api_scope: str,
    query: Collection[str] = (),
) -> Route:
    """A GET whose handler returns the JSON of its 200, or raises ApiError; `query` names the parameters it knows."""

    async def endpoint(request: Request) -> Response:
        check_call(provider, request, api_scope=api_scope, query=query)
        return JSONResponse(handler(request))

    return Route(path, endpoint, methods=["GET"])


def check_call(provider: Provider, request: Request, *, api_scope: str, query: Collection[str]) -> frozenset[str]:
    """The scopes of the call's token, once request id, token, Accept and query are in order. Raises ApiError."""
    _check_request_id(request.headers)
    scopes = provider.tokens.check(_bearer_token(request.headers), api_scope)
    if not _accepts_json(request.headers):
        raise ApiError(406, "REQUESTED_FORMATS_INVALID", "only application/json is offered", path="Accept")
    _check_query(request, query)
    return scopes


def path_value(request: Request, name: str, pattern: re.Pattern[str]) -> str:
    """A path parameter under its documented name; Starlette's routes know it with underscores."""
    value = str(request.path_params[name.replace("-", "_")])
    if not pattern.fullmatch(value):
        raise ApiError(400, "FORMAT_ERROR", f"{name} is malformed: {value!r}", path=name)
    return value


def query_list(request: Request, name: str, pattern: re.Pattern[str]) -> list[str] | None:
    """The items of a comma-separated parameter; None if it was not sent."""
    value = request.query_params.get(name)
    if value is None:
        return None
    items = value.split(",")
    for item in items:
        if not pattern.fullmatch(item):
            raise ApiError(400, "FORMAT_ERROR", f"{name} has a malformed item: {item!r}", path=name)
    return items


def _check_request_id(headers: Headers) -> None:
    if request_id_of(headers) is None:
        problem = "is missing" if headers.get(REQUEST_ID) is None else "is not a UUID"
        raise ApiError(400, "FORMAT_ERROR", f"{REQUEST_ID} {problem}", path=REQUEST_ID)


def _bearer_token(headers: Headers) -> str:
    values = headers.getlist("authorization")
    scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token.strip():
        raise ApiError(
            401, "TOKEN_UNKNOWN", "no bearer token in the Authorization header", headers={"WWW-Authenticate": "Bearer"}
        )
    return token.strip()


def _accepts_json(headers: Headers) -> bool:
    """Whether an Accept header lets application/json through: the most specific range decides (RFC 9110, 12.5.1)."""
    accepted = ",".join(headers.getlist("accept"))
    if not accepted.strip():
        return True
    weights = {}
    for item in accepted.split(","):
        media_range, *parameters = (part.strip().lower() for part in item.split(";"))
        weight = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
        weights[media_range] = not re.fullmatch(r"0(\.0*)?", weight)
    ranges = ("application/json", "application/*", "*/*")
    return next((weights[media_range] for media_range in ranges if media_range in weights), False)


def _check_query(request: Request, known: Collection[str]) -> None:
    for name, count in Counter(name for name, _ in request.query_params.multi_items()).items():
        if name not in known:
            raise ApiError(400, "PARAMETER_NOT_SUPPORTED", f"unknown query parameter {name!r}", path=name)
        if count > 1:
            raise ApiError(400, "FORMAT_ERROR", f"{name} is one comma-separated list, not repeated", path=name)

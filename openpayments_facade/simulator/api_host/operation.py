"""The checks of every operation of the API host: request id, token, Accept and query.

Statuses and codes of refusals are from the provider's description of 2026.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..request_ids import REQUEST_ID, request_id_of
from .errors import ApiError, malformed

if TYPE_CHECKING:
    from starlette.datastructures import Headers
    from starlette.requests import Request

    from ..state import Provider

__all__ = ["Answer", "Call", "Handler", "operation"]


@dataclass(frozen=True)
class Call:
    """A call that passed the checks. `scopes` are those of its token, `content` is its raw body."""

    provider: Provider
    request: Request
    scopes: frozenset[str]
    content: bytes

    @property
    def path(self) -> str:
        return quote(self.request.scope["path"])

    def header(self, name: str) -> str | None:
        value: str | None = self.request.headers.get(name)
        return value

    def query(self, name: str) -> str | None:
        value: str | None = self.request.query_params.get(name)
        return value

    def path_value(self, name: str) -> str:
        """A path parameter by its documented name. Starlette's routes have it with underscores."""
        return str(self.request.path_params[name.replace("-", "_")])


@dataclass(frozen=True)
class Answer:
    """An answer. `body` is the content of the JSON; None for an empty answer."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        if self.body is None:
            return Response(status_code=self.status, headers=self.headers)
        return JSONResponse(self.body, self.status, self.headers)


Handler = Callable[[Call], Answer]


def operation(
    provider: Provider,
    method: str,
    path: str,
    handler: Handler,
    *,
    api_scopes: Collection[str],
    query: Collection[str] = (),
    lists: Collection[str] = (),
    offers_problem: bool = False,
    error_details: bool = False,
    silent: Collection[int] = (),
) -> Route:
    """The route of an operation, whose handler answers or raises ApiError.

    Args:
        provider: The provider's state. Its lock is held during a call.
        method: An HTTP method.
        path: The path, with underscores in the names of its parameters.
        handler: Answers a call that passed the checks.
        api_scopes: The token needs one of these.
        query: The known query parameters. Others are refused by the rules of 2021, and not looked at by those of 2026
            (observed in 2026).
        lists: The query parameters that may be repeated.
        offers_problem: Whether it can send errors as `application/problem+json`.
        error_details: Whether its errors have the form of KYC.
        silent: Statuses of refusals without a body.
    """

    async def endpoint(request: Request) -> Response:
        content = await request.body()
        for_json, for_problem = _accepted(request.headers)
        try:
            with provider.lock:
                _check_request_id(request.headers)
                scopes = _scopes(provider, request.headers, api_scopes)
                if not for_json:
                    raise ApiError(406, "REQUESTED_FORMATS_INVALID", "only application/json is offered", path="Accept")
                _check_query(request, query, lists, others_are_refused=not provider.of_2026)
                return handler(Call(provider, request, scopes, content)).response()
        except ApiError as error:
            if error.status in silent:
                return Response(status_code=error.status)
            if error_details:
                return error.details(quote(request.scope["path"]))
            return error.response(as_problem=offers_problem and for_problem > for_json)

    return Route(path, endpoint, methods=[method])


def _check_request_id(headers: Headers) -> None:
    if request_id_of(headers) is None:
        problem = "is missing" if headers.get(REQUEST_ID) is None else "is not a UUID"
        raise malformed(REQUEST_ID, f"{REQUEST_ID} {problem}")


def _scopes(provider: Provider, headers: Headers, api_scopes: Collection[str]) -> frozenset[str]:
    """The scopes of the bearer token."""
    values = headers.getlist("authorization")
    scheme, _, value = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not value.strip():
        raise _unauthorised("TOKEN_UNKNOWN", "no bearer token in the Authorization header", challenge="Bearer")
    token = provider.tokens.find(value.strip())
    if token is None:
        raise _unauthorised("TOKEN_UNKNOWN", "the access token is not known")
    if provider.tokens.has_expired(token):
        raise _unauthorised("TOKEN_EXPIRED", "the access token has expired")
    if token.scopes.isdisjoint(api_scopes):
        raise _unauthorised("TOKEN_INVALID", f"the access token has no scope {' or '.join(api_scopes)}")
    return token.scopes


def _unauthorised(code: str, text: str, *, challenge: str = 'Bearer error="invalid_token"') -> ApiError:
    return ApiError(401, code, text, headers={"WWW-Authenticate": challenge})


def _check_query(request: Request, known: Collection[str], lists: Collection[str], *, others_are_refused: bool) -> None:
    for name, count in Counter(name for name, _ in request.query_params.multi_items()).items():
        if name not in known and others_are_refused:
            raise ApiError(400, "PARAMETER_NOT_SUPPORTED", f"unknown query parameter {name!r}", path=name)
        if count > 1 and name in known and name not in lists:
            raise malformed(name, f"{name} is sent more than once")


def _accepted(headers: Headers) -> tuple[float, float]:
    """The quality that Accept gives to `application/json` and `application/problem+json` (RFC 9110, section 12.5.1).

    The most specific media range decides; a problem is only sent to clients that ask for it by name.
    """
    weights: dict[str, float] = {}
    for item in (",".join(headers.getlist("accept")).strip() or "*/*").split(","):
        media_range, *parameters = (part.strip().lower() for part in item.split(";"))
        weights[media_range] = 1.0
        with suppress(StopIteration, ValueError):
            weights[media_range] = float(next(each[2:] for each in parameters if each.startswith("q=")))
    ranges = ("application/json", "application/*", "*/*")
    json = next((weights[media_range] for media_range in ranges if media_range in weights), 0.0)
    return json, weights.get("application/problem+json", 0.0)

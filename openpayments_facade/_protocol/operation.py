"""Builds a request from an endpoint module of the generated client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, ParamSpec, Protocol, TypeAlias, TypeVar

from attrs import evolve, field, frozen

from ..errors import InvalidArgumentError
from ..request_ids import read_request_id
from ..scopes import ApiScope

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx
    from openpayments_client.models import ErrorBody, OAuthError

    Failure: TypeAlias = ErrorBody | OAuthError | None

__all__ = ["Endpoint", "Operation"]

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

SCOPE_OF_SERVICE: Final = {
    "/psd2/aspspinformation/": ApiScope.ASPSP_INFORMATION,
    "/psd2/consent/": ApiScope.ACCOUNT_INFORMATION,
    "/psd2/accountinformation/": ApiScope.ACCOUNT_INFORMATION,
    "/psd2/paymentinitiation/": ApiScope.PAYMENT_INITIATION,
    "/integration/": ApiScope.PAYMENT_INITIATION,
}
"""Which API scope a path needs (facts 00-overview, section 2)."""


class Endpoint(Protocol[P, T_co]):
    """A module of `openpayments_client.api`: one operation of the description."""

    def _get_kwargs(self, *args: P.args, **kwargs: P.kwargs) -> dict[str, Any]: ...

    def _parse_response(self, *, client: Any, response: httpx.Response) -> T_co: ...


@frozen
class Operation(Generic[T]):
    """One request, ready to be sent, and how its answer is read."""

    method: str
    path: str
    scope: ApiScope
    resendable: bool
    """Whether sending it twice does no harm."""
    request: Mapping[str, Any] = field(repr=False)  # has the end user's headers
    """What `httpx.Client.build_request` takes besides method and URL."""
    endpoint: Endpoint[Any, Any] = field(repr=False)
    request_id: str | None = None
    """An id given for this request alone."""
    unwrap: str | None = None
    """An envelope that some answers have around what the description has (facts 40, section 6)."""

    @classmethod
    def of(cls, endpoint: Endpoint[P, T | Failure], *args: P.args, **kwargs: P.kwargs) -> Operation[T]:
        """Builds the request of an endpoint module.

        Raises InvalidArgumentError if the module is none, its path is unknown here, or an argument can't be sent.
        """
        if not hasattr(endpoint, "_get_kwargs") or not hasattr(endpoint, "_parse_response"):
            raise InvalidArgumentError("endpoint must be a module of openpayments_client.api", argument="endpoint")
        try:
            request = endpoint._get_kwargs(*args, **kwargs)
        except (AttributeError, ValueError) as error:
            raise InvalidArgumentError(f"an argument can't be sent: {error}", argument="arguments") from None
        method, path = request.pop("method").upper(), request.pop("url")
        scope = next((scope for prefix, scope in SCOPE_OF_SERVICE.items() if path.startswith(prefix)), None)
        if scope is None:
            raise InvalidArgumentError(f"{path} is not an operation of the API host", argument="endpoint")
        if any(part in {"", ".", ".."} for part in path.split("/")[1:]):
            raise InvalidArgumentError(f"an id in the path {path} is empty or made of dots", argument="arguments")
        given = kwargs.get("x_request_id")
        request_id = None if given is None else read_request_id(given, argument="x_request_id")
        for name, value in request.get("headers", {}).items():
            if (
                not isinstance(value, str)
                or not value.strip() == value != ""
                or not all(" " <= c <= "~" for c in value)
            ):
                raise InvalidArgumentError(f"{name} must be a text of printable ASCII", argument=name)
        return Operation(method, path, scope, method in {"GET", "HEAD"}, request, endpoint, request_id)

    @property
    def name(self) -> str:
        """What the generated client calls it, such as get_balances."""
        return str(getattr(self.endpoint, "__name__", self.path)).rpartition(".")[2]

    def with_headers(self, headers: Mapping[str, str]) -> Operation[T]:
        """The same with more headers."""
        return evolve(self, request={**self.request, "headers": {**self.request["headers"], **headers}})

    def unwrapping(self, envelope: str) -> Operation[T]:
        """The same, tolerating an envelope around the answer."""
        return evolve(self, unwrap=envelope)

"""One request, ready to send: built from an endpoint module, checked against the description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar

from attrs import field, frozen

from .._checks import refuse
from .._redaction import hiding_arguments
from ..request_ids import read_request_id
from ..scopes import PsuContext
from .arguments import Named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from openpayments_client.operations import Operation as Described

    from .binding import BankBinding

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Endpoint(Protocol[P, T_co]):
    """A module of `openpayments_client.api`: one operation of the description."""

    @property
    def _success(self) -> T_co: ...  # an annotation alone: what type checkers infer the result from

    def _get_kwargs(self, *args: P.args, **kwargs: P.kwargs) -> dict[str, Any]: ...

    def _parse_response(self, *, client: Any, response: Any) -> Any: ...


@frozen
class Operation(Generic[T]):
    """One request, ready to send, and how to read its answer."""

    method: str
    path: str
    scopes: tuple[tuple[str, ...], ...]
    """Alternatives; a token needs all scopes of one of them."""
    request: Mapping[str, Any] = field(repr=False)  # has the end user's headers
    """The arguments of `httpx.Client.build_request` besides method and URL."""
    endpoint: Endpoint[..., Any] | None = field(repr=False)
    """Reads the answer; None for a request that the description does not have."""
    resource: str = ""
    """The first id in the path."""
    request_id: str | None = None
    """The X-Request-ID, if the caller gave one for this request."""
    envelope: str | None = None
    """A field that some answers wrap around the described object."""
    missing: tuple[str, ...] = ()
    """The headers that the description requires, `PSU-Corporate-ID` among them, and the arguments do not have."""

    @classmethod
    @hiding_arguments  # they say who the user is
    def of(cls, endpoint: Endpoint[P, T], *args: P.args, **kwargs: P.kwargs) -> Operation[T]:
        """Builds the request of an endpoint module.

        Raises:
            InvalidArgumentError: The module is not an operation of the API host, or an argument is missing or breaks a
                rule of the description; the message names it.
        """
        described = _described(endpoint)
        in_path = (name for name, rule in described.arguments.items() if rule.place == "path")
        values = {**dict(zip(in_path, args, strict=False)), **kwargs}
        given = values.get("x_request_id")
        request_id = None if given is None else read_request_id(given, argument="x_request_id")
        for path, problem in described.problems(values):
            value = values.get(path)
            advice = "; op.at_bank(...).call sends it" if path == "x_bic_fi" and value is None else ""
            raise refuse(value.argument if isinstance(value, Named) else path, problem + advice)
        request = endpoint._get_kwargs(*args, **kwargs)
        method, path = request.pop("method").upper(), request.pop("url")
        resource = str(args[0]) if args else ""
        absent = (rule for name, rule in described.arguments.items() if values.get(name) is None)
        return Operation(
            method,
            path,
            described.scopes,
            request,
            endpoint,
            resource,
            request_id,
            described.envelope,
            tuple(each.name for each in absent if each.is_wanted),
        )

    @classmethod
    def at_bank(cls, bank: BankBinding, endpoint: Endpoint[P, T], *args: P.args, **kwargs: P.kwargs) -> Operation[T]:
        """The same, with the arguments that every call to a bank carries."""
        return cls.of(endpoint, *args, **{**bank.arguments(_described(endpoint).arguments), **kwargs})  # type: ignore[arg-type]

    def lacks(self, context: PsuContext | None, headers: Iterable[str]) -> tuple[str, ...]:
        """The headers that the description requires in a PSU context, and that are not among these either.

        The call is sent without them: nobody may know the user. A company's id is optional but for companies.
        """
        given = {name.lower() for name in headers}
        is_company = context is PsuContext.CORPORATE
        return tuple(
            name for name in self.missing if name.lower() not in given and (is_company or name != "PSU-Corporate-ID")
        )

    @property
    def resendable(self) -> bool:
        """Whether it is safe to send twice."""
        return self.method in {"GET", "HEAD"}

    @property
    def name(self) -> str:
        """Its name in the generated client, such as get_balances."""
        return str(getattr(self.endpoint, "__name__", "")).rpartition(".")[2]


def say_missing(headers: Iterable[str]) -> str:
    """The headers that a call lacks, and what sends them."""
    fields = [name[4:].lower().replace("-", "_") for name in headers if name.startswith("PSU-")]
    psu = f"Psu({', '.join(f'{field}=...' for field in fields)}) at " if fields else ""
    said = f"{', '.join(headers)}, which the provider requires: {psu}op.at_bank(...) sends it"
    return f"{said}; further calls that lack the same are not logged"


def _described(endpoint: object) -> Described:
    from openpayments_client.operations import OPERATIONS  # a large table, not needed before the first call

    name = str(getattr(endpoint, "__name__", "")).rpartition(".")[2]
    if not hasattr(endpoint, "_get_kwargs"):
        raise refuse("endpoint", "must be a module of openpayments_client.api")
    if name not in OPERATIONS or not OPERATIONS[name].scopes:
        raise refuse("endpoint", f"is {name or endpoint!r}, which is not an operation of the API host")
    return OPERATIONS[name]

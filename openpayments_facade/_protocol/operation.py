"""One request, ready to send: built from an endpoint module, checked against the description."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar

from attrs import field

from .._attrs import frozen
from .._checks import refuse
from .._redaction import hiding_arguments
from ..request_ids import read_request_id
from ..scopes import PsuContext
from .arguments import Named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from openpayments_client.operations import Operation as Described

    from .binding import BankBinding

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Endpoint(Protocol[P, T_co]):
    """A module of `openpayments_client.api`: one operation of the description."""

    @property
    def _success(self) -> T_co: ...  # an annotation alone: what type checkers infer the result from

    @property
    def _bodies(self) -> Mapping[int, Callable[[], Any] | None]: ...  # gives the model of each success status

    def _get_kwargs(self, *args: P.args, **kwargs: P.kwargs) -> dict[str, Any]: ...


@frozen
class Operation(Generic[T]):
    """One request, ready to send, and how to read its answer."""

    method: str
    path: str = field(repr=False)  # may have the id of a person
    scopes: tuple[tuple[str, ...], ...]
    """Alternatives; a token needs all scopes of one of them."""
    request: Mapping[str, Any] = field(repr=False)  # has the end user's headers
    """The arguments of `httpx.Client.build_request` besides method and URL."""
    endpoint: Endpoint[..., Any] | None = field(repr=False)
    """Reads the answer; None for a request that the description does not have."""
    resource: str = field(default="", repr=False)
    """The first id in the path."""
    request_id: str | None = None
    """The X-Request-ID, if the caller gave one for this request."""
    envelope: str | None = None
    """A field that some answers wrap around the described object."""
    missing: tuple[str, ...] = ()
    """The headers that the description requires, `PSU-Corporate-ID` among them, and the arguments do not have."""
    shown_path: str = ""
    """What logs and exceptions show instead of path and query, if those say who somebody is."""
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    """Headers that win over those of the options."""

    @classmethod
    @hiding_arguments  # they say who the user is
    def of(cls, endpoint: Endpoint[P, T], *args: P.args, **kwargs: P.kwargs) -> Operation[T]:
        """Builds the request of an endpoint module.

        Raises:
            InvalidArgumentError: The module is not an operation of the API host, or an argument is missing or breaks a
                rule of the description; the message names it.
        """
        described = _described(endpoint)
        args, kwargs = tuple(map(plain, args)), {name: plain(value) for name, value in kwargs.items()}  # type: ignore[assignment]
        values: dict[str, Any] = kwargs
        if args:
            in_path = [name for name, rule in described.arguments.items() if rule.place == "path"]
            if len(args) > len(in_path):
                said = ", ".join(in_path) or "nothing"
                raise refuse("endpoint", f"takes by position {said}, and {len(args)} are given")
            if twice := {*in_path[: len(args)]} & kwargs.keys():
                raise refuse(min(twice), "is given twice")
            values = {**dict(zip(in_path, args, strict=False)), **kwargs}
        given = values.get("x_request_id")
        request_id = None if given is None else read_request_id(given, argument="x_request_id")
        for path, problem in described.problems(values):
            value = values.get(path)
            advice = "; op.at_bank(...).call sends it" if path == "x_bic_fi" and value is None else ""
            raise refuse(value.argument if isinstance(value, Named) else path, problem + advice)
        request = _request_of(endpoint, args, kwargs)
        for give in filter(None, getattr(endpoint, "_bodies", {}).values()):
            give()  # loads the model now: after the answer it might fail, and the outcome would be lost
        is_personal = any(rule.place in ("path", "query") and rule.is_personal for rule in described.arguments.values())
        method, path = request.pop("method").upper(), request.pop("url")
        if not request.get("params"):
            request.pop("params", None)  # httpx would parse the URL once more
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
            described.path if is_personal else "",
        )

    @classmethod
    @hiding_arguments
    def at_bank(cls, bank: BankBinding, endpoint: Endpoint[P, T], *args: P.args, **kwargs: P.kwargs) -> Operation[T]:
        """The same, with the arguments that every call to a bank carries."""
        return cls.of(endpoint, *args, **{**bank.arguments(_described(endpoint).arguments), **kwargs})  # type: ignore[arg-type]

    def lacks(self, context: PsuContext | None, headers: Iterable[str]) -> tuple[str, ...]:
        """The headers that the description requires in a PSU context, and that are not among these either.

        The call is sent without them: nobody may know the user. A company's id is optional but for companies.
        """
        if not self.missing:
            return ()
        given = {name.lower() for name in headers}
        is_company = context is PsuContext.CORPORATE
        return tuple(
            name for name in self.missing if name.lower() not in given and (is_company or name != "PSU-Corporate-ID")
        )

    @property
    def resendable(self) -> bool:
        """Whether it is safe to send twice."""
        return is_resendable(self.method)

    @property
    def name(self) -> str:
        """Its name in the generated client, such as get_balances; without one, its method and path."""
        named = str(getattr(self.endpoint, "__name__", "")).rpartition(".")[2]
        return named or f"{self.method} {self.path}"

    @property
    def route(self) -> str:
        """Method and path, to be shown."""
        return f"{self.method} {self.shown_path or self.path}"


def is_resendable(method: str) -> bool:
    """Whether a request with this method is safe to send twice."""
    return method in {"GET", "HEAD"}


def plain(value: Any) -> Any:
    """A value whose strings are no members of an enum, which would be sent as the member's name."""
    if isinstance(value, str):
        return str.__str__(value)
    if type(value) in (list, tuple):
        return type(value)(map(plain, value))
    return value


def as_json(value: Any, argument: str) -> Any:
    """Checks that it can be sent as JSON. Raises InvalidArgumentError."""
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        raise refuse(argument, "must be a model or what JSON can hold") from None
    return value


def _request_of(endpoint: Endpoint[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    # without one the endpoint would make a UUID that nobody uses: a call has its own
    kwargs = {"x_request_id": "-", **kwargs}
    if "body" not in kwargs:
        return endpoint._get_kwargs(*args, **kwargs)
    try:
        request = endpoint._get_kwargs(*args, **kwargs)
    except (AttributeError, TypeError, ValueError):  # a model that was taken apart
        raise refuse("body", "must be a model or what JSON can hold") from None
    as_json(request.get("json"), "body")
    return request


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

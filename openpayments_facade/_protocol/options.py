"""The options of a call: time limits, retries, PSU context, request id, headers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypedDict

import httpx
from attrs import evolve, field, fields_dict

from .._attrs import frozen
from .._checks import refuse
from ..request_ids import read_request_id
from ..scopes import PsuContext, read_psu_context

if TYPE_CHECKING:
    import uuid


class CommonOptions(TypedDict, total=False):
    """The options that a client and a call have in common. `OpenPayments` describes them."""

    timeout: float | httpx.Timeout
    total_timeout: float
    max_retries: int
    max_response_size: int
    psu_context: PsuContext | str | None


class CallOptions(CommonOptions, total=False):
    """The options of `with_options(...)`.

    `timeout`, `total_timeout`, `max_retries`, `max_response_size` and `psu_context` are those of `OpenPayments`.

    Attributes:
        request_id: A UUID that the calls carry as their X-Request-ID. By default each call has one of its own.
        headers: Further headers, in addition to those set before; one of the same name is replaced. Those that the SDK
            sets itself, such as Authorization, are refused.
    """

    request_id: str | uuid.UUID
    headers: Mapping[str, str]


_RESERVED_HEADERS: Final = frozenset(
    [
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "host",
        "transfer-encoding",
        "upgrade",
        "x-request-id",
    ]
)
_MOST_SECONDS: Final = 2_000_000
"""Sockets and locks overflow slightly above it."""


def read_seconds(value: object, argument: str) -> float:
    """Checks a time limit: a number above 0, and at most what a socket can wait (23 days).

    Raises InvalidArgumentError, whose message names the argument.
    """
    # NaN compares as False
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _MOST_SECONDS:
        raise refuse(argument, f"must be a number of seconds above 0 and at most {_MOST_SECONDS}", value)
    return float(value)


def _read_timeout(value: object) -> httpx.Timeout:
    if not isinstance(value, httpx.Timeout):
        return httpx.Timeout(read_seconds(value, "timeout"))
    for limit in value.as_dict().values():
        if limit is not None:
            read_seconds(limit, "timeout")
    return value


def _read_total_timeout(value: object) -> float:
    return read_seconds(value, "total_timeout")


def _read_max_retries(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise refuse("max_retries", "must be a whole number, 0 or more", value)
    return value


def _read_max_response_size(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise refuse("max_response_size", "must be a whole number of bytes, 1 or more", value)
    return value


def read_headers(value: object) -> dict[str, str]:
    """Checks headers of the caller's. Raises InvalidArgumentError."""
    if not isinstance(value, Mapping):
        raise refuse("headers", "must be a mapping of names to values")
    for name, content in value.items():
        if not isinstance(name, str):
            raise refuse("headers", "must have strings as names", name)
        if not isinstance(content, str):
            raise refuse("headers", f"must have strings as values; {name!r} does not")
        if name.lower() in _RESERVED_HEADERS:
            advice = "; use request_id=..." if name.lower() == "x-request-id" else ""
            raise refuse("headers", f"must not set {name}{advice}")
        if not name or not all(c.isalnum() or c in "!#$%&'*+-.^_`|~" for c in name) or not name.isascii():
            raise refuse("headers", f"contains {name!r}, which is not a valid header name")
        if not all(c == "\t" or " " <= c <= "~" for c in content):
            raise refuse("headers", f"must have a printable ASCII value for {name}")
    return dict(value)


def merge_headers(headers: Mapping[str, str], *over: Mapping[str, str]) -> dict[str, str]:
    """Headers, with those in `over` replacing headers of the same name, the last ones first. Names ignore case."""
    if not any(over):
        return {**headers}
    merged = {name.lower(): (name, value) for each in (headers, *over) for name, value in each.items()}
    return dict(merged.values())


@frozen(kw_only=True, repr=False)
class Options:
    """The options of a call. Creating them checks them. Raises InvalidArgumentError, whose message names the option."""

    timeout: httpx.Timeout = field(converter=_read_timeout)
    total_timeout: float = field(converter=_read_total_timeout)
    max_retries: int = field(converter=_read_max_retries)
    max_response_size: int = field(converter=_read_max_response_size)
    psu_context: PsuContext | None = field(converter=read_psu_context)
    request_id: str | None = None
    headers: Mapping[str, str] = field(factory=dict, converter=read_headers, repr=False)

    def replace(self, **changes: Any) -> Options:
        """These options with some changed and headers added. Raises InvalidArgumentError."""
        if unknown := changes.keys() - fields_dict(Options).keys():
            raise refuse(min(unknown), f"is not an option; the options are {', '.join(fields_dict(Options))}")
        if "request_id" in changes:
            changes["request_id"] = read_request_id(changes["request_id"])
        if "headers" in changes:
            changes["headers"] = merge_headers(self.headers, read_headers(changes["headers"]))
        return evolve(self, **changes)

"""How a call is made: time limits, retries, PSU context, request id, headers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypedDict

import httpx
from attrs import evolve, field, fields_dict, frozen

from .._checks import refuse
from ..request_ids import read_request_id
from ..scopes import PsuContext, read_psu_context

if TYPE_CHECKING:
    import uuid


class CommonOptions(TypedDict, total=False):
    """What a client and a call have in common."""

    timeout: float | httpx.Timeout
    total_timeout: float
    max_retries: int
    psu_context: PsuContext | str | None


class CallOptions(CommonOptions, total=False):
    """What `with_options(...)` takes."""

    request_id: str | uuid.UUID
    headers: Mapping[str, str]


_RESERVED_HEADERS: Final = frozenset(
    ["authorization", "connection", "content-length", "host", "transfer-encoding", "upgrade", "x-request-id"]
)
_MOST_SECONDS: Final = 2_000_000
"""Sockets and locks overflow at a little more."""


def read_seconds(value: object, argument: str) -> float:
    """Checks a time limit: a number above 0, and not beyond what a socket can wait (23 days).

    Raises InvalidArgumentError, which names the argument.
    """
    # NaN compares as False
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _MOST_SECONDS:
        # Python refuses to write down a very long number
        said = "so much" if isinstance(value, int) and abs(value) > _MOST_SECONDS else repr(value)
        raise refuse(argument, f"must be a number of seconds above 0, {_MOST_SECONDS} at most, not {said}")
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
        raise refuse("max_retries", f"must be a whole number from 0, not {value!r}")
    return value


def _read_headers(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise refuse("headers", "must be a mapping of names to values")
    for name, content in value.items():
        if not isinstance(name, str) or not isinstance(content, str):
            raise refuse("headers", f"must have strings as names and values, unlike {name!r}")
        if name.lower() in _RESERVED_HEADERS:
            advice = "; use request_id=..." if name.lower() == "x-request-id" else ""
            raise refuse("headers", f"must not replace {name}{advice}")
        if not name or not all(c.isalnum() or c in "!#$%&'*+-.^_`|~" for c in name) or not name.isascii():
            raise refuse("headers", f"has {name!r}, which is not a header's name")
        if not all(c == "\t" or " " <= c <= "~" for c in content):
            raise refuse("headers", f"must have printable ASCII as the value of {name}")
    return dict(value)


def merge_headers(headers: Mapping[str, str], over: Mapping[str, str]) -> dict[str, str]:
    """Headers with others over them: a name is the same in any case, and its last value counts."""
    merged = {name.lower(): (name, value) for each in (headers, over) for name, value in each.items()}
    return dict(merged.values())


@frozen(kw_only=True)
class Options:
    """How a call is made; checked when made. Raises InvalidArgumentError, which names the argument."""

    timeout: httpx.Timeout = field(converter=_read_timeout)
    total_timeout: float = field(converter=_read_total_timeout)
    max_retries: int = field(converter=_read_max_retries)
    psu_context: PsuContext | None = field(converter=read_psu_context)
    request_id: str | None = None
    headers: Mapping[str, str] = field(factory=dict, converter=_read_headers, repr=False)

    def replace(self, **changes: Any) -> Options:
        """These options with some changed, headers added. Raises InvalidArgumentError, which names the argument."""
        if unknown := changes.keys() - fields_dict(Options).keys():
            raise refuse(min(unknown), f"is not an option; there are {', '.join(fields_dict(Options))}")
        if "request_id" in changes:
            changes["request_id"] = read_request_id(changes["request_id"])
        if "headers" in changes:
            changes["headers"] = merge_headers(self.headers, _read_headers(changes["headers"]))
        return evolve(self, **changes)

"""How a call is made: time limits, retries, PSU context, request id, headers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypedDict

from attrs import evolve, field, frozen

from ..errors import InvalidArgumentError
from ..request_ids import read_request_id
from ..scopes import PsuContext, read_psu_context

if TYPE_CHECKING:
    import uuid

    import httpx

__all__ = ["CallOptions", "Options", "merge_headers", "read_seconds"]


class CallOptions(TypedDict, total=False):
    """What `with_options(...)` takes."""

    timeout: float | httpx.Timeout
    total_timeout: float
    max_retries: int
    psu_context: PsuContext | str | None
    request_id: str | uuid.UUID
    headers: Mapping[str, str]


_RESERVED_HEADERS = {
    "authorization",
    "connection",
    "content-length",
    "host",
    "transfer-encoding",
    "upgrade",
    "x-request-id",
}


_MOST_SECONDS: Final = 2_000_000
"""Sockets and locks overflow at a little more."""


def read_seconds(value: object, argument: str) -> float:
    """A time limit. Raises InvalidArgumentError, which names the argument, unless it is a number above 0 and not beyond
    what a socket can wait (23 days).
    """
    # NaN compares as False
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _MOST_SECONDS:
        # Python refuses to write down a very long number
        said = "so much" if isinstance(value, int) and abs(value) > _MOST_SECONDS else repr(value)
        raise InvalidArgumentError(
            f"{argument} must be a number of seconds above 0, {_MOST_SECONDS} at most, not {said}", argument=argument
        )
    return float(value)


def _read_headers(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise InvalidArgumentError("headers must be a mapping of names to values", argument="headers")
    for name, content in value.items():
        if not isinstance(name, str) or not isinstance(content, str):
            raise InvalidArgumentError(f"headers: name and value of {name!r} must be strings", argument="headers")
        if name.lower() in _RESERVED_HEADERS:
            advice = "; use request_id=..." if name.lower() == "x-request-id" else ""
            raise InvalidArgumentError(f"headers must not replace {name}{advice}", argument="headers")
        if not name or not all(c.isalnum() or c in "!#$%&'*+-.^_`|~" for c in name) or not name.isascii():
            raise InvalidArgumentError(f"headers: {name!r} is not a header name", argument="headers")
        if not all(c == "\t" or " " <= c <= "~" for c in content):
            raise InvalidArgumentError(
                f"headers: the value of {name} may only have printable ASCII", argument="headers"
            )
    return dict(value)


def merge_headers(headers: Mapping[str, str], over: Mapping[str, str]) -> dict[str, str]:
    """Headers with others over them: a name is the same in any case, and its last value counts."""
    merged = {name.lower(): (name, value) for each in (headers, over) for name, value in each.items()}
    return dict(merged.values())


@frozen(kw_only=True)
class Options:
    """How a call is made; checked when made."""

    timeout: httpx.Timeout
    total_timeout: float
    max_retries: int
    psu_context: PsuContext | None
    request_id: str | None = None
    headers: Mapping[str, str] = field(factory=dict, repr=False)

    @classmethod
    def read(cls, *, timeout: object, total_timeout: object, max_retries: object, psu_context: object) -> Options:
        """Checks a client's own options. Raises InvalidArgumentError, which names the argument."""
        return cls(
            timeout=_read_timeout(timeout),
            total_timeout=read_seconds(total_timeout, "total_timeout"),
            max_retries=_read_max_retries(max_retries),
            psu_context=read_psu_context(psu_context),
        )

    def but(self, **changes: Any) -> Options:
        """These options with some changed. Raises InvalidArgumentError, which names the argument."""
        readers: dict[str, Callable[[Any], Any]] = {
            "timeout": _read_timeout,
            "total_timeout": lambda value: read_seconds(value, "total_timeout"),
            "max_retries": _read_max_retries,
            "psu_context": read_psu_context,
            "request_id": read_request_id,
            "headers": lambda value: merge_headers(self.headers, _read_headers(value)),
        }
        if unknown := changes.keys() - readers.keys():
            name = min(unknown)
            raise InvalidArgumentError(f"{name} is no option; there are {', '.join(readers)}", argument=name)
        return evolve(self, **{name: readers[name](value) for name, value in changes.items()})


def _read_timeout(value: object) -> httpx.Timeout:
    import httpx

    if not isinstance(value, httpx.Timeout):
        return httpx.Timeout(read_seconds(value, "timeout"))
    for limit in value.as_dict().values():
        if limit is not None:
            read_seconds(limit, "timeout")
    return value


def _read_max_retries(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidArgumentError(f"max_retries must be a whole number from 0, not {value!r}", argument="max_retries")
    return value

"""Checks of what callers pass in: ids and codes never leave the machine unless they are well formed.

Patterns: facts 20-aspsp-information, sections 1 and 2. Every function returns the value as it is sent, and raises
InvalidArgumentError, which names the argument.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable
from typing import Final

from .errors import InvalidArgumentError

__all__ = ["read_bic", "read_city_id", "read_country_code", "read_id", "read_list", "read_text"]

_BIC: Final = re.compile(r"[A-Z]{6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3})?")
_COUNTRY: Final = re.compile(r"[a-zA-Z]{2}")
# not RFC 4122: three of the four ids in document 001 have another variant
_CITY: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def read_bic(value: object, argument: str = "bic_fi") -> str:
    """A BIC of 8 or 11 characters, such as ESSESESS."""
    if not isinstance(value, str) or not _BIC.fullmatch(value):
        raise InvalidArgumentError(
            f"{argument} must be a BIC of 8 or 11 capitals and digits such as ESSESESS, not {value!r}",
            argument=argument,
        )
    return value


def read_country_code(value: object, argument: str = "iso_country_code") -> str:
    """An ISO 3166-1 alpha-2 code, such as SE; small letters are turned into capitals."""
    if not isinstance(value, str) or not _COUNTRY.fullmatch(value):
        raise InvalidArgumentError(
            f"{argument} must be an ISO 3166-1 alpha-2 code such as SE, not {value!r}", argument=argument
        )
    return value.upper()


def read_city_id(value: object, argument: str = "city_id") -> str:
    """A city id as the list of cities gives it: 8-4-4-4-12 hexadecimal digits (str or `uuid.UUID`)."""
    text = str(value) if isinstance(value, uuid.UUID) else value
    if not isinstance(text, str) or not _CITY.fullmatch(text):
        raise InvalidArgumentError(
            f"{argument} must be 8-4-4-4-12 hexadecimal digits such as 37efa883-c8ad-4ff7-927b-b11b02beb923, "
            f"not {value!r}",
            argument=argument,
        )
    return text


def read_list(value: object, argument: str, read: Callable[[object, str], str]) -> list[str] | None:
    """A list whose items `read` checks; None stays None. An empty list is refused: it would ask for everything."""
    if value is None:
        return None
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise InvalidArgumentError(f"{argument} must be a list, not {value!r}", argument=argument)
    items = [read(item, argument) for item in value]
    if not items:
        raise InvalidArgumentError(f"{argument} is empty; leave it out to ask for everything", argument=argument)
    return items


def read_id(value: object, argument: str) -> str:
    """An id that the API gave; it goes into a path or a header as it is."""
    if (
        not isinstance(value, str)
        or not value.isascii()
        or not value.isprintable()
        or value in {"", ".", ".."}
        or any(c in value for c in "/\\ ?#%")
    ):
        raise InvalidArgumentError(f"{argument} must be an id as the API gave it, not {value!r}", argument=argument)
    return value


def read_text(value: object, argument: str) -> str:
    """A text that is not empty. It may be a secret: a refusal does not show it."""
    if not isinstance(value, str) or not value or not value.isprintable():
        raise InvalidArgumentError(f"{argument} must be a text without line breaks", argument=argument)
    return value

"""Checks a value by a rule of the description, and by the place that it goes to. Nothing is sent that fails."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from .errors import InvalidArgumentError

if TYPE_CHECKING:
    from openpayments_client.operations import Rule

_TYPES: Final[dict[str, tuple[type | tuple[type, ...], str]]] = {
    "string": (str, "a string"),
    "boolean": (bool, "True or False"),
    "integer": (int, "a whole number"),
    "number": ((int, float), "a number"),
    "array": ((list, tuple), "a list"),
}


def refuse(argument: str, problem: str) -> InvalidArgumentError:
    """The error about an argument, whose text begins with its name."""
    return InvalidArgumentError(f"{argument} {problem}", argument=re.split(r"[.\[]", argument)[0])


def check(rule: Rule, value: object, argument: str) -> None:
    """Checks one value, and the items of a list.

    Args:
        rule: What the description says about it.
        value: As the caller gave it; put right, if anything was to be put right.
        argument: The caller's name for it.

    Raises:
        InvalidArgumentError: It names the argument. Who a user is, and what strings in a body say, is not shown.
    """
    if problem := _problem(rule, value):
        is_personal = rule.name.startswith("PSU-") or (
            rule.place == "body" and not isinstance(value, bool | int | date)
        )
        # Python refuses to write down a very long number
        is_long = isinstance(value, int) and value.bit_length() > 1000
        raise refuse(argument, problem if is_personal or is_long else f"{problem}, not {value!r}")
    if rule.items is not None and isinstance(value, list | tuple):
        for item in value:
            check(rule.items, item, argument)


def _problem(rule: Rule, value: object) -> str | None:
    if rule.format == "date":
        is_day = isinstance(value, date) and not isinstance(value, datetime)
        return None if is_day else "must be a date, an ISO date such as 2026-01-31, or an interval from today"
    types, word = _TYPES[rule.type]
    if not isinstance(value, types) or (isinstance(value, bool) and rule.type != "boolean"):
        return f"must be {_like(rule) or word}"
    if rule.enum and value not in rule.enum:
        return f"must be one of {', '.join(rule.enum)}"
    if rule.minimum is not None and isinstance(value, int | float) and value < rule.minimum:
        return f"must be {rule.minimum} or more"
    if isinstance(value, list | tuple):
        return "must not be empty; leave it out to ask for everything" if len(value) < (rule.min_length or 0) else None
    return _problem_of_text(rule, value) if isinstance(value, str) else None


def _problem_of_text(rule: Rule, text: str) -> str | None:
    if rule.pattern and not re.fullmatch(rule.pattern, text):
        return f"must be {_like(rule)}"
    if len(text.strip()) < (rule.min_length or 0) or (rule.place != "body" and not text):
        return "must not be empty"
    if rule.max_length is not None and len(text) > rule.max_length:
        return f"must be no longer than {rule.max_length} characters"
    if rule.place == "header" and not (text == text.strip() and all(" " <= c <= "~" for c in text)):
        return "must be printable ASCII, without blanks around it"
    if rule.place == "query" and not text.isprintable():
        return "must be printable"
    return None if rule.place != "path" or is_id(text) else "must be printable, without a part that is . or .."


def is_id(value: object) -> bool:
    """Whether a path can carry it, quoted. No dot segments: a server may take an encoded slash for a slash."""
    parts = re.split(r"[/\\]", value) if isinstance(value, str) and value.isprintable() else [".."]
    return value != "" and {".", ".."}.isdisjoint(parts)


def _like(rule: Rule) -> str:
    # an example of an account number would look like the caller's own
    example = "valid" if rule.place == "body" else f"like {rule.example}"
    return f"{example} ({rule.meaning.rstrip('.')})" if rule.pattern and rule.meaning else ""

"""Refuses values that break a rule of the description, before anything is sent."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ._redaction import hiding_arguments
from .errors import InvalidArgumentError

if TYPE_CHECKING:
    from openpayments_client.operations import Rule


def refuse(argument: str, problem: str, *wrong: object) -> InvalidArgumentError:
    """The error about an argument. Its message is the argument's name, the problem, and the wrong value if given."""
    from openpayments_client.types import shown  # loads httpx, which the command line's help does without

    said = "".join(f", not {shown(value)}" for value in wrong)
    return InvalidArgumentError(f"{argument} {problem}{said}", argument=re.split(r"[.\[]", argument)[0])


def check(rule: Rule, value: object, argument: str) -> None:
    """Raises InvalidArgumentError, whose message names the argument, if a value breaks a rule."""
    for path, problem in rule.problems(value, argument):
        raise refuse(path, problem)


def veil(module: dict[str, Any], public: Iterable[str]) -> None:
    """Keeps from error reporters what they collect of a module's public functions and classes: locals, and reprs."""
    for name in public:
        each = module[name]
        if inspect.isfunction(each):
            module[name] = hiding_arguments(each)
        else:
            each.__repr__ = _short_repr


def _short_repr(self: object) -> str:
    from openpayments_client.types import short_repr  # loads httpx, which the command line's help does without

    return short_repr(self)

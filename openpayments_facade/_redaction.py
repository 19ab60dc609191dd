"""What must not be seen, and what may be: secrets masked, servers' texts made fit for logs and terminals."""

from __future__ import annotations

import functools
import hmac
import html
import json
import re
from collections.abc import Callable
from typing import NoReturn, ParamSpec, TypeVar
from urllib.parse import quote, quote_plus

P = ParamSpec("P")
T = TypeVar("T")


class Secret:
    """Holds a secret or a token; only `reveal()` gives it out."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself."""
        return self._value

    @property
    def is_text(self) -> bool:
        """Whether it can be encoded: a lone surrogate can't."""
        return not any("\ud800" <= c <= "\udfff" for c in self._value)

    def __repr__(self) -> str:
        return "Secret('***')"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return False
        return hmac.compare_digest(*(each._value.encode(errors="surrogatepass") for each in (self, other)))

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret can't be pickled or copied")


def hiding_arguments(function: Callable[P, T]) -> Callable[P, T]:
    """The same function, for where a secret enters: no frame that its exception leads to shows the arguments."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except Exception as error:  # a TypeError for a misspelt argument too
            failure = error.with_traceback(None)
            failure.__cause__ = failure.__context__ = None
        del args, kwargs
        raise failure

    return call


def scrubber(*secrets: Secret) -> Callable[[str], str]:
    """What takes the secrets out of a text of a server or transport, in every form in which it may quote them."""
    forms = {
        form
        for secret in secrets
        for plain in (secret.reveal(), json.dumps(secret.reveal())[1:-1], repr(secret.reveal())[1:-1])
        if plain
        for form in (
            plain,
            plain.replace("/", "\\/"),
            # what can't be encoded is never sent, but must not fail here, where frames would show it
            quote_plus(plain, errors="surrogatepass"),
            quote(plain, errors="surrogatepass"),
            quote(plain, safe="", errors="surrogatepass"),
            html.escape(plain),
        )
    }
    # the longest first, for one may begin with another; in any case, for "%2f" is "%2F"
    pattern = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True))) or "(?!)", re.IGNORECASE)
    return lambda text: pattern.sub("***", text)


def printable(value: object) -> str:
    """Text from a server, or what it sent instead, without what would control a terminal or break a line in a log."""
    return "".join(character if character.isprintable() else " " for character in str(value))

"""Masks secrets, and makes servers' texts safe for logs and terminals."""

from __future__ import annotations

import functools
import hmac
import html
import inspect
import json
import re
import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn, TypeVar
from urllib.parse import quote, quote_plus

F = TypeVar("F", bound=Callable[..., Any])
E = TypeVar("E", bound=BaseException)


_SHOWN: Final = {
    *("authenticationMethodId", "countryCode", "creditorAgent", "currency", "endToEndIdentification", "giroType"),
    *("frequencyPerDay", "paymentIds", "purposeCode", "recurringIndicator", "requestedExecutionDate"),
    *("sourceCurrency", "targetCurrency", "validUntil"),
}
"""The fields of bodies that say neither who somebody is nor how much is paid."""


class Secret:
    """Holds a secret or a token. Only `reveal()` returns it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself."""
        return self._value

    @property
    def is_text(self) -> bool:
        """Whether it can be encoded; a lone surrogate can't."""
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


def hiding_arguments(function: F) -> F:
    """Wraps a function, or a coroutine function, that takes or makes what error reporters must not collect.

    When it raises, the traceback still names it and all that it called, but none of these frames has a local any more.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except BaseException as error:  # also the TypeError for a misspelt argument
            failure = [_emptied(error)]
        del args, kwargs
        raise failure.pop()  # this frame would hold it, and it holds this frame

    @functools.wraps(function)
    async def wait(*args: Any, **kwargs: Any) -> Any:
        try:
            return await function(*args, **kwargs)
        except BaseException as error:
            failure = [_emptied(error)]
        del args, kwargs
        raise failure.pop()

    return wait if inspect.iscoroutinefunction(function) else call  # type: ignore[return-value]


def _emptied(error: E) -> E:
    """The same error, beginning below this frame, with no locals in its frames and without what foreign code raised."""
    cause = error.__cause__
    error.__cause__ = error.__context__ = None
    if type(cause).__module__.startswith("openpayments_facade"):
        error.__cause__ = cause and _emptied(cause)
    error.__suppress_context__ = False
    frames = error.__traceback__ and error.__traceback__.tb_next
    traceback.clear_frames(frames)
    return error.with_traceback(frames)


def careful(describe: Callable[[Any], str]) -> Callable[[Any], str]:
    """Wraps a `__repr__`: error reporters also show objects whose `__init__` is not through."""

    @functools.wraps(describe)
    def __repr__(self: Any) -> str:  # noqa: N807
        try:
            return describe(self)
        except AttributeError:
            return f"<{type(self).__name__}, not yet made>"

    return __repr__


def scrubber(*secrets: Secret) -> Callable[[str], str]:
    """A function that masks the secrets in a text of a server or transport, in every form that it may quote them in."""
    forms = {
        form
        for secret in secrets
        for plain in (secret.reveal(), json.dumps(secret.reveal())[1:-1], repr(secret.reveal())[1:-1])
        if plain
        for form in (
            plain,
            plain.replace("/", "\\/"),
            # a secret that can't be encoded is never sent, but must not fail here, where a traceback would show it
            quote_plus(plain, errors="surrogatepass"),
            quote(plain, errors="surrogatepass"),
            quote(plain, safe="", errors="surrogatepass"),
            html.escape(plain),
        )
    }
    # the longest first, since one may begin with another; ignoring case, since "%2f" and "%2F" are the same
    pattern = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True))) or "(?!)", re.IGNORECASE)
    return lambda text: pattern.sub("***", text)


_MARKS: Final = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]"
_HEAP: Final = re.compile(f"({_MARKS}{{4}}){_MARKS}+")


def printable(value: object) -> str:
    """A server's text, or any other value, without what controls a terminal, breaks a line or turns its direction.

    A letter keeps four marks at most: with hundreds of them it would cover the lines around it.
    """
    text = str(value)
    if text.isascii() and text.isprintable():
        return text
    return _HEAP.sub(r"\1", "".join(character if character.isprintable() else " " for character in text))


def quoted(said: object, scrub: Callable[[str], str] = str, longest: int = 512) -> str | None:
    """What a server or a library said, as our own texts quote it: without secrets, printable, and cut.

    None if it is no text, or says nothing. Whatever comes from the wire goes through here on its way into a message, a
    log record or a `TppMessage`; what keeps it as it came (`body`, `content`, `headers`, models) is raw.
    """
    # scrubbed first: what is cut or joined afterwards would no longer be found
    return printable(scrub(said))[:longest].strip() or None if isinstance(said, str) else None


_SCHEME: Final = re.compile(r"[a-z][a-z\d+.-]*://|file:", re.IGNORECASE | re.ASCII)
_PLACE: Final = re.compile(r"(?:[^:\[]|:\d*(?=[/\\:,\s]|$)|\[[\da-f:.]*\])*", re.ASCII | re.IGNORECASE)
"""A host and its port, a path, a word or a list of these; after a colon there is no word, which may be a password."""
_LONGEST_SETTING: Final = 300


def masked_url(text: str) -> str:
    """A setting as it is shown: a URL without its user, password, query and fragment; what can't be read is '***'.

    Also without a scheme or a host. What is long or has several lines is no URL and no path, but maybe a key.
    """
    scheme = _SCHEME.match(text)
    start = scheme[0] if scheme else ""
    user, at, rest = text[len(start) :].rpartition("@")
    place, mark, _ = re.sub("#.*", "?", rest, flags=re.DOTALL).partition("?")
    is_clear = not set(user) & set("?#") and (start.lower() == "file:" or _PLACE.fullmatch(place))
    if not is_clear or len(text) > _LONGEST_SETTING or set(text) & set("\r\n"):
        return f"{start}***"
    return printable(f"{start}{'***@' * bool(at)}{place}{'?***' * bool(mark)}")


def str_or_none(value: object) -> str | None:
    """The value if it is a string, else None."""
    return value if isinstance(value, str) else None


def masked(value: Any, *, shown: bool = False) -> Any:
    """A body with nothing in it that says who somebody is, or how much is paid."""
    if isinstance(value, Mapping):
        return {name: masked(each, shown=name in _SHOWN) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [masked(each, shown=shown) for each in value]
    return value if shown or value is None else "***"

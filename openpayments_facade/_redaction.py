"""Masks secrets, and makes servers' texts safe for logs and terminals."""

from __future__ import annotations

import functools
import inspect
import json
import re
import string
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import FrameType, TracebackType
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
_LIBRARIES: Final = sys.stdlib_module_names | {
    *("openpayments_facade", "openpayments_client", "anyio", "attr", "attrs", "certifi", "cryptography", "dateutil"),
    *("filelock", "h11", "h2", "hpack", "httpcore", "httpx", "idna", "oauthlib", "redis", "sniffio", "socksio"),
    *("stamina", "stdnum", "structlog", "tenacity", "valkey"),
}
"""The packages whose frames hold what was passed to us. All others are the user's."""


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
        import hmac

        return hmac.compare_digest(*(each._value.encode(errors="surrogatepass") for each in (self, other)))

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret can't be pickled or copied")


def hiding_arguments(function: F) -> F:
    """Wraps a function, or a coroutine function, that takes or makes what error reporters must not collect.

    When it raises, the traceback still names it and all that it called, but none of these frames has a local any more.
    Frames of the user's code (their transports, generators, callbacks) keep theirs, since they may still be running.
    Causes and contexts go, but for our own and for those of which the user's code raised every one.
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
    """The same error, beginning below this frame, with no locals in its frames and without what libraries raised."""
    frames = error.__traceback__ and error.__traceback__.tb_next
    _clear(frames)
    cause, context, is_suppressing = error.__cause__, error.__context__, error.__suppress_context__
    if type(cause).__module__.startswith("openpayments_facade"):
        cause, context, is_suppressing = cause and _emptied(cause), None, False
    elif not _is_the_users_alone(error):
        cause, context, is_suppressing = None, None, False
    # past the class's own __setattr__, which may refuse
    BaseException.__setattr__(error, "__cause__", cause)
    BaseException.__setattr__(error, "__context__", context)
    BaseException.__setattr__(error, "__suppress_context__", is_suppressing)
    return BaseException.with_traceback(error, frames)


def _clear(frames: TracebackType | None) -> None:
    """Takes the locals from all frames but the user's: before Python 3.13 it ends what is suspended there."""
    for frame, _ in traceback.walk_tb(frames):
        if _is_known(frame):
            with suppress(RuntimeError):  # it is running
                frame.clear()


def _is_known(frame: FrameType) -> bool:
    # what attrs makes may have no module
    name = frame.f_globals.get("__name__") or frame.f_code.co_filename.lstrip("<")
    return re.split("[. ]", str(name))[0] in _LIBRARIES


def _is_the_users_alone(error: BaseException) -> bool:
    """Whether the user's code raised it and all that led to it. Takes the locals from the other frames of these."""
    waiting: list[BaseException | None] = [error]
    met: list[BaseException] = []
    while waiting:
        each = waiting.pop()
        if each is None or any(each is one for one in met):
            continue
        met.append(each)
        frames = [frame for frame, _ in traceback.walk_tb(each.__traceback__)]
        module = str(type(each).__module__).partition(".")[0]
        if (module in _LIBRARIES and module != "builtins") or (frames and _is_known(frames[-1])):
            return False
        waiting += each.__cause__, each.__context__
    for each in met[1:]:
        _clear(each.__traceback__)
    return True


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
            plain.translate(_HTML),
        )
    }
    # ignoring case, since "%2f" and "%2F" are the same; without patterns, which the `re` module would keep
    small = frozenset(form.translate(_SMALL) for form in forms)
    return lambda text: _mask(text, small)


_HTML: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
"""As `html.escape` does, whose module is 300 kB of names for characters."""
_SMALL: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def _mask(text: str, forms: frozenset[str]) -> str:
    small, kept, position = text.translate(_SMALL), list[str](), 0
    places = {form: small.find(form) for form in forms}
    while found := {form: place for form, place in places.items() if place >= 0}:
        # the longest of those that begin at the same place, since one may begin with another
        form = min(found, key=lambda each: (found[each], -len(each)))
        kept += text[position : found[form]], "***"
        position = found[form] + len(form)
        places = {each: place if place >= position else small.find(each, position) for each, place in found.items()}
    return "".join([*kept, text[position:]])


_MARKS: Final = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]"
_HEAP: Final = f"({_MARKS}{{4}}){_MARKS}+"


def printable(value: object) -> str:
    """A server's text, or any other value, without what controls a terminal, breaks a line or turns its direction.

    A letter keeps four marks at most: with hundreds of them it would cover the lines around it.
    """
    text = str(value)
    if text.isascii() and text.isprintable():
        return text
    return re.sub(_HEAP, r"\1", "".join(character if character.isprintable() else " " for character in text))


def quoted(said: object, scrub: Callable[[str], str] = str, longest: int = 512) -> str | None:
    """What a server or a library said, as our own texts quote it: without secrets, printable, and cut.

    None if it is no text, or says nothing. Whatever comes from the wire goes through here on its way into a message, a
    log record or a `TppMessage`; what keeps it as it came (`body`, `content`, `headers`, models) is raw.
    """
    # scrubbed first: what is cut or joined afterwards would no longer be found
    return printable(scrub(said))[:longest].strip() or None if isinstance(said, str) else None


_SCHEME: Final = r"(?ai)[a-z][a-z\d+.-]*://|file:"
_PLACE: Final = r"(?ai)(?:[^:\[]|:\d*(?=[/\\:,\s]|$)|\[[\da-f:.]*\])*"
"""A host and its port, a path, a word or a list of these; after a colon there is no word, which may be a password."""
_LONGEST_SETTING: Final = 300


def masked_url(text: str) -> str:
    """A setting as it is shown: a URL without its user, password, query and fragment; what can't be read is '***'.

    Also without a scheme or a host. What is long or has several lines is no URL and no path, but maybe a key.
    """
    scheme = re.match(_SCHEME, text)
    start = scheme[0] if scheme else ""
    user, at, rest = text[len(start) :].rpartition("@")
    place, mark, _ = re.sub("#.*", "?", rest, flags=re.DOTALL).partition("?")
    is_clear = not set(user) & set("?#") and (start.lower() == "file:" or re.fullmatch(_PLACE, place))
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

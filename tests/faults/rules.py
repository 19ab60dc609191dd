"""What a cell of the matrix has to show. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from attrs import frozen

Gets = Literal["answer", "error", "any"]
GRACE: Final = 1.0
"""Seconds that a call may take beyond its total_timeout."""


@frozen(kw_only=True)
class Seen:
    """What was seen of one operation that met one fault."""

    outcome: str
    """`answer`, or the name of the exception."""
    is_creation: bool
    is_ours: bool
    """Whether it is an exception of the SDK."""
    is_right: bool
    """Whether an answer is the one to this very request."""
    has_request_id: bool
    may_have_taken_effect: bool
    status: int | None
    times: int
    """How often the whole request reached the host."""
    strangers: int
    """How many requests went where an answer pointed to."""
    seconds: float
    limit: float
    """total_timeout, in seconds."""
    quoted: tuple[str, ...]
    """Where something of the wire or a secret was quoted."""
    next_calls: tuple[str, ...]
    """What went wrong with the calls after it."""
    left: tuple[str, ...]
    """What was still there after closing the client."""


def broken(
    seen: Seen, gets: Gets, *, is_own: bool = True, connects: bool = True, has_status: bool = False
) -> Iterator[str]:
    """The rules that were broken.

    `is_own`: the host's answer was to this request; `connects`: it could be sent; `has_status`: an error must have the
    status of the answer, or it is about another place that the answer pointed to.
    """
    has_answer = seen.outcome == "answer"
    if has_answer and not seen.is_right:
        yield "it was given the answer of another request"
    if not is_own and (has_answer or seen.status is not None):
        yield "it believed the answer of another request"
    if has_answer and gets == "error":
        yield "it took a broken answer for a good one"
    if not has_answer and gets == "answer":
        yield "it refused a good answer"
    if seen.times > (1 if seen.is_creation else 2):
        yield f"it reached the host {seen.times} times"
    is_late = seen.outcome == "TimedOutError" or seen.seconds > seen.limit
    if seen.strangers or (has_status and not has_answer and seen.status is None and not is_late):
        yield "it followed an answer to another place"
    if not has_answer:
        yield from _broken_of_error(seen, connects=connects)
    if seen.seconds > seen.limit + GRACE:
        yield f"it took {seen.seconds:.1f} s of {seen.limit:g} s"
    yield from (f"quoted: {each}" for each in seen.quoted)
    yield from (f"next call: {each}" for each in seen.next_calls)
    yield from (f"left: {each}" for each in seen.left)


def _broken_of_error(seen: Seen, *, connects: bool) -> Iterator[str]:
    if not seen.is_ours:
        yield "it raised what is none of the SDK's exceptions"
    if not seen.has_request_id:
        yield "the error has no request id"
    if seen.may_have_taken_effect and not (seen.is_creation and connects):
        yield "the error doubts what is known: nothing was carried out"
    is_refused = seen.status is not None and seen.status // 100 == 4 and seen.status not in {408, 460, 499}
    if seen.is_creation and seen.times and not is_refused and not seen.may_have_taken_effect:
        yield "the error says that nothing was carried out, which nobody knows"

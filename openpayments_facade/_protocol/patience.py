"""Which failures of a read are only bad luck, and when they are too many. Pure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import copy
from typing import Final, NoReturn

from attrs import field

from .. import errors
from .._attrs import define
from .answer import is_busy

PATIENCE: Final = 6
"""The number of reads in a row that have to fail before it gives up."""


@define(eq=False, repr=False, slots=False)
class Patience(ABC):
    """The reads of one who waits, and how many of them failed in a row."""

    _failed: int = field(default=0, init=False)
    _trouble: errors.OpenPaymentsError | None = field(default=None, init=False)
    """The last failure. Only copies of it are raised: an exception collects the frames of everybody who raises it."""

    def _note(self, failure: errors.OpenPaymentsError, *, is_look: bool) -> None:
        """Takes note of a read that failed. Raises it if it will not pass; an error of the API does in a mere look."""
        self._failed, self._trouble = self._failed + 1, copy(failure)
        if self._failed >= PATIENCE or not (_may_pass(failure) or (is_look and isinstance(failure, errors.APIError))):
            raise failure

    def _give_up(self, timeout: float, cause: Exception | None = None) -> NoReturn:
        """Raises the error at the end of `timeout` seconds: the failure of the last read, if it failed."""
        if self._failed and self._trouble:
            raise copy(self._trouble)
        raise self._timeout_error(timeout) from copy(cause or self._trouble)

    @abstractmethod
    def _timeout_error(self, timeout: float) -> errors.OpenPaymentsError:
        """The error for what has not happened within `timeout` seconds."""


def _may_pass(failure: errors.OpenPaymentsError) -> bool:
    """Whether a read that failed says nothing about what is waited for, so that the next one may do better."""
    if isinstance(failure, errors.TokenError):
        return is_busy(failure.status_code)
    if isinstance(failure, (errors.UnauthorizedError, errors.AccessExceededError, errors.ConsentError)):
        return False
    passing = errors.APIError, errors.ConnectionFailedError, errors.TimedOutError, errors.UnreadableResponseError
    return isinstance(failure, passing)

# Written by `make unasync` from openpayments_facade/_async/sender.py; do not edit.
"""Sends operations: with a token, with retries, and once more after a 401 that blames the token."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from attrs import fields_dict

from .._attrs import define
from .._protocol.answer import blames_token, judge, log_findings
from .._protocol.call import Call
from .._protocol.operation import say_missing
from .._protocol.options import CommonOptions, Options
from .._protocol.unknown import explain
from .._settings import Settings
from ..errors import APIError, OpenPaymentsError, OutcomeUnknownError
from ..scopes import check_scope, context_for
from .session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._protocol.answer import RawResponse
    from .._protocol.operation import Operation
    from ..scopes import PsuContext

_log = logging.getLogger("openpayments_facade")

SECONDS_LEFT = 30.0
"""How long the token of a request that must not be sent twice is still valid, at least."""

_ARGUMENTS: Final = ((*fields_dict(Settings),), (*CommonOptions.__annotations__,))

T = TypeVar("T")


@define(slots=False)
class Sender:
    """Sends operations with one set of options. Senders of the same client with the same options are equal."""

    session: Session
    options: Options

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> Self:
        """That of a new client. Raises InvalidArgumentError or ConfigurationError, whose messages name the argument."""
        settings, options = ({name: arguments[name] for name in names} for names in _ARGUMENTS)
        checked = Options(**options)
        return cls(Session(Settings(**settings), checked), checked)

    def replace(self, **options: Any) -> Sender:
        """A sender with some options changed. Raises InvalidArgumentError, whose message names the option."""
        return Sender(self.session, self.options.replace(**options))

    def remember(self, answer: RawResponse[Any]) -> None:
        """Takes note of an answer that was known without sending anything."""

    def run(self, operation: Operation[T]) -> T:
        """The parsed answer. Raises the exceptions that `errors` lists."""
        return self.run_raw(operation).parsed

    def run_raw(self, operation: Operation[T]) -> RawResponse[T]:
        """The parsed answer with status and headers. Raises the exceptions that `errors` lists."""
        context = self._context(operation)
        self._tell(operation, context)
        call = Call(operation, self.options, self.session.settings.environment.api_url)
        try:
            return self._attempt(call, operation, context)
        except OpenPaymentsError as error:
            if not call.wait_before_retry(error):
                raise
            failures = [error]
        try:
            import stamina  # slow to import, and most calls do without
        except (ImportError, OSError):  # out of file descriptors, for instance
            raise failures.pop() from None

        for attempt in stamina.retry_context(on=call.wait_before_retry, **call.retries()):
            with attempt:
                if failures:  # for stamina, the attempt that was made is its first
                    raise failures.pop()
                return self._attempt(call, operation, context)
        raise AssertionError("unreachable")

    def _context(self, operation: Operation[Any]) -> PsuContext | None:
        """The PSU context of the token. Raises MissingScopeError."""
        known, wanted = self.session.contexts, self.options.psu_context
        if (operation.scopes, wanted) not in known:
            granted = self.session.settings.api_scopes
            check_scope(operation.scopes, granted, operation.route)
            known[operation.scopes, wanted] = context_for(operation.scopes, granted, wanted)
        return known[operation.scopes, wanted]

    def _tell(self, operation: Operation[Any], context: PsuContext | None) -> None:
        if context is not self.options.psu_context:
            _log.debug("%s takes a token with the context %s, the only one that it allows", operation.name, context)
        missing = operation.lacks(context, self.options.headers)
        if missing and missing not in self.session.told:
            self.session.told.add(missing)
            # without the user there is neither an address nor a browser
            level = logging.INFO if {*missing} <= {"PSU-IP-Address", "PSU-User-Agent"} else logging.WARNING
            _log.log(level, "%s lacks %s", operation.name, say_missing(missing))

    def _attempt(self, call: Call, operation: Operation[T], context: PsuContext | None) -> RawResponse[T]:
        tokens = self.session.tokens(context)
        # what must not be sent twice can't be sent again when its token expires on the way
        lasting = 0.0 if operation.resendable else SECONDS_LEFT
        token = tokens.get(call.remaining(), self.options.max_retries, lasting)
        while True:
            exchange = call.next_attempt(token.value)
            self.session.pool.send(exchange)
            try:
                answer = judge(operation, exchange.scrubbed_answer())
            except (APIError, OutcomeUnknownError) as error:
                refusal = explain(error, operation)
            else:
                log_findings(answer, operation.name)
                return answer
            if blames_token(refusal):
                tokens.reject(token)
            if not blames_token(refusal) or not operation.resendable or call.replayed:
                raise refusal
            rejected, token = token, tokens.get(call.remaining(), self.options.max_retries)
            if token is rejected:
                raise refusal
            call.replayed = True

# Written by `make unasync` from openpayments_facade/_async/executor.py; do not edit.
"""Sends operations: token, attempts, replay after a 401 that blames the token."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from ..auth import BearerAuth
from ..call import Call, log_attempt
from ..errors import APIError, OpenPaymentsError
from ..operation import Answer, Operation, RawResponse, blames_token, judge
from ..scopes import check_scope

if TYPE_CHECKING:
    from ..config import Options
    from ..tokens import AccessToken
    from .core import Core

T = TypeVar("T")


class Executor:
    """Carries out operations with one set of options."""

    def __init__(self, core: Core, options: Options) -> None:
        self.core = core
        self.options = options

    def run(self, operation: Operation[T]) -> T:
        """The parsed answer. Raises what `errors` lists."""
        return self.run_raw(operation).parsed

    def run_raw(self, operation: Operation[T]) -> RawResponse[T]:
        """The parsed answer with status and headers. Raises what `errors` lists."""
        import stamina  # costs as much as a small client, and is not needed before the first call

        check_scope(operation.scope, self.core.settings.api_scopes, f"{operation.method} {operation.path}")
        call = Call(operation, self.options)
        retries = stamina.retry_context(
            on=call.wait_before_retry,
            attempts=self.options.max_retries + 1,
            timeout=self.options.total_timeout,
            wait_initial=0.2,
            wait_jitter=0.5,
        )
        for attempt in retries:
            with attempt:
                return self._attempt(call, operation)
        raise AssertionError("unreachable")

    def _attempt(self, call: Call, operation: Operation[T]) -> RawResponse[T]:
        tokens = self.core.tokens(self.options.psu_context)
        token = tokens.get(call.remaining())
        while True:
            answer = self._send(call, token)
            try:
                parsed = judge(operation, answer)
            except APIError as error:
                refusal = call.refused(error)
            else:
                return RawResponse(parsed, answer.status_code, answer.headers, call.request_id)
            if blames_token(refusal):
                rejected = token
                tokens.reject(rejected)
                if operation.resendable and not call.replayed:
                    token = tokens.get(call.remaining())
                    if token is not rejected:
                        call.replayed = True
                        continue
            raise refusal

    def _send(self, call: Call, token: AccessToken) -> Answer:
        outcome = self._exchange(call, BearerAuth(token))
        if isinstance(outcome, OpenPaymentsError):
            raise outcome
        return outcome

    def _exchange(self, call: Call, auth: BearerAuth) -> Answer | OpenPaymentsError:
        # a failure is returned, not raised: a traceback through here would hold the request, and it the token
        operation, client = call.operation, self.core.pool.client()
        url = self.core.settings.environment.api_url + operation.path
        call.attempt += 1
        status = None
        timeout = call.timeout()
        started = time.monotonic()
        try:
            rest: dict[str, Any] = {**operation.request, "headers": call.headers(), "timeout": timeout}
            request = client.build_request(operation.method, url, **rest)
            url = str(request.url)
            response = client.send(request, auth=auth, stream=True)
            try:
                content = bytearray()
                for chunk in response.iter_bytes():
                    content += chunk
                    if call.over():
                        raise TimeoutError("the answer was still coming in when total_timeout was over")
                status = response.status_code
            finally:
                response.close()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            return call.failed(error, url)
        finally:
            log_attempt(
                method=operation.method,
                url=url,
                status=status,
                duration=time.monotonic() - started,
                request_id=call.request_id,
                attempt=call.attempt,
            )
        body = auth.scrub(bytes(content)) if status >= 400 else bytes(content)
        return Answer(status, response.headers, body, url, call.request_id)

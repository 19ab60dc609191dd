"""Sends operations: token, attempts, replay after a 401 that blames the token."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from .._http.bearer import BearerAuth
from .._protocol.answer import Answer, RawResponse, blames_token, judge
from .._protocol.call import WAIT_INITIAL, WAIT_JITTER, WAIT_MAX, Call, log_attempt
from ..errors import APIError, InvalidArgumentError, OpenPaymentsError
from ..scopes import check_scope

if TYPE_CHECKING:
    from .._protocol.operation import Operation
    from .._protocol.options import Options
    from ..tokens import AccessToken
    from .session import AsyncSession

T = TypeVar("T")


class AsyncSender:
    """Carries out operations with one set of options."""

    def __init__(self, session: AsyncSession, options: Options) -> None:
        self.session = session
        self.options = options

    async def run(self, operation: Operation[T]) -> T:
        """The parsed answer. Raises what `errors` lists."""
        return (await self.run_raw(operation)).parsed

    async def run_raw(self, operation: Operation[T]) -> RawResponse[T]:
        """The parsed answer with status and headers. Raises what `errors` lists."""
        import stamina  # costs as much as a small client, and is not needed before the first call

        check_scope(operation.scopes, self.session.settings.api_scopes, f"{operation.method} {operation.path}")
        call = Call(operation, self.options, self.session.settings.environment.api_url)
        retries = stamina.retry_context(
            on=call.wait_before_retry,
            attempts=self.options.max_retries + 1,
            timeout=self.options.total_timeout,
            wait_initial=WAIT_INITIAL,
            wait_max=WAIT_MAX,
            wait_jitter=WAIT_JITTER,
        )
        async for attempt in retries:
            with attempt:
                return await self._attempt(call, operation)
        raise AssertionError("unreachable")

    async def _attempt(self, call: Call, operation: Operation[T]) -> RawResponse[T]:
        tokens = self.session.tokens(self.options.psu_context)
        token = await tokens.aget(call.remaining())
        while True:
            answer = await self._send(call, token)
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
                    token = await tokens.aget(call.remaining())
                    if token is not rejected:
                        call.replayed = True
                        continue
            raise refusal

    async def _send(self, call: Call, token: AccessToken) -> Answer:
        outcome = await self._exchange(call, BearerAuth(token))
        if isinstance(outcome, OpenPaymentsError):
            raise outcome
        return outcome

    async def _exchange(self, call: Call, auth: BearerAuth) -> Answer | OpenPaymentsError:
        # a failure is returned, not raised: a traceback through here would hold the request, and it the token
        operation, client = call.operation, self.session.pool.client()
        call.attempt += 1
        timeout, left = call.timeout(), call.remaining()
        try:
            rest: dict[str, Any] = {**operation.request, "headers": call.headers(), "timeout": timeout}
            request = client.build_request(operation.method, call.url, **rest)
        except (ValueError, TypeError, httpx.InvalidURL) as error:
            return InvalidArgumentError(f"an argument can't be written into a request ({type(error).__name__})")
        url = str(request.url)
        came: list[httpx.Response] = []
        started = time.monotonic()

        async def exchange() -> bytes:
            response = await client.send(request, auth=auth, stream=True)
            came.append(response)
            try:
                return await _read(response, call)
            finally:
                await response.aclose()

        try:
            body = await self.session.pool.within(left, exchange)
        except Exception as error:
            # an error status says enough without its body
            if not came or came[0].status_code < 400:
                return call.failed(error, url, came[0] if came else None, auth.scrub)
            body = b""
        finally:
            log_attempt(
                method=operation.method,
                url=url,
                status=came[0].status_code if came else None,
                duration=time.monotonic() - started,
                request_id=call.request_id,
                attempt=call.attempt,
            )
        response = came[0]
        if 200 <= response.status_code < 300:
            return Answer(response.status_code, response.headers, body, url, call.request_id)
        return Answer(
            response.status_code, auth.scrub_headers(response.headers), auth.scrub_body(body), url, call.request_id
        )


async def _read(response: httpx.Response, call: Call) -> bytes:
    if response.is_stream_consumed:  # a transport for tests has it whole
        return response.content
    raw = bytearray()
    # not decoded yet: of a compressed body nothing may come out for as long as the server likes
    async for chunk in response.aiter_raw():
        raw += chunk
        if call.over():
            raise TimeoutError
    return httpx.Response(response.status_code, headers=response.headers, content=bytes(raw)).content

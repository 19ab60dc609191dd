"""Runs the cells of the matrix: one operation that meets one fault, with the sync or the async client."""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
import threading
import time
import traceback
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import httpx
from attrs import evolve, frozen

from openpayments_facade import (
    APIError,
    ApiScope,
    AsyncOpenPayments,
    Environment,
    OpenPayments,
    OpenPaymentsError,
    PsuContext,
    RequestError,
    TokenError,
)

from .catalogue import FAULTS, Fault
from .operations import CREATIONS, call, driven, settled
from .rules import Seen, broken
from .wire import HOSTS, Front, Proxy, Wire, client_tls, host_tls

TOTAL: Final = 1.5
"""The calls' total_timeout: enough for the pause before a second attempt."""
STEP: Final = 1.0
"""Their timeout. A token request has as much in all, so that it ends before its caller gives up."""
LANES: Final = 24
"""How many cells run at once in a process: most of them wait."""
HALVES: Final = ("sync", "async")
_numbers = itertools.count(1)
_MARKS: Final = {"account number": re.compile(r"SE359(\d{7})"), "token or secret": re.compile(r"(?:tok|sec)-(\d{7})")}


@frozen
class Cell:
    """One cell: which operation meets which fault, in which half of the SDK."""

    fault: str
    operation: str
    half: str


@frozen
class Result:
    """What a cell showed."""

    cell: Cell
    seen: Seen
    broken: tuple[str, ...]


def cells(faults: Iterable[Fault] = FAULTS.values()) -> list[Cell]:
    """All cells of these faults."""
    return [Cell(fault.name, name, half) for fault in faults for name in fault.operations for half in HALVES]


class _Logged(logging.Handler):
    """Keeps which loggers quoted a cell's account number, token or secret, by the number of the cell."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.found: defaultdict[int, set[str]] = defaultdict(set)

    def emit(self, record: logging.LogRecord) -> None:
        said = f"{record.getMessage()} {record.exc_text} {vars(record)}"
        if record.exc_info:
            said += "".join(traceback.format_exception(*record.exc_info))
        for what, mark in _MARKS.items():
            for number in mark.findall(said):
                self.found[int(number)].add(f"{what} in the log of {record.name}")


@contextmanager
def _logging() -> Iterator[_Logged]:
    root, handler = logging.getLogger(), _Logged()
    level, others = root.level, root.handlers
    root.setLevel(logging.DEBUG)
    root.handlers = [handler]  # no other one has to keep all these records
    try:
        yield handler
    finally:
        root.handlers = others
        root.setLevel(level)


def run(wanted: Iterable[Cell], lanes: int = LANES) -> tuple[list[Result], list[str]]:
    """Runs cells, many at once: what they showed, and the names of threads that stay."""
    host_tls(), client_tls()  # before threads need them at once
    others = _threads()
    with _logging() as logged, ThreadPoolExecutor(lanes) as pool:
        for half in HALVES:  # what is imported at the first call takes part of its time
            _run(Cell("closed while idle", "consent", half), logged)
        results = list(pool.map(lambda cell: _run(cell, logged), wanted))
    deadline = time.monotonic() + 2
    while (left := _threads() - others) and time.monotonic() < deadline:
        time.sleep(0.01)
    return results, [each.name for each in left]


def run_kind(kind: str) -> tuple[list[Result], list[str]]:
    """All cells of a kind of faults. Those with large answers keep a processor busy, so few run at once."""
    faults = [fault for fault in FAULTS.values() if fault.kind == kind]
    return run(cells(faults), **({"lanes": 2} if kind == "sizes" else {}))


def _threads() -> set[threading.Thread]:
    """The SDK's threads in this process."""
    return {each for each in threading.enumerate() if each.name.startswith("openpayments")}


def _run(cell: Cell, logged: _Logged) -> Result:
    fault, number = FAULTS[cell.fault], next(_numbers)
    with ExitStack() as stack:
        tls = None if fault.where == "plain" else host_tls
        wires = {name: stack.enter_context(Wire(number, tls)) for name in HOSTS}
        target = wires["auth" if cell.operation == "token" else "api"]
        host = HOSTS["auth" if cell.operation == "token" else "api"]
        options: dict[str, Any] = {}
        armed = target
        if "proxy" in fault.where:
            proxy = stack.enter_context(Proxy(number, {HOSTS[name]: wires[name] for name in HOSTS}))
            proxy.target = host
            armed = proxy if fault.is_proxys else target
            options["proxy"] = f"http://127.0.0.1:{proxy.port}"
            if fault.where == "https proxy":
                front = stack.enter_context(Front(proxy))
                options["proxy"] = httpx.Proxy(f"https://127.0.0.1:{front.port}", ssl_context=client_tls())
            urls = {name: f"https://{HOSTS[name]}" for name in HOSTS}
        else:
            scheme = "http" if fault.where == "plain" else "https"
            urls = {name: f"{scheme}://127.0.0.1:{wire.port}" for name, wire in wires.items()}
        kind: Any = OpenPayments if cell.half == "sync" else AsyncOpenPayments

        def make() -> Any:
            return kind(
                client_id=f"app-{number}",
                client_secret=f"sec-{number:07d}",
                environment=Environment("faults", urls["auth"], urls["api"]),
                api_scopes=list(ApiScope)[:3],
                timeout=STEP,
                total_timeout=TOTAL,
                max_retries=1,
                limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
                verify=fault.client_tls(),
                **options,
            )

        showing = _show(cell, fault, make, armed, target)
        seen = driven(showing) if cell.half == "sync" else asyncio.run(showing)
        open_ones = target.open_connections(1.0)
        left = [f"{open_ones} connections"] if open_ones else []
        quoted = {*seen.quoted, *logged.found.pop(number, ())}
        seen = evolve(seen, left=(*seen.left, *left), quoted=tuple(sorted(quoted)))
    return Result(
        cell,
        seen,
        tuple(broken(seen, fault.gets, is_own=fault.is_own, connects=fault.connects, has_status=fault.has_status)),
    )


async def _show(cell: Cell, fault: Fault, make: Any, armed: Wire, target: Wire) -> Seen:
    op = make()
    session = op._sender.session
    wanted = call(cell.operation, op, str(uuid.uuid4()))
    if cell.operation != "token":
        assert not await _well(cell.operation, op.with_options(total_timeout=20.0, timeout=20.0))
    session.fetcher.total_timeout = STEP
    begun = await wanted.begin(wanted)
    if fault.before is not None:
        fault.before(target)
    before = len(target.requests)
    armed.arm(fault.does, fault.stage, fault.through, fault.host_tls)
    started, error, answer = time.perf_counter(), None, ""
    try:
        answer = await wanted.finish(wanted, begun)
    except Exception as caught:
        error = caught
    seconds = time.perf_counter() - started
    armed.disarm()
    requests = target.requests[before:]
    mine = [got for got in requests if cell.operation == "token" or got.request_id == wanted.request_id]
    next_calls = tuple(
        [f"{name}: {wrong}" for name in (cell.operation, "read") if (wrong := await _next(name, op, error))]
    )
    await settled(op.close() if cell.half == "sync" else op.aclose())
    left: list[str] = []
    if cell.half == "async":
        await asyncio.sleep(0)
        left = [f"task {task.get_name()}" for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    right = answer in target.tokens if cell.operation == "token" else answer == wanted.request_id
    return Seen(
        outcome="answer" if error is None else type(error).__name__,
        is_creation=cell.operation in CREATIONS,
        is_ours=isinstance(error, OpenPaymentsError),
        is_right=right,
        has_request_id=_has_id(error, cell.operation, wanted.request_id),
        may_have_taken_effect=getattr(error, "may_have_taken_effect", False),
        status=error.status_code if isinstance(error, APIError | TokenError) else None,
        times=len(mine),
        strangers=sum("stranger" in got.target for got in requests),
        seconds=seconds,
        limit=TOTAL,
        quoted=tuple(_quoted(error)),
        next_calls=next_calls,
        left=tuple(left),
    )


def _has_id(error: Exception | None, operation: str, request_id: str) -> bool:
    found = getattr(error, "request_id", None)
    return bool(found) if operation == "token" else found == request_id


async def _well(operation: str, op: Any) -> str:
    """What is wrong with a call that meets no fault."""
    wanted = call(operation, op, str(uuid.uuid4()))
    answer = await wanted.finish(wanted, await wanted.begin(wanted))
    return "" if answer == wanted.request_id or operation == "token" else "it got another answer"


async def _next(operation: str, op: Any, error: Exception | None) -> str:
    after = op.with_options(total_timeout=4.0, timeout=2.0)
    if isinstance(error, RequestError) and "/connect/token" in str(error.url) and (error.retry_after or 0) > 2:
        # tokens of that scope have a pause, and the error says how long
        after = after.with_options(psu_context=PsuContext.CORPORATE)
    try:
        return await _well(operation, after)
    except Exception as caught:
        return f"{type(caught).__name__}: {caught}"[:200]


def _quoted(error: Exception | None) -> Iterator[str]:
    if error is not None:
        shown = {
            "str": str(error),
            "repr": repr(error),
            "traceback": "".join(traceback.format_exception(error)),
        }
        for what, mark in _MARKS.items():
            yield from (f"{what} in the {name} of the error" for name, text in shown.items() if mark.search(text))

"""One measurement: a fresh process of one contender, which says in a line of JSON what its work took.

The clocks are read around the work, within the process: the start of the interpreter is not in the figures.
"""

from __future__ import annotations

import sys
from time import perf_counter, process_time

from benchmarks.hosts import Hosts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any, TypeAlias

    Call: TypeAlias = Callable[[], Any]
    AsyncCall: TypeAlias = Callable[[], Awaitable[Any]]

SECONDS = 0.4
"""How long something is repeated."""
AT_ONCE = 50


class Clock:
    """Starts when it is made."""

    def __init__(self) -> None:
        self._wall, self._processor = perf_counter(), process_time()

    @property
    def runs(self) -> bool:
        return perf_counter() - self._wall < SECONDS

    def read(self, times: int = 1) -> dict[str, float]:
        """Seconds for each time."""
        wall, processor = perf_counter() - self._wall, process_time() - self._processor
        return {"wall": wall / times, "processor": processor / times}


def imported(statement: str, _: Hosts) -> dict[str, float]:
    code = compile(statement, "import", "exec")
    clock = Clock()
    exec(code, {})
    return clock.read()


def first(contender: Callable[[Hosts], Call], hosts: Hosts) -> dict[str, float]:
    clock = Clock()
    answer = contender(hosts)()
    figures = clock.read()
    assert len(answer) == AT_ONCE
    return {**figures, "lists": 1}


def memory(contender: Callable[[Hosts], Call], hosts: Hosts) -> dict[str, float]:
    call = contender(hosts)
    assert len(call()) == AT_ONCE
    return {"memory": _mebibytes("VmRSS"), "lists": 1}


def peak(contender: Callable[[Hosts], int], hosts: Hosts) -> dict[str, float]:
    pages = contender(hosts)
    return {"memory": _mebibytes("VmHWM"), "pages": pages}


def _mebibytes(name: str) -> float:
    # not getrusage, whose peak includes that of the parent process before exec
    with open("/proc/self/status") as status:  # noqa: PTH123 - pathlib takes memory
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith(name))


def repeated(contender: Callable[[Hosts], Call], hosts: Hosts) -> dict[str, float]:
    return _repeated(contender(hosts), warm_up=50, batch=10)


def fetched(contender: Callable[[Hosts], Call], hosts: Hosts) -> dict[str, float]:
    return _repeated(contender(hosts), warm_up=10, batch=5)


def made(contender: Callable[[], Call], _: Hosts) -> dict[str, float]:
    make = contender()
    kept = [make() for _ in range(20)]
    clock = Clock()
    kept += [make() for _ in range(100)]
    return clock.read(100)


def _repeated(call: Call, warm_up: int, batch: int) -> dict[str, float]:
    for _ in range(warm_up):
        answer = call()
    assert len(answer) == AT_ONCE
    times, clock = 0, Clock()
    while clock.runs:
        for _ in range(batch):
            call()
        times += batch
    return {**clock.read(times), "lists": warm_up + times}


def one_at_a_time(contender: Callable[[Hosts], Awaitable[AsyncCall]], hosts: Hosts) -> dict[str, float]:
    import asyncio

    async def run() -> dict[str, float]:
        call = await contender(hosts)
        for _ in range(AT_ONCE):
            answer = await call()
        assert len(answer) == AT_ONCE
        times, clock = 0, Clock()
        while clock.runs:
            for _ in range(10):
                await call()
            times += 10
        return {**clock.read(times), "lists": AT_ONCE + times}

    return _on_a_loop(asyncio, run)


def at_once(contender: Callable[[Hosts], Awaitable[AsyncCall]], hosts: Hosts) -> dict[str, float]:
    import asyncio

    async def run() -> dict[str, float]:
        call = await contender(hosts)
        for _ in range(3):
            answers = await asyncio.gather(*(call() for _ in range(AT_ONCE)))
        assert all(len(answer) == AT_ONCE for answer in answers)
        times, clock = 0, Clock()
        while clock.runs:
            await asyncio.gather(*(call() for _ in range(AT_ONCE)))
            times += AT_ONCE
        return {**clock.read(times), "lists": 3 * AT_ONCE + times}

    return _on_a_loop(asyncio, run)


def _on_a_loop(asyncio: Any, run: Any) -> dict[str, float]:
    figures: dict[str, float] = asyncio.run(run())
    return figures


def parsed(contender: Callable[[bytes], Call], _: Hosts) -> dict[str, float]:
    """With the collector as Python has it, and, in a second turn, without."""
    import gc
    import json

    from benchmarks.bodies import report

    body = json.dumps(report(10_000), ensure_ascii=False).encode()
    parse = contender(body)
    assert len(parse()) == 10_000
    gc.collect()
    clock = Clock()
    for _number in range(2):
        parse()
    return clock.read(2)


def parsed_uncollected(contender: Callable[[bytes], Call], hosts: Hosts) -> dict[str, float]:
    import gc

    gc.disable()
    return parsed(contender, hosts)


def main(method: str, name: str, api: str, auth: str) -> None:
    module, _, attribute = name.partition(".")
    contender = getattr(__import__(f"benchmarks.contenders.{module}", fromlist=[attribute]), attribute)
    figures = globals()[method](contender, Hosts(api, auth))
    said = ", ".join(f'"{name}": {figure}' for name, figure in figures.items())
    sys.stdout.write("{" + said + "}\n")
    sys.stdout.flush()
    # what a contender left open needs no tidy end
    os = __import__("os")
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])

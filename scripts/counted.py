"""Counts one thing that the SDK does, and prints it as JSON: `python -SP counted.py SUBJECT HALF URL`.

`make counts` runs it, in a fresh interpreter for each subject and half: "sync" or "async". URL is that of its server.
"""

from __future__ import annotations

import gc
import os  # noqa: F401 - Python loads it anyway, unless it is started with -S: it doesn't count
import sys

TYPE_CHECKING = False  # that of typing would load typing, which counts
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import Any

# what httpx, anyio and stamina use where it is installed, and the SDK does not bring
OPTIONAL = "brotli brotlicffi click h2 prometheus_client pygments rich socksio structlog trio zstandard"
TOKEN = {"access_token": "x", "token_type": "Bearer", "expires_in": 3600}
WARM_UP, ROUNDS, CALLS = 30, 10, 100


def first(half: str, url: str) -> dict[str, Any]:
    """The modules that each step up to a first answer adds, by package."""
    before, found = {*sys.modules}, {}

    def step(name: str) -> None:
        packages: dict[str, list[str]] = {}
        for module in sorted(sys.modules.keys() - before):
            packages.setdefault(module.partition(".")[0], []).append(module)
        before.update(sys.modules)
        found[f"{half}: modules after {name}"] = packages

    import openpayments_facade as facade

    step("import openpayments_facade")
    name = {"sync": "OpenPayments", "async": "AsyncOpenPayments"}[half]
    kind = getattr(facade, name)
    step(f"from openpayments_facade import {name}")
    op = kind(**settings(url))
    step("making a client")
    run(op.aspsps.list())
    step("a first call")
    return found


def client(half: str, url: str) -> dict[str, Any]:
    """What a client costs."""
    kind, arguments = kind_of(half), settings(url)

    async def make() -> object:
        return kind(**arguments)

    return costs(half, "making a client", make if half == "async" else lambda: kind(**arguments))


def warm(half: str, url: str) -> dict[str, Any]:
    """What a call costs that lists 50 banks."""
    return costs(half, "a warm call", kind_of(half)(**settings(url)).aspsps.list)


def httpx(half: str, url: str) -> dict[str, Any]:
    """The calls of the same with plain httpx: for scale, so without their names."""
    from httpx import AsyncClient, Client

    op: Any = {"sync": Client, "async": AsyncClient}[half]()
    path, headers = f"{url}/aspsps", {"Authorization": "Bearer x", "X-Request-ID": "x"}

    async def get() -> object:
        return (await op.get(path, headers=headers)).json()

    call: Callable[[], Any] = get if half == "async" else lambda: op.get(path, headers=headers).json()
    name = f"{half}: calls of plain httpx"
    return {name: total(costs(half, "plain httpx", call)[name])}


def page(half: str, url: str) -> dict[str, Any]:
    """What reading a page of 1,000 transactions costs. It comes in one piece, from a transport."""
    import json

    from httpx import MockTransport, Response

    from openpayments_facade import OpenPayments, Psu

    account = {"iban": "SE4550000000058398257466"}
    booked = [
        {
            "transactionId": f"id-{number}",
            "bookingDate": "2026-03-01",
            "valueDate": "2026-03-02",
            "transactionAmount": {"amount": f"{number}.50", "currency": "SEK"},
            "creditorName": f"Creditor {number}",
            "creditorAccount": account,
            "remittanceInformationUnstructured": f"Invoice {number}",
        }
        for number in range(1000)
    ]
    token, answer = json.dumps(TOKEN), json.dumps({"account": account, "transactions": {"booked": booked}})
    transport = MockTransport(lambda request: Response(200, text=answer if request.method == "GET" else token))
    op = OpenPayments(**settings(url), transport=transport)
    listed = op.at_bank("ESSESESS", Psu(id="example-user")).accounts("consent").transactions("account")
    return costs(half, "a page of 1,000 transactions", lambda: [*listed])


def turns(half: str, url: str) -> dict[str, Any]:
    """Calls one after the other. The server counts what they send."""
    op = kind_of(half)(**settings(url))

    async def awaited() -> None:
        for _ in range(CALLS):
            await op.aspsps.list()

    run(awaited() if half == "async" else [op.aspsps.list() for _ in range(CALLS)])
    return {}


def together(half: str, url: str) -> dict[str, Any]:
    """Calls at the same time."""
    import asyncio

    op = kind_of(half)(**settings(url))

    async def awaited() -> None:
        await asyncio.gather(*(op.aspsps.list() for _ in range(CALLS)))

    run(awaited())
    return {}


def settings(url: str) -> dict[str, Any]:
    from openpayments_facade import Environment

    scopes = ["aspspinformation", "accountinformation"]
    environment = Environment("counts", url, url)
    return {"client_id": "a", "client_secret": "b", "environment": environment, "api_scopes": scopes}


def kind_of(half: str) -> Any:
    import openpayments_facade as facade

    return {"sync": facade.OpenPayments, "async": facade.AsyncOpenPayments}[half]


def run(found: Any) -> None:
    """Runs a coroutine, on a loop of its own. An answer is there."""
    if hasattr(found, "__await__"):
        import asyncio

        asyncio.run(found)


class Profile:
    """The calls of this thread, by module and function. Those of a C function count where it is called."""

    def __init__(self) -> None:
        self.calls: dict[str, dict[str, int]] = {}

    def __call__(self, frame: FrameType, event: str, function: Any) -> None:
        module = frame.f_globals.get("__name__", frame.f_code.co_filename)
        if event in ("call", "c_call") and module != __name__:
            name = frame.f_code.co_qualname if event == "call" else f"{function.__qualname__}()"
            functions = self.calls.setdefault(module, {})
            functions[name] = functions.get(name, 0) + 1


def total(calls: dict[str, dict[str, int]]) -> int:
    return sum(sum(functions.values()) for functions in calls.values())


def costs(half: str, what: str, function: Callable[[], Any]) -> dict[str, Any]:
    """The calls of a function, a coroutine function if async, and the bytes that it keeps and takes at its peak.

    Each is the least of several times: a loop may wake more often, and a list grow. It is called often before, for the
    dictionaries of objects become smaller with the number of those that there have been. What is kept leaves out the
    first of the times, which differs because tracing has just begun.
    """
    import tracemalloc
    from itertools import pairwise

    profiles, traced, peaks = [], [], []

    def clear() -> None:
        gc.collect()
        sys._clear_type_cache()  # which keeps some names of attributes, by chance

    def rounds() -> Iterator[list[object]]:
        yield from ([] for _ in range(WARM_UP))
        for _ in range(ROUNDS):
            clear()
            profiles.append(Profile())
            sys.setprofile(profiles[-1])
            yield []
            sys.setprofile(None)
        tracemalloc.start()
        answers: list[object] = []
        for _ in range(ROUNDS):
            clear()
            traced.append(tracemalloc.get_traced_memory()[0])
            tracemalloc.reset_peak()
            yield answers
            peaks.append(tracemalloc.get_traced_memory()[1] - traced[-1])
        clear()
        traced.append(tracemalloc.get_traced_memory()[0])

    async def awaited() -> None:
        for answers in rounds():
            answers.append(await function())

    if half == "async":
        run(awaited())
    else:
        for answers in rounds():
            answers.append(function())
    return {
        f"{half}: calls of {what}": min((profile.calls for profile in profiles), key=total),
        f"{half}: bytes that {what} keeps": min(after - before for before, after in pairwise(traced[1:])),
        f"{half}: bytes that {what} takes at its peak": min(peaks),
    }


if __name__ == "__main__":
    sys.modules.update(dict.fromkeys(OPTIONAL.split()))  # type: ignore[arg-type]
    gc.disable()
    answer = globals()[sys.argv[1]](*sys.argv[2:])
    import json

    sys.stdout.write(json.dumps(answer))

"""The bank journey in a process of its own, at a simulator: `python -m tests.browser.served DATABASE PORT`.

As `python -m examples.bank_journey --from-env`, but its pages offer the simulator's users. With `--still` time stands
still for the SDK, and references of payments are the same in each run, so pictures of pages are, too.
"""

from __future__ import annotations

import random
import secrets
import socket
import sys
from datetime import UTC, datetime
from types import ModuleType
from typing import Final

import uvicorn

from examples.bank_journey import reading
from examples.bank_journey.app import create_app
from examples.bank_journey.store import Store
from openpayments_facade import AsyncOpenPayments
from openpayments_facade._protocol import arguments

STILL: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)


def main(database: str, port: int, *, still: bool) -> None:
    if still:
        _stand_still()
    with socket.create_server(("127.0.0.1", port)) as listening:
        print(f"Open http://127.0.0.1:{listening.getsockname()[1]}/", flush=True)
        app = create_app(AsyncOpenPayments.from_env(), Store(database), simulated=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])


def _stand_still() -> None:

    class Still(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return STILL

    replaced: dict[ModuleType, tuple[str, object]] = {
        arguments: ("today", lambda: STILL),
        reading: ("datetime", Still),
        secrets: ("choice", random.Random(0).choice),  # of the references of payments
    }
    for module, (name, value) in replaced.items():
        setattr(module, name, value)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), still="--still" in sys.argv)

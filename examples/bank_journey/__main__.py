"""The command line: `python -m examples.bank_journey`, or `python examples/bank_journey`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import runpy
import shlex
import socket
import sqlite3
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

if not __package__:  # started as a folder
    sys.path.insert(0, str(Path(__file__).parents[2]))
    sys.exit(runpy.run_module("examples.bank_journey.__main__")["guarded"]())

import uvicorn

from openpayments_facade import ApiScope, AsyncOpenPayments, ConfigurationError
from openpayments_facade.environments import is_loopback
from openpayments_facade.simulator import Simulator

from .app import create_app
from .store import Store

SCOPES = [ApiScope.ASPSP_INFORMATION, ApiScope.ACCOUNT_INFORMATION, ApiScope.PAYMENT_INITIATION]


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m examples.bank_journey", description="A bank application.")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--simulator", action="store_true", help="with the embedded simulator, which is the default")
    where.add_argument("--from-env", action="store_true", help="with the credentials of the environment")
    parser.add_argument("--port", type=int, default=8766, help="0 takes any that is free (default: %(default)s)")
    parser.add_argument(
        "--database",
        metavar="PATH",
        help="default: bank_journey.db in the current folder; with the embedded simulator, which forgets everything "
        "when it ends, one that is thrown away as well",
    )
    parser.add_argument(
        "--seed", type=int, help="of the embedded simulator: the same seed gives the same accounts (default: any)"
    )
    return parser.parse_args()


def banks(options: argparse.Namespace, stack: ExitStack) -> tuple[AsyncOpenPayments, str, list[str]]:
    """The client, where the database is, and what to say about it.

    Raises ConfigurationError: A variable of the environment is missing or wrong.
    """
    if options.from_env:
        return AsyncOpenPayments.from_env(api_scopes=SCOPES), options.database or "bank_journey.db", []
    # another seed each time, so that the ids of an earlier simulator's consents are nobody's
    seed = random.randrange(2**31) if options.seed is None else options.seed  # noqa: S311 - no secret
    simulator = stack.enter_context(
        Simulator(seed=seed, transactions=400, page_size=50, decoupled_reads=8, newest_first=True)
    )
    database = options.database or f"{stack.enter_context(tempfile.TemporaryDirectory())}/bank_journey.db"
    # whole paths, since the other shell may stand elsewhere and know another Python
    job = [sys.executable, "-m", "examples.bank_journey.nightly", "--database", str(Path(database).resolve())]
    return (
        simulator.async_client(),
        database,
        [
            "The simulator plays the banks. For the nightly job, in another shell:",
            *simulator.exports(),
            f"cd {shlex.quote(str(Path(__file__).parents[2]))} && {shlex.join(job)}",
        ],
    )


def main() -> int:
    """Runs the application until Ctrl-C. Returns the exit code."""
    options = arguments()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    for quiet in ("httpx", "uvicorn"):  # the SDK logs each request with its id
        logging.getLogger(quiet).setLevel(logging.WARNING)
    os.umask(0o077)  # accounts are nobody else's business
    with ExitStack() as stack:
        try:
            op, database, told = banks(options, stack)
            store = Store(database)
            stack.callback(store.close)
            listening = stack.enter_context(socket.create_server(("127.0.0.1", options.port)))
        except ConfigurationError as error:
            print(f"{error}. Without --from-env the simulator plays the banks.", file=sys.stderr)
            return 2
        except (OSError, OverflowError, sqlite3.Error) as error:
            print(f"The port {options.port} or the database can't be used: {error}", file=sys.stderr)
            return 2
        print(*told, f"Open http://127.0.0.1:{listening.getsockname()[1]}/", sep="\n", flush=True)
        app = create_app(op, store, simulated=is_loopback(urlsplit(op.environment.api_url).hostname))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, log_level="warning", server_header=False))
        asyncio.run(server.serve(sockets=[listening]))
    return 0


def guarded() -> int:
    """The same; Ctrl-C at any moment is no error."""
    try:
        return main()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(guarded())

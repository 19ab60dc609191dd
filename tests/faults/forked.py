"""What a forked child does with a client that it inherited: `python -m tests.faults.forked WAY`, which prints JSON.

The host is in this process, and counts who sends on which connection; the child sends, and says how that ended.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import uuid
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import httpx

from openpayments_facade import ApiScope, Environment, OpenPayments

from .operations import call, driven
from .wire import Wire

WAYS: Final = ("warm connection", "creation", "two children", "transport of the user", "file of verify gone")


def outcome(op: OpenPayments, operation: str = "read") -> str:
    """How a call ends: `answer`, or the name of the exception."""
    wanted = call(operation, op, str(uuid.uuid4()))
    try:
        answer = driven(_whole(wanted))
    except Exception as error:
        return type(error).__name__
    return "answer" if answer == wanted.request_id else "another answer"


async def _whole(wanted: Any) -> str:
    return str(await wanted.finish(wanted, await wanted.begin(wanted)))


def in_child(work: Any) -> str:
    """What `work()` gives in a forked child."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        with suppress(BaseException):
            os.write(writing, work().encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        found = said.read()
    os.waitpid(child, 0)
    return found


def show(way: str) -> dict[str, Any]:
    """How the calls of parent, children and parent again end, and how many connections carried requests of several."""
    with Wire(1) as wire, tempfile.TemporaryDirectory() as folder:
        url, options = f"http://127.0.0.1:{wire.port}", dict[str, Any]()
        operation = "payment" if way == "creation" else "read"
        if way == "transport of the user":
            options["transport"] = httpx.HTTPTransport()
        if way == "file of verify gone":
            import certifi

            file = Path(folder) / "ca.pem"
            file.write_bytes(Path(certifi.where()).read_bytes())
            options["verify"] = file
        with OpenPayments(
            client_id="forking",
            client_secret="secret",
            environment=Environment("faults", url, url),
            api_scopes=list(ApiScope)[:3],
            **options,
        ) as op:
            ends = {"before": outcome(op, operation)}
            if way == "file of verify gone":
                file.unlink()
            bounds = [len(wire.peers)]
            for number in range(2 if way == "two children" else 1):
                ends[f"child {number + 1}"] = in_child(lambda: outcome(op, operation))
                bounds.append(len(wire.peers))
            ends["after"] = outcome(op, operation)
    children = [{*wire.peers[start:end]} for start, end in pairwise(bounds)]
    parent = {*wire.peers[: bounds[0]], *wire.peers[bounds[-1] :]}
    used = [parent, *children]
    return {"ends": ends, "shared connections": sum(map(len, used)) - len(set().union(*used))}


if __name__ == "__main__":
    print(json.dumps(show(sys.argv[1])))  # noqa: T201

"""What does a warm call cost? This tree beside another one, in one run.

Run it with `make bench-calls BASE=<git rev>`. A server in a process of its own answers from memory. Each contender, a
tree with the sync or the async client, is a process of its own in each round; they take turns in a random order. A call
reads a list of 50 banks, with a token and a connection that are there. Counted is processor time, in microseconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer

ROOT = Path(__file__).parent.parent
WARM_UP, CALLS = 100, 800
BANKS = [{"bicFi": f"BANK{n:04}", "name": f"Bank {n}", "logoUrl": "https://x.example/a.png"} for n in range(50)]
ANSWERS = {True: {"access_token": "x", "token_type": "Bearer", "expires_in": 3600}, False: {"aspsps": BANKS}}
BODIES = {is_token: json.dumps(answer).encode() for is_token, answer in ANSWERS.items()}


class Handler(StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self) -> None:
        while line := self.rfile.readline():
            length, request_id = 0, b""
            while (header := self.rfile.readline()).strip():
                name, _, value = header.lower().partition(b":")
                length = int(value) if name == b"content-length" else length
                request_id = header if name == b"x-request-id" else request_id
            self.rfile.read(length)
            body = BODIES[b"/connect/token" in line]
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n"
            self.wfile.write(head % (request_id, len(body)) + body)


def serve() -> None:
    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        print(server.server_address[1], flush=True)
        server.serve_forever()


def contend(half: str, url: str) -> float:
    """Microseconds of processor time that a call takes. The package is that of PYTHONPATH."""
    from openpayments_facade import AsyncOpenPayments, Environment, OpenPayments

    environment = Environment("benchmark", url, url)

    def sync() -> float:
        with OpenPayments(client_id="a", client_secret="b", environment=environment) as op:
            for number in range(WARM_UP + CALLS):
                if number == WARM_UP:
                    started = time.process_time()
                op.aspsps.list()
            return time.process_time() - started

    async def concurrent() -> float:
        async with AsyncOpenPayments(client_id="a", client_secret="b", environment=environment) as op:
            for number in range(WARM_UP + CALLS):
                if number == WARM_UP:
                    started = time.process_time()
                await op.aspsps.list()
            return time.process_time() - started

    return (sync() if half == "sync" else asyncio.run(concurrent())) / CALLS * 1e6


def measure(trees: dict[str, Path], rounds: int) -> dict[tuple[str, str], list[float]]:
    """The microseconds of each round, by half and tree."""
    found = defaultdict(list)
    server = subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
        turns = [(half, name) for half in ("sync", "async") for name in trees]
        for _ in range(rounds):
            for half, name in random.sample(turns, len(turns)):
                path = os.pathsep.join([str(trees[name]), str(trees[name] / "generated")])
                command = [sys.executable, __file__, "contend", half, url]
                done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, stdout=-1, check=True)
                found[half, name].append(float(done.stdout))
    finally:
        server.kill()
        server.wait()
    return found


def main() -> None:
    parser = argparse.ArgumentParser("make bench-calls", usage="make bench-calls BASE=<git rev> [ROUNDS=9]")
    parser.add_argument("base", metavar="BASE")
    parser.add_argument("rounds", metavar="ROUNDS", type=int, nargs="?", default=9)
    wanted = parser.parse_args()
    git = ["git", "-C", str(ROOT), "worktree"]
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        subprocess.run([*git, "add", "--quiet", "--detach", str(base), wanted.base], check=True)
        try:
            found = measure({wanted.base: base, "this tree": ROOT}, wanted.rounds)
        finally:
            subprocess.run([*git, "remove", "--force", str(base)], check=True)
    print(f"Processor time of a warm call in microseconds, {wanted.rounds} rounds of {CALLS} calls:\n")
    print(f"{'':<8}{'tree':<24}{'median':>8}{'least':>8}{'most':>8}{'ratio':>8}")
    for (half, name), times in sorted(
        found.items(), key=lambda each: (each[0][0] != "sync", each[0][1] != wanted.base)
    ):
        median = statistics.median(times)
        ratio = median / statistics.median(found[half, wanted.base])
        print(f"{half:<8}{name:<24}{median:>8.0f}{min(times):>8.0f}{max(times):>8.0f}{ratio:>8.2f}")


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    elif sys.argv[1:2] == ["contend"]:
        print(contend(*sys.argv[2:]))
    else:
        main()

"""Counts what the SDK does: modules, function calls, memory, requests. They need no quiet machine, as clocks do.

`make counts` writes scripts/counts.json; `make check` fails if a number is a tenth more than there, or if an import of
the SDK loads a module that is not there, and says what grew. It also fails if a number is a tenth less: what is too
high guards nothing. A Python has numbers of its own. A loop that calls nothing is not seen, however long it takes.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import re
import socketserver
import subprocess
import sys
import sysconfig
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from scripts.counted import TOKEN

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "scripts" / "counts.json"
LOCKED = ROOT / "requirements.txt"
HERE = f"{sys.implementation.cache_tag}-{sys.platform}"
BANKS = [{"bicFi": f"BANK{n:04}", "name": f"Bank {n}", "logoUrl": "https://x.example/a.png"} for n in range(50)]

SUBJECTS = [(name, half) for half in ("sync", "async") for name in ("first", "client", "warm", "httpx", "turns")]
SUBJECTS += [("page", "sync"), ("together", "async")]
# how many connections calls at the same time open is chance
REQUESTS = {
    "first": ("a first call", "token requests", "API requests", "connections"),
    "turns": ("100 calls in turn", "token requests", "API requests", "connections"),
    "together": ("100 calls at once", "token requests", "API requests"),
}
EXACT = re.compile(r"modules after (import|from) ")
SHRUNK = ": run `make counts` to record it, so that it stays"
SHOWN = 10

Record = dict[str, Any]
"""By label a number, or numbers by module and function, or lists of the modules that a step adds, by package."""
Counts = Counter[tuple[str, str]]
"""By group (a module or a package) and name."""


class Handler(socketserver.StreamRequestHandler):
    server: Server
    disable_nagle_algorithm = True

    def handle(self) -> None:
        self.server.seen.append("connections")
        while line := self.rfile.readline():
            lines = iter(self.rfile.readline, b"\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (each.partition(b":") for each in lines)}
            self.rfile.read(int(headers.get(b"content-length", 0)))
            is_token = b" /connect/token " in line
            self.server.seen.append("token requests" if is_token else "API requests")
            body = json.dumps(TOKEN if is_token else {"aspsps": BANKS}).encode()
            head = (
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-ID: %b\r\nContent-Length: %d\r\n\r\n"
            )
            # in one piece: the client reads once
            self.wfile.write(head % (headers.get(b"x-request-id", b""), len(body)) + body)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[str] = []


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def count(subjects: Iterable[tuple[str, str]] = SUBJECTS) -> Record:
    """The numbers of this tree, or of what comes before it in PYTHONPATH."""
    places = [os.environ.get("PYTHONPATH"), str(ROOT), str(ROOT / "generated")]
    places += [sysconfig.get_path(kind) for kind in ("purelib", "platlib")]
    # nothing else of the environment may count: it has proxies, switches of Python, .pth files
    environ = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
    environ |= {"PYTHONPATH": os.pathsep.join(filter(None, places)), "PYTHONHASHSEED": "0"}
    found: Record = {}
    for name, half in subjects:
        with serving() as server:
            url = f"http://127.0.0.1:{server.server_address[1]}"
            command = [sys.executable, "-SP", str(ROOT / "scripts" / "counted.py"), name, half, url]
            done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, check=True, timeout=60)
        found |= json.loads(done.stdout)
        what, *kinds = REQUESTS.get(name, ("",))
        found |= {f"{half}: {kind} of {what}": server.seen.count(kind) for kind in kinds}
    return found


def numbers(record: Record) -> dict[str, Counts]:
    """What is counted under each label. Modules add up, step by step."""
    found: dict[str, Counts] = {}
    loaded: dict[str, Counts] = defaultdict(Counter)
    for label, value in record.items():
        groups = {"": {label: value}} if isinstance(value, int) else value
        # of a list, each counts once
        each = ((group, *one) for group, names in groups.items() for one in Counter(names).items())
        found[label] = Counter({(group, name): number for group, name, number in each})
        half, _, what = label.partition(": ")
        if what.startswith("modules "):
            found[label] = loaded[half] = loaded[half] + found[label]
    return found


def compare(recorded: Record, found: Record) -> list[str]:
    """What is wrong: numbers a tenth above those recorded, new modules of imports, numbers more than a tenth below."""
    before, after = numbers(recorded), numbers(found)
    problems, known = [], list[list[str]]()
    for label in {**before, **after}:
        old, new = before.get(label, Counter()), after.get(label, Counter())
        was, now = old.total(), new.total()
        instead = f"{label}: {now:,} instead of {was:,}" + (f" ({100 * now / was - 100:+.0f} %)" if was else "")
        if (more := new - old) and (10 * now >= 11 * was or EXACT.search(label)):
            lines = growth(more)
            problems.append("\n".join([instead, *(["  the same"] if lines and lines in known else lines)]))
            known.append(lines)
        elif 10 * now < 9 * was:
            problems.append(instead + SHRUNK)
    return problems


def growth(more: Counts) -> list[str]:
    """A line for each of the groups that grew most. A single number has none."""
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    for (group, name), number in more.items():
        if group:
            groups[group][name] = number
    lines = []
    for group in sorted(groups, key=lambda group: -groups[group].total())[:SHOWN]:
        names = [name if number == 1 else f"{name} +{number:,}" for name, number in groups[group].most_common()]
        rest = [f"and {len(names) - SHOWN} more"] if len(names) > SHOWN else []
        lines.append(f"  +{groups[group].total():<6,} {group}: {', '.join(names[:SHOWN] + rest)}")
    return lines


def unlocked() -> list[str]:
    """What is installed in another version than the locked one."""
    found = []
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", LOCKED.read_text("utf-8"), re.MULTILINE):
        with suppress(importlib.metadata.PackageNotFoundError):
            if (installed := importlib.metadata.version(name)) != version:
                found.append(f"{name} {installed} is installed, {version} is locked")
    return found


def text(value: Any, depth: int = 3, indent: str = "") -> str:
    """JSON with a line for each module."""
    if not depth or not isinstance(value, dict):
        return json.dumps(value)
    inner = indent + " "
    lines = [f"{inner}{json.dumps(name)}: {text(each, depth - 1, inner)}" for name, each in value.items()]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def main() -> int:
    """Writes the numbers, or with --check compares them. The exit code is 1 if they differ or can't be written."""
    parser = argparse.ArgumentParser("make counts")
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    records = json.loads(FILE.read_text("utf-8")) if FILE.is_file() else {}
    recorded = records.get(HERE, {})
    if others := unlocked():
        print(f"counts: not {'checked' if check else 'written'}: {'; '.join(others)}")
        return int(not check)
    if check and not recorded:
        print(f"counts: not checked: nothing is recorded for {HERE}")
        return 0
    found = count()
    if check:
        problems = compare(recorded, found)
        for problem in problems:
            print(f"counts: {problem}")
        if not all(problem.endswith(SHRUNK) for problem in problems):
            print("counts: if it is intended, run `make counts` and commit scripts/counts.json")
        return int(bool(problems))
    before = numbers(recorded)
    for label, counter in numbers(found).items():
        was = before.get(label, counter).total()
        print(f"{counter.total():10,} {'' if was == counter.total() else f'({was:,} before)':20} {label}")
    FILE.write_text(text(records | {HERE: found}) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

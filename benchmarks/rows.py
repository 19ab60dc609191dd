"""What is measured: the rows, the contenders of each, and the targets."""

from __future__ import annotations

from dataclasses import dataclass, field

OURS = "openpayments-facade"

_HTTPX = {"httpx": "plain"}
_SDKS = {"openai": "openai_sdk", "stripe": "stripe_sdk", "plaid": "plaid_sdk", "nordigen": "nordigen_sdk"}
_ALL = {**_HTTPX, OURS: "ours", "bare generated client": "generated", **_SDKS}
_ASYNC = {name: module for name, module in _ALL.items() if name not in ("plaid", "nordigen")}
_TOKENS = {
    **_HTTPX,
    OURS: "ours",
    "Authlib over httpx": "authlib_httpx",
    "Authlib over httpx2": "authlib_client",
    "httpx-auth": "httpx_auth_client",
}


def _each(modules: dict[str, str], function: str) -> dict[str, str]:
    return {name: f"{module}.{function}" for name, module in modules.items()}


@dataclass(frozen=True)
class Row:
    key: str
    """Its name for `ROWS=`, as is that of its group."""
    group: str
    title: str
    method: str
    """The function of `benchmarks/measure.py` that measures it."""
    contenders: dict[str, str]
    """The function of `benchmarks/contenders/` that does the work, by contender. The first is the reference."""
    target: float | None = None
    """The most that the SDK's figure may be, as a multiple of the reference's."""
    unit: str = "ms"
    most_rounds: int = 1000
    sdks: frozenset[str] = field(default=frozenset(_SDKS))
    """The contenders that have to be slower than the SDK is, where they take part."""
    variables: int = 40
    """The number of environment variables of each process: HTTP clients look at each, in search of proxies."""

    @property
    def reference(self) -> str:
        return next(iter(self.contenders))


_PARSERS = {
    "pydantic v2, keeping unknown fields": "models.pydantic",
    OURS: "ours.parser",
    "bare generated from_dict": "generated.parser",
    "pydantic v2, dropping unknown fields": "models.pydantic_ignoring",
    "pydantic v2 after json.loads": "models.pydantic_objects",
    "msgspec": "models.msgspec",
    "cattrs": "models.cattrs",
    "json.loads alone": "models.json_alone",
}
_OPENAI = {**_HTTPX, OURS: "ours", "openai": "openai_sdk"}

ROWS = [
    Row("import", "import", "import, in a new process", "imported", _each(_ALL, "IMPORT"), 0.7),
    Row(
        "first",
        "first",
        "first call of a new process: import, client, token, answer",
        "first",
        _each(_ALL, "sync"),
        1.4,
    ),
    Row("sync", "calls", "list of 50, sync", "repeated", _each(_ALL, "sync"), 1.2, "µs"),
    Row("async", "calls", "list of 50, async, one at a time", "one_at_a_time", _each(_ASYNC, "concurrent"), 1.2, "µs"),
    Row("gather", "calls", "list of 50, async, 50 at once", "at_once", _each(_ASYNC, "concurrent"), 1.1, "µs"),
    Row(
        "aiohttp",
        "calls",
        "list of 50, async, 50 at once, over aiohttp",
        "at_once",
        {
            "httpx": "plain.concurrent",
            OURS: "ours.over_aiohttp",
            f"{OURS}, with the transport of docs/speed.md": "ours.many_reads",
            "httpx over aiohttp": "plain.over_aiohttp",
            "openai over aiohttp": "openai_sdk.over_aiohttp",
        },
        0.3,
        "µs",
        sdks=frozenset({"openai over aiohttp"}),
    ),
    Row("parsing", "parsing", "parsing 10,000 transactions", "parsed", _PARSERS, 0.85),
    Row(
        "parsing-nogc",
        "parsing",
        "parsing 10,000 transactions, without garbage collection",
        "parsed_uncollected",
        _PARSERS,
        1.0,
    ),
    Row("client", "clients", "making a client", "made", _each(_OPENAI, "making"), 1.6, "µs"),
    Row("async-client", "clients", "making an async client", "made", _each(_OPENAI, "making_async"), 2.2, "µs"),
    Row(
        "client-15",
        "clients",
        "making a client, with 15 environment variables",
        "made",
        _each(_OPENAI, "making"),
        unit="µs",
        variables=15,
    ),
    Row(
        "async-client-15",
        "clients",
        "making an async client, with 15 environment variables",
        "made",
        _each(_OPENAI, "making_async"),
        unit="µs",
        variables=15,
    ),
    Row(
        "memory",
        "memory",
        "memory with one client, after its first call",
        "memory",
        _each(_ALL, "sync"),
        1.15,
        "MiB",
        most_rounds=5,
    ),
    Row(
        "pages",
        "memory",
        "peak memory of iterating 100,000 transactions, 100 on a page",
        "peak",
        {
            f"{OURS}, 1,000 transactions": "ours.iterated_1000",
            OURS: "ours.iterated_100000",
            f"{OURS}, 1,000 on a page": "ours.iterated_long_pages",
        },
        1.1,
        "MiB",
        most_rounds=3,
    ),
    Row(
        "token",
        "tokens",
        "list of 50, sync, with a token that is fresh",
        "repeated",
        _each(_TOKENS, "sync"),
        None,
        "µs",
    ),
    Row(
        "token-async",
        "tokens",
        "list of 50, async, with a token that is fresh",
        "one_at_a_time",
        _each(_TOKENS, "concurrent"),
        None,
        "µs",
    ),
    Row(
        "token-fetch", "tokens", "a new client, its token, one call", "fetched", _each(_TOKENS, "fetching"), None, "µs"
    ),
]
COUNTS = "counts"
"""The table of token requests, which is no row: see `benchmarks/tokens`."""


def chosen(wanted: str) -> tuple[list[Row], bool]:
    """The rows of some keys and groups, separated by commas or blanks, and whether token requests are counted.

    All for an empty text. Raises ValueError for an unknown one, and for a text that names none.
    """
    names = set(wanted.replace(",", " ").split())
    known = {name for row in ROWS for name in (row.key, row.group)} | {COUNTS}
    if (unknown := sorted(names - known)) or (wanted and not names):
        raise ValueError(f"no such row: {', '.join(unknown) or wanted}; there are {', '.join(sorted(known))}")
    return [row for row in ROWS if not names or names & {row.key, row.group}], not names or COUNTS in names

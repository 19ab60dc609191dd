"""Writes what was measured as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benchmarks.figures import Found, ahead, cost, is_missed, main_figure, ratios, spread
from benchmarks.rows import OURS, Row

INTRODUCTION = """\
# Benchmarks

Written by `make bench`. What this SDK costs, beside others that do the same work, side by side in one run on one
machine. All servers are on loopback, and there is no TLS: on a real network, every figure of a call is small beside
the time that the answer is on its way.

## How to read it

A ratio is a contender's figure divided by that of the row's reference, mostly plain httpx: 1.20 is a fifth more, and
less is better. Each figure is that of a fresh process of one contender. In each round the contenders take turns in a
random order, and each one's figure is divided by the reference's of the same round; a ratio is the median of these,
and the spread is from their lower to their upper quartile. Ratios in brackets are of processor time, user and system,
of the contender's process. Where the spreads of two contenders overlap, nothing is said about which is better.

- The clock runs within the process, from before the first import or call to after the last answer. Starting Python is
  not in it.
- One canned server in a process of its own answers everybody from memory, tokens on a port of their own: 50 objects in
  the shape that each contender reads, of 3 or 4 fields (plaid: 7), 6 to 9 kB in all. It counts requests, and the run
  stops if a contender has not made as many as it was measured for, or did not get 50 objects.
- The virtual environment has no extras of this SDK, and neither click, rich nor pygments: httpx imports its own command
  line where they are. There are 40 environment variables, and no proxy among them. Reading them for proxies is the
  largest part of making an httpx client, and the more there are, the smaller are the ratios of clients.
- Plain httpx fetches one token, sends it and a request id with each call, and reads the answer with `json()`. The bare
  generated client and this SDK give models; openai, stripe and plaid, too. nordigen gives dicts, opens a connection
  for each call, and its token is generated as its documentation says. openai, stripe and plaid have a key in place of
  a token: their first call is one request, the others' are two. Authlib and httpx-auth give no models. openai is over
  httpx2; Authlib is, too, where that is installed, and is measured over both.
- A warm call is the mean of as many as 0.4 seconds hold, after 50. Of 50 at once, it is the time of all by their
  number. Pools are as each library makes them, and empty before the first 50, which open 50 connections. (If one is
  there already, httpx and what is built on it send the 50 calls over a dozen connections, which is faster.)
- Clients are made with an SSL context that is there: httpx and openai are given one, this SDK shares its own. stripe,
  plaid and nordigen make none before the first call, and are left out.
- Transactions are read by the public method, from the bytes of one page. Models of the others have the same fields as
  the SDK's, dates among them, and texts for amounts. The reference keeps what is not described, as the SDK does; the
  others drop it. The figure is the mean of two, after one.
- Memory is the resident set of a process that has made one client and one call, with whatever the import loaded. Peak
  memory is the peak of the resident set of a process that iterates over transactions and keeps none.
"""


def page(
    rows: list[Row],
    found: Mapping[str, Found],
    *,
    facts: Mapping[str, str],
    notes: str = "",
    counts: str = "",
) -> str:
    """The page: what was promised, the hand-written notes, all figures, token requests, where it was measured."""
    parts = [INTRODUCTION]
    if rows:
        parts += ["## In short\n", *_summary(rows, found)]
    parts += [f"\n{notes.strip()}\n"] if notes.strip() else []
    if rows:
        parts += ["\n## All figures\n", *_details(rows, found)]
    parts += [f"\n{counts.strip()}\n"] if counts.strip() else []
    parts += ["\n## Where and when\n", "| | |", "|---|---|", *(f"| {name} | {fact} |" for name, fact in facts.items())]
    return "\n".join(parts) + "\n"


def _summary(rows: list[Row], found: Mapping[str, Found]) -> Iterator[str]:
    yield f"| what | beside | {OURS} | at most | |"
    yield "|---|---|---|---|---|"
    for row in rows:
        each = found[row.key]
        if OURS not in each:
            continue
        said = ["**missed**"] if is_missed(row, each) else []
        said += [f"**behind {name}**, {cost(row, each, name):.2f}" for name in ahead(row, each)]
        limit = "" if row.at_most is None else f"{row.at_most:g}"
        verdict = "; ".join(said) or ("met" if limit else "")
        yield f"| {row.title} | {row.reference} | {_ratio(row, each, OURS)} | {limit} | {verdict} |"


def _ratio(row: Row, found: Found, contender: str) -> str:
    processor = ratios(found, contender, row.reference, "processor")
    return f"{cost(row, found, contender):.2f}" + (f" ({processor.median:.2f})" if processor else "")


def _details(rows: list[Row], found: Mapping[str, Found]) -> Iterator[str]:
    yield "| what | contender | ratio | spread | spread of processor time | median | rounds |"
    yield "|---|---|---|---|---|---|---|"
    for row in rows:
        each, title = found[row.key], row.title
        figure = main_figure(each)
        for name in sorted(each, key=lambda name: (name != row.reference, cost(row, each, name))):
            processor = ratios(each, name, row.reference, "processor")
            shown = f"**{name}**" if name == OURS else name
            median = spread([figures[figure] for figures in each[name]]).median
            yield (
                f"| {title} | {shown} | {_ratio(row, each, name)} | {ratios(each, name, row.reference, figure)} "
                f"| {processor or ''} | {_amount(median, row.unit)} | {len(each[name])} |"
            )
            title = ""


def _amount(value: float, unit: str) -> str:
    amount = value * {"ms": 1e3, "µs": 1e6, "MiB": 1}[unit]
    return f"{amount:,.0f} {unit}" if amount >= 100 else f"{amount:.3g} {unit}"

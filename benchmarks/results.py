"""Writes what was measured as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benchmarks.figures import Found, ahead, cost, is_missed, main_figure, ratios, spread
from benchmarks.rows import OURS, Row

INTRODUCTION = """\
# Benchmarks

Written by `make bench`. What this SDK costs, compared with others that do the same work, side by side in one run on
one machine. All servers are on loopback, and there is no TLS: on a real network, every figure of a call is small next
to network latency.

## How to read it

A ratio is a contender's figure divided by that of the row's reference, mostly plain httpx: 1.20 is a fifth more, and
less is better. Each figure is that of a fresh process of one contender. In each round the contenders take turns in a
random order, and each one's figure is divided by the reference's of the same round; a ratio is the median of these,
and the spread is from their lower to their upper quartile. Ratios in brackets are of processor time, user and system,
of the contender's process. The column "median" is the absolute figure.

A target is the most that the SDK's ratio may be. This project set itself the targets before it measured. A verdict
says whether the target is met, and which other SDKs have a lower ratio: "behind" one where the spreads of the two are
apart, "level with" it where they overlap, for then nothing is known about which is better.

- The clock runs within the process, from before the first import or call to after the last answer. Starting Python is
  not in it.
- One canned server in a process of its own answers everybody from memory, tokens on a port of their own: 50 objects in
  the shape that each contender reads, of 3 or 4 fields (plaid: 7), 6 to 9 kB in all. It counts requests, and the run
  stops if a contender has not made as many as it was measured for, or did not get 50 objects.
- The virtual environment has no extras of this SDK, and neither click, rich nor pygments: httpx imports its own command
  line where they are. There are 40 environment variables, unless the row says 15, and no proxy among them.
- The ratio of making a client depends on the number of environment variables, since most of what an httpx client takes
  is to search them for proxies. Of the sync client it was 2.0 with 15 of them, 1.6 with 40, 1.4 with 80: the target of
  1.6 holds from about 40 on.
- Plain httpx fetches one token, sends it and a request id with each call, and reads the answer with `json()`. The bare
  generated client and this SDK give models; openai, stripe and plaid, too. nordigen gives dicts, opens a connection
  for each call, and its token is generated as its documentation says. openai, stripe and plaid have a key in place of
  a token: their first call is one request, the others' are two. Authlib and httpx-auth give no models. openai is over
  httpx2; Authlib is, too, where that is installed, and is measured over both.
- A warm call is the mean over 0.4 seconds, after 50 warm-up calls. Of 50 at once, it is the total time divided by the
  number of calls. Pools are as each library makes them, and empty before the first 50, which open 50 connections. (If
  one is there already, httpx and what is built on it send the 50 calls over a dozen connections, which is faster.)
- Clients are made with an existing SSL context: httpx and openai are given one, this SDK shares its own. stripe, plaid
  and nordigen make none before the first call, and are left out.
- Transactions are read by the public method, from the bytes of one page. Models of the other contenders have the same
  fields as the SDK's, dates among them, and texts for amounts. The reference, "pydantic v2, keeping unknown fields",
  has `extra="allow"`, since the SDK keeps them, and so has pydantic after `json.loads`; "dropping unknown fields" is
  pydantic's default, and what msgspec and cattrs do. The figure is the mean of two runs after a warm-up.
- Memory is the resident set of a process that has made one client and one call, with whatever the import loaded. Peak
  memory is the peak of the resident set of a process that iterates over transactions and keeps none.
"""


def page(
    rows: list[Row],
    found: Mapping[str, Found],
    *,
    facts: Mapping[str, str],
    introduction: str = "",
    notes: str = "",
    counts: str = "",
) -> str:
    """The page: how to read it, the verdicts, the hand-written notes, all figures, token requests, the machine."""
    parts = [introduction] if introduction else []
    if rows:
        parts += ["## In short\n", *_summary(rows, found)]
    parts += [f"\n{notes.strip()}\n"] if notes.strip() else []
    if rows:
        parts += ["\n## All figures\n", *_details(rows, found)]
    parts += [f"\n{counts.strip()}\n"] if counts.strip() else []
    parts += ["\n## Where and when\n", "| | |", "|---|---|", *(f"| {name} | {fact} |" for name, fact in facts.items())]
    return "\n".join(parts) + "\n"


def _summary(rows: list[Row], found: Mapping[str, Found]) -> Iterator[str]:
    yield f"| what | compared with | {OURS} | target | verdict |"
    yield "|---|---|---|---|---|"
    for row in rows:
        each = found[row.key]
        if OURS not in each:
            continue
        said = [] if row.target is None else ["**missed**" if is_missed(row, each) else "met"]
        for name, apart in ahead(row, each).items():
            words = f"**behind {name}**" if apart else f"level with {name}"
            said.append(f"{words}, {cost(row, each, name).median:.2f}")
        target = "" if row.target is None else f"{row.target:g}"
        yield f"| {row.title} | {row.reference} | {_ratio(row, each, OURS)} | {target} | {'; '.join(said)} |"


def _ratio(row: Row, found: Found, contender: str) -> str:
    processor = ratios(found, contender, row.reference, "processor")
    return f"{cost(row, found, contender).median:.2f}" + (f" ({processor.median:.2f})" if processor else "")


def _details(rows: list[Row], found: Mapping[str, Found]) -> Iterator[str]:
    yield "| what | contender | ratio | spread | spread of processor time | median | rounds |"
    yield "|---|---|---|---|---|---|---|"
    for row in rows:
        each, title = found[row.key], row.title
        figure = main_figure(each)
        for name in sorted(each, key=lambda name: (name != row.reference, cost(row, each, name).median)):
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

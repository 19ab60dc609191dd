"""The benchmarks' own arithmetic, what they write, and that they measure what they say."""

from __future__ import annotations

import re
import signal
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from openpayments_client import models

from benchmarks import __main__ as program
from benchmarks import results, rounds, server, trees
from benchmarks.contenders.models import fields
from benchmarks.figures import Found, ahead, cost, is_missed, ratios, spread
from benchmarks.rows import COUNTS, OURS, ROWS, Row, chosen

ROOT = Path(__file__).parent.parent.parent
ROW = Row("made-up", "some", "a made-up row", "imported", {"httpx": "plain.IMPORT", OURS: "ours.IMPORT"}, target=1.2)


def figures(*walls: float) -> list[dict[str, float]]:
    return [{"wall": wall, "processor": wall / 2} for wall in walls]


def test_a_ratio_is_that_of_the_same_round_and_not_that_of_the_medians() -> None:
    # in the second round the machine was ten times as slow
    found: Found = {"httpx": figures(1, 10, 1), OURS: figures(2, 20, 3)}
    assert ratios(found, OURS, "httpx", "wall") == spread([2, 2, 3])
    assert cost(ROW, found, OURS).median == 2


@pytest.mark.parametrize(
    ("values", "quartiles"), [([3.0], (3, 3, 3)), ([1.0, 2.0], (1.25, 1.5, 1.75)), ([5.0, 1, 4, 2, 3], (2, 3, 4))]
)
def test_the_spread_is_from_quartile_to_quartile(values: list[float], quartiles: tuple[float, ...]) -> None:
    found = spread(values)
    assert (found.low, found.median, found.high) == quartiles


@pytest.mark.parametrize(("ours", "missed"), [(1.204, False), (1.206, True)])
def test_a_target_is_missed_by_what_is_printed(ours: float, missed: bool) -> None:
    found: Found = {"httpx": figures(1), OURS: figures(ours)}
    assert is_missed(ROW, found) is missed
    assert not is_missed(replace(ROW, target=None), found)


def test_the_docs_have_the_figures_of_the_last_run() -> None:
    found, title = {}, ""
    for line in (ROOT / "benchmarks" / "RESULTS.md").read_text("utf-8").split("## All figures")[1].splitlines():
        cells = [cell.strip(" *") for cell in line.split("|")]
        if len(cells) == 9 and re.match(r"\d", cells[3]):
            title = cells[1] or title
            found[title, cells[2]] = cells[3].split()[0]
    titles = {row.key: row.title for row in ROWS}
    keys = ["import", "first", "sync", "async", "gather", "aiohttp", "client", "async-client"]
    wanted = [
        found[titles[key], f"{OURS}, with the transport of docs/speed.md" * (key == "aiohttp") or OURS] for key in keys
    ]
    page = (ROOT / "docs" / "speed.md").read_text("utf-8")
    assert re.findall(r"^\| .+ \| (\d\.\d\d) \|$", page, re.MULTILINE) == wanted


def test_the_page_says_what_is_missed_and_who_is_ahead_and_keeps_the_notes() -> None:
    found: Found = {"httpx": figures(0.001), OURS: figures(0.0015), "stripe": figures(0.0014), "plaid": figures(0.003)}
    page = results.page(
        [ROW], {ROW.key: found}, facts={"seed": "7"}, notes="## Why\n\nBecause.", counts="## Token requests\n\nNone."
    )
    assert page.startswith("## In short\n\n| what | compared with | openpayments-facade | target | verdict |\n")
    assert "| a made-up row | httpx | 1.50 (1.50) | 1.2 | **missed**; **behind stripe**, 1.40 |" in page
    assert "| a made-up row | httpx | 1.00 (1.00) | 1.00 to 1.00 | 1.00 to 1.00 | 1 ms | 1 |" in page
    assert "|  | plaid | 3.00 (3.00) | 3.00 to 3.00 | 3.00 to 3.00 | 3 ms | 1 |" in page
    places = [page.index(f"## {title}") for title in ("In short", "Why", "All figures", "Token requests", "Where")]
    assert places == sorted(places)
    assert "| seed | 7 |" in page


@pytest.mark.parametrize(
    ("stripe", "apart", "says"),
    [
        ((1.1, 1.2, 1.3), True, "met; **behind stripe**, 1.20"),
        ((1.1, 1.3, 1.5), False, "met; level with stripe, 1.30"),
        ((1.4, 1.4, 1.6), None, "met"),
    ],
)
def test_another_is_behind_only_where_the_spreads_are_apart(
    stripe: tuple[float, ...], apart: bool | None, says: str
) -> None:
    found: Found = {"httpx": figures(1, 1, 1), OURS: figures(1.3, 1.4, 1.5), "stripe": figures(*stripe)}
    row = replace(ROW, target=1.4)
    assert ahead(row, found) == ({} if apart is None else {"stripe": apart})
    assert f"| 1.4 | {says} |" in results.page([row], {row.key: found}, facts={})


def test_what_is_measured_is_chosen_by_row_and_by_group() -> None:
    assert chosen("") == (ROWS, True)
    rows, counting = chosen("import, calls")
    assert ([row.key for row in rows], counting) == (["import", "sync", "async", "gather", "aiohttp"], False)
    assert chosen(COUNTS) == ([], True)
    with pytest.raises(ValueError, match=r"no such row: improt; there are .*, import, "):
        chosen("improt")
    with pytest.raises(ValueError, match=r"no such row: ,; there are "):
        chosen(",")


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Path]:
    """Runs `make bench` with nothing to measure; the path is that of its RESULTS.md."""
    monkeypatch.setattr(rounds, "refuse_unfair", lambda _: None)
    monkeypatch.setattr(program, "PYTHON", sys.executable)
    monkeypatch.setattr(program, "RESULTS", tmp_path / "RESULTS.md")
    monkeypatch.setattr(program, "_counts", lambda _: "## Token requests")
    monkeypatch.setattr(trees, "copy", lambda into, revision=None: into)
    monkeypatch.setattr(rounds, "taken", lambda rows, *_, **__: {row.key: {} for row in rows})
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    def run(*arguments: str) -> Path:
        monkeypatch.setattr(sys, "argv", ["bench", *arguments])
        program.main()
        return program.RESULTS

    return run


def test_only_a_whole_run_of_this_tree_alone_is_written(
    bench: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (["--rows=import"], ["--base=main"]):
        assert not bench(*arguments).exists()
        page = capsys.readouterr().out
        assert page.startswith("## In short")
        assert "## What is missed" not in page
    text = bench().read_text("utf-8")
    places = [text.index(f"\n## {title}") for title in ("How to read it", "In short", "What is missed", "All figures")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("--rows=,", "ROWS: no such row: ,; there are "),
        ("--rounds=0", "ROUNDS must be a whole number from 1 on, and is '0'"),
        ("--rounds=few", "ROUNDS must be a whole number from 1 on, and is 'few'"),
        ("--seed=x", "SEED must be a whole number from 1 on, and is 'x'"),
    ],
)
def test_errors_name_what_make_is_given(
    bench: Callable[..., Path], argument: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        bench(argument)
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


def test_another_commit_is_looked_up_before_anything_is_measured(
    bench: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def copy(into: Path, revision: str | None = None) -> Path:
        if revision:
            raise SystemExit(f"BASE={revision}: git has no such commit")
        return into

    measured: list[object] = []
    monkeypatch.setattr(trees, "copy", copy)
    monkeypatch.setattr(program, "_counts", measured.append)
    monkeypatch.setattr(rounds, "taken", measured.append)
    with pytest.raises(SystemExit, match="BASE=nowhere: git has no such commit"):
        bench("--base=nowhere")
    assert measured == []


def test_memory_is_left_out_with_a_line_where_it_cannot_be_read(
    bench: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Path, "exists", lambda _: False)
    bench("--rows=memory")
    said = capsys.readouterr()
    assert "not measured, for memory is read from /proc: memory, pages\n" in said.err
    assert "## All figures" not in said.out


def test_a_run_that_is_interrupted_says_so_in_a_line(
    bench: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def taken(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rounds, "taken", taken)
    with pytest.raises(SystemExit) as ended:
        bench()
    assert ended.value.code == 130
    assert capsys.readouterr().err.endswith("\ninterrupted: nothing is written\n")
    assert not program.RESULTS.exists()


def test_one_round_measures_this_tree_httpx_and_another_tree() -> None:
    rows = [ROW, Row("first", "some", "a first call", "first", {"httpx": "plain.sync", OURS: "ours.sync"})]
    found = rounds.taken(rows, {OURS: ROOT, "another": ROOT}, rounds=1, seed=7)
    for row in rows:
        assert set(found[row.key]) == {"httpx", OURS, "another"}
        for (each,) in found[row.key].values():
            assert min(each["wall"], each["processor"]) > 0
    assert {each["tokens"] for (each,) in found["first"].values()} == {1}


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_transactions_are_iterated_over_page_by_page() -> None:
    row = Row("pages", "some", "pages", "peak", {OURS: "ours.iterated_1000"})
    found = rounds.taken([row], {OURS: ROOT}, rounds=1, seed=7)
    assert found["pages"][OURS][0]["memory"] > 10


def test_who_does_less_than_it_says_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Row("first", "some", "a first call", "first", {"httpx": "plain.sync"})
    with server.running() as hosts:
        monkeypatch.setattr(server, "asked", lambda _: Counter(lists=1))
        with pytest.raises(SystemExit, match="httpx asked for 0 lists, which is not what it measured"):
            rounds.measured(sys.executable, ROOT, row, "httpx", hosts)


def test_nothing_is_measured_where_httpx_loads_its_command_line() -> None:
    with pytest.raises(SystemExit, match="click, rich, pygments must not be installed"):
        rounds.refuse_unfair(sys.executable)
    lock = (ROOT / "benchmarks" / "requirements.txt").read_text()
    assert not re.findall(rf"^(?:{'|'.join(rounds.UNWANTED)})==", lock, re.MULTILINE)
    assert re.findall(r"^httpx==", lock, re.MULTILINE)


def test_the_others_read_transactions_into_models_with_the_same_fields() -> None:
    for name, table in fields({}).items():
        if name not in ("TransactionReport", "TransactionLists"):  # of these they read what is sent
            own = getattr(models, name)._fields.table
            assert [*map(_camel, table)] == [key.removeprefix("_") for key in own]


def _camel(name: str) -> str:
    return re.sub("_(.)", lambda letter: letter[1].upper(), name)

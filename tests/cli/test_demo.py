"""`make demo`: the example that people copy runs to its end."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"


def test_the_demo_goes_from_countries_to_the_entry_of_a_payment() -> None:
    done = subprocess.run([sys.executable, DEMO], capture_output=True, text=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stderr) == (0, "")
    steps = re.findall(r"^(\d+)\. ", done.stdout, re.MULTILINE)
    assert steps == [str(number) for number in range(1, 11)]
    said = re.sub(r" *\[log\].*\n", "", done.stdout)
    for line in (
        r"phone: https://app\.bankid\.com/\?autostarttoken=\S+\n +the consent is valid",
        r" +its status is RCVD\n\n9\. ",
        r"\n█[▀▄█ ]{35,}█\n",
        r" +its status is ACSC: settled",
        r" +\d{4}-\d\d-\d\d  -125\.50 SEK  Example Shop",
        r"Done: \d+ requests, 1 of them for a token\.",
    ):
        assert re.search(line, said), line

"""The QR code of a challenge as a picture for a page."""

from __future__ import annotations

import re
import sys
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import segno
from openpayments_client.models import ChallengeData

from openpayments_facade import Challenge, ConfigurationError, InvalidArgumentError

SVG = "{http://www.w3.org/2000/svg}"


def modules(svg: str) -> list[list[int]]:
    """The dark (1) and light (0) modules that an SVG shows, with the border: its lines are one module thick."""
    root = ET.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    side = int(root.attrib["viewBox"].split()[2])
    assert root.attrib["viewBox"] == f"0 0 {side} {side}"
    light, dark = root.findall(f"{SVG}path")
    assert (light.attrib["fill"], light.attrib["d"]) == ("#fff", f"M0 0h{side}v{side}h-{side}z")
    found = [[0] * side for _ in range(side)]
    x = y = 0.0
    for command, first, second in re.findall(r"([Mmh])(-?[\d.]+)(?: (-?[\d.]+))?", dark.attrib["d"]):
        if command == "h":
            for column in range(int(x), int(x) + int(first)):
                found[int(y)][column] = 1
        x = float(first) if command == "M" else x + float(first)
        y = float(second) if command == "M" else y + float(second or 0)
    return found


@pytest.mark.parametrize("method", ["mbid", "mbid_animated_qr_token", None, "a-card"])
def test_a_code_is_drawn_for_a_page(method: str | None) -> None:
    challenge = Challenge(token="bankid.67df3917.0.dc69358e", method=method)
    svg = challenge.qr_svg()
    assert svg is not None
    drawn = modules(svg)
    code = segno.make_qr(str(challenge.qr_content), error="l")
    # scanners need four light modules around it
    assert drawn == [list(row) for row in code.matrix_iter(border=4)]
    # it fills what it is put into
    assert not {"width", "height", "class"} & ET.fromstring(svg).attrib.keys()
    assert svg.startswith("<svg ")


def test_what_is_no_code_is_not_drawn() -> None:
    for nothing in (
        Challenge(image="aGVq", method="mbid_animated_qr_image"),
        Challenge(text="Open the app"),
        Challenge(token="", method="mbid_animated_qr_token"),
        Challenge(token="t", method="mbid_same_device"),
        # more than a code can hold, or something else than text
        Challenge(token="x" * 3000, method="mbid_animated_qr_token"),
        Challenge(token="x" * 3000, method="mbid"),
        Challenge(token="bankid:///?autostarttoken=" + "é" * 3000, method="mbid"),
        Challenge(token="\ud800", method="mbid_animated_qr_token"),
    ):
        assert nothing.qr_svg() is None


def test_a_token_that_is_no_text_is_none() -> None:
    assert Challenge.of(ChallengeData(data=["\ud800"]), "mbid") is None
    assert Challenge.of(ChallengeData(image="t\ud800"), "mbid_animated_qr_token") is None


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "segno", None)
    with pytest.raises(ConfigurationError, match=r"pip install segno \(the extra qr\)"):
        Challenge(token="t", method="mbid").qr_svg()
    assert Challenge(text="Open the app").qr_svg() is None


@pytest.mark.parametrize(
    ("image", "url"),
    [
        ("aGVq", "data:image/png;base64,aGVq"),
        (" aGVq\n", "data:image/png;base64,aGVq"),
        ("DATA:image/png;base64,aGVq", "DATA:image/png;base64,aGVq"),
        ("data:image/webp;base64,aG\r\nVq", "data:image/webp;base64,aGVq"),
        (" HTTPS://bank.example/code.png", "HTTPS://bank.example/code.png"),
        ("https://bank.example/a\"b'c<d> e?x=1&y=2", "https://bank.example/a%22b%27c%3Cd%3E%20e?x=1&y=2"),
        *(
            (wrong, None)
            for wrong in (
                "http://127.0.0.1/code.png",
                "https:code.png",
                "https://user@bank.example/",
                "https://bank.example\\@elsewhere.example/",
                "https://bank.example/\u202egnp",
                "https://bank.example:port/",
                "//bank.example/code.png",
                "file:///etc/passwd",
                "javascript:alert(1)",
                "java\nscript:alert(1)",
                "data:text/html;base64,aGVq",
                "data:image/svg+xml;base64,aGVq",
                "data:image/png;base64,",
                'data:image/png;base64,aGVq" onerror="alert(1)',
                'aGVq" onerror="alert(1)',
                " ",
            )
        ),
    ],
)
def test_an_image_is_an_address_for_a_page_or_none(image: str, url: str | None) -> None:
    for challenge in (Challenge(image=image), Challenge(image_link=image), Challenge("t", "<svg>", image)):
        assert challenge.qr_image == url
    assert Challenge(image=image).image == image


def test_a_token_may_be_a_link_already() -> None:
    link = "bankid:///?autostarttoken=t&redirect=null"
    assert Challenge(token=link, method="mbid").app_link("https://app.example.com/") == link
    assert Challenge.of(ChallengeData(data=["", link]), "mbid_same_device") == Challenge(
        link, method="mbid_same_device"
    )


@pytest.mark.parametrize(
    ("token", "link"),
    [
        ("https://app.bankid.example/?a=1&b='\"<", "https://app.bankid.example/?a=1&b=%27%22%3C"),
        ('BANKID:///?autostarttoken="\n\u202e', "BANKID:///?autostarttoken=%22%0A%E2%80%AE"),
        ("https://user:pass@bank.example/", None),
        ("https:", None),
        (
            "javascript:alert('1')",
            "https://app.bankid.com/?autostarttoken=javascript%3Aalert%28%271%27%29&redirect=null",
        ),
    ],
)
def test_a_link_to_an_app_can_not_break_out_of_a_page(token: str, link: str | None) -> None:
    assert Challenge(token=token, method="mbid").app_link() == link


def test_an_address_to_come_back_to_is_a_string() -> None:
    back: Any = 5
    with pytest.raises(InvalidArgumentError, match="redirect"):
        Challenge(token="t").app_link(back)


def test_methods_are_recognised_in_any_case() -> None:
    assert Challenge(token="t", method="MBID_ANIMATED_QR_TOKEN").qr_content == "t"
    assert Challenge(token="t", method="MBID_Same_Device").qr_content is None

"""The check of the built site (`make docs` runs it) sees what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.site_check import problems

GOOD = """
<link rel="stylesheet" href="../site.css"><link rel="next" href="../index.html">
<link rel="icon" href="data:image/png,x">
<script src="../a.js"></script><img src="b.svg" srcset="b.svg 2x">
<h1 id="top">x</h1><a href="#top">x</a><a href="../index.html#%C3%A4">x</a><a href="https://semver.org">x</a>
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    (site / "sub").mkdir(parents=True)
    (site / "index.html").write_text('<p id="ä"><a href="sub/page.html#top">x</a>', "utf-8")
    (site / "sub/page.html").write_text(GOOD)
    (site / "404.html").write_text('<a href="/index.html">x</a>')
    (site / "site.css").write_text("body { background: url(data:image/png,x); mask: url('sub/b.svg') }")
    (site / "a.js").write_text("")
    (site / "sub/b.svg").write_text('<svg><use href="#shape"/></svg>')
    (tmp_path / "outside.html").write_text("")
    return site


def test_a_good_site_has_no_problems(site: Path) -> None:
    assert [*problems(site)] == []


@pytest.mark.parametrize(
    ("planted", "told"),
    [
        ('<script src="https://cdn.example.com/a.js">', "loads https://cdn.example.com/a.js from elsewhere"),
        ('<link rel="stylesheet" href="//cdn.example.com/a.css">', "loads //cdn.example.com/a.css from elsewhere"),
        ('<link rel="preconnect" href="https://fonts.example.com">', "loads https://fonts.example.com from elsewhere"),
        ('<img srcset="b.svg 1x, http://a.example/b.png 2x">', "loads http://a.example/b.png from elsewhere"),
        ('<iframe src="https://a.example">', "loads https://a.example from elsewhere"),
        ("<p style=\"background: url('https://a.example/b.png')\">", "loads https://a.example/b.png from elsewhere"),
        ('<style>@import "https://a.example/c.css";</style>', "loads https://a.example/c.css from elsewhere"),
        ('<img src="gone.png">', "loads gone.png, which is not there"),
        ('<img src="/sub/b.svg">', "loads /sub/b.svg, which is not there"),
        ('<pre class="mermaid">', "has a diagram that a script from elsewhere would draw"),
        ('<a href="gone.html">', "links to gone.html, which is not there"),
        ('<a href="../sub/">', "links to ../sub/, which is not there"),
        ('<a href="/index.html">', "links to /index.html, which is not there"),
        ('<a href="../../outside.html">', "links to ../../outside.html, which is not there"),
        ('<a href="#gone">', "links to #gone, where there is no such anchor"),
        ('<a href="../index.html#gone">', "links to ../index.html#gone, where there is no such anchor"),
        (
            '<a href="https://a.example">',
            "links to https://a.example, which is none of the public pages that are known",
        ),
    ],
)
def test_what_is_wrong_is_told(planted: str, told: str, site: Path) -> None:
    with (site / "sub/page.html").open("a") as page:
        page.write(planted)
    assert [*problems(site)] == [f"sub/page.html: {told}"]


def test_style_sheets_and_pictures_load_nothing_either(site: Path) -> None:
    (site / "site.css").write_text("@font-face { src: url(https://fonts.example.com/a.woff2) }")
    (site / "sub/b.svg").write_text('<svg><image href="https://a.example/b.png"/></svg>')
    assert [*problems(site)] == [
        "site.css: loads https://fonts.example.com/a.woff2 from elsewhere",
        "sub/b.svg: loads https://a.example/b.png from elsewhere",
    ]

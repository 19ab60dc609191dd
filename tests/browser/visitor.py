"""Somebody who looks at pages in a browser, and notes what no page should do."""

from __future__ import annotations

import json
import re
from typing import Final
from urllib.parse import urljoin, urlsplit

from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Response, Route, expect

from tests.browser.chromium import DESK, PHONE, Device

LOGO_HOST: Final = ".blob.core.windows.net"
LOGO: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96"><rect width="96" height="96" fill="#0a6e5c"/>'
    '<path d="M18 42 48 22l30 20zM24 48h10v22H24zM43 48h10v22H43zM62 48h10v22H62zM18 74h60v6H18z" fill="#fff"/></svg>'
)

# words that are broken though they are short, such as the label of a button that is too narrow
_BROKEN: Final = """() => {
  const isClipped = each => each && (getComputedStyle(each).clipPath !== "none" || isClipped(each.parentElement));
  const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (texts.nextNode()) {
    const text = texts.currentNode, parent = text.parentElement;
    if (parent.closest("svg, select, pre, code, .md-header")) continue;
    if (!parent.checkVisibility() || isClipped(parent)) continue;
    for (const word of text.data.matchAll(/[\\p{L}\\p{N}]{2,20}/gu)) {
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map(each => Math.round(each.top))).size > 1) found.push(word[0]);
    }
  }
  return found;
}"""
# elements whose own text does not fit, and neither scrolls on purpose nor is hidden from the eyes on purpose
_CUT: Final = """() => {
  const isClipped = each => each && (getComputedStyle(each).clipPath !== "none" || isClipped(each.parentElement));
  const found = [];
  for (const each of document.body.querySelectorAll("*")) {
    if (each.closest("svg, select, .md-header") || isClipped(each)) continue;
    if (!each.checkVisibility({visibilityProperty: true})) continue;
    const text = [...each.childNodes].filter(node => node.nodeType === 3).map(node => node.data.trim()).join("");
    const style = getComputedStyle(each), scrolls = /auto|scroll/;
    if (!text || style.display === "inline" || scrolls.test(style.overflowX)) continue;
    const isTall = style.overflowY !== "visible" && !scrolls.test(style.overflowY);
    if (each.scrollWidth > each.clientWidth + 1 || (isTall && each.scrollHeight > each.clientHeight + 1))
      found.push(`${each.tagName.toLowerCase()}.${each.className}: ${text.slice(0, 60)}`);
  }
  return found;
}"""
_SIDEWAYS: Final = "() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"

_AXE: Final = json.dumps({"resultTypes": ["violations"], "preload": False})


# a pattern, which the browser itself knows: a function would be asked about every request, polls included
_FOREIGN: Final = re.compile(r"^(?!https?://127\.0\.0\.1[:/]|data:|blob:|about:)")


class Visitor:
    """A window of the browser, of somebody with a cookie jar of their own.

    Args:
        url: Where paths begin.
        has_logos: Whether the banks' hosts have their logos.
        is_resized: Whether axe looks at a window of a desk when it is as narrow as a phone as well.
    """

    def __init__(
        self,
        browser: Browser,
        device: Device,
        *,
        url: str,
        javascript: bool = True,
        has_logos: bool = True,
        is_resized: bool = False,
        scale: float = 1,
    ) -> None:
        self.faults: list[str] = []
        self._url = url
        self._device = device
        self._has_logos = has_logos
        self._is_resized = is_resized
        self.context = browser.new_context(
            **device.options,
            color_scheme="light",
            reduced_motion="reduce",
            java_script_enabled=javascript,
            device_scale_factor=scale,
            locale="en-GB",
            timezone_id="Europe/Stockholm",
        )
        self.context.set_default_timeout(10_000)
        self.context.on("request", self._note_request)
        self.context.on("response", self._note_response)
        self.context.on("console", self._note_console)
        self.context.on("weberror", lambda each: self.faults.append(f"script: {each.error}"))
        self.context.route(_FOREIGN, self._answer)
        self.page: Page = self.context.new_page()

    def go(self, path: str) -> None:
        """Opens a page."""
        self.page.goto(urljoin(self._url, path))

    def press(self, name: str) -> None:
        """Presses a button, or follows a link that looks like one."""
        named = self.page.get_by_role("button", name=name).or_(self.page.get_by_role("link", name=name))
        named.first.click()

    def sees(self, heading: str) -> Locator:
        """Waits until the page has this heading."""
        found = self.page.get_by_role("heading", name=heading)
        expect(found.first).to_be_visible()
        return found

    def look(self, name: str) -> None:
        """Holds what is in the window against the rules: axe, in light and dark; no text cut off; nothing sideways."""
        page, size = self.page, {"width": self._device.width, "height": self._device.height}
        self._hold(name, "light", "dark")
        if not self._device.is_phone:
            for width in (640, 320):  # twice and four times as large, on a small desk
                page.set_viewport_size({"width": width, "height": DESK.height})
                self._measure(f"{name}, {width} px wide")
            if self._is_resized:
                page.set_viewport_size({"width": PHONE.width, "height": PHONE.height})
                self._hold(f"{name}, narrow", "dark", "light")
            page.set_viewport_size(size)  # type: ignore[arg-type]

    def close(self) -> None:
        """Closes the window, and tells what was wrong with what was in it."""
        self.context.unroute_all(behavior="ignoreErrors")  # a logo may be on its way
        self.context.close()
        assert not self.faults, "\n".join(self.faults)

    def _hold(self, name: str, *schemes: str) -> None:
        for scheme in schemes:
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            self._note(f"{name}, {scheme}", _violations(self.page))
        self._measure(name)

    def _measure(self, name: str) -> None:
        self._note(name, [f"cut off: {each}" for each in self.page.evaluate(_CUT)])
        self._note(name, [f"broken: {each}" for each in self.page.evaluate(_BROKEN)])
        sideways = self.page.evaluate(_SIDEWAYS)
        self._note(name, [f"{sideways} px too wide"] if sideways > 0 else [])

    def _note(self, name: str, found: list[str]) -> None:
        self.faults += [f"{name} ({self._device.name}): {each}" for each in found]

    def _answer(self, route: Route) -> None:
        if _is_logo(route.request.url) and self._has_logos:
            route.fulfill(content_type="image/svg+xml", body=LOGO)
        else:
            route.abort()

    def _note_request(self, request: Request) -> None:
        if not _is_ours(request.url) and not _is_logo(request.url):
            self.faults.append(f"asks another host: {request.url}")

    def _note_response(self, response: Response) -> None:
        # pages and their polls may say that something went wrong; what they are made of has to be there
        is_part = response.request.resource_type in {"stylesheet", "script", "image", "font"}
        if response.status >= 400 and is_part and _is_ours(response.url):
            self.faults.append(f"{response.status}: {response.url}")

    def _note_console(self, message: ConsoleMessage) -> None:
        # a page with an error status is an error to the console
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource: "):
            self.faults.append(f"console: {message.text}")


def _violations(page: Page) -> list[str]:
    """What axe finds in a page that keeps somebody from using it."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate(f"axe.run(document, {_AXE})")
    return [
        f"{each['id']} at {', '.join(str(node['target'][0]) for node in each['nodes'])}: "
        + " ".join(each["nodes"][0]["failureSummary"].split())
        for each in found["violations"]
        if each["impact"] in {"serious", "critical"}
    ]


def _is_ours(url: str) -> bool:
    return _FOREIGN.match(url) is None


def _is_logo(url: str) -> bool:
    return (urlsplit(url).hostname or "").endswith(LOGO_HOST)

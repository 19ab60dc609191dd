"""Somebody with a browser without JavaScript: follows links by their text, and sends forms as the page has them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urljoin, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx


class Form:
    """A form of a page: where it goes, and what it sends if nobody changes anything."""

    def __init__(self, attributes: Mapping[str, str | None]) -> None:
        self.method = (attributes.get("method") or "get").lower()
        self.action = attributes.get("action") or ""
        self.fields: dict[str, str] = {}
        self.buttons: list[tuple[str, dict[str, str]]] = []
        """Of each button its text, and the field that it adds."""


class Page(HTMLParser):
    """What a person sees of a page."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.url = str(answer.url)
        self.text = ""
        self.links: list[tuple[str, str]] = []
        self.forms: list[Form] = []
        self.polled: str | None = None
        """Where a script of the page would ask again and again."""
        self._open: dict[str, list[str]] = {}
        self._link = ""
        self._select = ""
        self._button: dict[str, str] = {}
        self._in_form = False
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value")
        self.polled = self.polled or given.get("data-poll") or given.get("data-follow")
        if tag == "form":
            self.forms.append(Form(given))
            self._in_form = True
        elif tag == "a":
            self._link, self._open["a"] = given.get("href") or "", []
        elif tag == "button":
            self._button, self._open["button"] = {name: value or ""} if name else {}, []
        elif self._in_form and tag == "select":
            self._select = name
        elif self._in_form and tag == "option" and ("selected" in given or self._select not in self._fields):
            self._fields[self._select] = value or ""
        elif self._in_form and tag == "textarea":
            self._fields[name] = ""
        elif self._in_form and tag == "input" and name:
            is_choice = given.get("type") in {"radio", "checkbox"}
            if not is_choice or "checked" in given:
                self._fields[name] = value or ("on" if is_choice else "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._in_form = False
        elif tag == "select":
            self._select = ""
        elif tag in self._open:
            text = " ".join("".join(self._open.pop(tag)).split())
            if tag == "a":
                self.links.append((text, self._link))
            elif self._in_form:
                self.forms[-1].buttons.append((text, self._button))

    def handle_data(self, data: str) -> None:
        self.text += data
        for heard in self._open.values():
            heard.append(data)

    @property
    def _fields(self) -> dict[str, str]:
        return self.forms[-1].fields


class Person:
    """A person at a browser, on one page at a time."""

    def __init__(self, client: httpx.Client, url: str) -> None:
        self._client = client
        self.go(url)

    def go(self, url: str) -> None:
        self._show(self._client.get(url))

    def follow(self, text: str) -> None:
        """Follows the first link with this text in it."""
        [link, *_] = [link for said, link in self.page.links if re.search(text, said)]
        self.go(urljoin(self.page.url, link))

    @property
    def link_elsewhere(self) -> str | None:
        """The first link of the page that leads to another host."""
        here = urlsplit(self.page.url).netloc
        return next((link for _, link in self.page.links if urlsplit(link).netloc not in {"", here}), None)

    def press(self, text: str, **fields: str) -> None:
        """Fills the form that has a button with this text, and presses that."""
        [(form, added), *_] = [
            (form, added) for form in self.page.forms for said, added in form.buttons if re.search(text, said)
        ]
        assert fields.keys() <= form.fields.keys(), f"no such field: {fields.keys() - form.fields.keys()}"
        sent = {**form.fields, **fields, **added}
        url = urljoin(self.page.url, form.action)
        if form.method == "get":
            return self.go(f"{url}?{urlencode(sent)}")
        where = urlsplit(self.page.url)
        self._show(self._client.post(url, data=sent, headers={"Origin": f"{where.scheme}://{where.netloc}"}))
        return None

    def ask(self) -> dict[str, object]:
        """Does once what the page's script does."""
        assert self.page.polled, f"nothing to wait for on {self.page.url}"
        answer = self._client.get(urljoin(self.page.url, self.page.polled))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def _show(self, answer: httpx.Response) -> None:
        assert answer.status_code == 200, f"{answer.status_code} {answer.url}\n{answer.text}"
        self.page = Page(answer)

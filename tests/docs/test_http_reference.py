"""The HTTP reference has all of the description, and every link within it leads somewhere."""

from __future__ import annotations

import re

from openpayments_client.operations import OPERATIONS

from scripts.http_reference import pages

PAGES = pages()


def test_every_operation_has_a_section_with_its_arguments() -> None:
    sections = [part for text in PAGES.values() for part in re.split(r"^## ", text, flags=re.MULTILINE)]
    for operation in OPERATIONS.values():
        request = f"`{operation.method} {operation.path}`"
        [section] = [part for part in sections if f"\n{request}\n" in part]
        for rule in operation.arguments.values():
            older = rule.name.startswith(("PSU-", "TPP-")) and not rule.required
            assert f"`{rule.name}`" in section or older or rule.name == "X-Request-ID", f"{request}: {rule.name}"
        assert "**Request**\n\n```http\n" in section
        assert ("**Body**" in section) == (operation.body is not None)


def test_no_cell_breaks_its_table() -> None:
    for name, text in PAGES.items():
        columns = 0
        for line in text.splitlines():
            if not line.startswith("|"):
                columns = 0
                continue
            found = len(re.sub(r"\\\||<code>.*?</code>", "", line).strip("|").split("|"))
            columns = columns or found
            assert found == columns, f"{name}: {line}"

"""Writes docs/http.md and docs/http/*.md: the API as HTTP, a page for each tag of the description.

`make generate` runs it. `--check` writes nothing, and fails if a page is out of date.
"""

from __future__ import annotations

import html
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from scripts.generate import DESCRIPTION, load
from scripts.operations import is_given_by_a_bank
from scripts.operations_page import anchor, call_of, file_of, title_of
from scripts.pages import ROOT, keep
from scripts.slips import operations, parameters, resolved

DOCS: Final = ROOT / "docs"
OBJECTS: Final = "objects.md"
_WRITTEN: Final = "<!-- Written by `make generate` from openapi/openpayments.yaml; do not edit. -->\n"
# the page with the facade's way, by how the call begins
_GUIDES: Final = {
    "op.access_token": "tokens.md",
    "op.countries": "banks.md",
    "op.cities": "banks.md",
    "op.aspsps": "banks.md",
    "bank.consents": "consents.md",
    "bank.accounts(consent).transaction": "transactions.md",
    "bank.accounts": "accounts.md",
    "bank.cards": "accounts.md",
    "bank.payments": "payments.md",
    "bank.signing_baskets": "payments-more.md#many-payments-one-signature",
    "bank.fx_quotes": "payments-more.md#other-currencies",
    "op.kyc": "payments-more.md#kyc",
}

_HEAD: Final = """\
# HTTP reference

What goes over the wire: every operation of the API that is publicly known, with its parameters, bodies and answers.
You don't need it to use the SDK. It helps when you read a log, write a program in another language, or call an
operation that the SDK has no method for ([Operations](operations.md)).

These pages are generated from `openapi/openpayments.yaml`, an unofficial description of what is publicly documented.
None of it has been tried against the provider.

| page | operations |
|---|---|
"""

_HOSTS: Final = """
## Hosts

| | tokens | everything else |
|---|---|---|
| sandbox | `https://auth.sandbox.openbankingplatform.com` | `https://api.sandbox.openbankingplatform.com` |
| sandbox, newer | `https://oauth.sandbox.openbankingplatform.com` | the same |
| production | `https://auth.openbankingplatform.com` | `https://api.openbankingplatform.com` |

Production asks for a client certificate. Operations marked *production* don't exist in the sandbox. Operations,
parameters and headers marked *older* are missing from the provider's description of 2026.

## Headers of every call

| header | value |
|---|---|
| `Authorization` | `Bearer` and an [access token](http/access-tokens.md) |
| `X-Request-ID` | a new UUID for each call; the answer repeats it |
| `Accept` | `application/json` |
| `Content-Type` | `application/json` with a body; `application/x-www-form-urlencoded` for a token |

## Scopes

A token has one or more API scopes and one PSU context. Where an operation lists alternatives, one of them must be
complete. The oldest document (document 001) asks for the API scope alone.

| scope | what for |
|---|---|
"""

_BANK_HEADERS: Final = """
## Headers of calls to a bank

`op.at_bank(...)` adds them; [Operations](operations.md#headers-of-calls-to-banks) says which setting becomes which
header. Each operation lists the ones it takes; \\* marks those it requires. Most take the older ones as well.

"""

_ERRORS: Final = """
## Errors

A call that fails is answered with one of these statuses. Most answers have a body: an
[ErrorBody](http/objects.md#errorbody) with messages of the bank or the provider. Calls to banks may also be answered
with a problem document (`application/problem+json`). [Errors](errors.md) says which exception each becomes.

| status | what happened | codes |
|---|---|---|
"""


def pages() -> dict[str, str]:
    """The text of each page, by its path below docs/."""
    return _Reference(load(DESCRIPTION)).pages()


class _Reference:
    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content
        self._components = content["components"]
        self._operations: dict[str, list[tuple[str, str, Mapping[str, Any]]]] = {}
        for where, operation in operations(content):
            _, path, method = map(str, where)
            self._operations.setdefault(operation["tags"][0], []).append((path, method, operation))
        self._objects: list[str] = []

    def pages(self) -> dict[str, str]:
        written = {}
        for tag in self._content["tags"]:
            written[f"http/{file_of(tag['name'])}"] = self._tag_page(tag)
        written[f"http/{OBJECTS}"] = self._objects_page()
        return {"http.md": self._index(), **written}

    def _index(self) -> str:
        lines = [_WRITTEN + _HEAD.rstrip()]
        for tag in self._content["tags"]:
            page = f"http/{file_of(tag['name'])}"
            links = (f"[{o['summary']}]({page}#{anchor(o['summary'])})" for *_, o in self._operations[tag["name"]])
            lines.append(f"| [{title_of(tag['name'])}]({page}) | {', '.join(links)} |")
        lines.append(f"| [Objects](http/{OBJECTS}) | the fields of all bodies and answers |")
        lines.append(_HOSTS.rstrip())
        [flow] = self._components["securitySchemes"]["oauth2"]["flows"].values()
        lines += [f"| `{name}` | {about.rstrip('.')} |" for name, about in flow["scopes"].items()]
        lines.append(_BANK_HEADERS.rstrip() + "\n\n| header | value |\n|---|---|")
        names = set()
        for parameter in self._components["parameters"].values():
            if is_given_by_a_bank(parameter) and parameter["name"] not in names:
                names.add(parameter["name"])
                older = " *older*" if parameter.get("deprecated") else ""
                lines.append(f"| `{parameter['name']}`{older} | {self._value(parameter, 'http/')} |")
        lines.append(_ERRORS.rstrip())
        for status, (said, codes) in sorted(self._errors().items()):
            lines.append(f"| {status} | {'<br>'.join(said)} | {', '.join(f'`{each}`' for each in sorted(codes))} |")
        return "\n".join(lines) + "\n"

    def _errors(self) -> dict[str, tuple[list[str], set[str]]]:
        """What each status of an error says, and its codes."""
        found: dict[str, tuple[list[str], set[str]]] = {}
        for *_, operation in (each for tag in self._operations.values() for each in tag):
            for status, answer in operation["responses"].items():
                text = one_line(resolved(self._content, answer)["description"])
                about, _, codes = re.sub(r" No body\.| The body is OAuth's.*", "", text).partition(" Code")
                if status >= "400":
                    said, known = found.setdefault(status, ([], set()))
                    known |= {*re.findall(r"`(\w+)`", codes)}
                    if about == "No token.":
                        about = "The token endpoint gave no token."
                    if not any(each.startswith(about.rstrip(".")) for each in said):
                        said[:] = [each for each in said if not about.startswith(each.rstrip("."))] + [about]
        return found

    def _tag_page(self, tag: Mapping[str, Any]) -> str:
        parts = [f"{_WRITTEN}# {title_of(tag['name'])}\n\n{one_line(tag['description'])}\n"]
        parts.append("[HTTP reference](../http.md) has hosts, headers and errors, which all operations share.\n")
        parts += ["\n".join(self._operation(*each)) for each in self._operations[tag["name"]]]
        return "\n".join(parts)

    def _operation(self, path: str, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
        yield f"## {operation['summary']}\n"
        yield f"`{method.upper()} {path}`\n"
        notes = ["*older*"] * bool(operation.get("deprecated")) + ["*production*"] * ("servers" in operation)
        yield "\n\n".join([*notes, *paragraphs(operation["description"])]) + "\n"
        call = "op.access_token()" if operation["operationId"] == "createToken" else call_of(operation["operationId"])
        guide = next((page for begin, page in _GUIDES.items() if call.startswith(begin)), "operations.md")
        yield f"In Python: [`{call}`](../{guide})\n"
        scopes = [
            f"`{' '.join(each)}`" for wanted in operation["security"] for each in wanted.values() if len(each) > 1
        ]
        if scopes:
            yield f"Scopes: {' or '.join(scopes)}\n"
        found = [each for *_, each in parameters(self._content, ("paths", path, method))]
        own = [each for each in found if not is_given_by_a_bank(each) and each["name"] != "X-Request-ID"]
        if own:
            yield "| parameter | in | value |\n|---|---|---|"
            for each in own:
                older = " *older*" if each.get("deprecated") else ""
                star = "\\*" if each.get("required") else ""
                yield f"| `{each['name']}`{star}{older} | {each['in']} | {self._value(each)} |"
            yield ""
        bound = sorted(
            (each for each in found if is_given_by_a_bank(each) and not each.get("deprecated")),
            key=lambda each: not each.get("required"),
        )
        if bound:
            names = ", ".join(f"`{each['name']}`" + "\\*" * bool(each.get("required")) for each in bound)
            yield f"[Headers of calls to a bank](../http.md#headers-of-calls-to-a-bank): {names}\n"
        body = resolved(self._content, operation.get("requestBody", {}))
        if body:
            [(media_type, media)] = body["content"].items()
            yield f"**Body** (`{media_type}`): {self._type(media['schema'])}. {one_line(body['description'])}\n"
        yield "**Request**\n"
        yield self._request(path, method, found, body)
        yield "**Answer**\n\n| status | what it is | body |\n|---|---|---|"
        yield from self._answers(operation)
        yield from self._example(operation)

    def _answers(self, operation: Mapping[str, Any]) -> Iterator[str]:
        failures = []
        for status, written in sorted(operation["responses"].items()):
            answer = resolved(self._content, written)
            if status >= "400":
                failures.append(status)
                continue
            media = next(iter(answer.get("content", {}).values()), None)
            shape = self._type(media["schema"]) if media else "none"
            if envelope := operation.get("x-envelope"):
                shape += f", in most sources within `{envelope}`"
            yield f"| {status} | {one_line(answer['description']).removesuffix(' No body.')} | {shape} |"
        yield f"| {', '.join(failures)} | An [error](../http.md#errors). | |\n"

    def _example(self, operation: Mapping[str, Any]) -> Iterator[str]:
        for status, written in sorted(operation["responses"].items()):
            media: Mapping[str, Any] = next(iter(resolved(self._content, written).get("content", {}).values()), {})
            if status < "300" and (example := first_example(media)) is not None:
                yield f"```json\n{json.dumps(example, indent=2, ensure_ascii=False)}\n```\n"
                return

    def _request(self, path: str, method: str, found: Sequence[Mapping[str, Any]], body: Mapping[str, Any]) -> str:
        """An example: what is required, with the examples of the description."""
        given = {(each["in"], each["name"]): each for each in found}
        query = []
        for (place, name), each in given.items():
            if place == "path":
                path = path.replace(f"{{{name}}}", str(self._sample(each)))
            elif place == "query" and (each.get("required") or name in ("isoCountryCodes", "dateFrom")):
                value = self._sample(each)
                query.append(f"{name}={','.join(value) if isinstance(value, list) else value}")
        is_token = path == "/connect/token"
        host = "auth.sandbox.openbankingplatform.com" if is_token else "api.sandbox.openbankingplatform.com"
        lines = [f"{method.upper()} {path}{'?' * bool(query)}{'&'.join(query)} HTTP/1.1", f"Host: {host}"]
        if not is_token:
            lines.append("Authorization: Bearer DUMMY_ACCESS_TOKEN")
        for (place, name), each in given.items():
            if place == "header" and (each.get("required") or name == "X-Request-ID"):
                lines.append(f"{name}: {self._sample(each)}")
        if body:
            [(media_type, media)] = body["content"].items()
            example = first_example(media)
            form = "&".join(f"{name}={str(value).replace(' ', '+')}" for name, value in example.items())
            written = form if media_type.endswith("urlencoded") else json.dumps(example, indent=2, ensure_ascii=False)
            lines += [f"Content-Type: {media_type}", "", written]
        return "```http\n" + "\n".join(lines) + "\n```\n"

    def _sample(self, parameter: Mapping[str, Any]) -> Any:
        schema = resolved(self._content, parameter["schema"])
        return parameter.get("example", next(iter(schema.get("examples", ())), "..."))

    def _value(self, parameter: Mapping[str, Any], folder: str = "") -> str:
        """What a parameter may be, with an example."""
        example = self._sample(parameter)
        shown = ",".join(example) if isinstance(example, list) else json.dumps(example).strip('"')
        said = [one_line(parameter.get("description", ""))]
        schema = resolved(self._content, parameter["schema"])
        if "pattern" in schema:
            said.append(f"Pattern: {code(schema['pattern'])}")
        elif (shape := self._type(parameter["schema"], folder)) != "string":
            said.append(f"Type: {shape}.")
        return " ".join([*said, f"Example: {code(shown)}"] if example != "..." else said)

    def _objects_page(self) -> str:
        head = (
            f"{_WRITTEN}# Objects\n\nThe fields of bodies and answers. A `*` marks a required field. Answers may have "
            "more fields than these, and lack some; `null` counts as absent.\n"
        )
        schemas = self._components["schemas"]
        names = sorted(name for name in schemas if self._has_section(schemas[name]))
        return "\n".join([head, *("\n".join(self._object(name, schemas[name])) for name in names)])

    def _has_section(self, schema: Mapping[str, Any]) -> bool:
        return "properties" in schema or len(schema.get("enum", ())) > 8 or "allOf" in schema

    def _object(self, name: str, schema: Mapping[str, Any]) -> Iterator[str]:
        yield f"## {name}\n"
        yield f"{one_line(schema.get('description', ''))}\n"
        if "enum" in schema:
            yield ", ".join(f"`{value}`" for value in schema["enum"]) + "\n"
        for base in schema.get("allOf", ()):
            yield f"The fields of {self._type(base)}.\n"
        if fields := schema.get("properties"):
            yield "| field | type | |\n|---|---|---|"
            for field, about in fields.items():
                star = "\\*" if field in schema.get("required", ()) else ""
                yield f"| `{field}`{star} | {self._type(about)} | {one_line(self._meaning(about))} |"
            yield ""

    def _meaning(self, schema: Mapping[str, Any]) -> str:
        """The description of a field, or of the one thing that it is."""
        one = next((each for each in schema.get("anyOf", ()) if each != {"type": "null"}), schema)
        return str(schema.get("description") or resolved(self._content, one).get("description", ""))

    def _type(self, schema: Mapping[str, Any], folder: str = "") -> str:
        """The type of a value, with what limits it. An object is a link."""
        if reference := schema.get("$ref"):
            name = reference.rpartition("/")[2]
            found = self._components["schemas"][name]
            if self._has_section(found):
                return f"[{name}]({folder}{OBJECTS}#{anchor(name)})"
            return self._type(found, folder)
        if "anyOf" in schema:
            known = [each for each in schema["anyOf"] if each != {"type": "null"}]
            if {"type": "string"} in known and len(known) > 1:
                # an open enum
                known.remove({"type": "string"})
                return " or ".join(f"{self._type(each, folder)} or another text" for each in known)
            return " or ".join(self._type(each, folder) for each in known)
        types = schema.get("type", "anything")
        kind = types if isinstance(types, str) else " or ".join(each for each in types if each != "null")
        if kind == "array":
            return f"list of {self._type(schema['items'], folder)}"
        if "enum" in schema:
            return ", ".join(f"`{value}`" for value in schema["enum"])
        limits = [schema["format"]] if "format" in schema else []
        if "pattern" in schema:
            limits.append(code(schema["pattern"]))
        elif "maxLength" in schema:
            limits.append(f"up to {schema['maxLength']}")
        if "minimum" in schema:
            limits.append(f"from {schema['minimum']}")
        return f"{kind} ({', '.join(limits)})" if limits else kind


def one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def paragraphs(text: str) -> Iterable[str]:
    return (" ".join(part.split()) for part in text.split("\n\n"))


def code(text: str) -> str:
    """Code that may stand in a table."""
    if "|" not in text:
        return f"`{text}`"
    # what would end the cell, or mean something in Markdown
    escaped = re.sub(r"[|*_`~\[\]()\\]", lambda found: f"&#{ord(found[0])};", html.escape(text))
    return f"<code>{escaped}</code>"


def first_example(media: Mapping[str, Any]) -> Any:
    return next((each["value"] for each in media.get("examples", {}).values()), media.get("example"))


def main() -> int:
    """Writes the pages, or with --check compares them. The exit code is 1 if one differs."""
    return keep({DOCS / name: text for name, text in pages().items()}, (DOCS / "http").glob("*.md"))


if __name__ == "__main__":
    sys.exit(main())

"""The operations of the description that the simulator plays, so that tests grow when it does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from openpayments_facade import simulator

DESCRIPTION = Path(__file__).parents[2] / "openapi" / "openpayments.yaml"
METHODS = {"GET", "POST", "PUT", "DELETE"}
# beginnings of paths that the rules of 2021 do not have
NEW_IN_2026 = (
    "/psd2/accountinformation/v1/card-accounts",
    "/psd2/paymentinitiation/v1/signing-baskets",
    "/psd2/paymentinitiation/v1/fx",
    "/kyc/",
)
PSU_CONTEXTS = {"private", "corporate"}

_SERVICES = Path(simulator.__file__).parent / "api_host"
_description = yaml.load(DESCRIPTION.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@dataclass(frozen=True)
class Operation:
    """`api_scopes` are alternatives; `at_bank` says whether a bank is asked; `headers` are those that it requires.

    `silent` are the statuses of its answers that have no body.
    """

    id: str
    method: str
    path: str
    tag: str
    api_scopes: frozenset[str]
    at_bank: bool
    headers: frozenset[str]
    silent: frozenset[int]
    examples: Mapping[str, str]

    def __str__(self) -> str:
        return self.id

    def address(self, **values: str) -> str:
        """The path with these values of its parameters, or with those that the description gives as examples."""
        return re.sub("{([^}]*)}", lambda match: quote({**self.examples, **values}[match[1]]), self.path)

    @property
    def is_played(self) -> bool:
        """Whether the simulator has its service: a file that is named like its tag."""
        return (_SERVICES / f"{self.tag.lower().replace(' ', '_')}.py").exists()


def _resolve(value: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in value:
        return value
    *_, kind, name = value["$ref"].split("/")
    found: dict[str, Any] = _description["components"][kind][name]
    return found


def _operation(path: str, method: str, item: dict[str, Any]) -> Operation:
    operation = item[method.lower()]
    parameters = [_resolve(one) for one in (*item.get("parameters", ()), *operation.get("parameters", ()))]
    scopes = {scope for alternative in operation["security"] for names in alternative.values() for scope in names}
    return Operation(
        id=operation["operationId"],
        method=method,
        path=path,
        tag=operation["tags"][0],
        api_scopes=frozenset(scopes - PSU_CONTEXTS),
        at_bank=any(one["name"] == "X-BicFi" for one in parameters),
        headers=frozenset(one["name"] for one in parameters if one["in"] == "header" and one.get("required")),
        silent=frozenset(
            int(status) for status, answer in operation["responses"].items() if "content" not in _resolve(answer)
        ),
        examples={one["name"]: str(one["example"]) for one in parameters if one["in"] == "path"},
    )


API_SCOPES = (
    set(_description["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["scopes"]) - PSU_CONTEXTS
)
DESCRIBED = [
    _operation(path, method.upper(), item)
    for path, item in _description["paths"].items()
    for method in item
    if method.upper() in METHODS
]
OPERATIONS = [operation for operation in DESCRIBED if operation.is_played]
BANK_OPERATIONS = [operation for operation in OPERATIONS if operation.at_bank]

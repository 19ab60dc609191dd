"""Checks every request and response in every cassette against the description: `make contract`.

    python -m scripts.contract [--cassettes FOLDER] [--description FILE] [--secrets-only]

openapi-core does most of the work. It accepts unknown query parameters, headers and form fields, repeated keys of a
comma-separated list, bodies where none is described, missing bearer tokens and answers with another X-Request-ID, so
these are checked here. Unknown properties are faults in our requests and in answers of the simulator; a real host may
answer more than is described. The query of a link to the next page is the bank's own; it is valid if an earlier answer
in the same cassette contains it. An operation is covered if a cassette has a successful answer of it; those in
NOT_YET_COVERED need none. If something looks like a secret, nothing else is reported. The exit code is 1 for any fault.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import warnings
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, urlsplit

import yaml
from jsonschema.exceptions import ValidationError, best_match
from jsonschema_path import SchemaPath
from openapi_core import Config, OpenAPI
from openapi_core.security.exceptions import SecurityProviderError
from openapi_core.security.factories import SecurityProviderFactory
from openapi_core.security.providers import BaseProvider
from openapi_core.templating.paths.exceptions import PathError
from openapi_core.templating.paths.finders import APICallPathFinder
from openapi_core.testing import MockRequest, MockResponse
from openapi_core.validation.request.exceptions import SecurityValidationError
from werkzeug.datastructures import Headers, ImmutableMultiDict

from scripts.generate import GenerationError, load

if TYPE_CHECKING:
    from openapi_core.datatypes import RequestParameters
    from openapi_core.templating.paths.datatypes import PathOperationServer

Query = tuple[tuple[str, str], ...]

ROOT = Path(__file__).parent.parent
_PROBLEM: dict[str, Any] = {"application/problem+json": json.loads}
# prefixes of the API's own headers; httpx and others send more
OURS = ("consent-", "psu-", "tpp-", "x-")
SOURCES = ("simulator", "sandbox")
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
# operations without an answer in any cassette, since the simulator does not play them; strict: one that is covered must
# be removed here
NOT_YET_COVERED: frozenset[str] = frozenset(
    [
        "createIsoPayment",
        "createIsoCrossBorderPayment",
        "confirmIsoPayments",
        "getIsoPayment",
        "createSepaDirectDebitPayment",
        "submitVerificationOfPayee",
        "submitBulkVerificationOfPayee",
        "getCreditorName",
        "getGiroNumbers",
        "createPayout",
        "confirmPayouts",
        "getPayout",
    ]
)
UNCOVERED = "no cassette has a successful answer; write a journey in tests/_async, then `make record`"
COVERED = "a cassette has a successful answer; take it out of NOT_YET_COVERED in scripts/contract.py"
UNKNOWN = "no operation has this name; take it out of NOT_YET_COVERED in scripts/contract.py"
LEAKS = {
    "a credential in a form": re.compile(
        r"\b(client_id|client_secret|code|refresh_token)="
        r"(?!\[CLIENT_ID\]|DUMMY_(CLIENT_ID|CLIENT_SECRET|CODE|REFRESH_TOKEN)\b)"
    ),
    "a token in an answer": re.compile(r'"(access|refresh|id)_token": ?"(?!DUMMY_(ACCESS|REFRESH|ID)_TOKEN_\d+")'),
    "a token in a request": re.compile(r"(?<=- )(Bearer|Basic) (?!DUMMY_ACCESS_TOKEN_\d+$|error=)", re.MULTILINE),
    "a JSON Web Token": re.compile(r"\beyJ[\w-]+\.[\w-]"),
    "a host on this machine": re.compile(r"127\.\d+\.\d+\.\d+|localhost|\[?::1\]?(?=[:/\s])"),
    "a personal identity number": re.compile(r"(?<![-\w])(19|20)\d{6}-?\d{4}(?![-\w])"),
    "the id of a user": re.compile(
        r"psu-((corporate|authoriser)-)?id:\n +- (?!PSU-((CORPORATE|AUTHORISER)-)?ID$)", re.MULTILINE
    ),
    "the address of a user": re.compile(r"psu-ip-address:\n +- (?!203\.0\.113\.)"),
    "a volatile header": re.compile(
        r"^ +(accept-encoding|connection|content-length|cookie|date|host|server|set-cookie|user-agent):",
        re.MULTILINE | re.IGNORECASE,
    ),
}


class _BearerToken(BaseProvider):
    def __call__(self, parameters: RequestParameters) -> None:
        scheme, _, token = str(parameters.header.get("Authorization", "")).partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise SecurityProviderError


class _Security(SecurityProviderFactory):
    PROVIDERS = {**SecurityProviderFactory.PROVIDERS, "oauth2": _BearerToken}  # noqa: RUF012


class Contract:
    """A description to check interactions against.

    `not_yet_covered` names the operations that need no cassette, and must not have one.
    """

    def __init__(self, description: Path, not_yet_covered: Collection[str] = ()) -> None:
        self._not_yet_covered = not_yet_covered
        spec = SchemaPath.from_dict(load(description))
        self._lenient = OpenAPI(
            spec, Config(security_provider_factory=_Security(), extra_media_type_deserializers=_PROBLEM)
        )
        # not for forms: the `if` of their schema would never hold
        self._strict = OpenAPI(
            spec,
            Config(
                additional_properties_default_policy="forbid",
                spec_validator_cls=None,  # type: ignore[arg-type]
                security_provider_factory=_Security(),
                extra_media_type_deserializers=_PROBLEM,
            ),
        )
        self._finder = APICallPathFinder(spec)
        self.operations = {
            (operation / "operationId").read_str(): f"{method.upper()} {path}"
            for path, item in (spec / "paths").str_items()
            for method, operation in item.str_items()
            if method in METHODS
        }

    def check(self, cassettes: Path) -> tuple[list[str], str]:
        """The faults of all cassettes in a folder, and a summary."""
        faults: list[str] = []
        covered: set[str] = set()
        interactions = 0
        files = sorted(cassettes.glob("*.yaml"))
        for file in files:
            try:
                cassette = _load(file)
                # the sandbox with the day
                source = str(cassette["recorded_from"]).partition(",")[0]
                if source not in SOURCES:
                    raise ValueError(f"recorded_from is {source!r}")
                if not cassette["interactions"]:
                    raise ValueError("no interactions")
                strict = source == "simulator"
                given: set[Query] = set()
                for number, interaction in enumerate(cassette["interactions"], 1):
                    interactions += 1
                    request, response = _request(interaction["request"]), _response(interaction["response"])
                    about = f"{file.name}, interaction {number}"
                    try:
                        found = self._finder.find(request.method, request.host_url + request.path)
                    except PathError:
                        url = f"{request.method.upper()} {request.host_url}{request.path}"
                        faults.append(f"{about}, {url}: the description has no such operation on this host")
                        continue
                    name = (found.operation / "operationId").read_str()
                    if 200 <= response.status_code < 300:
                        covered.add(name)
                    faults += [
                        f"{about}, {name}: {problem}"
                        for problem in self._problems(request, response, found, given, strict=strict)
                    ]
                    given.update(_queries_of_next_pages(response))
            except (yaml.YAMLError, AttributeError, LookupError, TypeError, ValueError) as error:
                faults.append(f"{file.name}: not a cassette that can be read ({type(error).__name__}: {error})")
        for name, route in self.operations.items():
            if (name in covered) == (name in self._not_yet_covered):
                faults.append(f"{name} ({route}): {COVERED if name in covered else UNCOVERED}")
        faults += [f"{name}: {UNKNOWN}" for name in self._not_yet_covered if name not in self.operations]
        covering = f"{len(covered)} of {len(self.operations)} operations"
        return faults, f"{len(files)} cassettes, {interactions} interactions, {covering}"

    def _problems(
        self,
        request: MockRequest,
        response: MockResponse,
        found: PathOperationServer,
        given: Collection[Query],
        *,
        strict: bool,
    ) -> Iterator[str]:
        is_json = request.content_type.partition(";")[0].strip() == "application/json"
        with warnings.catch_warnings():
            # what is deprecated is declared all the same
            warnings.filterwarnings("ignore", message=".* is deprecated", category=DeprecationWarning)
            errors = list((self._strict if is_json else self._lenient).iter_request_errors(request))
        parameters = [*_parameters(found.path), *_parameters(found.operation)]
        query_faults = list(_query_faults(request, parameters))
        if _query(request) in given:
            errors = [error for error in errors if getattr(error, "location", None) != "query"]
            query_faults = []
        header_faults = _header_faults(request, parameters)
        for problem in (
            *map(_explain, errors),
            *query_faults,
            *header_faults,
            *_body_faults(request, found.operation),
        ):
            yield f"request: {problem}"
        validator = self._strict if strict else self._lenient
        for problem in (
            *map(_explain, validator.iter_response_errors(request, response)),
            *_undescribed_body(response, found.operation),
            *_foreign_request_id(request, response, found.operation),
        ):
            yield f"answer {response.status_code}: {problem}"


def leaks(cassettes: Path) -> list[str]:
    """Finds secrets in a cassette. Reports file, line and kind, never the secret itself."""
    return [
        # the line where a match ends, since some begin at the header on the line before
        f"{file.name}, line {len(text[: match.end()].splitlines())}: {kind}"
        for file in sorted(cassettes.glob("*.yaml"))
        for text in [file.read_text("utf-8", "replace")]
        for kind, pattern in LEAKS.items()
        for match in pattern.finditer(text)
    ]


def _load(file: Path) -> Any:
    return yaml.load(file.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506


def _request(recorded: dict[str, Any]) -> MockRequest:
    url = urlsplit(recorded["uri"])
    headers = _headers(recorded)
    request = MockRequest(
        host_url=f"{url.scheme}://{url.netloc}",
        method=recorded["method"],
        path=url.path,
        data=_bytes(recorded["body"]),
        content_type=headers.get("content-type", "").lower(),
    )
    request.parameters.query = ImmutableMultiDict(parse_qsl(url.query, keep_blank_values=True))
    request.parameters.header = headers
    return request


def _response(recorded: dict[str, Any]) -> MockResponse:
    headers = _headers(recorded)
    response = MockResponse(
        data=_bytes(recorded["body"]["string"]),
        status_code=recorded["status"]["code"],
        content_type=headers.get("content-type", "").lower(),
    )
    response.headers = headers
    return response


def _headers(recorded: dict[str, Any]) -> Headers:
    return Headers([(name, value) for name, values in recorded["headers"].items() for value in values])


def _bytes(body: str | bytes | None) -> bytes:
    return body.encode() if isinstance(body, str) else body or b""


def _parameters(holder: SchemaPath) -> list[SchemaPath]:
    return list(holder / "parameters") if "parameters" in holder else []


def _query(request: MockRequest) -> Query:
    return tuple(sorted(cast("ImmutableMultiDict[str, str]", request.parameters.query).items(multi=True)))


def _queries_of_next_pages(response: MockResponse) -> Iterator[Query]:
    """The queries of all `_links.next` of an answer, which are objects with a `href`, or strings."""
    found: list[str] = []

    def look(value: dict[str, Any]) -> dict[str, Any]:
        links = value.get("_links")
        link = links.get("next") if isinstance(links, dict) else None
        href = link.get("href") if isinstance(link, dict) else link
        if isinstance(href, str):
            found.append(href)
        return value

    with suppress(ValueError):
        json.loads(response.data, object_hook=look)
    for href in found:
        yield tuple(sorted(parse_qsl(urlsplit(href).query, keep_blank_values=True)))


def _query_faults(request: MockRequest, parameters: list[SchemaPath]) -> Iterator[str]:
    known = {(parameter / "name").read_str(): parameter for parameter in parameters if _is_in_query(parameter)}
    query = cast("ImmutableMultiDict[str, str]", request.parameters.query)
    for name in query:
        if name not in known:
            yield f"unknown query parameter {name!r}"
        elif len(query.getlist(name)) > 1 and not _may_repeat(known[name]):
            yield f"query parameter {name!r} is sent more than once"


def _header_faults(request: MockRequest, parameters: list[SchemaPath]) -> Iterator[str]:
    known = {(each / "name").read_str().lower() for each in parameters if (each / "in").read_str() == "header"}
    for name in cast("Headers", request.parameters.header).keys():  # noqa: SIM118 - Headers iterates over pairs
        if name.lower().startswith(OURS) and name.lower() not in known:
            yield f"unknown header {name!r}"


def _is_in_query(parameter: SchemaPath) -> bool:
    return (parameter / "in").read_str() == "query"


def _may_repeat(parameter: SchemaPath) -> bool:
    explode = (parameter / "explode").read_bool(default=(parameter / "style").read_str(default="form") == "form")
    return explode and "array" in str((parameter / "schema" / "type").read_str_or_list(default=""))


def _body_faults(request: MockRequest, operation: SchemaPath) -> Iterator[str]:
    if "requestBody" not in operation:
        if request.body:
            yield "a body, but none is described"
        return
    content = operation / "requestBody" / "content"
    media_type = request.content_type.partition(";")[0].strip()
    if media_type != "application/x-www-form-urlencoded" or media_type not in content:
        return
    known = set((content / media_type / "schema" / "properties").str_keys())
    form = Counter(name for name, _ in parse_qsl(request.body.decode(), keep_blank_values=True))
    for name, count in form.items():
        if name not in known:
            yield f"unknown form field {name!r}"
        elif count > 1:
            yield f"form field {name!r} is sent more than once"


def _undescribed_body(response: MockResponse, operation: SchemaPath) -> Iterator[str]:
    status = str(response.status_code)
    responses = operation / "responses"
    if response.data and status in responses and "content" not in responses / status:
        yield "a body, but none is described"


def _foreign_request_id(request: MockRequest, response: MockResponse, operation: SchemaPath) -> Iterator[str]:
    """A fault if an answer has another X-Request-ID, and the description of the header says "own X-Request-ID"."""
    name = "X-Request-ID"
    described = operation / "responses" / str(response.status_code) / "headers" / name / "description"
    own = described.exists() and f"own {name}" in described.read_str()
    sent = cast("Headers", request.parameters.header).get(name)
    if own and sent and response.headers.get(name, sent) != sent:
        yield f"another {name} than the request's"


def _explain(error: Exception) -> str:
    """One line for an error of openapi-core, whose own message quotes whole bodies."""
    if isinstance(error, SecurityValidationError):
        return "no bearer token in the Authorization header"
    # the relevant alternative of an anyOf; the error itself quotes the whole value
    found = [best_match([each]) for each in getattr(error.__cause__, "schema_errors", ())]
    reasons = [": ".join(filter(None, (".".join(map(str, each.absolute_path)), each.message))) for each in found]
    if not reasons and error.__cause__ is not None:
        reasons = [str(error.__cause__)]
    about = getattr(error, "name", "")
    return ": ".join(filter(None, (about, "; ".join(reasons)))) if reasons else str(error)


def main() -> int:
    parser = argparse.ArgumentParser(description="Holds the cassettes against the description.")
    parser.add_argument("--cassettes", type=Path, default=ROOT / "cassettes")
    parser.add_argument("--description", type=Path, default=ROOT / "openapi" / "openpayments.yaml")
    parser.add_argument("--secrets-only", action="store_true", help="look for secrets, not at the description")
    arguments = parser.parse_args()
    if found := leaks(arguments.cassettes):
        # other faults could quote the secrets
        print(*found, sep="\n")
        print("Not held against the description while there are secrets.")
        return 1
    if arguments.secrets_only:
        return 0
    try:
        contract = Contract(arguments.description, NOT_YET_COVERED)
    except (GenerationError, ValidationError) as error:
        print(
            error if isinstance(error, GenerationError) else f"{arguments.description}: {error.message.splitlines()[0]}"
        )
        return 1
    faults, summary = contract.check(arguments.cassettes)
    for fault in faults:
        print(fault)
    print(f"{summary}: {f'{len(faults)} faults' if faults else 'all as described'}")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())

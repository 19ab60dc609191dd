"""openapi/openpayments.yaml: valid, its examples true, and the house rules at its head kept.

Most rules hold for every operation, schema or example that there is or will be, so the tests walk the document.
"""

import copy
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest
from openapi_python_client.strings import snake_case
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from scripts.generate import YAML_LOADER
from tests.described import resolve
from tests.tools.inventory import GROUPS, INVENTORY, Known

FILE = Path(__file__).parent.parent.parent / "openapi" / "openpayments.yaml"
DOCUMENT: dict[str, Any] = yaml.load(FILE.read_text("utf-8"), YAML_LOADER)
COMPONENTS: dict[str, dict[str, Any]] = DOCUMENT["components"]
SCHEMAS: dict[str, Any] = COMPONENTS["schemas"]

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
OPERATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    operation["operationId"]: (
        f"{method.upper()} {path}",
        operation | {"parameters": [*item.get("parameters", []), *operation["parameters"]]},
    )
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method in METHODS
}
OAUTH_SCOPES = COMPONENTS["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["scopes"]
API_OPERATIONS = sorted(OPERATIONS.keys() - {"createToken"})

Place = tuple[str | int, ...]


def walk(node: Any, place: Place = ()) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Every object of the document with its place; examples hold data, not description, and are left out."""
    if isinstance(node, dict):
        yield place, node
        children: Iterator[tuple[str | int, Any]] = iter(node.items())
    elif isinstance(node, list):
        children = iter(enumerate(node))
    else:
        return
    for key, child in children:
        if key not in ("example", "examples"):
            yield from walk(child, (*place, key))


def parameters(name: str, where: str) -> dict[str, bool]:
    """An operation's parameters in one place (`header`, `query`), and whether they are required."""
    found = map(resolve, OPERATIONS[name][1]["parameters"])
    return {parameter["name"]: parameter["required"] for parameter in found if parameter["in"] == where}


def fragment(place: Place) -> str:
    return "#/" + "/".join(str(part).replace("~", "~0").replace("/", "~1").replace("%", "%25") for part in place)


def examples(document: dict[str, Any]) -> Iterator[tuple[str, Place, Any]]:
    """Every example: where it is, where its schema is, the value."""
    for place, node in walk(document):
        if "schema" in node:  # a parameter, a header, a media type
            schema: Place = (*place, "schema")
            found = [example["value"] for example in node.get("examples", {}).values()]
        elif isinstance(node.get("examples"), list):  # a schema
            schema, found = place, list(node["examples"])
        else:
            schema, found = place, []
        if "example" in node:
            found.append(node["example"])
        for number, value in enumerate(found):
            yield f"{fragment(place)} {number}", schema, value


def faults(document: dict[str, Any], schema: Place, value: Any) -> list[str]:
    registry: Registry[Any] = Registry().with_resource("urn:description", DRAFT202012.create_resource(document))
    validator = Draft202012Validator(
        {"$ref": "urn:description" + fragment(schema)},
        registry=registry,
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )
    return [error.message for error in validator.iter_errors(value)]


def test_is_valid_openapi() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


@pytest.mark.parametrize(("schema", "value"), [pytest.param(*rest, id=where) for where, *rest in examples(DOCUMENT)])
def test_every_example_fits_its_own_schema(schema: Place, value: Any) -> None:
    assert faults(DOCUMENT, schema, value) == []


def test_the_test_of_examples_sees_a_wrong_one_in_every_kind_of_place() -> None:
    broken = copy.deepcopy(DOCUMENT)
    broken["components"]["parameters"]["BicFi"]["example"] = "a bank"
    broken["components"]["schemas"]["Bic"]["examples"] = ["ESSESESS", "a bank"]
    media_type = broken["components"]["responses"]["CountryList"]["content"]["application/json"]
    media_type["examples"]["document001"]["value"] = {"countries": [{"name": "Sweden"}]}
    broken["components"]["parameters"]["DateFrom"]["example"] = "2026-02-30"

    wrong = {where for where, schema, value in examples(broken) if faults(broken, schema, value)}

    assert wrong == {
        "#/components/parameters/BicFi 0",
        "#/components/parameters/DateFrom 0",
        "#/components/schemas/Bic 1",
        "#/components/responses/CountryList/content/application~1json 0",
    }


def test_every_body_has_an_example() -> None:
    bodies = {**COMPONENTS["responses"], **COMPONENTS["requestBodies"]}
    without = [
        name
        for name, body in bodies.items()
        for media_type in body.get("content", {}).values()
        if not media_type.get("examples")
    ]
    assert without == []


def test_every_parameter_that_must_be_sent_has_an_example() -> None:
    required = {name: parameter for name, parameter in COMPONENTS["parameters"].items() if parameter["required"]}
    assert {"RequestId", "BankBic", "UsedConsentId", "BookingStatus"} <= required.keys()
    assert [name for name, parameter in required.items() if "example" not in parameter] == []


def test_operations_point_at_components() -> None:
    inline = [
        f"{name}: {part}"
        for name, (_, operation) in OPERATIONS.items()
        for part in [
            *operation["parameters"],
            operation.get("requestBody", {"$ref": ""}),
            *operation["responses"].values(),
        ]
        if part.keys() != {"$ref"}
    ]
    assert inline == []


def test_no_component_is_left_over() -> None:
    used = {node["$ref"] for _, node in walk(DOCUMENT) if "$ref" in node}
    used |= {f"#/components/securitySchemes/{name}" for name in COMPONENTS["securitySchemes"]}
    assert {f"#/components/{kind}/{name}" for kind, named in COMPONENTS.items() for name in named} == used


def test_every_operation_schema_and_property_is_described() -> None:
    silent = [name for name, (_, operation) in OPERATIONS.items() if not operation.get("description")]
    for name, schema in SCHEMAS.items():
        properties = {f"{name}.{key}": value for key, value in schema.get("properties", {}).items()}
        for key, value in {name: schema, **properties}.items():
            described = [value, *map(resolve, [value, *value.get("anyOf", [])])]
            if not any(part.get("description") for part in described):
                silent.append(key)
    assert silent == []


def test_lists_in_queries_are_comma_separated() -> None:
    """The generator's template joins every list in a query, because it cannot see `explode`, and sends no empty one."""
    lists = [
        node
        for _, node in walk(DOCUMENT)
        if node.get("in") == "query" and "array" in str(resolve(node["schema"]).get("type"))
    ]
    assert lists
    assert [node["name"] for node in lists if (node.get("style"), node.get("explode")) != ("form", False)] == []
    assert [node["name"] for node in lists if resolve(node["schema"]).get("minItems", 0) < 1] == []


def test_headers_are_plain_strings() -> None:
    """A `format: uuid` header fails when called, a `format: date-time` one makes the generator drop the operation."""
    headers = [node for _, node in walk(DOCUMENT) if node.get("in") == "header"]
    headers += COMPONENTS["headers"].values()
    wrong = [node for node in headers if (schema := resolve(node["schema"]))["type"] != "string" or "format" in schema]
    assert wrong == []


def test_every_known_operation_is_described_and_no_other() -> None:
    assert OPERATIONS.keys() - {"createToken"} == INVENTORY.keys()
    assert {name: OPERATIONS[name][0] for name in INVENTORY} == {name: known.route for name, known in INVENTORY.items()}
    older = {name for name, (_, operation) in OPERATIONS.items() if operation.get("deprecated")}
    assert older == {known.name for known in INVENTORY.values() if known.is_older}


each_known = pytest.mark.parametrize("known", INVENTORY.values(), ids=lambda known: known.name)


@each_known
def test_an_api_operation_requires_a_request_id(known: Known) -> None:
    (request_id,) = (p for p in map(resolve, OPERATIONS[known.name][1]["parameters"]) if p["name"] == "X-Request-ID")
    assert request_id["in"] == "header"
    assert request_id["required"] is True
    assert re.fullmatch(resolve(request_id["schema"])["pattern"], "6ff9e7ee-2ac2-42d3-a188-c7314d434b9c")


def repeats_the_request_id(number: str, status: str) -> bool:
    """Whether the answer of an operation must repeat it (the provider's description of 2026)."""
    if number in ("50", "51"):
        return status == "200"
    if number == "30":
        return status != "200"
    return number not in ("43", "44", "47", "52", "53", "54", "55", "56")


@each_known
def test_an_answer_repeats_the_request_id_where_the_provider_says_so(known: Known) -> None:
    for status, response in OPERATIONS[known.name][1]["responses"].items():
        header = resolve(resolve(response).get("headers", {}).get("X-Request-ID", {}))
        assert header.get("required", False) is repeats_the_request_id(known.number, status), status


@each_known
def test_an_api_operation_has_its_successes_and_errors(known: Known) -> None:
    answers = {status: resolve(response) for status, response in OPERATIONS[known.name][1]["responses"].items()}
    assert {status for status in answers if status < "400"} == known.successes
    found = {
        status: {
            form: content["schema"]["$ref"].rpartition("/")[2] for form, content in answer.get("content", {}).items()
        }
        for status, answer in answers.items()
        if status >= "400"
    }
    assert found == known.errors


@each_known
def test_an_api_operation_needs_its_scopes(known: Known) -> None:
    assert [alternative["oauth2"] for alternative in OPERATIONS[known.name][1]["security"]] == known.scopes
    (tag,) = OPERATIONS[known.name][1]["tags"]
    (told,) = (each["description"] for each in DOCUMENT["tags"] if each["name"] == tag)
    api_scopes = dict.fromkeys(scopes[0] for scopes in known.scopes)
    context = ["corporate"] if all("corporate" in scopes for scopes in known.scopes) else []
    assert re.findall(r"scope `(\w+)`|`(\w+)`", told[told.index("Needs") :]) == [
        (word, "") if number == 0 else ("", word) for number, word in enumerate([*api_scopes, *context])
    ]


@each_known
def test_what_is_for_production_alone_says_so(known: Known) -> None:
    servers = [server["url"] for server in OPERATIONS[known.name][1].get("servers", DOCUMENT["servers"])]
    assert servers == [server["url"] for server in DOCUMENT["servers"]][known.is_for_production_alone :]


@each_known
def test_an_api_operation_has_its_headers(known: Known) -> None:
    """What the provider requires is required; who the user is can be sent on every call to a bank."""
    headers = parameters(known.name, "header")
    assert {name for name, required in headers.items() if required} == known.required | {"X-Request-ID"}
    assert headers.keys() >= known.optional
    more = headers.keys() - known.required - known.optional - {"X-Request-ID"}
    older = {name for name in more if is_deprecated(known.name, name)}
    everywhere = (GROUPS["U6"] | GROUPS["C2"]) - known.required - known.optional if known.is_at_bank else set()
    assert more - older == everywhere


def is_deprecated(name: str, header: str) -> bool:
    (found,) = (p for p in map(resolve, OPERATIONS[name][1]["parameters"]) if p["name"] == header)
    return bool(found.get("deprecated"))


OLDER = (
    "PSU-IP-Port PSU-Accept PSU-Accept-Charset PSU-Accept-Encoding PSU-Accept-Language PSU-Http-Method PSU-Device-ID"
)


def test_older_headers_stay_possible_where_they_were() -> None:
    """The provider's guide of 2021: on every call to a bank that there was."""
    for known in INVENTORY.values():
        was_there = known.is_at_bank and (4 <= int(known.number) <= 16 or 31 <= int(known.number) <= 42)
        older = {name for name in parameters(known.name, "header") if is_deprecated(known.name, name)}
        assert older >= ({*OLDER.split(), "PSU-Geo-Location"} if was_there else set())
        assert bool(older) is was_there


PERIOD = {"bookingStatus": True, **dict.fromkeys(["dateFrom", "dateTo", "entryReferenceFrom"], False)}
FILTERS = dict.fromkeys(["isoCountryCodes", "cityIds"], False)
QUERIES = {
    "getCountriesList": {"isoCountryCodes": False},
    "getCityList": FILTERS,
    "getASPSPList": FILTERS,
    "getAccountList": {"withBalance": False},
    "readAccountDetails": {"withBalance": False},
    "getCardAccountList": {"withBalance": False},
    "readCardAccountDetails": {"withBalance": False},
    "getTransactionList": PERIOD | {"deltaList": False, "withBalance": False},  # these two in older sources alone
    "getCardTransactionList": PERIOD,
    "createKyc": {"countryCode": True},
    "getCreditorName": {"giroNumber": True, "giroType": True, "ocrRef": False, "invoiceRef": False},
    "getGiroNumbers": {"psuCorporateId": True, "giroType": False},
}


@each_known
def test_an_api_operation_has_its_query(known: Known) -> None:
    assert parameters(known.name, "query") == QUERIES.get(known.name, {})


def test_the_codes_that_an_error_names_are_known_and_its_examples_use_them() -> None:
    known = {*SCHEMAS["KnownErrorCode"]["enum"]}
    answered = {
        status + response["$ref"].rpartition("/")[2]: resolve(response)
        for name in API_OPERATIONS
        for status, response in OPERATIONS[name][1]["responses"].items()
        if status >= "400" and "content" in resolve(response)
    }
    assert answered
    for name, response in answered.items():
        named = {*re.findall(r"`([A-Z_]+)`", response["description"])}
        assert named <= known, name
        for content in response["content"].values():
            for example in content["examples"].values():
                messages = example["value"].get("tppMessages", [example["value"]])
                # problems of KYC have no code
                assert {message["code"] for message in messages if "code" in message} <= named, name


def test_tokens_come_from_the_auth_hosts_and_have_errors_of_oauth() -> None:
    hosts = [server["url"] for server in DOCUMENT["paths"]["/connect/token"]["servers"]]
    assert hosts == [
        "https://auth.sandbox.openbankingplatform.com",
        "https://oauth.sandbox.openbankingplatform.com",
        "https://auth.openbankingplatform.com",
    ]
    _, operation = OPERATIONS["createToken"]
    for status in "400", "401":
        (media_type,) = resolve(operation["responses"][status])["content"].values()
        assert media_type["schema"] == {"$ref": "#/components/schemas/OAuthError"}


CREDENTIALS = {"client_id": "id", "client_secret": "secret"}
GRANTS = {
    "client_credentials": {"scope": "aspspinformation private"},
    "authorization_code": {"code": "code", "redirect_uri": "https://app.example/", "scope": "accountinformation"},
    "refresh_token": {"refresh_token": "token"},
}


@pytest.mark.parametrize(
    ("grant", "left_out"), [(grant, field) for grant, fields in GRANTS.items() for field in fields]
)
def test_each_grant_needs_its_own_fields(grant: str, left_out: str) -> None:
    place = ("components", "schemas", "TokenRequest")
    form = CREDENTIALS | {"grant_type": grant} | GRANTS[grant]
    assert faults(DOCUMENT, place, form) == []
    del form[left_out]
    assert faults(DOCUMENT, place, form) == [f"{left_out!r} is a required property"]


@cache
def openapi() -> OpenAPI:
    return OpenAPI.from_dict(DOCUMENT)


@pytest.mark.parametrize(
    ("form", "is_valid"),
    [
        ("grant_type=client_credentials&client_id=id&client_secret=a%26b%2Bc&scope=aspspinformation+private", True),
        ("grant_type=client_credentials&client_id=id&client_secret=a%26b%2Bc", False),
        ("grant_type=password&client_id=id&client_secret=a%26b%2Bc&scope=aspspinformation", False),
    ],
)
def test_recorded_forms_can_be_validated(form: str, is_valid: bool) -> None:
    request = MockRequest(
        "https://auth.openbankingplatform.com",
        "post",
        "/connect/token",
        data=form.encode(),
        content_type="application/x-www-form-urlencoded",
    )
    errors = list(openapi().iter_request_errors(request))
    assert bool(errors) is not is_valid


def answered_schemas() -> dict[str, dict[str, Any]]:
    """The schemas that a response can reach, by name."""
    found: dict[str, dict[str, Any]] = {}
    waiting: list[Any] = list(COMPONENTS["responses"].values())
    while waiting:
        for _, node in walk(waiting.pop()):
            name = str(node.get("$ref", "")).removeprefix("#/components/schemas/")
            if name in SCHEMAS and name not in found:
                found[name] = SCHEMAS[name]
                waiting.append(SCHEMAS[name])
    return found


def test_what_responses_enumerate_stays_open() -> None:
    answered = answered_schemas()
    enums = {name for name, schema in answered.items() if "enum" in schema}
    assert enums
    for place, node in [item for name, schema in answered.items() for item in walk(schema, (name,))]:
        assert "enum" not in node or place[0] in enums, f"{place}: an enum of its own; make it a Known... component"
        known = any(node.get("$ref") == f"#/components/schemas/{name}" for name in enums)
        if known:
            assert place[-2] == "anyOf", f"{place}: a closed enum"
    for _, node in [item for schema in answered.values() for item in walk(schema)]:
        if any(member.get("$ref", "").split("/")[-1] in enums for member in node.get("anyOf", [])):
            assert {"type": "string"} in node["anyOf"]


def test_optional_response_fields_allow_null_and_few_are_required() -> None:
    objects = {name: schema for name, schema in answered_schemas().items() if "properties" in schema}
    assert {"Token", "OAuthError", "AspspDetails", "TppMessage", "Consent", "Transaction"} <= objects.keys()
    for name, schema in objects.items():
        required = schema.get("required", [])
        assert len(required) <= 3, name
        for key in schema["properties"].keys() - set(required):
            place = ("components", "schemas", name, "properties", key)
            assert faults(DOCUMENT, place, None) == [], f"{name}.{key}"


def test_no_schema_is_named_like_one_of_its_properties() -> None:
    """The generator would write code that does not type-check."""
    clashes = [
        f"{name}.{key}"
        for name, schema in SCHEMAS.items()
        for key in schema.get("properties", {})
        if snake_case(key) == snake_case(name)
    ]
    assert clashes == []


def test_the_city_ids_of_document_001_are_accepted_though_three_of_them_are_no_uuids() -> None:
    pattern = SCHEMAS["Guid"]["pattern"]
    cities = resolve(OPERATIONS["getCityList"][1]["responses"]["200"])["content"]["application/json"]["examples"]
    ids = [city["cityId"] for city in cities["document001"]["value"]["cities"]]
    assert len(ids) == 4
    assert all(re.search(pattern, city_id) for city_id in ids)
    for wrong in "", "Stockholm", ids[0][:-1], ids[0] + "0", ids[0].replace("-", ""), "g" + ids[0][1:]:
        assert not re.search(pattern, wrong)


@pytest.mark.parametrize("bic", ["ESSESESS", "OPBKSE21", "DABASESX", "NDEAFIHHXXX"])
def test_bics(bic: str) -> None:
    assert re.search(SCHEMAS["Bic"]["pattern"], bic)


@pytest.mark.parametrize("bic", ["", "..", "a/b", "essesess", "ESSESES", "ESSESESSX", "ESSESESS/.."])
def test_what_is_no_bic(bic: str) -> None:
    assert not re.search(SCHEMAS["Bic"]["pattern"], bic)


CONSENT_REQUEST = {
    "access": {},
    "recurringIndicator": True,
    "validUntil": "9999-12-31",
    "frequencyPerDay": 1,
    "combinedServiceIndicator": False,
}
AMOUNT = {"currency": "SEK", "amount": "-120.00"}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (
            "Links",
            {"self": {"href": "/x"}, "account": "/x", "download": None, "of-the-bank": {"href": "/x", "type": "GET"}},
        ),
        ("ChallengeData", {"data": "a-token"}),
        ("ChallengeData", {"data": ["a-token", "another"]}),
        ("ChallengeData", {"data": None, "image": None}),
        ("ScaStatusAnswer", {}),
        ("ScaStatusAnswer", {"scaStatus": "thinkingAboutIt"}),
        ("ConsentStatusAnswer", {"consentStatus": "partiallyAuthorised"}),
        ("Account", {"currency": "XXX", "status": "frozen", "usage": "BOTH"}),
        ("Balance", {"balanceAmount": AMOUNT, "balanceType": "imaginary"}),
        ("TransactionReport", {}),
        ("TransactionReport", {"transactions": {"booked": None, "pending": [], "_links": None}, "balances": None}),
        ("Transaction", {"transactionAmount": AMOUNT, "purposeCode": "ZZ99", "bankgiroDetails": {"a": 1}}),
        ("CreditorAccountReference", {"bankGiro": "000-0000"}),
        ("Account", {"currency": "SEK", "bankgiroNumber": "000-0000", "plusgiroNumber": "00000-0"}),
        ("MonetaryAmount", {"currency": "SEK", "amount": "12345678901234.123"}),
        ("ConsentRequest", CONSENT_REQUEST),
        ("ConsentRequest", CONSENT_REQUEST | {"access": {"accounts": []}, "frequencyPerDay": 500}),
    ],
)
def test_what_the_sources_tolerate_is_described(schema: str, value: Any) -> None:
    assert faults(DOCUMENT, ("components", "schemas", schema), value) == []


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        *(
            ("ConsentRequest", {k: v for k, v in CONSENT_REQUEST.items() if k != left_out})
            for left_out in CONSENT_REQUEST
        ),
        ("ConsentRequest", CONSENT_REQUEST | {"frequencyPerDay": 0}),
        ("ConsentRequest", CONSENT_REQUEST | {"frequencyPerDay": "4"}),
        ("ConsentRequest", CONSENT_REQUEST | {"recurringIndicator": "true"}),
        ("ConsentRequest", CONSENT_REQUEST | {"validUntil": "31/12/2026"}),
        ("ConsentRequest", CONSENT_REQUEST | {"access": {"accounts": [{"iban": "SE57 5000 0000 0000"}]}}),
        ("SelectAuthenticationMethod", {}),
        ("SelectAuthenticationMethod", {"authenticationMethodId": ""}),
        ("SelectAuthenticationMethod", {"authenticationMethodId": "m" * 36}),
        ("BookingStatus", "all"),
        ("Links", {"self": {"href": 5}}),
        ("ChallengeData", {"data": {"token": "a-token"}}),
        ("Transaction", {"transactionAmount": AMOUNT, "bookingDate": "27.02.2026"}),
        ("PurposeCode", "salary"),
        *(("MonetaryAmount", AMOUNT | {"amount": amount}) for amount in ("1,50", "+1", "1.", ".5", "1.2345", "")),
    ],
)
def test_what_is_described_has_its_limits(schema: str, value: Any) -> None:
    assert len(faults(DOCUMENT, ("components", "schemas", schema), value)) == 1

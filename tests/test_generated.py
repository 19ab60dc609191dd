"""The low-level client, called directly, and the script that writes it.

The generator's templates are changed by text replacement, and a replacement that misses is silent: so each change is
tested here on what comes out.
"""

import datetime as dt
import importlib.util
import inspect
import json
import os
import shutil
import subprocess
import sys
import threading
import typing
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs

import httpx
import openpayments_client
import pytest
import yaml
from openapi_python_client.strings import snake_case
from openpayments_client import AuthenticatedClient, Client, models
from openpayments_client.api.aspsp_information import (
    get_aspsp_details,
    get_aspsp_list,
    get_city_details,
    get_city_list,
    get_countries_list,
    get_country_details,
)
from openpayments_client.api.oauth import create_token
from openpayments_client.models import (
    AspspDetails,
    AspspList,
    City,
    CityList,
    Country,
    CountryList,
    ErrorBody,
    OAuthError,
    Token,
    TokenRequest,
)
from openpayments_client.types import Response

from scripts import generate

MODULES = sorted(path for path in generate.PACKAGE.rglob("*.py"))
DESCRIPTION: dict[str, Any] = yaml.safe_load(generate.DESCRIPTION.read_text("utf-8"))
CITY_ID = "ba9dd929-1408-33a6-3ce2-bc45fcfaaa5c"
ENDPOINTS = {
    get_countries_list: CountryList,
    get_country_details: Country,
    get_city_list: CityList,
    get_city_details: City,
    get_aspsp_list: AspspList,
    get_aspsp_details: AspspDetails,
}


class Server(ThreadingHTTPServer):
    """Answers every request alike and keeps what came in."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.body: Any = {}
        self.received: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def client(self) -> AuthenticatedClient:
        return AuthenticatedClient(base_url=self.url, token="a-token", httpx_args={"trust_env": False})


class Handler(BaseHTTPRequestHandler):
    server: Server

    def answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.received.append((self.path, headers, content))
        body = b"" if self.server.body is None else json.dumps(self.server.body).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer  # noqa: N815

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


# ------------------------------------------------------------------------------------------------ requests


def test_a_list_is_sent_once_and_comma_separated(server: Server) -> None:
    server.body = {"cities": []}
    with server.client() as client:
        get_city_list.sync(client=client, iso_country_codes=["SE", "FI"], city_ids=[CITY_ID])
    ((path, *_),) = server.received
    assert path == f"/psd2/aspspinformation/v1/cities?isoCountryCodes=SE%2CFI&cityIds={CITY_ID}"


def test_what_is_absent_or_empty_is_not_sent(server: Server) -> None:
    server.body = {"aspsps": []}
    with server.client() as client:
        get_aspsp_list.sync(client=client)
        get_aspsp_list.sync(client=client, iso_country_codes=None, city_ids=[])
    assert [path for path, *_ in server.received] == ["/psd2/aspspinformation/v1/aspsps"] * 2


def test_a_call_sends_a_fresh_request_id_or_the_one_given(server: Server) -> None:
    given = str(uuid.uuid4())
    server.body = {"isoCountryCode": "SE", "name": "Sweden"}
    with server.client() as client:
        get_country_details.sync("SE", client=client)
        get_country_details.sync("SE", client=client)
        get_country_details.sync("SE", client=client, x_request_id=given)
    first, second, third = (headers["x-request-id"] for _, headers, _ in server.received)
    assert uuid.UUID(first).version == uuid.UUID(second).version == 4
    assert first != second
    assert third == given


async def test_the_async_call_sends_the_same(server: Server) -> None:
    server.body = {"countries": [{"isoCountryCode": "SE", "name": "Sweden"}]}
    async with server.client() as client:
        found = await get_countries_list.asyncio(client=client, iso_country_codes=["SE", "FI"])
    assert found == CountryList(countries=[Country(iso_country_code="SE", name="Sweden")])
    ((path, headers, _),) = server.received
    assert path == "/psd2/aspspinformation/v1/countries?isoCountryCodes=SE%2CFI"
    assert headers["authorization"] == "Bearer a-token"
    assert uuid.UUID(headers["x-request-id"])


def test_a_path_parameter_cannot_leave_its_place(server: Server) -> None:
    server.body = {"bicFi": "ESSESESS", "name": "SEB"}
    with server.client() as client:
        get_aspsp_details.sync("a/b?c", client=client)
    ((path, *_),) = server.received
    assert path == "/psd2/aspspinformation/v1/aspsps/a%2Fb%3Fc"


def test_a_token_request_is_a_form_with_headers_for_what_was_approved(server: Server) -> None:
    server.body = {"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}
    form = TokenRequest(
        grant_type="authorization_code",
        client_id="id",
        client_secret="a&b+c",
        code="code",
        redirect_uri="https://app.example/",
        scope="accountinformation private",
    )
    with Client(base_url=server.url, httpx_args={"trust_env": False}) as client:
        token = create_token.sync(client=client, body=form, x_consent_id="c1", x_consent_authorisation_id="a1")
    assert token == Token(access_token="t", expires_in=3600, token_type="Bearer")
    ((path, headers, content),) = server.received
    assert path == "/connect/token"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert (headers["x-consentid"], headers["x-consentauthorisationid"]) == ("c1", "a1")
    assert not {"x-paymentid", "x-paymentauthorisationid", "authorization"} & headers.keys()
    assert uuid.UUID(headers["x-request-id"])
    assert parse_qs(content.decode(), strict_parsing=True) == {
        "grant_type": ["authorization_code"],
        "client_id": ["id"],
        "client_secret": ["a&b+c"],
        "code": ["code"],
        "redirect_uri": ["https://app.example/"],
        "scope": ["accountinformation private"],
    }


# ----------------------------------------------------------------------------------------------- responses


def answer(status: int, body: Any = None) -> httpx.Response:
    return httpx.Response(status, json=body) if body is not None else httpx.Response(status)


def test_null_and_absent_read_as_none() -> None:
    bank = AspspDetails.from_dict({"bicFi": "ESSESESS", "name": "SEB", "globalPaymentProducts": None, "city": None})
    assert bank == AspspDetails(bic_fi="ESSESESS", name="SEB")
    assert {getattr(bank, name) for name in ("global_payment_products", "city", "phone", "id")} == {None}


def test_what_nobody_described_is_kept() -> None:
    sent = {
        "bicFi": "ESSESESS",
        "name": "SEB",
        "globalPaymentProducts": ["domestic", "instant-moon-transfers"],
        "supportedAuthorizationMethods": [{"name": "Telepathy", "uri": ""}],
        "affiliatedAspsps": [{"id": "08999", "name": "Swedbank"}],
        "rating": 5,
    }
    bank = AspspDetails.from_dict(sent)
    assert bank.global_payment_products == ["domestic", "instant-moon-transfers"]
    assert bank.supported_authorization_methods
    assert bank.supported_authorization_methods[0].name == "Telepathy"
    assert bank.additional_properties == {"rating": 5}
    assert bank.to_dict() == sent


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.__name__.rpartition(".")[2])
def test_return_types_are_the_model_the_error_or_none(endpoint: ModuleType) -> None:
    """`Any` in the union would turn every type that is inferred from it into `Any`."""
    model = ENDPOINTS[endpoint]
    for function in endpoint._parse_response, endpoint.sync, endpoint.asyncio:
        assert typing.get_type_hints(function)["return"] == model | ErrorBody | None
    for function in endpoint._build_response, endpoint.sync_detailed, endpoint.asyncio_detailed:
        returned = typing.get_type_hints(function)["return"]
        assert (typing.get_origin(returned), typing.get_args(returned)) == (Response, (model | ErrorBody,))


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.__name__.rpartition(".")[2])
def test_docstrings_say_what_is_returned_and_that_the_request_id_may_be_left_out(endpoint: ModuleType) -> None:
    doc = inspect.getdoc(endpoint.sync) or ""
    assert {*doc.rpartition("Returns:")[2].strip().split(" | ")} == {ENDPOINTS[endpoint].__name__, "ErrorBody"}
    assert "x_request_id (str | None; a fresh UUID when left out): A UUID" in doc


def test_errors_with_and_without_a_body() -> None:
    client = Client(base_url="http://127.0.0.1")
    body = {"tppMessages": [{"category": "ERROR", "code": "MADE_UP_YESTERDAY", "text": "x", "path": None}]}
    for status in 400, 401, 403, 404, 405, 406, 409, 429:
        error = get_countries_list._parse_response(client=client, response=answer(status, body))
        assert isinstance(error, ErrorBody)
        assert error.tpp_messages
        assert error.tpp_messages[0].code == "MADE_UP_YESTERDAY"
    for status in 408, 412, 415, 500, 503:
        assert get_countries_list._parse_response(client=client, response=answer(status)) is None
    for status in 400, 401:
        refused = create_token._parse_response(client=client, response=answer(status, {"error": "invalid_client"}))
        assert refused == OAuthError(error="invalid_client")


def test_a_status_that_python_has_no_name_for(server: Server) -> None:
    server.status, server.body = 599, None
    with server.client() as client:
        response = get_countries_list.sync_detailed(client=client)
    assert (response.status_code, response.parsed) == (599, None)


# -------------------------------------------------------------------------------------------------- models


def secrets(name: str) -> set[str]:
    """The properties of a schema that are `format: password`, in any branch of it."""

    def is_secret(schema: dict[str, Any]) -> bool:
        if "$ref" in schema:
            schema = DESCRIPTION["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema.get("format") == "password" or any(map(is_secret, schema.get("anyOf", [])))

    properties = DESCRIPTION["components"]["schemas"][name].get("properties", {})
    return {key for key, schema in properties.items() if is_secret(schema)}


SECRETS = {name: found for name in DESCRIPTION["components"]["schemas"] if (found := secrets(name))}


def test_the_secrets_are_known() -> None:
    assert {
        "Token": {"access_token", "refresh_token"},
        "TokenRequest": {"client_secret", "code", "refresh_token"},
    } == SECRETS


@pytest.mark.parametrize("name", SECRETS)
def test_reprs_hide_secrets(name: str) -> None:
    properties = DESCRIPTION["components"]["schemas"][name]["properties"]
    data = {key: f"hide-{key}" if key in SECRETS[name] else f"show-{key}" for key in properties}
    data |= {"grant_type": "refresh_token"} if "grant_type" in data else {}
    shown = repr(getattr(models, name).from_dict(data | {"id_token": "hide-what-nobody-described"}))
    assert "hide-" not in shown
    for key in properties.keys() - SECRETS[name]:
        assert f"{snake_case(key)}={data[key]!r}" in shown


def test_reprs_of_clients_hide_tokens() -> None:
    secret = {"X-Key": "a-secret"}
    clients: list[Client | AuthenticatedClient] = [
        Client(base_url="http://127.0.0.1", headers=secret, cookies=secret, httpx_args={"params": secret}),
        AuthenticatedClient(base_url="http://127.0.0.1", token="a-secret", headers=secret, cookies=secret),
    ]
    for client in clients:
        with client:
            assert "a-secret" in str(client.get_httpx_client().headers.raw)
            assert "a-secret" not in repr(client)
            assert "http://127.0.0.1" in repr(client)


def loaded_by(code: str) -> set[str]:
    """The modules of the package's models that a fresh interpreter has loaded after running `code`."""
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(generate.PACKAGE.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    prefix = "openpayments_client.models."
    return {name.removeprefix(prefix) for name in done.stdout.split() if name.startswith(prefix)}


def test_an_endpoint_loads_its_own_models_only() -> None:
    errors = {"error_body", "tpp_message", "known_error_code", "known_message_category"}
    code = "from openpayments_client.api.aspsp_information import get_countries_list"
    assert loaded_by(code) == {"country_list", "country"} | errors


def test_the_models_package_loads_none_until_asked() -> None:
    assert loaded_by("import openpayments_client.models") == set()
    assert loaded_by("from openpayments_client.models import City, Country") == {"city", "country"}


def test_the_models_package_has_every_name_and_no_other() -> None:
    schemas = DESCRIPTION["components"]["schemas"]
    assert {*models.__all__} == {name for name, schema in schemas.items() if {"properties", "enum"} & schema.keys()}
    assert {*models.__all__} <= {*dir(models)}
    assert [name for name in models.__all__ if getattr(models, name) is None] == []
    with pytest.raises(AttributeError, match="Cuontry"):
        models.Cuontry  # type: ignore[attr-defined]  # noqa: B018


# -------------------------------------------------------------------------------------------------- the tree


def test_every_module_says_where_it_comes_from_and_none_knows_unset() -> None:
    assert len(MODULES) > 30
    for module in MODULES:
        code = module.read_text("utf-8")
        assert code.startswith(generate.HEADER), module
        assert "unset" not in code.lower(), module
    assert (generate.PACKAGE / "py.typed").exists()
    assert openpayments_client.__file__ == str(generate.PACKAGE / "__init__.py")


def test_it_is_what_the_description_gives_wherever_the_script_runs(tmp_path: Path) -> None:
    """A second run gives the same bytes, whatever the hash seed, the current folder's ruff settings, and PATH."""
    (tmp_path / "ruff.toml").write_text("line-length = 40\nindent-width = 2\n")
    done = subprocess.run(
        [sys.executable, generate.__file__, "--check"],
        cwd=tmp_path,
        env={"PATH": "", "PYTHONHASHSEED": "4711", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["ruff.toml"]


def test_the_check_names_what_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh = generate.PACKAGE
    copy = tmp_path / "openpayments_client"
    shutil.copytree(fresh, copy)
    monkeypatch.setattr(generate, "PACKAGE", copy)
    monkeypatch.setattr(generate, "generate", lambda output: shutil.copytree(fresh, output))
    assert generate.main(["--check"]) == 0

    with (copy / "client.py").open("a") as client:
        client.write("# a hand edit\n")
    (copy / "models" / "city.py").unlink()
    (copy / "models" / "village.py").touch()
    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().err.splitlines()[1:] == [
        "  differs: client.py",
        "  missing: models/city.py",
        "  stray: models/village.py",
    ]

    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0


# ---------------------------------------------------------------------------------- what is not there yet

# What the API's description has no use for yet: dates, circles, required lists, links, successes without a body.
THROWAWAY = """
openapi: 3.1.0
info: { title: Throw-away, version: "1" }
paths:
  /things/{thing-id}:
    parameters:
      - { name: thing-id, in: path, required: true, schema: { type: string } }
      - { name: X-Request-ID, in: header, required: true, schema: { type: string } }
    get:
      operationId: getThing
      tags: [things]
      parameters:
        - { name: kinds, in: query, required: true, explode: false, schema: { type: array, items: { type: string } } }
        - { name: dateFrom, in: query, schema: { type: string, format: date } }
      responses:
        "200": { description: ok, content: { application/json: { schema: { $ref: "#/components/schemas/Thing" } } } }
        "400": { description: bad, content: { application/json: { schema: { $ref: "#/components/schemas/Problem" } } } }
    delete:
      operationId: deleteThing
      tags: [things]
      responses:
        "204": { description: gone }
        "400": { description: bad, content: { application/json: { schema: { $ref: "#/components/schemas/Problem" } } } }
components:
  schemas:
    Problem: { type: object, properties: { text: { type: [string, "null"] } } }
    Box: { type: object, properties: { owner: { $ref: "#/components/schemas/Thing" } } }
    Thing:
      type: object
      required: [day, note]
      properties:
        day: { type: string, format: date }
        note: { type: [string, "null"] }
        at: { type: [string, "null"], format: date-time }
        days: { type: array, items: { type: string, format: date } }
        pin: { anyOf: [{ type: string, format: password }, { type: "null" }] }
        child: { anyOf: [{ $ref: "#/components/schemas/Thing" }, { type: "null" }] }
        box: { $ref: "#/components/schemas/Box" }
        label: { anyOf: [{ $ref: "#/components/schemas/Box" }, { type: string }, { type: "null" }] }
        _links: { type: [object, "null"], additionalProperties: { type: string } }
"""


@pytest.fixture(scope="module")
def throwaway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """A package from another description, imported as `throwaway_client`."""
    folder = tmp_path_factory.mktemp("throwaway")
    (folder / "description.yaml").write_text(THROWAWAY)
    package = folder / "throwaway_client"
    generate.generate(package, folder / "description.yaml")
    spec = importlib.util.spec_from_file_location("throwaway_client", package / "__init__.py")
    assert spec
    assert spec.loader
    module = sys.modules["throwaway_client"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    for name in [name for name in sys.modules if name.partition(".")[0] == "throwaway_client"]:
        del sys.modules[name]


def endpoint(package: ModuleType, name: str) -> Any:
    return importlib.import_module(f"{package.__name__}.api.things.{name}")


@pytest.fixture
def thing(throwaway: ModuleType) -> Any:
    return importlib.import_module("throwaway_client.models.thing").Thing


DAY = dt.date(2026, 3, 1)
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize("text", ["2026-03-01", "20260301", "2026-03-01T23:59:59.5+01:00", "2026-060", "2026-03"])
def test_dates_are_read_tolerantly(thing: Any, text: str) -> None:
    read = thing.from_dict({"day": text, "note": None, "days": [text]})
    assert (type(read.day), read.day, read.days) == (dt.date, DAY, [DAY])


@pytest.mark.parametrize(
    "text", ["2026-03-01T12:00:00Z", "2026-03-01T13:00:00.0000000+01:00", "20260301T1200Z", "2026-060T12:00Z"]
)
def test_times_are_read_tolerantly(thing: Any, text: str) -> None:
    assert thing.from_dict({"day": "2026-03-01", "note": None, "at": text}).at == NOON


@pytest.mark.parametrize("text", ["", "soon", "2026-02-30"])
def test_what_is_no_date_is_a_value_error(thing: Any, text: str) -> None:
    with pytest.raises(ValueError):
        thing.from_dict({"day": text, "note": None})
    with pytest.raises(ValueError):
        thing.from_dict({"day": "2026-03-01", "note": None, "at": text})


def test_well_formed_dates_do_without_dateutil(throwaway: ModuleType) -> None:
    script = (
        "import sys, throwaway_client.models as m\n"
        "m.Thing.from_dict({'day': '2026-03-01', 'note': None, 'at': '2026-03-01T12:00:00Z'})\n"
        "assert 'dateutil' not in sys.modules"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(throwaway.__path__[0]).parent)}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)


def test_models_in_a_circle_and_their_way_back(thing: Any) -> None:
    sent = {
        "day": "2026-03-01",
        "note": None,
        "child": {"day": "2026-03-02", "note": "x", "label": "text"},
        "box": {"owner": {"day": "2026-03-03", "note": "y"}},
        "label": {"owner": {"day": "2026-03-04", "note": "z"}},
    }
    read = thing.from_dict(sent)
    assert read.child.label == "text"
    assert read.box.owner.day == dt.date(2026, 3, 3)
    assert read.label.owner.note == "z"
    assert read.to_dict() == sent


def test_links_are_called_links(thing: Any) -> None:
    sent = {"day": "2026-03-01", "note": None, "_links": {"self": "/things/1"}}
    read = thing.from_dict(sent)
    assert read.links["self"] == "/things/1"
    assert read.to_dict() == sent


def test_parsing_imports_nothing(thing: Any) -> None:
    """Imports inside from_dict would run for every object of a list."""
    for function in thing.from_dict, thing.to_dict:
        assert "import" not in inspect.getsource(function)


def test_parsing_an_open_enum_takes_the_string_as_it_is() -> None:
    """No function defined, no value looked up and no union built, for every object of a list."""
    source = inspect.getsource(models.TppMessage.from_dict)
    assert 'category = cast("KnownMessageCategory | str", d.pop("category"))' in source
    assert source.count("def ") == 1


def test_a_nullable_secret_is_hidden_too(thing: Any) -> None:
    assert "1234" not in repr(thing(day=DAY, note=None, pin="1234"))


def test_a_required_list_and_a_date_in_a_query(throwaway: ModuleType) -> None:
    kwargs = endpoint(throwaway, "get_thing")._get_kwargs("1", kinds=["a", "b"], date_from=DAY)
    assert kwargs["params"] == {"kinds": "a,b", "dateFrom": "2026-03-01"}


def test_answers_without_a_body_add_nothing_to_the_type(throwaway: ModuleType) -> None:
    problem = importlib.import_module("throwaway_client.models.problem").Problem
    delete = endpoint(throwaway, "delete_thing")
    assert typing.get_type_hints(delete._parse_response)["return"] == problem | None
    assert delete._parse_response(client=Client(base_url=""), response=answer(204)) is None


def test_mypy_strict_has_nothing_to_say_but_about_misspelt_names(throwaway: ModuleType, tmp_path: Path) -> None:
    package = Path(throwaway.__path__[0])
    use = tmp_path / "use.py"
    use.write_text("from throwaway_client.models import Box, Thing\nfrom throwaway_client.models import Thnig\n")
    strict = ["--strict", "--config-file=", f"--cache-dir={tmp_path / 'cache'}"]
    done = subprocess.run([sys.executable, "-m", "mypy", *strict, package, use], capture_output=True, text=True)
    errors = [line for line in done.stdout.splitlines() if " error: " in line]
    assert len(errors) == 1, done.stdout + done.stderr
    assert "use.py:2" in errors[0]
    assert '"Thnig"' in errors[0]


def test_a_warning_of_the_generator_is_an_error(tmp_path: Path) -> None:
    """It warns about a date in a header, leaves the whole operation out, and would go on."""
    broken = tmp_path / "broken.yaml"
    broken.write_text(THROWAWAY.replace("name: dateFrom, in: query", "name: From, in: header"))
    with pytest.raises(generate.GenerationError, match="Warning"):
        generate.generate(tmp_path / "package", broken)


def test_a_failure_leaves_the_package_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "openpayments_client"
    copy.mkdir()
    (copy / "kept.py").touch()

    def fail(_: Path) -> None:
        raise generate.GenerationError("the generator warned")

    monkeypatch.setattr(generate, "PACKAGE", copy)
    monkeypatch.setattr(generate, "generate", fail)
    assert generate.main([]) == 1
    assert "the generator warned" in capsys.readouterr().err
    assert [path.name for path in copy.iterdir()] == ["kept.py"]

"""Settings, environments and scopes: what is accepted, and how a refusal names what is wrong."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from openpayments_facade import (
    PRODUCTION,
    SANDBOX,
    SANDBOX_OAUTH,
    ApiScope,
    ConfigurationError,
    Environment,
    InvalidArgumentError,
    OpenPayments,
    PsuContext,
)
from openpayments_facade._environ import arguments_from_env
from openpayments_facade.scopes import compose

if TYPE_CHECKING:
    from pathlib import Path

CREDENTIALS = {"OPENPAYMENTS_CLIENT_ID": "an-id", "OPENPAYMENTS_CLIENT_SECRET": "a-secret"}


def test_scopes_are_composed_as_the_documents_write_them() -> None:
    assert compose([ApiScope.ACCOUNT_INFORMATION], PsuContext.CORPORATE) == "accountinformation corporate"
    assert compose([ApiScope.ASPSP_INFORMATION], None) == "aspspinformation"
    many = [ApiScope.PAYMENT_INITIATION, ApiScope.ASPSP_INFORMATION, ApiScope.PAYMENT_INITIATION]
    assert compose(many, PsuContext.PRIVATE) == "aspspinformation paymentinitiation private"
    assert compose(reversed(many), PsuContext.PRIVATE) == compose(many, PsuContext.PRIVATE)
    bankgiro = [ApiScope.BANKGIRO_INFORMATION, ApiScope.ACCOUNT_INFORMATION]
    assert compose(bankgiro, PsuContext.CORPORATE) == "accountinformation bankgiroinformation corporate"
    assert compose(bankgiro, None) == "accountinformation bankgiroinformation"
    # no operation is declared with the two together
    assert compose(bankgiro, PsuContext.PRIVATE) == "accountinformation private"


@pytest.mark.parametrize(
    "scopes",
    [
        "aspspinformation",
        [],
        ["accounts"],
        ["private"],
        [5],
        5,
        [ApiScope.BANKGIRO_INFORMATION],
        [ApiScope.ASPSP_INFORMATION, ApiScope.BANKGIRO_INFORMATION],
    ],
)
def test_api_scopes_that_are_none_are_refused(scopes: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="api_scopes") as caught:
        OpenPayments(client_id="an-id", client_secret="a-secret", api_scopes=scopes)
    assert caught.value.argument == "api_scopes"


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("client_id", ""),
        ("client_id", None),
        ("client_id", "a\nb"),
        ("client_secret", ""),
        ("client_secret", " padded "),
        ("client_secret", 5),
        ("psu_context", "personal"),
        ("timeout", 0),
        ("timeout", True),
        ("total_timeout", float("inf")),
        ("max_retries", "2"),
        ("verify", False),
        ("verify", True),
        ("verify", ""),
        ("limits", 5),
        ("proxy", 5),
        ("client_cert", ()),
        ("client_cert", 5),
        ("client_cert", ("",)),
        ("client_cert", ("a", "b", "c", "d")),
        ("client_cert", ("a.p12", "b", "c")),
        ("client_cert", ("a.pfx", 5)),
        ("transport", object()),
    ],
)
def test_a_bad_argument_is_refused_by_name(argument: str, value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=argument) as caught:
        OpenPayments(**{"client_id": "an-id", "client_secret": "a-secret", argument: value})
    assert caught.value.argument == argument
    assert "padded" not in str(caught.value)


def test_a_proxy_does_not_take_the_place_of_a_transport() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200))
    with pytest.raises(InvalidArgumentError, match="transport") as caught:
        OpenPayments(client_id="an-id", client_secret="a-secret", transport=transport, proxy="http://127.0.0.1:9")
    assert caught.value.argument == "proxy"


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("environment", "prod"),
        ("environment", "https://api.example.com"),
        ("verify", "/nowhere/ca.pem"),
        ("client_cert", "/nowhere/cert.pem"),
        ("client_cert", ("/nowhere/cert.pem", "/nowhere/key.pem", "a-password")),
        ("client_cert", ("/nowhere/client.p12", "a-password")),
        ("proxy", "not a proxy"),
    ],
)
def test_a_bad_setting_is_refused_by_name(argument: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=argument) as caught:
        OpenPayments(**{"client_id": "an-id", "client_secret": "a-secret", argument: value})
    assert "a-password" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://auth.example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://10.0.0.1",
        "ftp://localhost",
        "https://",
        "auth.example.com",
        "",
        "https://user:password@auth.example.com",
        "https://auth.example.com?x=1",
        "https://auth.example.com#x",
        "https://auth.example.com?",
        "https://auth.example.com#",
        "https://@auth.example.com",
        "https://auth.example.com/a b",
        "https://auth.example.com:port",
        "https://[::1",
        5,
        None,
    ],
)
def test_a_host_that_would_show_tokens_or_is_none_is_refused(url: Any) -> None:
    for argument in ("auth_url", "api_url"):
        urls = {"auth_url": "https://auth.example.com", "api_url": "https://api.example.com", argument: url}
        with pytest.raises(ConfigurationError, match=argument) as caught:
            Environment(name="mine", **urls)
        assert "password" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://localhost:8080", "http://127.8.9.1", "http://[::1]:80", "https://x.example/p/"]
)
def test_a_host_of_this_machine_or_https_is_accepted(url: str) -> None:
    assert Environment(name="mine", auth_url=url, api_url=url).api_url == url.rstrip("/")


def test_the_sandbox_is_the_default_and_production_is_said() -> None:
    with OpenPayments(client_id="an-id", client_secret="a-secret") as op:
        assert "sandbox" in repr(op)
    with OpenPayments(client_id="an-id", client_secret="a-secret", environment="production") as op:
        assert "production" in repr(op)
    assert (SANDBOX.auth_url, PRODUCTION.api_url) == (
        "https://auth.sandbox.openbankingplatform.com",
        "https://api.openbankingplatform.com",
    )


def test_the_sandbox_has_a_newer_auth_host() -> None:
    with OpenPayments(client_id="an-id", client_secret="a-secret", environment="sandbox-oauth") as op:
        assert op.environment is SANDBOX_OAUTH
    assert SANDBOX_OAUTH.auth_url == "https://oauth.sandbox.openbankingplatform.com"
    assert SANDBOX_OAUTH.api_url == SANDBOX.api_url
    with pytest.raises(ConfigurationError, match="'sandbox', 'sandbox-oauth', 'production' or an Environment"):
        OpenPayments(client_id="an-id", client_secret="a-secret", environment="oauth")


@pytest.mark.parametrize(
    ("environment", "scope"),
    [
        (None, "aspspinformation"),
        ("production", "aspspinformation"),
        ("sandbox-oauth", "accountinformation"),
        (Environment("mine", SANDBOX_OAUTH.auth_url, "https://api.example.com"), "accountinformation"),
        (Environment("sandbox-oauth", "https://auth.example.com", "https://api.example.com"), "aspspinformation"),
    ],
)
def test_the_default_scope_is_the_one_that_reads_banks_there(environment: Any, scope: str) -> None:
    with OpenPayments(client_id="an-id", client_secret="a-secret", environment=environment) as op:
        assert op.api_scopes == (scope,)
    wanted: Any = ["paymentinitiation", "aspspinformation"]
    with OpenPayments(client_id="an-id", client_secret="a-secret", environment=environment, api_scopes=wanted) as op:
        assert op.api_scopes == ("aspspinformation", "paymentinitiation")


def test_a_client_says_what_it_was_made_with() -> None:
    with OpenPayments(client_id="an-id", client_secret="a-secret", api_scopes=["accountinformation"]) as op:
        assert op.environment is SANDBOX
        assert op.api_scopes == (ApiScope.ACCOUNT_INFORMATION,)
        assert op.psu_context is PsuContext.PRIVATE
        assert op.with_options(psu_context=None).psu_context is None


def test_missing_credentials_name_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigurationError, match="OPENPAYMENTS_CLIENT_ID and OPENPAYMENTS_CLIENT_SECRET"):
        OpenPayments.from_env()
    with pytest.raises(ConfigurationError, match="set OPENPAYMENTS_CLIENT_SECRET;"):
        OpenPayments.from_env(client_id="an-id")


@pytest.mark.parametrize(
    ("variables", "names"),
    [
        ({"OPENPAYMENTS_CLIENT_ID": " "}, "OPENPAYMENTS_CLIENT_ID"),
        (
            {"OPENPAYMENTS_AUTH_URL": "https://auth.example.com"},
            "OPENPAYMENTS_AUTH_URL is set but OPENPAYMENTS_API_URL",
        ),
        (
            {"OPENPAYMENTS_API_URL": "http://api.example.com", "OPENPAYMENTS_AUTH_URL": "https://auth.example.com"},
            "OPENPAYMENTS_API_URL is 'http://api.example.com': plain http",
        ),
        ({"OPENPAYMENTS_API_URL": "https://api.example.com"}, "OPENPAYMENTS_API_URL is set but OPENPAYMENTS_AUTH_URL"),
        (
            {"OPENPAYMENTS_ENVIRONMENT": "sandbox", "OPENPAYMENTS_API_URL": "https://api.example.com"},
            "OPENPAYMENTS_ENVIRONMENT and OPENPAYMENTS_API_URL",
        ),
        ({"OPENPAYMENTS_ENVIRONMENT": "prod"}, "OPENPAYMENTS_ENVIRONMENT must be 'sandbox', 'sandbox-oauth', 'produc"),
        ({"OPENPAYMENTS_API_SCOPES": "accounts"}, "OPENPAYMENTS_API_SCOPES"),
        ({"OPENPAYMENTS_PSU_CONTEXT": "personal"}, "OPENPAYMENTS_PSU_CONTEXT"),
        ({"OPENPAYMENTS_CLIENT_CERT": "/nowhere/cert.pem"}, "OPENPAYMENTS_CLIENT_CERT"),
        (
            {"OPENPAYMENTS_CLIENT_KEY": "/nowhere/key.pem"},
            "OPENPAYMENTS_CLIENT_KEY is set but OPENPAYMENTS_CLIENT_CERT",
        ),
    ],
)
def test_bad_variables_are_named(variables: dict[str, str], names: str) -> None:
    with pytest.raises(ConfigurationError, match=names):
        arguments_from_env({}, {**CREDENTIALS, **variables})


def test_all_variables_are_read(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.touch()
    key.touch()
    arguments = arguments_from_env(
        {"client_secret": "mine"},
        {
            **CREDENTIALS,
            "OPENPAYMENTS_AUTH_URL": "https://auth.example.com/",
            "OPENPAYMENTS_API_URL": "https://api.example.com",
            "OPENPAYMENTS_API_SCOPES": "paymentinitiation  accountinformation",
            "OPENPAYMENTS_PSU_CONTEXT": "corporate",
            "OPENPAYMENTS_CLIENT_CERT": str(cert),
            "OPENPAYMENTS_CLIENT_KEY": str(key),
            "OPENPAYMENTS_CLIENT_KEY_PASSWORD": "a-password",
            "OPENPAYMENTS_ENVIRONMENT": "",
        },
    )
    assert arguments["client_id"] == "an-id"
    assert arguments["client_secret"] == "mine"
    assert arguments["environment"].auth_url == "https://auth.example.com"
    assert arguments["api_scopes"] == (ApiScope.ACCOUNT_INFORMATION, ApiScope.PAYMENT_INITIATION)
    assert arguments["psu_context"] is PsuContext.CORPORATE
    assert arguments["client_cert"] == (str(cert), str(key), "a-password")


def test_the_variables_of_a_pkcs12_file(tmp_path: Path) -> None:
    bundle, key = tmp_path / "Client.PFX", tmp_path / "key.pem"
    bundle.touch()
    key.touch()
    variables = {**CREDENTIALS, "OPENPAYMENTS_CLIENT_CERT": str(bundle)}
    assert arguments_from_env({}, variables)["client_cert"] == str(bundle)
    variables |= {"OPENPAYMENTS_CLIENT_KEY_PASSWORD": " a-password\n"}
    assert arguments_from_env({}, variables)["client_cert"] == (str(bundle), " a-password")
    with pytest.raises(
        ConfigurationError, match="OPENPAYMENTS_CLIENT_KEY is set, but OPENPAYMENTS_CLIENT_CERT is a PK"
    ):
        arguments_from_env({}, {**variables, "OPENPAYMENTS_CLIENT_KEY": str(key)})


def test_request_ids_are_not_checked_behind_a_gateway_that_writes_them() -> None:
    variable = "OPENPAYMENTS_CHECK_REQUEST_IDS"
    found = [
        arguments_from_env({}, {**CREDENTIALS, variable: each})["check_request_ids"] for each in ("False\n", "true")
    ]
    assert found == [False, True]
    assert arguments_from_env({"check_request_ids": True}, {**CREDENTIALS, variable: "no"})["check_request_ids"]
    with pytest.raises(ConfigurationError, match=f"{variable} must be true or false"):
        arguments_from_env({}, {**CREDENTIALS, variable: "no"})


def test_blanks_and_line_breaks_around_a_variable_do_not_count() -> None:
    variables = {
        "OPENPAYMENTS_CLIENT_ID": " an-id ",
        "OPENPAYMENTS_CLIENT_SECRET": "a-secret\n",
        "OPENPAYMENTS_AUTH_URL": " https://auth.example.com",
        "OPENPAYMENTS_API_URL": "https://api.example.com\r\n",
        "OPENPAYMENTS_PSU_CONTEXT": "none\n",
        "OPENPAYMENTS_TOKEN_STORE": " memory",
    }
    arguments = arguments_from_env({}, variables)
    assert (arguments["client_id"], arguments["client_secret"]) == ("an-id", "a-secret")
    assert arguments["environment"].api_url == "https://api.example.com"
    assert (arguments["psu_context"], arguments["token_store"]) == (None, None)
    with OpenPayments(**arguments) as op:
        assert "an-id" in repr(op)
    assert (
        arguments_from_env(
            {},
            {
                **variables,
                "OPENPAYMENTS_AUTH_URL": "",
                "OPENPAYMENTS_API_URL": "",
                "OPENPAYMENTS_ENVIRONMENT": "production\n",
            },
        )["environment"]
        is PRODUCTION
    )
    named = {**CREDENTIALS, "OPENPAYMENTS_ENVIRONMENT": "sandbox-oauth"}
    assert arguments_from_env({}, named)["environment"] is SANDBOX_OAUTH


@pytest.mark.parametrize("by", ["argument", "environment"])
def test_a_socks_proxy_without_its_package_is_named(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    proxy: dict[str, Any] = {"proxy": "socks5://proxy.example.com:1080"} if by == "argument" else {}
    if by == "environment":
        monkeypatch.setenv("ALL_PROXY", "socks5://proxy.example.com:1080")
    with pytest.raises(ConfigurationError, match="pip install socksio"):
        OpenPayments(client_id="an-id", client_secret="a-secret", **proxy)
    here = Environment(name="here", auth_url="http://127.0.0.1:1", api_url="http://localhost:1")
    with OpenPayments(client_id="an-id", client_secret="a-secret", environment=here, **proxy):
        pass


def test_an_override_settles_a_contradiction() -> None:
    variables = {
        **CREDENTIALS,
        "OPENPAYMENTS_ENVIRONMENT": "sandbox",
        "OPENPAYMENTS_API_URL": "https://api.example.com",
    }
    assert arguments_from_env({"environment": "production"}, variables)["environment"] == "production"


def test_the_constructor_does_not_read_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENPAYMENTS_ENVIRONMENT", "production")
    monkeypatch.setenv("OPENPAYMENTS_CLIENT_ID", "another")
    with OpenPayments(client_id="an-id", client_secret="a-secret") as op:
        assert repr(op) == "<OpenPayments sandbox client_id='an-id'>"


@pytest.mark.parametrize(("variable", "value"), [("SSL_CERT_FILE", "/nowhere"), ("HTTPS_PROXY", "foo:bar:1")])
def test_a_broken_setting_of_the_environment_is_named(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=variable):
        OpenPayments(client_id="an-id", client_secret="a-secret")


def test_no_context_can_be_said_in_a_variable() -> None:
    assert arguments_from_env({}, {**CREDENTIALS, "OPENPAYMENTS_PSU_CONTEXT": "none"})["psu_context"] is None


@pytest.mark.parametrize("store", ["disk", "file:", 5, "redis://[::1", "file:~nosuchuser/x"])
def test_a_token_store_that_is_none_is_refused(store: Any) -> None:
    with pytest.raises(ConfigurationError, match="token_store"):
        OpenPayments(client_id="an-id", client_secret="a-secret", token_store=store)
    if isinstance(store, str):
        with pytest.raises(ConfigurationError, match="OPENPAYMENTS_TOKEN_STORE"):
            arguments_from_env({}, {**CREDENTIALS, "OPENPAYMENTS_TOKEN_STORE": store})

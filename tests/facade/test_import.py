"""What importing costs, and that the public names are there."""

from __future__ import annotations

import subprocess
import sys

import pytest

import openpayments_facade

HEAVY = (
    "oauthlib",
    "stamina",
    "tenacity",
    "typer",
    "rich",
    "starlette",
    "uvicorn",
    "redis",
    "filelock",
    "openpayments_client.models",
)


@pytest.mark.parametrize("name", ["OpenPayments", "AsyncOpenPayments"])
def test_importing_a_client_loads_no_model_no_extra_and_no_oauth_library(name: str) -> None:
    # httpx loads rich by itself where it is installed
    code = (
        "import httpx, sys; known = {*sys.modules};"
        f"from openpayments_facade import {name};"
        "print(*{*sys.modules} - known)"
    )
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "openpayments_facade" in modules
    # the package of the models itself is lazy: what costs is each model's module
    loaded = [module for module in modules if module.startswith(HEAVY) and module != "openpayments_client.models"]
    assert loaded == []


def test_every_public_name_is_there() -> None:
    for name in openpayments_facade.__all__:
        assert getattr(openpayments_facade, name) is not None
        assert name in dir(openpayments_facade)
    with pytest.raises(AttributeError, match="Openpayments"):
        _ = openpayments_facade.Openpayments  # type: ignore[attr-defined]


def test_the_package_loads_nothing_and_the_command_line_next_to_nothing_by_itself() -> None:
    # until it can do something about it, Ctrl-C ends in a traceback
    code = "import __future__, importlib, signal, sys; known = {*sys.modules}; import openpayments_facade.cli"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print(*{{*sys.modules}} - known)"], check=True, capture_output=True, text=True
    )
    assert {*done.stdout.split()} == {"openpayments_facade", "openpayments_facade._version", "openpayments_facade.cli"}


def test_all_exceptions_are_public_names() -> None:
    from openpayments_facade import errors

    assert {*errors.__all__} <= {*openpayments_facade.__all__}


def test_the_exception_tree_is_the_one_that_its_docstring_draws() -> None:
    from openpayments_facade import errors

    assert errors.__doc__ is not None
    drawn = [line for line in errors.__doc__.splitlines() if line.strip(" │").startswith(("├", "└"))]
    parents = [errors.OpenPaymentsError]
    for line in drawn:
        depth = (len(line) - len(line.lstrip(" │├└"))) // 4
        cls = getattr(errors, line.strip(" │├└─").split()[0])
        del parents[depth:]
        assert issubclass(cls, parents[-1])
        assert cls.__name__.endswith("Error")
        parents.append(cls)
    assert len(drawn) == len(errors.__all__) - 2  # without the root, and TppMessage


def test_the_sync_and_the_async_client_have_the_same_words() -> None:
    def words(cls: type) -> set[str]:
        return {name for name in dir(cls) if not name.startswith("_")}

    assert words(openpayments_facade.AsyncOpenPayments) - {"aclose"} == words(openpayments_facade.OpenPayments) - {
        "close"
    }


def test_every_method_of_a_service_has_its_raw_twin(openpayments_client: openpayments_facade.OpenPayments) -> None:
    from openpayments_facade._sync.client import RawOpenPayments

    op = openpayments_client
    services = {name for name in dir(type(op)) if hasattr(getattr(op, name), "_run")}
    services.remove("oauth")  # it has no answers of the API
    assert {"countries", "cities", "aspsps"} <= services <= {*dir(RawOpenPayments)}
    for name in services:
        methods = {method for method in dir(getattr(op, name)) if not method.startswith("_")}
        assert methods == {m for m in dir(getattr(op.with_raw_response, name)) if not m.startswith("_")}


def test_a_program_without_logging_gets_no_bare_warnings() -> None:
    code = """if True:
        from openpayments_facade.simulator import Simulator
        with Simulator() as simulator, simulator.client() as op:
            simulator.misbehave("/psd2", status=503)
            op.countries.list()
    """
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout + done.stderr == ""

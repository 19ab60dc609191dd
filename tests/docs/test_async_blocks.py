"""The async half of the examples, where it is not obvious."""

from __future__ import annotations

import pytest

from scripts.async_blocks import to_async, waits
from scripts.docs_blocks import with_tabs

HEAD = "from openpayments_facade import OpenPayments\n\n"


@pytest.mark.parametrize(
    ("sync", "expected"),
    [
        ("bank.consents.authorise(consent).wait()", "await (await bank.consents.authorise(consent)).wait()"),
        ('print(op.aspsps.get("ESSESESS").name)', 'print((await op.aspsps.get("ESSESESS")).name)'),
        ("found = accounts.list()[0]", "found = (await accounts.list())[0]"),
        (
            "for each in accounts.transactions(x):\n    print(each)",
            "async for each in accounts.transactions(x):\n    print(each)",
        ),
        (
            "some = accounts.transactions(x)\nprint(payments.find(some, created))",
            "some = accounts.transactions(x)\nprint(payments.find([each async for each in some], created))",
        ),
        ("fresh = list(accounts.transactions(x))", "fresh = [each async for each in accounts.transactions(x)]"),
        (
            "days = [views.day(each) for each in accounts.transactions(x)]",
            "days = [views.day(each) async for each in accounts.transactions(x)]",
        ),
        (
            "for update in authorisation.updates():\n    show(update)",
            "async for update in authorisation.updates():\n    show(update)",
        ),
        (
            "saved = authorisation.to_dict()\nauthorisation.poll()",
            "saved = authorisation.to_dict()\nawait authorisation.poll()",
        ),
        ("status = {}.get(1)\nop.token()", "status = {}.get(1)\nawait op.token()"),
        (
            'for account in accounts.list():\n    print(account.additional_properties.get("odd"))',
            'for account in await accounts.list():\n    print(account.additional_properties.get("odd"))',
        ),
    ],
)
def test_a_line(sync: str, expected: str) -> None:
    code = to_async(f"{HEAD}with OpenPayments.from_env() as op:\n{_indented(sync)}\n")
    assert code.startswith("import asyncio\n\nfrom openpayments_facade import AsyncOpenPayments\n")
    assert f"    async with AsyncOpenPayments.from_env() as op:\n{_indented(_indented(expected))}\n" in code
    assert code.endswith("\n\nasyncio.run(main())\n")


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def test_functions_that_wait_are_awaited_and_stay_outside() -> None:
    code = to_async(
        f"""{HEAD}
LIMIT = 3

def names(op: OpenPayments) -> list[str]:
    return [bank.name for bank in op.aspsps.list()]

with OpenPayments.from_env() as op:
    print(names(op)[:LIMIT])
"""
    )
    assert "\nLIMIT = 3\n" in code
    assert "\nasync def names(op: AsyncOpenPayments) -> list[str]:\n    return [bank.name for bank in await op" in code
    assert "print((await names(op))[:LIMIT])" in code


def test_a_simulator_stays_as_it_is() -> None:
    code = to_async(
        """from openpayments_facade.simulator import Simulator

with Simulator() as simulator, simulator.client() as op:
    op.aspsps.list()  # one request

    assert simulator.token_requests == 1
"""
    )
    assert (
        """    with Simulator() as simulator:
        async with simulator.async_client() as op:
            await op.aspsps.list()  # one request

            assert simulator.token_requests == 1
"""
        in code
    )


def test_both_tabs_have_the_title_of_a_block() -> None:
    block = f'```python title="app.py"\n{HEAD}with OpenPayments.from_env() as op:\n    op.aspsps.list()\n```\n'
    assert with_tabs("page.md", block).count('```python title="app.py"\n') == 2


def test_a_test_of_a_user() -> None:
    code = to_async(
        """def test_banks(openpayments_simulator):
    with openpayments_simulator.client() as op:
        assert op.aspsps.list()
"""
    )
    assert code.startswith(
        "async def test_banks(openpayments_simulator):\n    async with openpayments_simulator.async_"
    )
    assert "assert await op.aspsps.list()" in code
    assert "asyncio.run" not in code


@pytest.mark.parametrize("code", ["from openpayments_facade import money\n\nprint(money)\n", "print(1)\n"])
def test_what_waits_for_nothing_has_no_async_half(code: str) -> None:
    assert not waits(code)

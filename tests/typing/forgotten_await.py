"""What type checkers say where an `await` is missing. Never run."""

from __future__ import annotations

from openpayments_facade import AsyncBank, AsyncOpenPayments


async def forgotten(op: AsyncOpenPayments, bank: AsyncBank) -> None:
    for _ in op.countries.list():  # type: ignore[attr-defined]
        pass
    op.aspsps.get("ESSESESS").name  # type: ignore[attr-defined]  # noqa: B018
    for _ in bank.accounts("c1").transactions("a1"):  # type: ignore[attr-defined]
        pass
    with op:  # type: ignore[attr-defined]
        pass

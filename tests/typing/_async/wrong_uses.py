"""What type checkers refuse: each line needs its ignore comment, or the check fails. Never run."""

from __future__ import annotations

from openpayments_client.api.account_information import get_account_list
from openpayments_client.api.aspsp_information import get_aspsp_details, get_countries_list
from openpayments_client.models import AspspDetails

from openpayments_facade import AsyncBank, AsyncOpenPayments, CreatedPayment, Psu, amount, money, payments


def clients() -> None:
    AsyncOpenPayments("id", "secret")  # type: ignore[call-arg]
    AsyncOpenPayments(client_id="id")  # type: ignore[call-arg]
    AsyncOpenPayments(client_id="id", client_secret="secret", retries=3)  # type: ignore[call-arg]
    AsyncOpenPayments.from_env(time_out=5)  # type: ignore[call-arg]


async def banks(op: AsyncOpenPayments) -> None:
    await op.aspsps.list(["SE"])  # type: ignore[call-arg]
    await op.aspsps.list(country="SE")  # type: ignore[call-arg]
    await op.countries.get(46)  # type: ignore[arg-type]
    (await op.aspsps.get("ESSESESS")).bic  # type: ignore[attr-defined]  # noqa: B018
    op.aspsps.all  # type: ignore[attr-defined]  # noqa: B018
    op.with_options(time_out=5)  # type: ignore[call-arg]


async def calls(op: AsyncOpenPayments) -> None:
    await op.call(get_aspsp_details)  # type: ignore[call-arg]
    await op.call(get_countries_list, countries=["SE"])  # type: ignore[call-arg]
    (await op.call(get_countries_list)).aspsps  # type: ignore[attr-defined]  # noqa: B018
    (await op.call(get_account_list, consent_id="c1")).accounts  # type: ignore[union-attr]  # noqa: B018
    await op.with_raw_response.aspsps.get()  # type: ignore[call-arg]
    (await op.with_raw_response.aspsps.get("ESSESESS")).name  # type: ignore[attr-defined]  # noqa: B018


async def bank_calls(op: AsyncOpenPayments, bank: AsyncBank, found: AspspDetails) -> None:
    op.at_bank("ESSESESS", "example-user")  # type: ignore[arg-type]
    Psu("203.0.113.7")  # type: ignore[call-arg]
    await bank.consents.create()  # type: ignore[call-arg]
    await bank.consents.authorise("c1", None, True)  # type: ignore[call-arg]
    bank.accounts()  # type: ignore[call-arg]
    bank.accounts("c1").transactions("a1", booking_status="all")  # type: ignore[arg-type]
    found.city.upper()  # type: ignore[union-attr]
    money(1.5)  # type: ignore[arg-type]
    amount(1.5, "SEK")  # type: ignore[arg-type]


async def paying(bank: AsyncBank, created: CreatedPayment) -> None:
    await bank.payments.create()  # type: ignore[call-arg]
    await bank.payments.create("p1")  # type: ignore[arg-type]
    await bank.payments.create({}, "domestic")  # type: ignore[call-arg]
    await bank.payments.wait(created, "paid")  # type: ignore[arg-type]
    (await bank.payments.status(created)).is_paid  # type: ignore[attr-defined]  # noqa: B018
    (await bank.payments.cancel(created)).links  # type: ignore[union-attr]  # noqa: B018
    (await (await bank.payments.authorise(created)).wait()).consent_status  # type: ignore[attr-defined]  # noqa: B018
    payments.warnings("p1")  # type: ignore[arg-type]
    await bank.signing_baskets.create(created)  # type: ignore[arg-type]
    await bank.fx_quotes.create(source_currency="SEK", target_currency="USD", amount=1.5, country_code="US")  # type: ignore[arg-type]

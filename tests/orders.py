"""A user and an order, for tests that only need some payment."""

from __future__ import annotations

from openpayments_facade import AccountReference, DebtorAccountReference, DomesticPayment, Psu, amount

USER = Psu(id="example-user", ip_address="203.0.113.7", user_agent="Mozilla/5.0")
PAYMENT = DomesticPayment(
    instructed_amount=amount("125.50", "SEK"),
    debtor_account=DebtorAccountReference(iban="SE4550000000058398257466"),
    creditor_account=AccountReference(iban="SE3550000000054910000003"),
    creditor_name="Example Shop",
)
CREATIONS = "/psd2/paymentinitiation/v1/payments/domestic"

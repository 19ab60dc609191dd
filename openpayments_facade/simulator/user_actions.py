"""What happens outside the API: a user decides, a consent ends, a bank rejects or settles a payment, and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .auth_host.authorise_page import AUTHORISE_PATH, Refused, decide, read_link
from .auth_host.errors import OAuthError
from .auth_host.scopes import check_scope
from .state.authorisations import API_SCOPE_BY_KIND, Approval

if TYPE_CHECKING:
    from .state import Provider
    from .state.authorisations import Authorisation, Subject
    from .state.consents import Consent
    from .state.payments import Payment

__all__ = [
    "approve",
    "complete",
    "decline",
    "expire",
    "issue_code",
    "reject",
    "revoke",
    "revoke_tokens",
    "settle",
    "visit",
]


def approve(provider: Provider, identifier: str) -> None:
    """The user approves, with all consequences: a consent becomes valid, a payment is accepted, and so on.

    Args:
        provider: The state to change.
        identifier: The id of what is to be approved, or of one of its authorisations.

    Raises:
        LookupError: There is nothing with this id.
        ValueError: It is not waiting for its user.
    """
    with provider.lock:
        subject, authorisation = _find_waiting(provider, identifier)
        if authorisation is None:
            provider.authorisations.approve_unstarted(subject)
        else:
            authorisation.finish("finalised")


def decline(provider: Provider, identifier: str) -> None:
    """The user declines. Identifier and errors are those of `approve`."""
    with provider.lock:
        subject, authorisation = _find_waiting(provider, identifier)
        if authorisation is None:
            subject.reject()
        else:
            authorisation.decline()


def expire(provider: Provider, consent_id: str) -> None:
    """The consent's last day passes.

    Raises:
        LookupError: There is no such consent.
        ValueError: It has already ended.
    """
    with provider.lock:
        consent = _find_consent(provider, consent_id)
        if not consent.is_alive:
            raise ValueError(f"the consent is {consent.status}")
        consent.settle("expired")


def revoke(provider: Provider, consent_id: str) -> None:
    """The user withdraws the consent.

    Raises:
        LookupError: There is no such consent.
        ValueError: It is not valid.
    """
    with provider.lock:
        consent = _find_consent(provider, consent_id)
        if consent.status != "valid":
            raise ValueError(f"the consent is {consent.status}")
        consent.settle("revokedByPsu")


def reject(provider: Provider, payment_id: str) -> None:
    """The bank rejects the payment.

    Raises:
        LookupError: There is no such payment.
        ValueError: It has already ended.
    """
    with provider.lock:
        payment = _find_payment(provider, payment_id)
        if not payment.is_alive:
            raise ValueError(f"the payment is {payment.status}")
        provider.payments.reject(payment)


def settle(provider: Provider, payment_id: str) -> None:
    """The bank settles the payment at once.

    Raises:
        LookupError: There is no such payment.
        ValueError: It is not `ACSP`.
    """
    with provider.lock:
        payment = _find_payment(provider, payment_id)
        if payment.status != "ACSP":
            raise ValueError(f"the payment is {payment.status}")
        provider.payments.settle_now(payment)


def complete(provider: Provider, corporate_id: str) -> None:
    """The organisation completes its KYC."""
    with provider.lock:
        provider.kyc.complete(corporate_id)


def revoke_tokens(provider: Provider) -> None:
    with provider.lock:
        provider.tokens.revoke_all()
        if provider.refresh_tokens is not None:
            provider.refresh_tokens.revoke_all()


def visit(provider: Provider, url: str, *, approved: bool) -> str:
    """The user opens a link and presses a button of its page; arguments and errors are those of `Simulator.visit`."""
    page = f"{provider.auth_url()}{AUTHORISE_PATH}?"
    if not url.startswith(page):
        raise ValueError(f"url does not begin with {page}")
    try:
        target = decide(provider, read_link(url), approved=approved)
    except Refused as refusal:
        raise ValueError(str(refusal)) from None
    if target is None:
        raise ValueError("the bank does not answer this user")
    return target


def issue_code(
    provider: Provider,
    *,
    redirect_uri: str | None = None,
    consent_id: str | None = None,
    payment_id: str | None = None,
    authorisation_id: str | None = None,
    scope: str | None = None,
) -> str:
    """An authorization code; arguments and errors are those of `Simulator.issue_code`."""
    if not redirect_uri:
        raise ValueError("redirect_uri is missing")
    if not authorisation_id:
        raise ValueError("authorisation_id is missing")
    given = {"consent": consent_id, "payment": payment_id}
    named = [(kind, resource_id) for kind, resource_id in given.items() if resource_id is not None]
    if len(named) != 1:
        raise ValueError("either consent_id or payment_id says what the user approved")
    ((kind, resource_id),) = named
    if not resource_id:
        raise ValueError(f"{kind}_id is empty")
    try:
        checked = check_scope(provider, scope or f"{API_SCOPE_BY_KIND[kind]} private")
    except OAuthError as error:
        raise ValueError(f"scope: {error.description}") from None
    with provider.lock:
        return provider.codes.issue(
            Approval(kind, resource_id, authorisation_id), redirect_uri=redirect_uri, scope=checked
        )


def _find_consent(provider: Provider, consent_id: str) -> Consent:
    consent = provider.consents.find(consent_id)
    if consent is None:
        raise LookupError(f"no such consent: {consent_id}")
    return consent


def _find_payment(provider: Provider, payment_id: str) -> Payment:
    payment = provider.payments.find(payment_id)
    if payment is None:
        raise LookupError(f"no such payment: {payment_id}")
    return payment


def _find_waiting(provider: Provider, identifier: str) -> tuple[Subject, Authorisation | None]:
    """What is waiting for its user, and the latest authorisation, if any."""
    authorisation = provider.authorisations.find(identifier)
    subject = provider.find_subject(identifier) if authorisation is None else authorisation.subject
    if subject is None:
        raise LookupError(f"unknown id: {identifier}")
    if authorisation is not None and not authorisation.is_open:
        raise ValueError(f"the authorisation is {authorisation.sca_status}")
    if not subject.waits_for_user:
        raise ValueError(f"the {subject.kind} is {'in a signing basket' if subject.is_blocked else subject.status}")
    if authorisation is None:
        authorisation = next((one for one in reversed(subject.authorisations.values()) if one.is_open), None)
    return subject, authorisation

"""Consents: what a user lets an application see, for how long, how often."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpayments_client import models
from openpayments_client.api import consent as api

from .._protocol.answer import unreadable
from .._protocol.arguments import as_access, as_last_day, id_of
from .._protocol.operation import Operation
from .._protocol.sca import ConsentSubject
from .authorisation import AsyncAuthorisation, AsyncAuthorisingService
from .service import AsyncRawService, raw

if TYPE_CHECKING:
    from .._protocol.arguments import AnyAuthorisation, AnyConsent, Day


class AsyncConsents(AsyncAuthorisingService["models.Consent"]):
    """`bank.consents`. Needs the API scope `accountinformation`.

    `consent_id` is a consent's id, or the consent itself. Every method raises APIError, ConnectionFailedError,
    TimedOutError and UnreadableResponseError; what creates or changes something is sent once, and raises
    OutcomeUnknownError if no answer came.
    """

    _subject = ConsentSubject

    async def create(
        self,
        *,
        valid_until: Day,
        access: models.ConsentAccess | None = None,
        recurring_indicator: bool = True,
        frequency_per_day: int = 4,
        combined_service_indicator: bool = False,
    ) -> models.ConsentCreated:
        """Asks for a consent; the user still has to authorise it.

            consent = await bank.consents.create(valid_until=timedelta(days=90))

        Args:
            valid_until: The last day, at the bank, which may shorten it. A date, an ISO date, or a timedelta or
                relativedelta from today; `date(9999, 12, 31)` asks for the longest.
            access: Which accounts; those that the user picks at the bank if left out.
            recurring_indicator: Whether it can be used more than once.
            frequency_per_day: How often a day the accounts may be read without the user; 1 or more.
            combined_service_indicator: Announces a payment in the same session. It has no effect at present.

        Raises:
            InvalidArgumentError: The day is past, the frequency is below 1, an IBAN is invalid, or there are balances
                or transactions of an account that is not in `access.accounts`.
        """
        body = models.ConsentRequest(
            access=as_access(access),
            recurring_indicator=recurring_indicator,
            valid_until=as_last_day(valid_until),
            frequency_per_day=frequency_per_day,
            combined_service_indicator=combined_service_indicator,
        )
        return (
            await self._run_identified(Operation.at_bank(self._bank, api.create_consent, body=body), "consent_id")
        ).parsed

    async def get(self, consent_id: AnyConsent) -> models.Consent:
        """A consent with its status. Raises ConsentInvalidError or NotFoundError if there is none."""
        subject = ConsentSubject(id_of(consent_id, "consent_id"), self._bank)
        return subject.identify((await self._run(subject.read())).parsed)

    async def status(self, consent_id: AnyConsent) -> str:
        """`received`, `valid`, `rejected`, `revokedByPsu`, `expired`, `terminatedByTpp`, or another word."""
        id_ = id_of(consent_id, "consent_id")
        answer = await self._run(Operation.at_bank(self._bank, api.get_consent_status, id_))
        if not isinstance(answer.parsed.consent_status, str):
            raise unreadable(answer, "an answer whose consent_status is not a string")
        return answer.parsed.consent_status

    async def delete(self, consent_id: AnyConsent) -> None:
        """Ends a consent; its status is `terminatedByTpp` from then on."""
        await self._call(api.delete_consent, id_of(consent_id, "consent_id"))

    async def authorise(self, consent_id: AnyConsent, method: str | None = None) -> AsyncAuthorisation[models.Consent]:
        """Begins the user's authorisation: a BankID clock of 30 s starts, so show the challenge at once.

            authorisation = await bank.consents.authorise(consent)
            if authorisation.approach is Approach.DECOUPLED:
                show(authorisation.challenge)
                consent = await authorisation.wait()
            else:
                send_browser_to(authorisation.redirect_url(redirect_uri=...))

        Two requests: one starts, one selects the method, unless the bank has chosen by itself.

        Args:
            consent_id: What to authorise.
            method: The id of a method that the bank offers; the animated QR image or plain Mobile BankID if left out.

        Raises:
            AuthorisationFailedError: The bank ends it at once.
        """
        return await self._authorise(id_of(consent_id, "consent_id"), method)

    async def start_authorisation(self, consent_id: AnyConsent) -> models.AuthorisationStarted:
        """The first step alone; `authorise` does it with the next one."""
        return (await self._start(id_of(consent_id, "consent_id"))).parsed

    async def select_method(
        self, consent_id: AnyConsent, *, authorisation_id: AnyAuthorisation, authentication_method_id: str
    ) -> models.AuthorisationUpdated:
        """The second step alone: selects how the user authorises. The approach is in the header ASPSP-SCA-Approach."""
        subject = ConsentSubject(id_of(consent_id, "consent_id"), self._bank)
        id_ = id_of(authorisation_id, "authorisation_id")
        return (await self._run(subject.select(id_, authentication_method_id))).parsed

    async def sca_status(self, consent_id: AnyConsent, *, authorisation_id: AnyAuthorisation) -> models.ScaStatusAnswer:
        """How far the user is, with the current challenge in a decoupled authorisation."""
        subject = ConsentSubject(id_of(consent_id, "consent_id"), self._bank)
        return (await self._run(subject.sca_status(id_of(authorisation_id, "authorisation_id")))).parsed

    async def authorisations(self, consent_id: AnyConsent) -> list[str]:
        """The ids of a consent's authorisations; there may be several for a company."""
        answer = await self._call(api.get_consent_authorisation, id_of(consent_id, "consent_id"))
        return answer.authorisation_ids or []


class AsyncRawConsents(AsyncRawService[AsyncConsents]):
    """`bank.with_raw_response.consents`."""

    create = raw(AsyncConsents.create)
    get = raw(AsyncConsents.get)
    status = raw(AsyncConsents.status)
    delete = raw(AsyncConsents.delete)
    start_authorisation = raw(AsyncConsents.start_authorisation)
    select_method = raw(AsyncConsents.select_method)
    sca_status = raw(AsyncConsents.sca_status)
    authorisations = raw(AsyncConsents.authorisations)

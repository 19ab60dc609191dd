# Written by `make unasync` from openpayments_facade/_async/consents.py; do not edit.
"""Consents: what a user lets an application see, for how long and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpayments_client import models
from openpayments_client.api import consent as api

from .._protocol.arguments import as_access, as_coming_day, id_of
from .._protocol.operation import Operation
from .._protocol.subjects import ConsentSubject
from .authorisation import Authorisation, AuthorisingService
from .service import RawService, raw

if TYPE_CHECKING:
    from .._protocol.arguments import AnyAuthorisation, AnyConsent, AnyMethod, AnyMethods, Day


class Consents(AuthorisingService["models.Consent"]):
    """`bank.consents`. Needs the API scope `accountinformation`.

    Every method takes a consent's id, or the consent itself, as `consent_id`.

    Requests that create or change something are sent only once. Every method can raise the errors below.

    Raises:
        InvalidArgumentError: An argument is wrong; nothing was sent.
        MissingScopeError: The client lacks the API scope; nothing was sent.
        ClientStateError: The client is closed, or belongs to another event loop; nothing was sent.
        APIError: The API answered with an error; for instance ConsentInvalidError, NotFoundError or
            PermissionDeniedError.
        TokenError: There is no token: the token endpoint refused.
        ConnectionFailedError, TimedOutError, UnreadableResponseError: There is no usable answer.
        OutcomeUnknownError: There is no answer to a request that creates or changes something; it may have taken
            effect.
    """

    _subjects = (ConsentSubject,)

    def create(
        self,
        *,
        valid_until: Day,
        access: models.ConsentAccess | None = None,
        recurring_indicator: bool = True,
        frequency_per_day: int = 4,
        combined_service_indicator: bool = False,
    ) -> models.ConsentCreated:
        """Creates a consent. The user still has to authorise it.

            consent = bank.consents.create(valid_until=timedelta(days=90))

        Args:
            valid_until: The last day on which it can be used: a date, an ISO date such as "2026-01-31", or a timedelta
                or relativedelta from today (UTC). The bank may shorten it; `date(9999, 12, 31)` asks for the longest
                period.
            access: The accounts to read. By default the user picks them at the bank.
            recurring_indicator: Whether the consent can be used more than once.
            frequency_per_day: How many times a day the accounts may be read without the user; at least 1.
            combined_service_indicator: Announces a payment in the same session. It has no effect at present.

        Returns:
            The new consent: its id, its status, and the bank's links.

        Raises:
            InvalidArgumentError: The day is in the past, the frequency is below 1, an IBAN is invalid, or balances or
                transactions are asked for an account that is not in `access.accounts`.
        """
        body = models.ConsentRequest(
            access=as_access(access),
            recurring_indicator=recurring_indicator,
            valid_until=as_coming_day(valid_until, "valid_until"),
            frequency_per_day=frequency_per_day,
            combined_service_indicator=combined_service_indicator,
        )
        operation = Operation.at_bank(self._bank, api.create_consent, body=body)
        return self._run_identified(operation, "consent_id").parsed

    def get(self, consent_id: AnyConsent) -> models.Consent:
        """Reads a consent with its status.

        Args:
            consent_id: The consent's id, or the consent itself.

        Returns:
            The consent: its id, its status, the access that it gives, and its last day.

        Raises:
            ConsentInvalidError, NotFoundError: There is no such consent.
        """
        subject = self._of(consent_id)
        return subject.identify(self._run(subject.read()))

    def status(self, consent_id: AnyConsent) -> str:
        """Reads a consent's status alone.

        Args:
            consent_id: The consent's id, or the consent itself.

        Returns:
            `received`, `partiallyAuthorised` (others have to sign as well), `valid`, `rejected`, `revokedByPsu`,
            `expired` or `terminatedByTpp`; banks may use other words.

        Raises:
            ConsentInvalidError, NotFoundError: There is no such consent.
        """
        id_ = id_of(consent_id, "consent_id")
        return self._call(api.get_consent_status, id_).consent_status

    def delete(self, consent_id: AnyConsent) -> None:
        """Ends a consent. Its status is `terminatedByTpp` from then on.

        Args:
            consent_id: The consent's id, or the consent itself.

        Raises:
            ConsentInvalidError, NotFoundError: There is no such consent.
            OutcomeUnknownError: There is no answer; read the status.
        """
        self._call(api.delete_consent, id_of(consent_id, "consent_id"))

    def authorise(
        self, consent_id: AnyConsent, method: AnyMethods = None, *, same_device: bool = False
    ) -> Authorisation:
        """Starts the user's authorisation of a consent. With BankID the user has 30 s, so show the challenge at once.

            authorisation = bank.consents.authorise(consent)
            if authorisation.approach is Approach.DECOUPLED:
                show(authorisation.challenge)
                consent = authorisation.wait()
            else:
                send_browser_to(authorisation.redirect_url(redirect_uri=...))

        Sends two requests: one starts the authorisation, one selects the method. If the bank goes on by itself, only
        the first is sent.

        Args:
            consent_id: The consent's id, or the consent itself.
            method: An authentication method that the bank offers, or its id; or a list of them, of which the first that
                is offered is selected, and without any of them another one. By default an animated QR code, else plain
                Mobile BankID, else the first one offered that is not for this device (observed in 2026). If the bank
                names none, plain Mobile BankID (the provider's samples of 2022).
            same_device: Whether the user's BankID is on the device that shows your application. Then it is opened with
                `challenge.app_link()` by `mbid_same_device`, else `mbid`, instead of a QR code.

        Returns:
            The authorisation. Its `approach` says what to do next.

        Raises:
            InvalidArgumentError: The method is not an id, or contradicts `same_device`.
            AuthorisationFailedError: The bank ended the authorisation at once, or asks for something that this API
                does not support.
            OutcomeUnknownError: There is no answer; an authorisation may have been started.
        """
        return self._authorise(self._of(consent_id), method, same_device=same_device)

    def start_authorisation(self, consent_id: AnyConsent) -> models.AuthorisationStarted:
        """Starts an authorisation, and nothing more. `authorise` also selects the method.

        Args:
            consent_id: The consent's id, or the consent itself.

        Returns:
            The bank's answer: the authorisation's id and the methods offered.

        Raises:
            ConsentInvalidError, NotFoundError: There is no such consent.
            OutcomeUnknownError: There is no answer; an authorisation may have been started.
        """
        return (self._start(self._of(consent_id))).parsed

    def select_method(
        self, consent_id: AnyConsent, *, authorisation_id: AnyAuthorisation, authentication_method_id: AnyMethod
    ) -> models.AuthorisationUpdated:
        """Selects how the user authorises, after `start_authorisation`. `authorise` does both.

        The bank's approach is in the header ASPSP-SCA-Approach of the raw response.

        Args:
            consent_id: The consent's id, or the consent itself.
            authorisation_id: The authorisation's id, or what `start_authorisation` returned.
            authentication_method_id: One of the methods offered, or its id.

        Returns:
            The bank's answer: the challenge to show, or links.

        Raises:
            InvalidArgumentError: An id is malformed.
            ConsentInvalidError, NotFoundError: There is no such consent or authorisation.
            OutcomeUnknownError: There is no answer; read the SCA status.
        """
        return self._select(self._of(consent_id), authorisation_id, authentication_method_id)

    def sca_status(self, consent_id: AnyConsent, *, authorisation_id: AnyAuthorisation) -> models.ScaStatusAnswer:
        """Reads how far the user has got, with the current challenge of a decoupled authorisation.

        Args:
            consent_id: The consent's id, or the consent itself.
            authorisation_id: The authorisation's id, or what `start_authorisation` returned.

        Returns:
            The bank's answer: `sca_status`, and `challenge_data` if there is a challenge.

        Raises:
            ConsentInvalidError, NotFoundError: There is no such consent or authorisation.
        """
        return self._sca_status(self._of(consent_id), authorisation_id)

    def authorisations(self, consent_id: AnyConsent) -> list[str]:
        """Lists the ids of a consent's authorisations. A company may need several.

        Args:
            consent_id: The consent's id, or the consent itself.

        Returns:
            Their ids; an empty list if there are none.

        Raises:
            ConsentInvalidError, NotFoundError: There is no such consent.
        """
        answer = self._call(api.get_consent_authorisation, id_of(consent_id, "consent_id"))
        return answer.authorisation_ids or []

    def _of(self, consent: AnyConsent) -> ConsentSubject:
        return ConsentSubject(id_of(consent, "consent_id"), self._bank)


class RawConsents(RawService[Consents]):
    """`bank.with_raw_response.consents`: the same methods, each giving a `RawResponse`."""

    create = raw(Consents.create)
    get = raw(Consents.get)
    status = raw(Consents.status)
    delete = raw(Consents.delete)
    start_authorisation = raw(Consents.start_authorisation)
    select_method = raw(Consents.select_method)
    sca_status = raw(Consents.sca_status)
    authorisations = raw(Consents.authorisations)

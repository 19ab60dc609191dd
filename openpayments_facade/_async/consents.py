"""Consents: what a user lets an application see, for how long, how often (facts 30-consent)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from attrs import evolve
from openpayments_client.api.consent import (
    create_consent,
    delete_consent,
    get_consent_authorisation,
    get_consent_information,
    get_consent_sca_status,
    get_consent_status,
    start_consent_authorisation,
    update_consents_psu_data,
)
from openpayments_client.models import ConsentAccess, ConsentRequest, SelectAuthenticationMethod

from .._protocol.arguments import read_access, read_flag, read_frequency, read_id, read_text, read_valid_until
from .._protocol.operation import Operation
from .._protocol.sca import TERMINAL, Challenge, check_outcome, choose_method, decide_approach, link, read_saved, text
from ..errors import InvalidArgumentError, UnreadableResponseError
from .authorisation import AsyncAuthorisation
from .sender import AsyncSender
from .service import AsyncRawService, AsyncService, raw

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from dateutil.relativedelta import relativedelta
    from openpayments_client.models import (
        AuthorisationStarted,
        AuthorisationUpdated,
        Consent,
        ConsentCreated,
        ScaStatusAnswer,
    )

    from .._protocol.answer import RawResponse
    from .._protocol.binding import BankBinding
    from .service import AsyncRunner

T = TypeVar("T")


class AsyncConsents(AsyncService):
    """`bank.consents`. Needs the API scope `accountinformation`.

    Every method raises APIError, ConnectionFailedError, TimedOutError and UnreadableResponseError; what creates or
    changes something is sent once, and raises OutcomeUnknownError if no answer came.
    """

    def __init__(self, runner: AsyncRunner, sender: AsyncSender, bank: BankBinding) -> None:
        super().__init__(runner)
        self._sender = sender
        self._bank = bank

    def _bound(self, operation: Operation[T], *, identify: bool = False, affiliate: bool = False) -> Operation[T]:
        return operation.with_headers(self._bank.headers(identify=identify, affiliate=affiliate))

    async def _run_identified(self, operation: Operation[T], name: str) -> RawResponse[T]:
        """An answer with an id, which has to fit into the paths of what comes after."""
        answer = await self._runner.run_raw(operation)
        try:
            read_id(getattr(answer.parsed, name), name)
        except InvalidArgumentError:
            is_id = False
        else:
            is_id = True
        if not is_id:
            raise self._unreadable(operation, answer, f"{name} is no id")
        return answer

    def _unreadable(self, operation: Operation[T], answer: RawResponse[T], problem: str) -> UnreadableResponseError:
        return UnreadableResponseError(
            f"{answer.status_code} with an answer whose {problem}",
            request_id=answer.request_id,
            method=operation.method,
            url=f"{self._sender.session.settings.environment.api_url}{operation.path}",
            status_code=answer.status_code,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self._bank.bic_fi}>"

    async def create(
        self,
        *,
        valid_until: date | relativedelta,
        access: ConsentAccess | None = None,
        recurring_indicator: bool = True,
        frequency_per_day: int = 4,
        combined_service_indicator: bool = False,
    ) -> ConsentCreated:
        """Asks for a consent; the user still has to authorise it.

            consent = await bank.consents.create(valid_until=date.today() + relativedelta(days=90))

        `access` None asks for the accounts that the user picks at the bank. `valid_until` is the last day, at the bank
        (a relativedelta counts from today); the bank may shorten it. `frequency_per_day` is how often a day the
        accounts may be read without the user. Raises InvalidArgumentError for a day that is past, a frequency below 1,
        an IBAN that is none, or balances or transactions of an account that is not in `access.accounts`.
        """
        body = ConsentRequest(
            access=ConsentAccess() if access is None else read_access(access),
            recurring_indicator=read_flag(recurring_indicator, "recurring_indicator"),
            valid_until=read_valid_until(valid_until),
            frequency_per_day=read_frequency(frequency_per_day),
            combined_service_indicator=read_flag(combined_service_indicator, "combined_service_indicator"),
        )
        operation = Operation.of(create_consent, body=body, x_bic_fi=self._bank.bic_fi)
        return (await self._run_identified(self._bound(operation, identify=True, affiliate=True), "consent_id")).parsed

    async def get(self, consent_id: str) -> Consent:
        """A consent with its status. Raises ConsentInvalidError or NotFoundError if there is none."""
        id_ = read_id(consent_id, "consent_id")
        return await self._run(self._bound(Operation.of(get_consent_information, id_, x_bic_fi=self._bank.bic_fi)))

    async def status(self, consent_id: str) -> str:
        """`received`, `valid`, `rejected`, `revokedByPsu`, `expired`, `terminatedByTpp`, or another word."""
        id_ = read_id(consent_id, "consent_id")
        operation = Operation.of(get_consent_status, id_, x_bic_fi=self._bank.bic_fi)
        answer = await self._runner.run_raw(self._bound(operation))
        if text(answer.parsed.consent_status) is None:
            raise self._unreadable(operation, answer, "consent_status is no text")
        return answer.parsed.consent_status

    async def delete(self, consent_id: str) -> None:
        """Ends a consent; its status is `terminatedByTpp` from then on."""
        id_ = read_id(consent_id, "consent_id")
        await self._run(self._bound(Operation.of(delete_consent, id_, x_bic_fi=self._bank.bic_fi)))

    async def authorise(self, consent_id: str, method: str | None = None) -> AsyncAuthorisation:
        """Begins the user's authorisation: a BankID clock of 30 s starts, so show the challenge at once.

            authorisation = await bank.consents.authorise(consent.consent_id)
            if authorisation.approach is Approach.DECOUPLED:
                show(authorisation.challenge)
                consent = await authorisation.wait()
            else:
                send_browser_to(authorisation.redirect_url(redirect_uri=...))

        Two requests: one starts, one selects `method` (an id that the bank offers; the animated QR image or plain
        Mobile BankID if left out), unless the bank has chosen by itself. Raises AuthorisationFailedError if the bank
        ends it at once.
        """
        if method is not None:
            read_text(method, "method")
        id_ = read_id(consent_id, "consent_id")
        started = await self._run_identified(self._starting(id_), "authorisation_id")
        answer: AuthorisationStarted | AuthorisationUpdated = started.parsed
        header = started.headers.get("aspsp-sca-approach")
        authorisation_id = started.parsed.authorisation_id
        chosen = _chosen(answer)
        is_decided = (
            text(answer.sca_status) in TERMINAL
            or link(answer.links, "scaOAuth")
            or link(answer.links, "scaRedirect")
            # the bank went on by itself, with what the caller would have asked for
            or (
                (header or "").strip().upper() == "DECOUPLED"
                and answer.challenge_data
                and chosen
                and method in {None, chosen}
            )
        )
        if not is_decided:
            method = method or chosen or choose_method(started.parsed.sca_methods)
            updated = await self._runner.run_raw(self._selecting(id_, authorisation_id, method))
            answer = updated.parsed
            header = updated.headers.get("aspsp-sca-approach") or header
        sca_status = text(answer.sca_status)
        check_outcome(sca_status, id_, authorisation_id)
        method = _chosen(answer) or method
        challenge = Challenge.of(answer.challenge_data, method)
        approach, template = decide_approach(
            header, answer.links, has_challenge=challenge is not None, is_over=sca_status in TERMINAL
        )
        return AsyncAuthorisation(
            self._sender,
            self._bank,
            consent_id=id_,
            authorisation_id=authorisation_id,
            approach=approach,
            template=template,
            method=method,
            sca_status=sca_status,
            challenge=challenge,
        )

    def resume(self, saved: Mapping[str, Any]) -> AsyncAuthorisation:
        """An authorisation that another process began, from its `to_dict()`. Sends nothing.

        Redirect preference and PSU context are those that it was begun with. Raises InvalidArgumentError if it is none,
        or one at another bank.
        """
        values = read_saved(saved, self._bank.bic_fi)
        options = self._sender.options
        context = values.pop("psu_context", options.psu_context)
        bank = evolve(
            self._bank,
            psu=evolve(self._bank.psu, context=context),
            redirect_preferred=values.pop("redirect_preferred"),
        )
        sender = AsyncSender(self._sender.session, evolve(options, psu_context=context))
        return AsyncAuthorisation(sender, bank, **values)

    async def start_authorisation(self, consent_id: str) -> AuthorisationStarted:
        """The first step alone; `authorise` does it with the next one."""
        starting = self._starting(read_id(consent_id, "consent_id"))
        return (await self._run_identified(starting, "authorisation_id")).parsed

    async def select_method(
        self, consent_id: str, *, authorisation_id: str, authentication_method_id: str
    ) -> AuthorisationUpdated:
        """The second step alone: chooses how the user authorises. The approach is in the header ASPSP-SCA-Approach."""
        return await self._run(
            self._selecting(
                read_id(consent_id, "consent_id"),
                read_id(authorisation_id, "authorisation_id"),
                read_text(authentication_method_id, "authentication_method_id"),
            )
        )

    async def sca_status(self, consent_id: str, *, authorisation_id: str) -> ScaStatusAnswer:
        """How far the user is, with the current challenge in a decoupled authorisation."""
        ids = read_id(consent_id, "consent_id"), read_id(authorisation_id, "authorisation_id")
        return await self._run(self._bound(Operation.of(get_consent_sca_status, *ids, x_bic_fi=self._bank.bic_fi)))

    async def authorisations(self, consent_id: str) -> list[str]:
        """The ids of a consent's authorisations; there may be several for a company."""
        id_ = read_id(consent_id, "consent_id")
        operation = Operation.of(get_consent_authorisation, id_, x_bic_fi=self._bank.bic_fi)
        return (await self._run(self._bound(operation))).authorisation_ids or []

    def _starting(self, consent_id: str) -> Operation[AuthorisationStarted]:
        operation = Operation.of(start_consent_authorisation, consent_id, x_bic_fi=self._bank.bic_fi)
        return self._bound(operation, identify=True)

    def _selecting(self, consent_id: str, authorisation_id: str, method: str) -> Operation[AuthorisationUpdated]:
        body = SelectAuthenticationMethod(authentication_method_id=method)
        operation = Operation.of(
            update_consents_psu_data, consent_id, authorisation_id, body=body, x_bic_fi=self._bank.bic_fi
        )
        return self._bound(operation, identify=True)


def _chosen(answer: AuthorisationStarted | AuthorisationUpdated) -> str | None:
    """The method that the bank says is chosen."""
    chosen = answer.chosen_sca_method
    return None if chosen is None else chosen.authentication_method_id or None


class AsyncRawConsents(AsyncRawService[AsyncConsents]):
    """`bank.with_raw_response.consents`."""

    _service = AsyncConsents
    create = raw(AsyncConsents.create)
    get = raw(AsyncConsents.get)
    status = raw(AsyncConsents.status)
    delete = raw(AsyncConsents.delete)
    start_authorisation = raw(AsyncConsents.start_authorisation)
    select_method = raw(AsyncConsents.select_method)
    sca_status = raw(AsyncConsents.sca_status)
    authorisations = raw(AsyncConsents.authorisations)

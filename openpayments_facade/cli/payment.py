"""`openpayments pay` and `payment`: a payment from its creation to its end, and its cancellation."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer
from attrs import asdict

from .._attrs import frozen
from ..errors import (
    AnotherSignatureNeededError,
    APIError,
    AuthorisationFailedError,
    AuthorisationTimeoutError,
    CancellationRefusedError,
    InvalidArgumentError,
    OpenPaymentsError,
    PaymentCancelledError,
    PaymentError,
    PaymentRejectedError,
    PaymentTimeoutError,
)
from ..scopes import ApiScope
from .again import again
from .failures import DECLINED, EXIT_CODES, in_options
from .help import Group
from .journey import Journey, authorised, read_wait
from .orders import Order  # noqa: TC001 - `command` reads the annotation
from .output import can_ask, cell, confirmed, describe, say, say_facts, write, write_json
from .run import Affiliate, BankArgument, BankRun, command, left

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .. import Bank
    from ..models import FxQuote, Payment, PaymentCreated
    from ..payments import PaymentStatus

__all__ = ["app", "pay"]

app = typer.Typer(
    name="payment",
    cls=Group,
    help="""Show, authorise and cancel payments that exist.

    \b
      PAYMENT=$(openpayments pay ESSESESS --amount 125.50 --name "Example Shop" --from SE4550000000058398257466 \\
        --to SE3550000000054910000003 --yes | awk '/^Payment/ {print $2}')
      openpayments payment status ESSESESS $PAYMENT --product domestic --wait settled
    """,
    epilog=EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Until(StrEnum):
    """`--wait`."""

    ACCEPTED = "accepted"
    SETTLED = "settled"
    NONE = "none"


PaymentId = Annotated[str, typer.Argument(metavar="PAYMENT_ID", help="The payment's id.")]
ProductName = Annotated[
    str,
    typer.Option(
        "--product", metavar="NAME", help="The payment's product, such as domestic; the command pay prints it."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask. For programs, which have no terminal.")]
Wait = Annotated[
    Until,
    typer.Option(
        "--wait",
        help="accepted: until the bank carries it out. settled: until the money has left the account, which may take "
        "days. none: until it is approved. For at most --timeout after the approval.",
    ),
]


@frozen(kw_only=True)
class PayRun(Journey):
    """One run of `pay`."""

    bank: BankArgument


@frozen(kw_only=True)
class PaymentRun(BankRun):
    """One run of a command about a payment that exists."""

    bank: BankArgument
    payment_id: PaymentId
    product: ProductName


@frozen(kw_only=True)
class PaymentJourney(Journey):
    """One run of a command in which a user authorises something about a payment that exists."""

    bank: BankArgument
    payment_id: PaymentId
    product: ProductName


def pay(run: PayRun, order: Order, affiliate: Affiliate = None, wait: Wait = Until.ACCEPTED, yes: Yes = False) -> None:
    """Create a payment, confirm it, have the user approve it.

    It is created first, because the bank's warnings come with that; no money moves before it is approved. What is to be
    paid is shown, with the warnings, and has to be confirmed once. Then the user approves in an app or in the browser,
    as with a consent. At the end there is the status; the exit code is 0 if it is that of --wait.
    Once the payment is created, --json prints its id and its last known status, however the command ends.

    On a terminal:

    \b
      openpayments pay ESSESESS --amount 125.50 --name "Example Shop" --from SE4550000000058398257466 \\
        --to SE3550000000054910000003

    In a program that has asked its user:

    \b
      openpayments pay SWEDSESS --amount 1200 --name "Example Energy" --from SE4550000000058398257466 \\
        --bankgiro 5050-1055 --ocr 1234567897 --yes --json
    """
    payment = order.payment()
    _check_can_ask(yes=yes)
    with run.at_bank(affiliate=affiliate, scope=ApiScope.PAYMENT_INITIATION) as (bank, _):
        with _creating(order, verbose=run.verbose):
            created = bank.payments.create(payment, fx_quote=order.quote)
        about = {
            **{name: value for name, value in created.to_dict().items() if name != "product"},
            "paymentProduct": created.product,
            "endToEndIdentification": created.end_to_end_identification,
            "transactionStatus": created.transaction_status,
        }
        with _continuing(run, about):
            say(f"Payment {created.payment_id} has been created:")
            say_facts([*order.summary(), ("Reference", created.end_to_end_identification), ("Bank", run.bank)])
            if order.quote is not None:
                say_facts(_price(bank.fx_quotes.get(order.quote)))
            _say_warnings(created)
            _ask("Approve this payment?", "Nobody has approved the payment, so no money moves.", yes=yes)
            status = _approved(run, bank, about, wait)
    if run.simulator:
        say("The simulator ends with this command, and the payment with it.")
    _finish(run, status, about)


@command(app)
def status(
    run: PaymentRun,
    wait: Annotated[
        Until, typer.Option("--wait", help="Wait until the bank carries it out, or the money has left the account.")
    ] = Until.NONE,
    timeout: Annotated[
        float, typer.Option("--timeout", callback=read_wait, metavar="SECONDS", help="How long to wait.")
    ] = 300.0,
) -> None:
    """Print a payment's status, a code.

    RCVD waits for its user, PATC for somebody else's signature as well. ACSP, ACWC and ACWP are carried out. ACSC and
    ACCC are settled. RJCT was rejected, CANC cancelled.

    \b
      openpayments payment status ESSESESS $PAYMENT --product domestic
    """
    run.refuse_simulator("payments")
    about = _named(run)
    with run.at_bank(scope=ApiScope.PAYMENT_INITIATION) as (bank, _):
        if wait is Until.NONE:
            found = bank.payments.status(run.payment_id, product=run.product)
        else:
            with _continuing(run, about):
                found = bank.payments.wait(run.payment_id, _until(wait), product=run.product, timeout=timeout)
    if run.as_json:
        return write_json({**about, **_status_json(found)})
    _say_status(found)
    return write(f"{cell(found)}\n")


@command(app)
def authorise(run: PaymentJourney, wait: Wait = Until.ACCEPTED, yes: Yes = False) -> None:
    """Have the user approve a payment that was created before.

    For example after a timeout, or for a second signature. What the bank knows of it is shown, and has to be confirmed.

    \b
      openpayments payment authorise ESSESESS $PAYMENT --product domestic
    """
    run.refuse_simulator("payments")
    _check_can_ask(yes=yes)
    with run.at_bank(scope=ApiScope.PAYMENT_INITIATION) as (bank, _):
        about = _shown(run, bank)
        with _continuing(run, about):
            _ask(f"Approve payment {run.payment_id}?", "Nothing was approved.", yes=yes)
            status = _approved(run, bank, about, wait)
    _finish(run, status, about)


@command(app)
def cancel(run: PaymentJourney, yes: Yes = False) -> None:
    """Cancel a payment, if its bank can, and it is not settled yet.

    What the bank knows of it is shown, and has to be confirmed. Some banks want the user to approve that it is
    cancelled.

    \b
      openpayments payment cancel ESSESESS $PAYMENT --product domestic
    """
    run.refuse_simulator("payments")
    _check_can_ask(yes=yes)
    with run.at_bank(scope=ApiScope.PAYMENT_INITIATION) as (bank, _):
        about = _shown(run, bank)
        with _continuing(run, about, "cancel"):
            _ask(f"Cancel payment {run.payment_id}?", "Nothing was cancelled.", yes=yes)
            status = _cancelled(run, bank, about)
    say(f"Payment {run.payment_id} is cancelled. No money moves.")
    if run.as_json:
        write_json({**about, **_status_json(status)})


def _named(run: PaymentRun | PaymentJourney) -> dict[str, Any]:
    """What a command was told about a payment, with the names that --json has."""
    return {"paymentId": run.payment_id, "paymentProduct": run.product}


def _shown(run: PaymentJourney, bank: Bank) -> dict[str, Any]:
    """Says what the bank knows of a payment. Returns what --json tells of it."""
    try:
        payment = bank.payments.get(run.payment_id, product=run.product)
    except APIError as error:
        # some banks only tell its status
        say(f"The bank does not show the payment: {cell(error.code or error.status_code)}.")
        return _named(run)
    say_facts(_facts(payment))
    known = {
        "endToEndIdentification": payment.end_to_end_identification,
        "transactionStatus": payment.transaction_status,
    }
    return {**_named(run), **{name: value for name, value in known.items() if value}}


def _approved(run: Journey, bank: Bank, about: dict[str, Any], wait: Until) -> PaymentStatus:
    """The status of a payment that the user approves here, when it is what `wait` says."""
    payment_id, product = about["paymentId"], about["paymentProduct"]
    status = authorised(run, partial(bank.payments.authorise, payment_id, product=product))
    if wait is Until.NONE:
        return status
    about["transactionStatus"] = str(status)
    return bank.payments.wait(payment_id, _until(wait), product=product, timeout=run.timeout)


def _cancelled(run: PaymentJourney, bank: Bank, about: dict[str, Any]) -> PaymentStatus:
    """The status of a payment that is cancelled here, or was before."""
    from ..payments import PaymentStatus

    try:
        if bank.payments.cancel(run.payment_id, product=run.product) is None:
            return PaymentStatus("CANC")
    except CancellationRefusedError as error:
        # it says the same of a payment that is cancelled, settled or rejected, and of one that goes on
        try:
            status = bank.payments.status(run.payment_id, product=run.product)
        except OpenPaymentsError:
            status = PaymentStatus("")
        if status.code == "CANC":
            return status
        if status:
            about.update(_status_json(status))
        said = "It was rejected: no money moves." if status.code == "RJCT" else "It may still be carried out."
        error.add_note("It has been carried out." if status.is_settled else said)
        raise
    say("The bank wants the user to approve that the payment is cancelled.")
    return authorised(run, partial(bank.payments.authorise, run.payment_id, product=run.product, cancellation=True))


def _until(wait: Until) -> Literal["accepted", "settled"]:
    return "settled" if wait is Until.SETTLED else "accepted"


def _check_can_ask(*, yes: bool) -> None:
    if not yes and not can_ask():
        raise typer.BadParameter(
            "this has to be confirmed, and there is no terminal to ask on; a program that has asked its user adds --yes"
        )


def _ask(question: str, otherwise: str, *, yes: bool) -> None:
    if not yes and not confirmed(question):
        say(otherwise)
        raise typer.Exit(DECLINED)


@contextmanager
def _creating(order: Order, *, verbose: bool) -> Iterator[None]:
    """Says which option is wrong, and what a payment is worth that may exist, and whose id nobody knows."""
    log, silence = logging.getLogger("openpayments_facade"), logging.NullHandler()
    again = "the command can be run again with a new --quote" if order.quote else "the same command can be run again"
    unknown = f"The payment may exist, but nobody has approved it: no money moves, and {again}."
    if not verbose:
        # the warnings that it logs are about to be shown
        log.addHandler(silence)
    try:
        with left(unknown):
            yield
    except InvalidArgumentError as error:
        raise InvalidArgumentError(order.in_options(str(error)), argument=error.argument) from None
    except OpenPaymentsError as error:
        if getattr(error, "may_have_taken_effect", False):
            error.add_note(unknown)
        raise
    finally:
        log.removeHandler(silence)


@contextmanager
def _continuing(run: BankRun, about: dict[str, Any], verb: str = "authorise") -> Iterator[None]:
    """When a command ends before its time, tells with --json what is known of its payment, and says how to go on.

    `about` is what --json tells, and is written if it has a status. `verb` is what the user is to approve.
    """
    values = {"payment_id": about["paymentId"], "product": about["paymentProduct"]}
    read = f"{again('payment status', **values)} shows what has become of the payment"
    try:
        yield
    except BaseException as error:
        about.update(_status_of(error))
        if run.as_json and "transactionStatus" in about:
            write_json(about)
        if run.simulator:
            raise
        if isinstance(error, KeyboardInterrupt):
            say(f"\n{_unknown(read, again(f'payment {verb}', **values), verb)}")
        if isinstance(error, OpenPaymentsError):
            who = {"psu_id": None} if isinstance(error, AuthorisationFailedError | AuthorisationTimeoutError) else {}
            if hint := _hint(error, about, read, again(f"payment {verb}", **values, **who), verb):
                error.add_note(hint)
        raise


def _unknown(read: str, go_on: str, verb: str) -> str:
    """What to do if nobody knows what has become of a payment."""
    if verb == "cancel":
        return f"{read}: CANC means that it is cancelled; otherwise {go_on} goes on."
    return (
        f"{read}. Look there before you pay again. If the status is still RCVD, run {go_on}; approving both pays once."
    )


def _status_of(error: BaseException) -> dict[str, Any]:
    """The status of a payment as --json tells it, if an exception knows it."""
    from ..payments import PaymentStatus

    match error:
        case PaymentError(status=str(status)):
            return _status_json(PaymentStatus(status, error.messages))
        case AnotherSignatureNeededError():
            return _status_json(PaymentStatus("PATC", error.messages))
    return {}


def _hint(error: OpenPaymentsError, about: dict[str, Any], read: str, go_on: str, verb: str) -> str | None:
    """How to go on with a payment after an error."""
    from ..payments import PaymentStatus

    look = f"{read}. Look there before you pay again."
    match error:
        case InvalidArgumentError(argument="method") | APIError(code="SCA_METHOD_UNKNOWN"):
            return f"The payment exists. {go_on}, with another --method or none, goes on."
        case InvalidArgumentError() | PaymentRejectedError() | PaymentCancelledError():
            return None
        case CancellationRefusedError() if PaymentStatus(about.get("transactionStatus") or "").is_final:
            return None
        case AuthorisationFailedError(trying_again_helps=False):
            return f"The payment is not {'cancelled' if verb == 'cancel' else 'approved, so no money moves'}."
        case AuthorisationFailedError() | AuthorisationTimeoutError():
            return f"{look} {go_on}, with the --psu-id of whoever is to approve, goes on."
        case PaymentTimeoutError():
            return f"{look} With --wait it goes on waiting."
        case _ if getattr(error, "may_have_taken_effect", False):
            # it advises to read what no command reads
            error.args = (str(error.args[0]).removesuffix(f"; {getattr(error, 'advice', '')}"), *error.args[1:])
            return _unknown(read, go_on, verb)
    return look


_MATCHES: Final = {
    "MTCH": "the account belongs to the payee",
    "CMTC": "the name is close to that of the account's holder",
    "NMTC": "the account belongs to somebody of another name",
    "NOAP": "whose account it is could not be checked",
}


def _say_warnings(created: PaymentCreated) -> None:
    from .. import payments

    match = payments.payee_match(created)
    if match is not None:
        code = (match.party_name_match or "").strip().upper()
        holder = f"({match.matched_name})" if match.matched_name else None
        say(f"The bank has checked the payee: {_MATCHES.get(code, cell(code))}{cell(holder) and f' {cell(holder)}'}.")
    for each in payments.warnings(created):
        said = in_options(each.text or "") if each.code is None else f"{each.code}: {each.text or ''}"
        say(f"Warning: {cell(said)}")
    if created.psu_message:
        say(f"The bank says: {cell(created.psu_message)}")


def _price(quote: FxQuote) -> Iterator[tuple[str, object]]:
    # a quote that is read names neither its currencies nor the total
    yield "Rate", quote.fx_rate
    yield "Fee", quote.fee and f"{quote.fee} in the currency to pay with"
    yield "Total", "as the quote was shown, with the fee"
    yield "Until", quote.valid_to


def _facts(payment: Payment) -> Iterator[tuple[str, object]]:
    from .. import views

    paid = payment.instructed_amount
    yield "Pay", paid and f"{paid.amount} {paid.currency}"
    yield "To", payment.creditor_name
    yield "Account", views.account_number(payment.creditor_account)
    yield "Message", payment.remittance_information_unstructured
    yield "From", views.account_number(payment.debtor_account)
    yield "Day", payment.requested_execution_date
    yield "Reference", payment.end_to_end_identification
    yield "Status", payment.transaction_status


def _meaning(status: PaymentStatus) -> str:
    meanings = (
        (status.is_settled, "settled: the money has left the account"),
        (status.is_accepted, "accepted: the bank carries it out"),
        (status.needs_another_signature, "approved, and waits for somebody else's signature"),
        (status.code == "RJCT", "rejected: no money moves"),
        (status.code == "CANC", "cancelled: no money moves"),
        (status.code == "RCVD", "waiting for the user's approval"),
    )
    return next((meaning for holds, meaning in meanings if holds), "under way")


def _say_status(status: PaymentStatus) -> None:
    say(f"The payment is {_meaning(status)}.")
    for each in status.messages:
        say(f"The bank says: {cell(': '.join(filter(None, (each.code, each.text))))}")


def _status_json(status: PaymentStatus) -> dict[str, Any]:
    messages = [asdict(each, filter=lambda _, value: value is not None) for each in status.messages]
    return {"transactionStatus": str(status), **({"tppMessages": messages} if messages else {})}


def _finish(run: Journey, status: PaymentStatus, about: dict[str, Any]) -> None:
    _say_status(status)
    if run.as_json:
        return write_json({**about, **_status_json(status)})
    return describe(
        [
            ("Payment", about["paymentId"]),
            ("Product", about["paymentProduct"]),
            ("Reference", about.get("endToEndIdentification")),
            ("Status", status),
        ]
    )

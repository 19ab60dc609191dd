"""`openpayments consent`: ask for a consent, have the user authorise it, look at it, end it."""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Final

import typer
from attrs import frozen

from .._environ import PSU_CORPORATE_ID, PSU_ID
from .._redaction import printable
from ..errors import AuthorisationFailedError, OpenPaymentsError
from .dates import read_day, today
from .failures import EXIT_CODES
from .output import describe, say, write, write_json
from .run import BankRun, command

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openpayments_client.models import AuthenticationMethod, Consent

    from .._sync.authorisation import Authorisation
    from .._sync.bank import Bank
    from .callback import Callback

__all__ = ["app"]

DAYS: Final = 90
LONGEST_WAIT: Final = 86400

app = typer.Typer(
    name="consent",
    help="""Make, authorise, show and end consents.

    A consent is what a user lets the application see, for how long.

    \b
      openpayments consent create --bank ESSESESS --psu-ip ADDRESS
      openpayments accounts --bank ESSESESS --consent ID
    """,
    epilog=EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode=None,
)

ConsentId = Annotated[str, typer.Argument(metavar="CONSENT_ID", help="The consent's id.")]


def _read_wait(seconds: float) -> float:
    # click lets NaN through its own limits
    if not 1 <= seconds <= LONGEST_WAIT:
        raise typer.BadParameter(f"{seconds:g} is not from 1 to {LONGEST_WAIT}")
    return seconds


@frozen(kw_only=True)
class Journey(BankRun):
    """One run of a command in which a user authorises."""

    psu_id: Annotated[
        str | None,
        typer.Option(
            "--psu-id",
            metavar="ID",
            envvar=PSU_ID,
            help="The user's id at the bank, if the bank wants it; better in the variable, where no other user of this "
            "machine sees it.",
        ),
    ] = None
    psu_corporate_id: Annotated[
        str | None,
        typer.Option("--psu-corporate-id", metavar="ID", envvar=PSU_CORPORATE_ID, help="The id of the user's company."),
    ] = None
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            metavar="ID",
            help="How to authorise: one of the ids that the bank offers. Without it, a QR code in a terminal, "
            "otherwise Mobile BankID.",
        ),
    ] = None
    redirect_uri: Annotated[
        str,
        typer.Option(
            "--redirect-uri",
            metavar="URI",
            help="Where the browser comes back to. The command waits there, so it leads to this machine; it must be "
            "whitelisted on the application in the Developer Portal, exactly like this.",
        ),
    ] = "http://127.0.0.1:8765/callback"
    open_browser: Annotated[
        bool, typer.Option("--open-browser/--no-browser", help="Open the bank's page, or print its link alone.")
    ] = True
    timeout: Annotated[
        float,
        typer.Option("--timeout", callback=_read_wait, metavar="SECONDS", help="How long to wait for the user."),
    ] = 300.0


@command(app)
def create(
    run: Journey,
    valid_until: Annotated[
        date | None, typer.Option(parser=read_day, metavar="DATE", help="The last day, such as 2026-12-31.")
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(
            min=0, max=36500, metavar="NUMBER", help=f"Instead: how many days from today; {DAYS} without either."
        ),
    ] = None,
    frequency_per_day: Annotated[
        int, typer.Option(min=1, metavar="NUMBER", help="How often a day accounts are read while the user is away.")
    ] = 4,
    affiliate: Annotated[
        str | None, typer.Option(metavar="ID", help="The affiliated bank's id, as `openpayments bank` has it.")
    ] = None,
) -> None:
    """Ask for a consent, and wait until the user has authorised it.

    In the browser: it opens, and the command catches where it comes back to. Or with an app, such as Mobile BankID: the
    QR code to scan is drawn, and redrawn as it changes.

    Nothing but the consent's id (with --json: the consent) is on stdout:

    \b
      CONSENT=$(openpayments consent create --bank ESSESESS --psu-ip ADDRESS)
    """
    if valid_until is not None and days is not None:
        raise typer.BadParameter("--valid-until and --days exclude each other")
    last_day = valid_until or today() + timedelta(days=DAYS if days is None else days)
    with ExitStack() as stack:
        bank, callback = _enter(run, stack, affiliate)
        created = bank.consents.create(valid_until=last_day, frequency_per_day=frequency_per_day)
        say(f"Consent {printable(created.consent_id)} is made; now the user has to authorise it.")
        method = run.method or _choose(created.sca_methods)
        try:
            consent = _authorise(run, bank, callback, created.consent_id, method)
        except (OpenPaymentsError, typer.Exit) as error:
            if not run.simulator and not isinstance(error, AuthorisationFailedError):
                say(f"`openpayments consent authorise {printable(created.consent_id)}` goes on with the same consent.")
            raise
    _finish(run, created.consent_id, consent)


@command(app)
def authorise(run: Journey, consent_id: ConsentId) -> None:
    """Have the user authorise a consent that is there.

    After a time-out, or for a second signature.
    """
    _refuse_simulator(run)
    with ExitStack() as stack:
        bank, callback = _enter(run, stack, None)
        consent = _authorise(run, bank, callback, consent_id, run.method)
    _finish(run, consent_id, consent)


@command(app)
def show(run: BankRun, consent_id: ConsentId) -> None:
    """Show a consent: status, last day, accesses a day."""
    _refuse_simulator(run)
    with run.at_bank() as (bank, _):
        consent = bank.consents.get(consent_id)
    _show(run, consent_id, consent)


@command(app)
def status(run: BankRun, consent_id: ConsentId) -> None:
    """Print a consent's status.

    It is received, valid, rejected, revokedByPsu, expired or terminatedByTpp.
    """
    _refuse_simulator(run)
    with run.at_bank() as (bank, _):
        found = bank.consents.status(consent_id)
    if run.as_json:
        return write_json({"consentStatus": found})
    return write(f"{printable(found)}\n")


@command(app)
def delete(run: BankRun, consent_id: ConsentId) -> None:
    """End a consent: it opens nothing any more."""
    _refuse_simulator(run)
    with run.at_bank() as (bank, _):
        bank.consents.delete(consent_id)
    say(f"Consent {consent_id} is ended.")


def _refuse_simulator(run: BankRun) -> None:
    if run.simulator:
        raise typer.BadParameter(
            "--simulator is new in each command and knows no consent; `openpayments simulator` runs one that stays"
        )


def _enter(run: Journey, stack: ExitStack, affiliate: str | None) -> tuple[Bank, Callback]:
    """The bank, and the redirect URI."""
    from .callback import listening

    callback = stack.enter_context(listening(run.redirect_uri))
    who = run.at_bank(psu_id=run.psu_id, psu_corporate_id=run.psu_corporate_id, affiliated_aspsp=affiliate)
    bank, _ = stack.enter_context(who)
    return bank, callback


def _choose(offered: Iterable[AuthenticationMethod] | None) -> str | None:
    """The method that suits a terminal: a code that can be drawn, elsewhere a link; None leaves it to the facade."""
    from .challenge import is_interactive

    wanted = ("mbid_animated_qr_token", "mbid") if is_interactive() else ("mbid",)
    ids = [method.authentication_method_id for method in offered or []]
    return next((method for method in wanted if method in ids), None)


def _authorise(run: Journey, bank: Bank, callback: Callback, consent_id: str, method: str | None) -> Consent:
    from .._protocol.sca import Approach
    from .challenge import follow

    deadline = time.monotonic() + run.timeout
    authorisation = bank.consents.authorise(consent_id, method)
    if authorisation.approach is Approach.DECOUPLED:
        follow(authorisation, timeout=run.timeout)
    else:
        _send_to_browser(run, authorisation, callback)
    # the user is done: what is left is the bank's own work
    return authorisation.wait(timeout=max(5.0, deadline - time.monotonic()))


def _send_to_browser(run: Journey, authorisation: Authorisation, callback: Callback) -> None:
    import webbrowser

    if callback.problem:
        say(f"Error: {callback.problem}")
        say("End what uses the port, or give another redirect URI that is whitelisted on the application.")
        raise typer.Exit(1)
    url = authorisation.redirect_url(redirect_uri=callback.uri)
    callback.expect(url.state)
    if not run.simulator:
        say(
            f"The redirect URI {callback.uri} must be whitelisted on the application in the Developer Portal, exactly "
            "like this; --redirect-uri takes another."
        )
    if run.open_browser:
        say(f"Your browser opens the bank's page. If it does not, open it there yourself:\n  {url}")
        webbrowser.open(url)
    else:
        say(f"Open the bank's page in a browser on this machine:\n  {url}")
    authorisation.complete(callback.wait(run.timeout))


def _finish(run: Journey, consent_id: str, consent: Consent) -> None:
    say(f"The consent is {printable(consent.consent_status)} until {consent.valid_until or 'a day that is not said'}.")
    if run.simulator:
        say("The simulator ends with this command, and the consent with it.")
    if run.as_json:
        return write_json({"consentId": consent_id, **consent.to_dict()})
    return write(f"{printable(consent_id)}\n")


def _show(run: BankRun, consent_id: str, consent: Consent) -> None:
    if run.as_json:
        return write_json({"consentId": consent_id, **consent.to_dict()})
    return describe(
        [
            ("Consent", consent_id),
            ("Status", consent.consent_status),
            ("Last day", consent.valid_until),
            ("Accesses a day", consent.frequency_per_day),
            ("Recurring", consent.recurring_indicator),
            ("Last action", consent.last_action_date),
        ]
    )

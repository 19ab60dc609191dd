"""`openpayments consent`: create a consent, have the user authorise it, show it, end it."""

from __future__ import annotations

import time
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

import typer
from attrs import frozen

from ..environments import is_loopback
from ..errors import AnotherSignatureNeededError, AuthorisationFailedError, AuthorisationTimeoutError, OpenPaymentsError
from .failures import EXIT_CODES
from .output import describe, is_interactive, printable, say, write, write_json
from .run import BankRun, command, read_date

if TYPE_CHECKING:
    from .. import Authorisation, Bank, Consent

__all__ = ["app"]

DAYS: Final = 90
LONGEST_WAIT: Final = 86400

app = typer.Typer(
    name="consent",
    help="""Create, authorise, show and end consents.

    A consent is what a user lets the application see, and for how long.

    \b
      openpayments consent create --bank ESSESESS --psu-id ID --psu-ip ADDRESS
      openpayments accounts --bank ESSESESS --consent ID
    """,
    epilog=EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode=None,
)

ConsentId = Annotated[str, typer.Argument(metavar="CONSENT_ID", help="The consent's id.")]


def _read_wait(seconds: float) -> float:
    # click's own limits let NaN pass
    if not 1 <= seconds <= LONGEST_WAIT:
        raise typer.BadParameter(f"must be from 1 to {LONGEST_WAIT}, not {seconds:g}")
    return seconds


def _read_redirect_uri(uri: str) -> str:
    try:
        url = urlsplit(uri)
        is_here = url.scheme == "http" and is_loopback(url.hostname) and url.port != 0
    except ValueError:
        is_here = False
    # no user name, and no query, which is where the bank's answer goes
    if not is_here or not uri.isprintable() or set(uri) & set(" @?#"):
        raise typer.BadParameter(
            "must lead to this machine, such as http://127.0.0.1:8765/callback: your browser comes back there"
        )
    return uri


@frozen(kw_only=True)
class Journey(BankRun):
    """One run of a command in which a user authorises."""

    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            metavar="ID",
            help="How to authorise: the id of a method that the bank offers. Default: a QR code in a terminal, "
            "otherwise Mobile BankID.",
        ),
    ] = None
    redirect_uri: Annotated[
        str,
        typer.Option(
            "--redirect-uri",
            callback=_read_redirect_uri,
            metavar="URI",
            help="The address the browser comes back to. The command listens there, so it must lead to this machine. "
            "It must be whitelisted for the application in the Developer Portal, exactly as given here.",
        ),
    ] = "http://127.0.0.1:8765/callback"
    open_browser: Annotated[
        bool, typer.Option("--open-browser/--no-browser", help="Open the bank's page, or only print its link.")
    ] = True
    timeout: Annotated[
        float,
        typer.Option("--timeout", callback=_read_wait, metavar="SECONDS", help="How long to wait for the user."),
    ] = 300.0


@command(app)
def create(
    run: Journey,
    valid_until: Annotated[
        date | None, typer.Option(parser=read_date, metavar="DATE", help="The last day, such as 2026-12-31.")
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(
            min=0, max=36500, metavar="NUMBER", help=f"Instead of --valid-until: days from today. Default: {DAYS}."
        ),
    ] = None,
    frequency_per_day: Annotated[
        int, typer.Option(min=1, metavar="NUMBER", help="How many times a day accounts may be read without the user.")
    ] = 4,
    affiliate: Annotated[
        str | None, typer.Option(metavar="ID", help="The id of an affiliated bank, from `openpayments bank`.")
    ] = None,
) -> None:
    """Create a consent, and wait until the user has authorised it.

    In the browser: the bank's page opens, and the command waits for the browser to come back. Or in an app such as
    Mobile BankID: the QR code to scan is drawn in the terminal, and redrawn as it changes.

    Only the consent's id (with --json: the consent) goes to stdout:

    \b
      CONSENT=$(openpayments consent create --bank ESSESESS --psu-id ID --psu-ip ADDRESS)
    """
    if valid_until is not None and days is not None:
        raise typer.BadParameter("--valid-until and --days can't be used together")
    last_day = valid_until or timedelta(days=DAYS if days is None else days)
    with run.at_bank(affiliate=affiliate) as (bank, _):
        created = bank.consents.create(valid_until=last_day, frequency_per_day=frequency_per_day)
        say(f"Consent {created.consent_id} has been created. Now the user has to authorise it.")
        try:
            consent = _authorise(run, bank, created.consent_id)
        except OpenPaymentsError as error:
            if not run.simulator and not isinstance(error, AuthorisationFailedError):
                where = {None: "", True: " --browser", False: " --app"}[run.redirect_preferred]
                again = f"openpayments consent authorise {created.consent_id} --bank {run.bank}{where}"
                is_signed = isinstance(error, AnotherSignatureNeededError)
                who = "the --psu-id of the next person" if is_signed else "the same --psu options"
                error.add_note(f"`{again}`, with {who}, continues with the same consent.")
            raise
    _finish(run, created.consent_id, consent)


@command(app)
def authorise(run: Journey, consent_id: ConsentId) -> None:
    """Have the user authorise an existing consent.

    For example after a timeout, or for a second signature.
    """
    _refuse_simulator(run)
    with run.at_bank() as (bank, _):
        consent = _authorise(run, bank, consent_id)
    _finish(run, consent_id, consent)


@command(app)
def show(run: BankRun, consent_id: ConsentId) -> None:
    """Show a consent: status, last day, accesses per day."""
    _refuse_simulator(run)
    with run.at_bank() as (bank, _):
        consent = bank.consents.get(consent_id)
    if run.as_json:
        return write_json(consent.to_dict())
    return describe(
        [
            ("Consent", consent_id),
            ("Status", consent.consent_status),
            ("Last day", consent.valid_until),
            ("Accesses per day", consent.frequency_per_day),
            ("Recurring", consent.recurring_indicator),
            ("Last action", consent.last_action_date),
        ]
    )


@command(app)
def status(run: BankRun, consent_id: ConsentId) -> None:
    """Print a consent's status.

    It is received, partiallyAuthorised, valid, rejected, revokedByPsu, expired or terminatedByTpp.
    """
    _refuse_simulator(run)
    with run.at_bank() as (bank, _):
        found = bank.consents.status(consent_id)
    if run.as_json:
        return write_json({"consentStatus": found})
    return write(f"{printable(found)}\n")


@command(app)
def delete(run: BankRun, consent_id: ConsentId) -> None:
    """End a consent. It no longer gives access to anything."""
    _refuse_simulator(run)
    with run.at_bank() as (bank, _):
        bank.consents.delete(consent_id)
    say(f"Consent {consent_id} has ended.")


def _refuse_simulator(run: BankRun) -> None:
    if run.simulator:
        raise typer.BadParameter(
            "--simulator starts afresh with each command, so it has no consents yet; `openpayments simulator` runs one "
            "that stays"
        )


def _authorise(run: Journey, bank: Bank, consent_id: str) -> Consent:
    from .. import Approach
    from .challenge import follow

    deadline = time.monotonic() + run.timeout
    # what stderr can show: on a terminal a QR code to draw, otherwise a link
    best = ["mbid_animated_qr_token", "mbid"] if is_interactive() else ["mbid"]
    authorisation = bank.consents.authorise(consent_id, run.method or best)
    if authorisation.approach is Approach.DECOUPLED:
        follow(authorisation, timeout=run.timeout)
    else:
        _send_to_browser(run, authorisation)
    # the user is done; the bank may need a little more time
    return authorisation.wait(timeout=max(5.0, deadline - time.monotonic()))


def _send_to_browser(run: Journey, authorisation: Authorisation) -> None:
    import webbrowser

    from .callback import listening

    url = authorisation.redirect_url(redirect_uri=run.redirect_uri, allow_elsewhere=True)
    if url.is_elsewhere:
        say(f"Open this page of the bank's own. The browser may not come back from there:\n  {url}")
        return
    with listening(run.redirect_uri, url.state) as callback:
        if not run.simulator:
            say(
                f"The redirect URI {run.redirect_uri} must be whitelisted for the application in the Developer Portal, "
                "exactly like this; --redirect-uri sets another."
            )
        if run.open_browser:
            say(f"The bank's page opens in your browser. If it does not, open it there yourself:\n  {url}")
            webbrowser.open(url)
        else:
            say(f"Open the bank's page in a browser on this machine:\n  {url}")
        try:
            came = callback.wait(run.timeout)
        except AuthorisationTimeoutError:
            # the user may have finished, and the browser be on another machine
            if not authorisation.poll().is_over:
                raise
        else:
            authorisation.complete(came)


def _finish(run: Journey, consent_id: str, consent: Consent) -> None:
    until = f" until {consent.valid_until}" if consent.valid_until else ""
    say(f"The consent is {printable(consent.consent_status)}{until}.")
    if run.simulator:
        say("The simulator ends with this command, and the consent with it.")
    if run.as_json:
        return write_json(consent.to_dict())
    return write(f"{consent_id}\n")

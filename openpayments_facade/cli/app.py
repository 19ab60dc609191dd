"""The commands. Each is a few lines: its options, a call of the facade, and the output."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from .._environ import API_SCOPES
from ..errors import OpenPaymentsError
from ..scopes import ApiScope, read_api_scopes
from . import consent as consents
from . import kyc, payment
from .accounts import accounts, balances
from .again import again, running
from .doctor import examine
from .failures import EXIT_CODES
from .help import Command, Group
from .output import cell, describe, say, show, write, write_json
from .quote import quote
from .run import EXAMPLE_ID, EXAMPLE_IP, PSU_ID, PSU_IP, SIMULATOR_SECRET, Run, command, ending
from .transactions import transactions

__all__ = ["app"]

LONGEST_DURATION: Final = 10**9

app = typer.Typer(
    name="openpayments",
    cls=Group,
    help="""Open Payments on the command line: many banks behind one API. Unofficial; not Interledger's Open Payments.

    The credentials are those of OPENPAYMENTS_CLIENT_ID and OPENPAYMENTS_CLIENT_SECRET; `openpayments doctor` checks
    your setup. Without an account, put --simulator after the command's name:

    \b
      openpayments banks --country SE --simulator
      openpayments bank ESSESESS --simulator
      openpayments accounts --bank ESSESESS --simulator
      openpayments quote SWEDSESS --from SEK --to USD --amount 130 --country US --simulator

    What lasts longer than a command needs `openpayments simulator` in another shell, or an account. Who the user is,
    and where, is in OPENPAYMENTS_PSU_ID and OPENPAYMENTS_PSU_IP:

    \b
      CONSENT=$(openpayments consent create --bank ESSESESS)
      ACCOUNT=$(openpayments accounts --bank ESSESESS --consent $CONSENT | awk 'NR == 2 {print $1}')
      openpayments transactions $ACCOUNT --bank ESSESESS --consent $CONSENT

    On a terminal that is too narrow for a table, each of its rows is a record, with a line for each field. Elsewhere,
    as in a file or a pipe, it is always the table. What is for people and for nobody else goes to stderr.
    """,
    epilog=EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Countries = Annotated[
    list[str] | None,
    typer.Option("--country", metavar="CODE", help="A country, such as SE; may be repeated.", show_default=False),
]
Cities = Annotated[
    list[str] | None,
    typer.Option("--city", metavar="ID", help="The id of a city; may be repeated.", show_default=False),
]


def _print_version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        typer.echo(f"openpayments-facade {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None: ...


@command(app)
def countries(run: Run) -> None:
    """List the countries that have banks.

    \b
      openpayments countries --simulator
    """
    with run.client() as (op, _):
        found = op.countries.list()
    columns = {"CODE": "iso_country_code", "COUNTRY": "name"}
    show(found, columns, as_json=run.as_json, nothing="No countries found.")


@command(app)
def cities(run: Run, country: Countries = None, city: Cities = None) -> None:
    """List cities.

    Lists those in the given countries and those with the given ids; without filters, all cities.

    \b
      openpayments cities --country SE --country FI --simulator
    """
    with run.client() as (op, _):
        found = op.cities.list(countries=country or None, city_ids=city or None)
    columns = {"CITY ID": "city_id", "CITY": "name", "COUNTRY": "iso_country_code"}
    show(found, columns, as_json=run.as_json, nothing="No cities found.")


@command(app)
def banks(run: Run, country: Countries = None, city: Cities = None) -> None:
    """List banks.

    Lists those in the given countries and those in the given cities; without filters, all banks.

    \b
      openpayments banks --country SE --simulator
      openpayments banks --json --simulator
    """
    with run.client() as (op, _):
        found = op.aspsps.list(countries=country or None, city_ids=city or None)
    show(found, {"BIC": "bic_fi", "BANK": "name"}, as_json=run.as_json, nothing="No banks found.")


@command(app)
def bank(
    run: Run, bic: Annotated[str, typer.Argument(metavar="BIC", help="The bank's BIC, such as ESSESESS.")]
) -> None:
    """Show a bank: address, payment products, ways to authorise.

    \b
      openpayments bank ESSESESS --simulator
    """
    with run.client() as (op, _):
        found = op.aspsps.get(bic)
    if run.as_json:
        return write_json(found.to_dict())
    place = " ".join(map(cell, filter(None, (found.postal_code, found.city))))
    return describe(
        [
            ("BIC", found.bic_fi),
            ("Name", found.name),
            ("Address", ", ".join(map(cell, filter(None, (found.street_address, place, found.country)))) or None),
            ("Company number", found.company_number),
            ("Phone", found.phone),
            ("Website", found.website_url),
            ("Payment products", found.global_payment_products),
            ("Its own products", found.payment_products),
            ("Authorisation", [method.name or method.uri for method in found.supported_authorization_methods or []]),
            ("Affiliated banks", [f"{each.id} {each.name or ''}" for each in found.affiliated_aspsps or []]),
        ]
    )


for function in (accounts, balances, transactions, payment.pay, quote):
    command(app)(function)
for commands in (consents.app, payment.app, kyc.app):
    app.add_typer(commands)


@command(app)
def token(
    run: Run,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Print the token itself and, without --json, nothing else.")
    ] = False,
) -> None:
    """Get an access token, and show its scope and expiry.

    The token itself is a secret, shown only with --reveal:

    \b
      openpayments token --simulator
      TOKEN=$(openpayments token --reveal)
    """
    with run.client() as (op, _):
        granted = op.token()
    expires = datetime.fromtimestamp(granted.expires_at, UTC)
    left = max(0, round(granted.expires_at - time.time()))
    scope = " ".join(word for word in granted.scope.split() if word not in granted.missing)
    if run.as_json:
        secret = {"access_token": granted.value.reveal()} if reveal else {}
        expiry = expires.isoformat(timespec="seconds").replace("+00:00", "Z")
        return write_json(
            {**secret, "token_type": granted.token_type, "scope": scope, "expires_in": left, "expires_at": expiry}
        )
    if reveal:
        return write(f"{granted.value.reveal()}\n")
    duration = f"{left // 60} min {left % 60} s" if left >= 60 else f"{left} s"
    return describe(
        [
            ("Scope", scope),
            ("Not granted", " ".join(granted.missing) or None),
            ("Expires", f"{expires.astimezone():%Y-%m-%d %H:%M:%S %Z} (in {duration})"),
            ("Token", "hidden; --reveal shows it"),
        ]
    )


@command(app)
def doctor(run: Run) -> None:
    """Check configuration, hosts, token and API.

    It also says how to fix problems. The exit code is that of the first check that failed.

    \b
      openpayments doctor
    """
    if code := examine(run):
        raise typer.Exit(code)


def _read_duration(seconds: float) -> float:
    # click's own limits let infinity and NaN pass
    if not 0 <= seconds <= LONGEST_DURATION:
        raise typer.BadParameter(f"must be from 0 to {LONGEST_DURATION}, not {seconds:g}")
    return seconds


_Port = Annotated[int, typer.Option(min=0, max=65535, metavar="PORT", help="0 picks a free one.")]


@app.command(cls=Command)
def simulator(
    *,
    context: typer.Context,
    program: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[COMMAND]...",
            help="Runs this command with the variables set, and ends with it and its exit code: 127 if there is no "
            "such command, 126 if it can't be run. Put -- before it.",
        ),
    ] = None,
    rules: Annotated[
        str,
        typer.Option(metavar="YEAR", help="2026: as strict as the API is now. 2021: as mild as it was then."),
    ] = "2026",
    auth_port: _Port = 0,
    api_port: _Port = 0,
    client_id: Annotated[
        str | None, typer.Option(metavar="ID", help="The application's id. Default: a random one.")
    ] = None,
    api_scope: Annotated[
        list[ApiScope] | None,
        typer.Option(help="An API scope that the application has; may be repeated. Default: all."),
    ] = None,
    token_lifetime: Annotated[int, typer.Option(min=1, metavar="SECONDS", help="How long a token is valid.")] = 3600,
    require_psu_context: Annotated[
        bool, typer.Option(help="Whether a token needs a PSU context, private or corporate.")
    ] = True,
    transactions: Annotated[
        int, typer.Option(min=0, metavar="NUMBER", help="How many booked transactions each account has.")
    ] = 100,
    page_size: Annotated[int, typer.Option(min=1, metavar="NUMBER", help="How many transactions a page has.")] = 500,
    decoupled_reads: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="NUMBER",
            help="The status read at which a decoupled authorisation succeeds by itself. With 0 it waits for "
            "POST /simulator/consents/ID/approve, or for a payment /simulator/payments/ID/approve; decline instead of "
            "approve makes it fail.",
        ),
    ] = 3,
    seed: Annotated[
        int, typer.Option(metavar="NUMBER", help="The seed of the invented accounts and transactions.")
    ] = 0,
    settlement: Annotated[
        float,
        typer.Option(
            min=0, callback=_read_duration, metavar="SECONDS", help="How long after its approval a payment is settled."
        ),
    ] = 2.0,
    quote_lifetime: Annotated[
        float, typer.Option(min=0, callback=_read_duration, metavar="SECONDS", help="How long an FX quote can be used.")
    ] = 600.0,
    require_kyc: Annotated[bool, typer.Option(help="Whether a company needs a completed KYC to pay.")] = False,
    sandbox_flaws: Annotated[
        bool, typer.Option(help="Whether a payment is accepted after a failed authorisation, too.")
    ] = False,
) -> None:
    """Run a simulator until Ctrl-C.

    It plays the API's two hosts on this machine, and prints the variables that other programs need to use it, with a
    user for the commands at banks. Paste the lines into another shell, or have a shell read them:

    \b
      openpayments simulator > simulator.env & until [ -s simulator.env ]; do sleep 0.1; done
      . ./simulator.env
      openpayments banks --country SE
      kill %1

    Or have it run a command with these variables, such as a shell, or tests:

    \b
      openpayments simulator -- openpayments banks --country SE
      openpayments simulator -- bash

    That user approves by itself: see --decoupled-reads. The application's secret is that of the variable
    OPENPAYMENTS_SIMULATOR_SECRET (make one up, never use a real one), otherwise a random one. With it, --auth-port,
    --api-port and --client-id the lines are the same in every run.
    """
    running.set(context)
    with ending():
        from ..simulator import Simulator

        scopes = read_api_scopes(api_scope or list(ApiScope), argument="--api-scope")
        try:
            simulator = Simulator(
                rules=rules,  # type: ignore[arg-type]  # it checks
                auth_port=auth_port,
                api_port=api_port,
                client_id=client_id,
                client_secret=os.environ.get(SIMULATOR_SECRET) or None,
                token_lifetime=token_lifetime,
                require_psu_context=require_psu_context,
                api_scopes=scopes,
                transactions=transactions,
                page_size=page_size,
                decoupled_reads=decoupled_reads or None,
                seed=seed,
                settlement=settlement,
                quote_lifetime=quote_lifetime,
                require_kyc=require_kyc,
                sandbox_flaws=sandbox_flaws,
            )
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        try:
            simulator.start()
        except OSError as error:
            problem = f"the simulator can't listen on these ports: {error.strerror or error}"
            raise OpenPaymentsError(f"{problem}. Choose others, or none.") from None
        try:
            more = {API_SCOPES: " ".join(scopes), PSU_ID: EXAMPLE_ID, PSU_IP: EXAMPLE_IP}
            lines = [*simulator.exports(), *(f"export {name}={shlex.quote(value)}" for name, value in more.items())]
            variables = dict(shlex.split(line)[1].split("=", 1) for line in lines)
            # what is meant for other hosts
            others = [
                name
                for name in sorted(os.environ)
                if name.startswith("OPENPAYMENTS_") and name not in variables and name != SIMULATOR_SECRET
            ]
            if program:
                kept = {name: value for name, value in os.environ.items() if name not in others}
                raise typer.Exit(_run(program, {**kept, **variables}))
            if sys.stdout.isatty():
                say(f"Paste these lines into another shell, then try {again('banks')} there:\n")
            if others:
                lines.insert(0, shlex.join(["unset", *others]))
            write("".join(f"{line}\n" for line in lines))
            course = "approves by itself in an app" if decoupled_reads else "approves nothing by itself"
            say(f"\nThe user {EXAMPLE_ID} {course}; with --browser, press Approve on the page that opens.")
            say("The simulator is running. Ctrl-C stops it.")
            simulator.wait()
        except KeyboardInterrupt:
            # before it waited
            return
        finally:
            simulator.stop()


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Runs a command with these variables, and gives its exit code as a shell does."""
    children, asked = list[subprocess.Popen[bytes]](), list[int]()

    def stop(number: int, _: object) -> None:
        asked.append(number)
        for child in children:
            child.terminate()

    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, stop)}
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        # Ctrl-C reaches the command as well, and it decides
        before[signal.SIGINT] = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        child = subprocess.Popen(command, env=environment)  # noqa: S603 - what the user has typed
        children.append(child)
        if asked:
            child.terminate()
        code = child.wait()
    except OSError as error:
        say(f"Error: can't run {shlex.quote(command[0])}: {error.strerror or error}")
        return 127 if isinstance(error, FileNotFoundError) or not command[0] else 126
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code

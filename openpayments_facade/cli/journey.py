"""How a user authorises, whatever it is: in an app, with a QR code or a link, or in the browser."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar
from urllib.parse import urlsplit

import typer

from .._attrs import frozen
from ..environments import is_loopback
from ..errors import AuthorisationTimeoutError
from .output import is_interactive, say
from .run import BankRun

if TYPE_CHECKING:
    from collections.abc import Callable

    from .. import Authorisation

    T = TypeVar("T")

__all__ = ["Journey", "authorised", "read_wait"]

LONGEST_WAIT: Final = 86400


def read_wait(seconds: float) -> float:
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
        typer.Option("--timeout", callback=read_wait, metavar="SECONDS", help="How long to wait for the user."),
    ] = 300.0


def authorised(run: Journey, start: Callable[[str | list[str]], Authorisation[T]]) -> T:
    """What the user has authorised. `start` takes the method, or those that suit best, and starts the authorisation.

    Raises AuthorisationFailedError, AuthorisationTimeoutError.
    """
    from .. import Approach
    from .challenge import follow

    deadline = time.monotonic() + run.timeout
    # what stderr can show: on a terminal a QR code to draw, otherwise a link
    best = ["mbid_animated_qr_token", "mbid"] if is_interactive() else ["mbid"]
    authorisation = start(run.method or best)
    if authorisation.approach is Approach.DECOUPLED:
        follow(authorisation, timeout=run.timeout)
    else:
        _send_to_browser(run, authorisation)
    # the user is done; the bank may need a little more time
    return authorisation.wait(timeout=max(5.0, deadline - time.monotonic()))


def _send_to_browser(run: Journey, authorisation: Authorisation[Any]) -> None:
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

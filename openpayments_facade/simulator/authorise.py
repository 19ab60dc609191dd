"""`/connect/authorize` on the auth host: the page where a person approves or declines (facts 10-auth, section 3).

In reality this host sends the browser on to the bank and takes it back; here it is one page that stands for both.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit, urlunsplit

from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from .codes import Approval
from .errors import OAuthError
from .scopes import check_scope
from .users import Fate, fate_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from starlette.requests import Request

    from .consents import Authorisation, Consent
    from .provider import Provider

__all__ = ["AUTHORISE_PATH", "Refused", "authorise_routes", "authorise_template", "decide"]

AUTHORISE_PATH = "/connect/authorize"
_FIELDS = ("client_id", "scope", "response_type", "redirect_uri", "state", "acr_values")
# browsers run or show these instead of going to a server
_NO_REDIRECT_SCHEMES = {"", "about", "blob", "data", "file", "javascript", "vbscript"}

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto; padding: 0 1rem }}
button {{ font: inherit; padding: .5rem 1.5rem; margin-right: 1rem }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


class Refused(Exception):
    """The browser stays where it is and shows why."""


def authorise_routes(provider: Provider) -> list[Route]:
    async def page(request: Request) -> Response:
        try:
            _check_single(request.query_params.multi_items())
            with provider.consents.lock:
                return _form(provider, dict(request.query_params))
        except Refused as refusal:
            return _message("This link does not work", str(refusal), status=400)

    async def decision(request: Request) -> Response:
        try:
            fields = parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
            _check_single(fields)
            form = dict(fields)
            if form.get("decision") not in {"approve", "decline"}:
                raise Refused("decision is approve or decline")
            target = decide(provider, form, approved=form["decision"] == "approve")
        except Refused as refusal:
            return _message("This link does not work", str(refusal), status=400)
        if target is None:
            return _message("Please wait", "The bank has not answered yet.")
        return RedirectResponse(target, 303)

    return [
        Route(AUTHORISE_PATH, page, methods=["GET"]),
        Route(AUTHORISE_PATH, decision, methods=["POST"]),
    ]


def authorise_template(provider: Provider, consent: Consent, authorisation: Authorisation) -> str:
    """The link that an application fills in, with the placeholders of facts 10-auth, section 3."""
    scope = " ".join(filter(None, ("accountinformation", consent.context)))
    identity = f"idp:{consent.bank.bic} consentId:{consent.id} consentAuthorisationId:{authorisation.id}"
    return (
        f"{provider.auth_url()}{AUTHORISE_PATH}?client_id=[CLIENT_ID]&scope={quote(scope)}&response_type=code"
        f"&redirect_uri=[TPP_REDIRECT_URI]&state=[TPP_STATE]&acr_values={quote(identity, safe=':')}"
    )


def decide(provider: Provider, fields: Mapping[str, str], *, approved: bool) -> str | None:
    """Where the browser goes once the person has pressed a button; None if nothing happens. Raises Refused."""
    with provider.consents.lock:
        consent, authorisation = _read(provider, fields)
        fate = fate_of(authorisation.psu_id)
        if fate is Fate.NEVER_ENDS:
            return None
        if not approved or fate is Fate.FAILS:
            provider.consents.finish(consent, authorisation, "failed")
            # no source says what comes back then; this is OAuth's own way (RFC 6749, section 4.1.2.1)
            return _with_query(fields["redirect_uri"], error="access_denied", state=fields.get("state"))
        answer = {"scope": fields["scope"], "state": fields.get("state")}
        if provider.plain_redirect:
            provider.consents.finish(consent, authorisation, "finalised")
            return _with_query(fields["redirect_uri"], **answer)
        code = provider.codes.issue(
            Approval("consent", consent.id, authorisation.id),
            redirect_uri=fields["redirect_uri"],
            scope=fields["scope"],
        )
        return _with_query(fields["redirect_uri"], code=code, **answer)


def _read(provider: Provider, fields: Mapping[str, str]) -> tuple[Consent, Authorisation]:
    for name in _FIELDS:
        value = fields.get(name, "")
        if not value and name != "state":
            raise Refused(f"{name} is missing")
        if value.startswith("[") and value.endswith("]"):
            raise Refused(f"{name} is still the placeholder {value}")
    if fields["client_id"] != provider.application.client_id:
        raise Refused("client_id is not known")
    if fields["response_type"] != "code":
        raise Refused("response_type is not code")
    _check_redirect_uri(fields["redirect_uri"], provider.redirect_uris)
    try:
        check_scope(fields["scope"], allowed=provider.application.api_scopes, require_psu_context=False)
    except OAuthError as error:
        raise Refused(f"scope: {error.body['error_description']}") from None
    return _authorisation(provider, fields["acr_values"])


def _check_redirect_uri(redirect_uri: str, known: Collection[str] | None) -> None:
    try:
        parts = urlsplit(redirect_uri)
    except ValueError:
        raise Refused("redirect_uri is no URI") from None
    if parts.scheme.lower() in _NO_REDIRECT_SCHEMES or parts.fragment:
        raise Refused("redirect_uri is not an absolute URI without a fragment")
    if known is not None and redirect_uri not in known:
        raise Refused("redirect_uri is not one of those that the application registered")


def _authorisation(provider: Provider, acr_values: str) -> tuple[Consent, Authorisation]:
    values = dict(value.split(":", 1) for value in acr_values.split(" ") if ":" in value)
    consent = provider.consents.find(values.get("consentId", ""))
    if consent is None or consent.bank.bic != values.get("idp"):
        raise Refused("acr_values names no consent of that bank")
    authorisation = consent.authorisations.get(values.get("consentAuthorisationId", ""))
    if authorisation is None or authorisation.approach != "redirect":
        raise Refused("acr_values names no authorisation that goes this way")
    if authorisation.sca_status != "scaMethodSelected":
        raise Refused(f"the authorisation is {authorisation.sca_status}")
    return consent, authorisation


def _form(provider: Provider, fields: Mapping[str, str]) -> Response:
    consent, _ = _read(provider, fields)
    hidden = "\n".join(
        f'<input type="hidden" name="{name}" value="{escape(fields[name])}">' for name in _FIELDS if name in fields
    )
    body = f"""<p>An application asks to read your accounts until {consent.valid_until.isoformat()}.</p>
<form method="post" action="{AUTHORISE_PATH}">
{hidden}
<button type="submit" name="decision" value="approve">Approve</button>
<button type="submit" name="decision" value="decline">Decline</button>
</form>
<p><small>This is the simulator; no bank is asked.</small></p>"""
    return HTMLResponse(_PAGE.format(title=escape(consent.bank.name), body=body))


def _message(title: str, text: str, *, status: int = 200) -> Response:
    return HTMLResponse(_PAGE.format(title=escape(title), body=f"<p>{escape(text)}</p>"), status)


def _check_single(fields: Collection[tuple[str, str]]) -> None:
    names = [name for name, _ in fields]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise Refused(f"sent more than once: {', '.join(repeated)}")


def _with_query(redirect_uri: str, **values: str | None) -> str:
    parts = urlsplit(redirect_uri)
    added = urlencode({name: value for name, value in values.items() if value is not None}, quote_via=quote)
    return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))


def fields_of(url: str) -> dict[str, str]:
    """The query of a filled-in link, as a browser would send it."""
    return {name: values[-1] for name, values in parse_qs(urlsplit(url).query, keep_blank_values=True).items()}

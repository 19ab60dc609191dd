"""`/connect/authorize` on the auth host: the page where a user approves or declines (the provider's guide of 2021).

In reality this host sends the browser to the bank, which sends it back; here one page stands for both.
"""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit, urlunsplit

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ..state.authorisations import API_SCOPE_BY_KIND, Approval
from .errors import OAuthError
from .pages import show_message, show_page
from .scopes import check_scope

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from starlette.requests import Request

    from ..state import Provider
    from ..state.authorisations import Authorisation

__all__ = ["AUTHORISE_PATH", "Refused", "authorise_routes", "decide", "link_template", "read_link"]

AUTHORISE_PATH = "/connect/authorize"
_FIELDS = ("client_id", "scope", "response_type", "redirect_uri", "state", "acr_values")


class Refused(Exception):
    """The browser stays on this page, which shows why."""


def authorise_routes(provider: Provider) -> list[Route]:
    async def page(request: Request) -> Response:
        try:
            _check_single(request.query_params.multi_items())
            with provider.lock:
                return _show_form(provider, dict(request.query_params))
        except Refused as refusal:
            return show_message("This link does not work", str(refusal), status=400)

    async def decision(request: Request) -> Response:
        try:
            fields = parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
            _check_single(fields)
            form = dict(fields)
            if form.get("decision") not in {"approve", "decline"}:
                raise Refused("decision must be approve or decline")
            target = decide(provider, form, approved=form["decision"] == "approve")
        except Refused as refusal:
            return show_message("This link does not work", str(refusal), status=400)
        if target is None:
            return show_message("Please wait", "The bank has not answered yet.")
        return RedirectResponse(target, 303)

    return [
        Route(AUTHORISE_PATH, page, methods=["GET"]),
        Route(AUTHORISE_PATH, decision, methods=["POST"]),
    ]


def link_template(provider: Provider, authorisation: Authorisation) -> str:
    """The link of an authorisation, with three placeholders for the application to fill in."""
    subject = authorisation.subject
    scope = " ".join(filter(None, (API_SCOPE_BY_KIND[subject.kind], subject.context)))
    identity = f"idp:{subject.bank.bic} {subject.kind}Id:{subject.id} {subject.kind}AuthorisationId:{authorisation.id}"
    return (
        f"{provider.auth_url()}{AUTHORISE_PATH}?client_id=[CLIENT_ID]&scope={quote(scope)}&response_type=code"
        f"&redirect_uri=[TPP_REDIRECT_URI]&state=[TPP_STATE]&acr_values={quote(identity, safe=':')}"
    )


def read_link(url: str) -> dict[str, str]:
    """The fields of a filled-in link, as a browser would send them."""
    return {name: values[-1] for name, values in parse_qs(urlsplit(url).query, keep_blank_values=True).items()}


def decide(provider: Provider, fields: Mapping[str, str], *, approved: bool) -> str | None:
    """Where the browser goes once the user has pressed a button; None if nothing happens. Raises Refused."""
    with provider.lock:
        authorisation = _check_link(provider, fields)
        course = authorisation.course
        if course.outcome is None:
            return None
        redirect_uri, state = fields["redirect_uri"], fields.get("state")
        if not approved or course.outcome == "failed":
            authorisation.decline()
            # no source says what comes back then; this is what OAuth says (RFC 6749, section 4.1.2.1)
            return _with_query(redirect_uri, error="access_denied", state=state)
        code = None
        if provider.comes_back_with_code(authorisation.subject):
            code = provider.codes.issue(authorisation.approval, redirect_uri=redirect_uri, scope=fields["scope"])
        else:
            authorisation.finish("finalised")
        return _with_query(redirect_uri, code=code, scope=fields["scope"], state=state)


def _check_link(provider: Provider, fields: Mapping[str, str]) -> Authorisation:
    """The authorisation that a link is for. Raises Refused."""
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
        check_scope(provider, fields["scope"])
    except OAuthError as error:
        raise Refused(f"scope: {error.description}") from None
    return _find_authorisation(provider, fields["acr_values"])


def _check_redirect_uri(redirect_uri: str, known: Collection[str] | None) -> None:
    try:
        parts = urlsplit(redirect_uri)
    except ValueError:
        raise Refused("redirect_uri is not a URI") from None
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.fragment:
        raise Refused("redirect_uri is not an absolute http or https URI without a fragment")
    if known is not None and redirect_uri not in known:
        raise Refused("redirect_uri is not one of those that the application registered")


def _find_authorisation(provider: Provider, acr_values: str) -> Authorisation:
    values = dict(value.split(":", 1) for value in acr_values.split(" ") if ":" in value)
    kind = next((kind for kind in API_SCOPE_BY_KIND if f"{kind}Id" in values), None)
    if kind is None:
        raise Refused("acr_values does not say what is to be approved")
    approval = Approval(kind, values[f"{kind}Id"], values.get(f"{kind}AuthorisationId", ""))
    authorisation = provider.authorisations.find(approval.authorisation_id)
    if authorisation is None or authorisation.approach != "redirect":
        raise Refused("acr_values names no authorisation that goes this way")
    if authorisation.approval != approval or authorisation.subject.bank.bic != values.get("idp"):
        raise Refused(f"acr_values names no {kind} of that bank")
    if authorisation.sca_status != "scaMethodSelected":
        raise Refused(f"the authorisation is {authorisation.sca_status}")
    return authorisation


def _show_form(provider: Provider, fields: Mapping[str, str]) -> Response:
    subject = _check_link(provider, fields).subject
    hidden = "\n".join(
        f'<input type="hidden" name="{name}" value="{escape(fields[name])}">' for name in _FIELDS if name in fields
    )
    body = f"""<p>{escape(subject.request_to_user)}</p>
<form method="post" action="{AUTHORISE_PATH}">
{hidden}
<button type="submit" name="decision" value="approve">Approve</button>
<button type="submit" name="decision" value="decline">Decline</button>
</form>
<p><small>This is the simulator; no bank is asked.</small></p>"""
    return show_page(subject.bank.name, body)


def _check_single(fields: Collection[tuple[str, str]]) -> None:
    if repeated := sorted(name for name, count in Counter(name for name, _ in fields).items() if count > 1):
        raise Refused(f"sent more than once: {', '.join(repeated)}")


def _with_query(redirect_uri: str, **values: str | None) -> str:
    parts = urlsplit(redirect_uri)
    added = urlencode({name: value for name, value in values.items() if value is not None}, quote_via=quote)
    return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))

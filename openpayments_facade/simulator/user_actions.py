"""What happens outside the API, done at once: by methods of `Simulator`, and by calls of `/simulator/...`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .authorise import AUTHORISE_PATH, Refused, decide, fields_of
from .codes import Approval
from .control import CONTROL_PATH
from .errors import OAuthError
from .scopes import check_scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from .consents import Authorisation, Consent
    from .provider import Provider

__all__ = ["approve", "decline", "expire", "issue_code", "revoke", "revoke_tokens", "user_action_routes", "visit"]

_CODE_FIELDS = ("redirect_uri", "consent_id", "payment_id", "authorisation_id", "scope")


def user_action_routes(provider: Provider) -> list[Route]:
    """`POST` of `codes`, with the arguments of `issue_code` as a JSON object; answers 201 `{"code": ...}`.

    `GET` of `consents`; `POST` of `consents/{id}/approve`, `decline`, `expire` and `revoke`, where the id is that of a
    consent, or for the first two of an authorisation: 204, 404 if there is none, 409 if its state does not allow it.
    `POST` of `tokens/revoke`: 204.
    """

    async def codes_endpoint(request: Request) -> Response:
        try:
            code = issue_code(provider, **_fields(await request.body()))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"code": code}, 201)

    async def tokens_endpoint(_: Request) -> Response:
        revoke_tokens(provider)
        return Response(status_code=204)

    async def consents_endpoint(_: Request) -> Response:
        with provider.consents.lock:
            consents = [asdict(consent) for consent in provider.consents.views()]
        content = json.dumps({"consents": consents}, ensure_ascii=False, default=str)
        return Response(content, media_type="application/json")

    def action_endpoint(action: Callable[[Provider, str], None]) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                action(provider, str(request.path_params["id"]))
            except LookupError as error:
                return JSONResponse({"error": error.args[0]}, 404)
            except ValueError as error:
                return JSONResponse({"error": str(error)}, 409)
            return Response(status_code=204)

        return Route(f"{CONTROL_PATH}/consents/{{id}}/{action.__name__}", endpoint, methods=["POST"])

    return [
        Route(f"{CONTROL_PATH}/codes", codes_endpoint, methods=["POST"]),
        Route(f"{CONTROL_PATH}/tokens/revoke", tokens_endpoint, methods=["POST"]),
        Route(f"{CONTROL_PATH}/consents", consents_endpoint, methods=["GET"]),
        *map(action_endpoint, (approve, decline, expire, revoke)),
    ]


def approve(provider: Provider, identifier: str) -> None:
    """The user approves, and whatever follows from that is done too: the consent is valid."""
    with provider.consents.lock:
        consent, authorisation = _open(provider, identifier)
        if authorisation is None:
            provider.consents.make_valid(consent, consent.psu_id)
        else:
            provider.consents.finish(consent, authorisation, "finalised")


def decline(provider: Provider, identifier: str) -> None:
    with provider.consents.lock:
        consent, authorisation = _open(provider, identifier)
        if authorisation is None:
            provider.consents.end(consent, "rejected")
        else:
            provider.consents.finish(consent, authorisation, "failed")


def expire(provider: Provider, consent_id: str) -> None:
    with provider.consents.lock:
        consent = _consent(provider, consent_id)
        if consent.status not in {"received", "valid"}:
            raise ValueError(f"the consent is {consent.status}")
        provider.consents.end(consent, "expired")


def revoke(provider: Provider, consent_id: str) -> None:
    with provider.consents.lock:
        consent = _consent(provider, consent_id)
        if consent.status != "valid":
            raise ValueError(f"the consent is {consent.status}")
        provider.consents.end(consent, "revokedByPsu")


def revoke_tokens(provider: Provider) -> None:
    provider.tokens.revoke_all()
    if provider.refresh_tokens is not None:
        provider.refresh_tokens.revoke_all()


def visit(provider: Provider, url: str, *, approved: bool) -> str:
    """The arguments are those of `Simulator.visit`. Raises ValueError."""
    page = f"{provider.auth_url()}{AUTHORISE_PATH}?"
    if not url.startswith(page):
        raise ValueError(f"url does not begin with {page}")
    try:
        target = decide(provider, fields_of(url), approved=approved)
    except Refused as refusal:
        raise ValueError(str(refusal)) from None
    if target is None:
        raise ValueError("the bank does not answer this user")
    return target


def issue_code(
    provider: Provider,
    *,
    redirect_uri: str | None = None,
    consent_id: str | None = None,
    payment_id: str | None = None,
    authorisation_id: str | None = None,
    scope: str | None = None,
) -> str:
    """The arguments are those of `Simulator.issue_code`. Raises ValueError, which names the argument."""
    if not redirect_uri:
        raise ValueError("redirect_uri is missing")
    if not authorisation_id:
        raise ValueError("authorisation_id is missing")
    if (consent_id is None) == (payment_id is None):
        raise ValueError("either consent_id or payment_id says what the user approved")
    if consent_id is not None:
        approval = Approval("consent", consent_id, authorisation_id)
    else:
        assert payment_id is not None
        approval = Approval("payment", payment_id, authorisation_id)
    if not approval.resource_id:
        raise ValueError(f"{approval.kind}_id is empty")
    asked = scope or {"consent": "accountinformation private", "payment": "paymentinitiation private"}[approval.kind]
    try:
        checked = check_scope(asked, allowed=provider.application.api_scopes, require_psu_context=False)
    except OAuthError as error:
        raise ValueError(f"scope: {error.body['error_description']}") from None
    return provider.codes.issue(approval, redirect_uri=redirect_uri, scope=checked)


def _consent(provider: Provider, consent_id: str) -> Consent:
    consent = provider.consents.find(consent_id)
    if consent is None:
        raise LookupError(f"no such consent: {consent_id}")
    return consent


def _open(provider: Provider, identifier: str) -> tuple[Consent, Authorisation | None]:
    """A consent that waits for its user, and the authorisation that was started last, if any."""
    found = provider.consents.find_authorisation(identifier)
    consent, authorisation = found or (_consent(provider, identifier), None)
    if authorisation is not None and not authorisation.is_open:
        raise ValueError(f"the authorisation is {authorisation.sca_status}")
    if consent.status != "received":
        raise ValueError(f"the consent is {consent.status}")
    if authorisation is None:
        still_open = [one for one in consent.authorisations.values() if one.is_open]
        authorisation = still_open[-1] if still_open else None
    return consent, authorisation


def _fields(body: bytes) -> dict[str, str]:
    try:
        fields: Any = json.loads(body)
    except ValueError:
        raise ValueError("the body is not JSON") from None
    if not isinstance(fields, dict):
        raise ValueError("the body is not a JSON object")
    if unknown := [name for name in fields if name not in _CODE_FIELDS]:
        raise ValueError(f"{', '.join(unknown)} is no field of a code; those are {', '.join(_CODE_FIELDS)}")
    if wrong := [name for name, value in fields.items() if not isinstance(value, str)]:
        raise ValueError(f"{', '.join(wrong)} is not text")
    return fields

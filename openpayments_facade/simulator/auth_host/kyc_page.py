"""`/kyc/` on the auth host: the form where an organisation completes its KYC, here one button.

In reality it is on a host of its own. Confirming a form again does the same again.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.routing import Route

from .pages import show_message, show_page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from ..state import Provider
    from ..state.kyc import KycForm

__all__ = ["kyc_page_routes", "kyc_url"]

_PATH = "/kyc/"


def kyc_page_routes(provider: Provider) -> list[Route]:
    async def page(request: Request) -> Response:
        with provider.lock:
            form = provider.kyc.find_form(request.query_params.get("instanceId", ""))
        if form is None:
            return _refuse()
        return show_page(
            "KYC",
            f"""<p>Confirm that the details of organisation {escape(form.corporate_id)} are right.</p>
<form method="post" action="{_PATH}">
<input type="hidden" name="instanceId" value="{escape(form.id)}">
<button type="submit" name="decision" value="confirm">Confirm</button>
</form>
<p><small>This is the simulator; nobody is asked.</small></p>""",
        )

    async def confirmation(request: Request) -> Response:
        fields = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        with provider.lock:
            form = provider.kyc.find_form(fields.get("instanceId", ""))
            if form is None or fields.get("decision") != "confirm":
                return _refuse()
            provider.kyc.complete(form.corporate_id)
        return show_message("KYC", "Thank you. You can close this page.")

    return [Route(_PATH, page, methods=["GET"]), Route(_PATH, confirmation, methods=["POST"])]


def kyc_url(provider: Provider, form: KycForm) -> str:
    return f"{provider.auth_url()}{_PATH}?instanceId={form.id}"


def _refuse() -> Response:
    return show_message("This link does not work", "There is no such form, or not any more.", status=400)

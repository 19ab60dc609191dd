"""Which scopes a token is asked for."""

from __future__ import annotations

import httpx
import pytest

from openpayments_facade import AsyncOpenPayments, InvalidScopeError, TokenError

ADVICE = "leave it out of api_scopes, or of OPENPAYMENTS_API_SCOPES; banks are read with accountinformation"


@pytest.mark.parametrize(
    ("environment", "api_scopes", "code", "is_advised"),
    [
        ("sandbox-oauth", ["aspspinformation", "accountinformation"], "invalid_scope", True),
        # no source shows the body of that refusal
        ("sandbox-oauth", ["aspspinformation"], None, True),
        ("sandbox-oauth", ["aspspinformation"], "invalid_client", False),
        ("sandbox-oauth", None, "invalid_scope", False),
        ("sandbox", ["aspspinformation"], "invalid_scope", False),
        ("production", ["aspspinformation"], "invalid_scope", False),
    ],
)
async def test_a_scope_that_the_newer_sandbox_does_not_grant_is_named(
    environment: str, api_scopes: list[str] | None, code: str | None, is_advised: bool
) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"error": code}) if code else httpx.Response(400)

    about = f"{environment}, {api_scopes}, {code}"  # no two of these tests share what they know of a token
    async with AsyncOpenPayments(
        client_id=about,
        client_secret="a-secret",
        environment=environment,
        api_scopes=api_scopes,
        transport=httpx.MockTransport(refuse),
    ) as op:
        with pytest.raises(TokenError) as caught:
            await op.token()
    assert isinstance(caught.value, InvalidScopeError) == (code == "invalid_scope")
    assert (ADVICE in str(caught.value)) == is_advised

"""Tokens with a user behind them: the authorization-code grant and its refresh.

They belong to the caller: nothing here or elsewhere in the SDK keeps them, or uses them for later calls.
Sources: facts 10-auth, sections 1.2 and 3; documents 002 and 004; RFC 6749, sections 4.1.3 and 6.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, field, fields_dict, frozen

from .._redaction import Secret
from ..errors import (
    InvalidArgumentError,
    OpenPaymentsError,
    ReauthorisationRequiredError,
    TokenError,
)

if TYPE_CHECKING:
    from .fetcher import Limits, TokenFetcher

__all__ = ["UserToken", "exchange_code", "refresh"]


def _whole(value: object) -> int | None:
    """A number of seconds or a count; servers send them as text too. None for anything else."""
    try:
        return int(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None


def _seconds(value: object) -> float | None:
    """A point in time. None for anything else."""
    try:
        seconds = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) else None


def _secret(value: object) -> Secret | None:
    """A token that a request can carry. None for anything else."""
    return secret if isinstance(value, str) and value and (secret := Secret(value)).is_text else None


def _problem(stored: object) -> str | None:
    """What makes it no token; shows nothing of it."""
    if not isinstance(stored, Mapping) or not isinstance(stored.get("access_token"), str) or not stored["access_token"]:
        return "no access_token"
    for name in ("access_token", "refresh_token"):
        if stored.get(name) and isinstance(stored[name], str) and _secret(stored[name]) is None:
            return f"a {name} that can't be encoded"
    return None


@frozen(kw_only=True)
class UserToken:
    """What the token endpoint granted for one user's authorisation (document 002 lists the fields).

    `access_token` and `refresh_token` are masked; `reveal()` gives them out. `expires_in` and
    `refresh_token_expires_in` are seconds, `refresh_token_issued_at` is seconds since the epoch as the server sent it,
    `received_at` is seconds since the epoch on this machine. What the server did not send is None; what nobody
    described is in `additional_fields`. It can't be pickled: keep `to_dict()`, as a secret.
    """

    access_token: Secret
    token_type: str
    scope: str | None = None
    expires_in: int | None = None
    status: str | None = None
    refresh_token: Secret | None = None
    refresh_token_expires_in: int | None = None
    refresh_token_issued_at: int | None = None
    refresh_count: int | None = None
    additional_fields: Mapping[str, Any] = field(factory=dict, repr=False, hash=False)  # a dict: has no hash
    received_at: float = field(factory=time.time)

    @property
    def expires_at(self) -> float | None:
        """When the access token ends, in seconds since the epoch; None where the server did not say."""
        seconds = _seconds(self.expires_in)
        return None if seconds is None else self.received_at + seconds

    def to_dict(self) -> dict[str, Any]:
        """Everything, for a store of yours. Holds the tokens in the clear."""
        plain = {name: getattr(self, name) for name in fields_dict(UserToken) if name != "additional_fields"}
        revealed = {name: value.reveal() if isinstance(value, Secret) else value for name, value in plain.items()}
        return {**self.additional_fields, **{name: value for name, value in revealed.items() if value is not None}}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> UserToken:
        """Reads what `to_dict` wrote, or the JSON object of a token answer.

        Raises InvalidArgumentError if there is no access token in it, or one of its tokens can't be encoded.
        """
        if problem := _problem(stored):
            del stored  # no frame that an error leads to shall show it
            raise InvalidArgumentError(f"stored has {problem}", argument="stored")
        scope, status = stored.get("scope"), stored.get("status")
        received_at = _seconds(stored.get("received_at"))
        return cls(
            access_token=Secret(stored["access_token"]),
            token_type=str(stored.get("token_type") or "Bearer"),
            refresh_token=_secret(stored.get("refresh_token")),
            additional_fields={name: value for name, value in stored.items() if name not in fields_dict(cls)},
            received_at=time.time() if received_at is None else received_at,
            scope=scope if isinstance(scope, str) else None,
            status=status if isinstance(status, str) else None,
            expires_in=_whole(stored.get("expires_in")),
            refresh_token_expires_in=_whole(stored.get("refresh_token_expires_in")),
            refresh_token_issued_at=_whole(stored.get("refresh_token_issued_at")),
            refresh_count=_whole(stored.get("refresh_count")),
        )


def exchange_code(
    fetcher: TokenFetcher, limits: Limits, *, code: Secret, redirect_uri: str, scope: str, headers: Mapping[str, str]
) -> UserToken:
    """Exchanges an authorisation code; blocks. `headers` name the resource that was authorised.

    Raises ReauthorisationRequiredError if the code is wrong, used or too old, OutcomeUnknownError if no answer came
    after it may have been used, and what `TokenFetcher.fetch` raises.
    """
    from oauthlib.oauth2 import WebApplicationClient

    client = WebApplicationClient(fetcher.client_id)
    grant = fetcher.exchange(
        lambda secret: client.prepare_request_body(
            code=code.reveal(), redirect_uri=redirect_uri, scope=scope, **secret
        ),
        headers,
        secrets=(code,),
        resendable=False,
        limits=limits,
    )
    if isinstance(grant, OpenPaymentsError):
        raise _final(grant, _CODE_IS_OVER, "the code is wrong, used or too old")
    return _granted(grant.fields)


def refresh(fetcher: TokenFetcher, limits: Limits, token: UserToken, *, headers: Mapping[str, str]) -> UserToken:
    """A new token for an old one's refresh token; blocks. Where the server does not rotate, the refresh token stays.

    Raises InvalidArgumentError if the token has no refresh token, ReauthorisationRequiredError if it is refused for
    good, OutcomeUnknownError if no answer came after it may have been used, and what `TokenFetcher.fetch` raises.
    """
    from oauthlib.oauth2 import WebApplicationClient

    old = token.refresh_token
    if old is None or not old.is_text:
        raise InvalidArgumentError("token has no refresh token: the user has to authorise again", argument="token")
    client = WebApplicationClient(fetcher.client_id)
    grant = fetcher.exchange(
        lambda secret: client.prepare_refresh_body(
            refresh_token=old.reveal(), client_id=fetcher.client_id, client_secret=secret["client_secret"]
        ),
        headers,
        secrets=(old, token.access_token),
        resendable=False,
        limits=limits,
    )
    if isinstance(grant, OpenPaymentsError):
        raise _final(grant, _REFRESH_IS_OVER, "the refresh token is no good any more")
    new = _granted(grant.fields)
    return (
        new
        if new.refresh_token
        else evolve(
            new,
            refresh_token=old,
            refresh_token_expires_in=token.refresh_token_expires_in,
            refresh_token_issued_at=token.refresh_token_issued_at,
        )
    )


def _granted(fields: Mapping[str, Any]) -> UserToken:
    refresh_token = _secret(fields.get("refresh_token"))
    # when it was received is this machine's to say
    received = {**fields, "received_at": time.time(), "refresh_token": refresh_token and refresh_token.reveal()}
    return UserToken.from_dict(received)


_CODE_IS_OVER: Final = {"invalid_grant"}
# document 004: whoever can't refresh has to begin a fresh authorization-code grant
_REFRESH_IS_OVER: Final = {"invalid_grant", "access_denied", "unsupported_grant_type"}


def _final(error: OpenPaymentsError, codes: set[str], reason: str) -> OpenPaymentsError:
    if isinstance(error, TokenError) and error.code in codes:
        return ReauthorisationRequiredError(
            f"{error.args[0]}: {reason}, so the user has to authorise again",
            **vars(error),
        )
    return error

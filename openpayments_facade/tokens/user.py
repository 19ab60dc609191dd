"""Tokens of a user: the authorization-code grant and its refresh.

They belong to the caller: the SDK neither keeps them nor uses them for later calls.
Sources: documents 002 and 004; RFC 6749, sections 4.1.3 and 6.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, field, fields_dict
from openpayments_client.reading import json_text
from openpayments_client.types import short_repr

from .._attrs import frozen
from .._checks import refuse
from .._protocol.answer import is_busy
from .._redaction import Secret, hiding_arguments, str_or_none
from ..errors import ReauthorisationRequiredError, TokenError
from .token import read_number

if TYPE_CHECKING:
    from .._protocol.exchange import Exchange
    from .fetcher import TokenFetcher


def _int(value: object) -> int | None:
    number = read_number(value)
    return int(number) if math.isfinite(number) else None


def _received_at(value: object) -> float:
    seconds = math.nan if isinstance(value, str) else read_number(value)
    return seconds if math.isfinite(seconds) else time.time()


def _secret(value: object) -> Secret | None:
    """A token that a request can carry; None for anything else."""
    secret = Secret(value) if isinstance(value, str) and value else value
    return secret if isinstance(secret, Secret) and secret.is_text else None


@frozen(kw_only=True, repr=False)
class UserToken:
    """What the token endpoint granted for one user's authorisation (document 002 lists the fields).

    Optional attributes that the server did not send are None. It can't be pickled: store `to_dict()`, as a secret.

    Attributes:
        access_token: The access token, masked; `access_token.reveal()` returns it.
        token_type: Usually "Bearer".
        scope: The granted scope.
        expires_in: Seconds from `received_at` until the access token expires.
        status: The server's word for the status of the token, such as "approved".
        refresh_token: The refresh token, masked; `refresh_token.reveal()` returns it.
        refresh_token_expires_in: Seconds until the refresh token expires.
        refresh_token_issued_at: When the refresh token was issued, in seconds since the epoch, as the server sent it.
        refresh_count: How many times the token has been refreshed.
        additional_fields: Fields of the answer that document 002 does not list.
        received_at: When the answer was received, in seconds since the epoch on this machine.
    """

    access_token: Secret
    token_type: str
    scope: str | None = field(default=None, converter=str_or_none)
    expires_in: int | None = field(default=None, converter=_int)
    status: str | None = field(default=None, converter=str_or_none)
    refresh_token: Secret | None = field(default=None, converter=_secret)
    refresh_token_expires_in: int | None = field(default=None, converter=_int)
    refresh_token_issued_at: int | None = field(default=None, converter=_int)
    refresh_count: int | None = field(default=None, converter=_int)
    additional_fields: Mapping[str, Any] = field(factory=dict, repr=False, hash=False)  # a dict: has no hash
    received_at: float = field(factory=time.time, converter=_received_at)

    __repr__ = short_repr

    @property
    def expires_at(self) -> float | None:
        """When the access token expires, in seconds since the epoch; None if the server did not say."""
        return None if self.expires_in is None else self.received_at + self.expires_in

    def to_dict(self) -> dict[str, Any]:
        """All fields, for your own storage. They contain the tokens in the clear.

        Returns:
            A JSON-serialisable dict without what is None.
        """
        known = {name: getattr(self, name) for name in fields_dict(UserToken) if name != "additional_fields"}
        plain = {name: value.reveal() if isinstance(value, Secret) else value for name, value in known.items()}
        return {**self.additional_fields, **{name: value for name, value in plain.items() if value is not None}}

    def to_json(self) -> str:
        """The same as a JSON text, with the tokens in the clear. `from_dict(json.loads(text))` gives an equal token.

        Returns:
            One line, with sorted names.
        """
        return json_text(self.to_dict())

    @classmethod
    @hiding_arguments
    def from_dict(cls, stored: Mapping[str, Any]) -> UserToken:
        """Reads a dict from `to_dict`, or the JSON object of a token answer.

        Args:
            stored: A mapping that contains the tokens in the clear.

        Returns:
            The token.

        Raises:
            InvalidArgumentError: It has no access token, or one of its tokens can't be encoded.
        """
        if not isinstance(stored, Mapping) or not str_or_none(stored.get("access_token")):
            raise refuse("stored", "has no access_token")
        for name in ("access_token", "refresh_token"):
            if str_or_none(stored.get(name)) and _secret(stored[name]) is None:
                raise refuse("stored", f"has a {name} that can't be encoded")
        return cls._of(stored)

    @classmethod
    def _of(cls, fields: Mapping[str, Any]) -> UserToken:
        names = fields_dict(cls).keys() - {"additional_fields"}
        known = {name: fields[name] for name in names if fields.get(name) is not None}
        known["access_token"] = Secret(fields["access_token"])
        known["token_type"] = str(fields.get("token_type") or "Bearer")
        additional = {name: value for name, value in fields.items() if name not in fields_dict(cls)}
        return cls(**known, additional_fields=additional)


_CODE_IS_OVER: Final = {"invalid_grant"}
# document 004: if the refresh fails, the user starts a new authorization-code grant
_REFRESH_IS_OVER: Final = {"invalid_grant", "access_denied", "unsupported_grant_type"}


def read_user_token(fetcher: TokenFetcher, exchange: Exchange, old: UserToken | None) -> UserToken:
    """The token that a code, or the refresh token of an `old` token, was exchanged for.

    Raises:
        ReauthorisationRequiredError: The code or the refresh token is not accepted.
        OutcomeUnknownError: There is no answer, but the code or refresh token may have been used.
        TokenError, ConnectionFailedError, TimedOutError, UnreadableResponseError: As for `TokenFetcher.fetch`.
    """
    try:
        fields = fetcher.read(exchange).fields
    except TokenError as error:
        if error.code not in (_REFRESH_IS_OVER if old else _CODE_IS_OVER) or is_busy(error.status_code):
            raise
        reason = "the refresh token is no longer accepted, so the user has to authorise again"
        if old is None:  # a browser may come back twice, and then the first time counts
            reason = "the code is wrong, has been used or has expired; authorisation.wait() tells whether it counts"
        raise ReauthorisationRequiredError(f"{error.args[0]}: {reason}", **vars(error)) from None
    new = UserToken._of({**fields, "received_at": time.time()})  # our own clock, whatever the server sent
    if old is None or new.refresh_token is not None:
        return new
    # a server that does not rotate refresh tokens sends no new one
    kept = ("refresh_token", "refresh_token_expires_in", "refresh_token_issued_at")
    return evolve(new, **{name: getattr(old, name) for name in kept})

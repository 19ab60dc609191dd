"""KYC: what an organisation has to prove before it pays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openpayments_client.api import kyc as api

from .._protocol.arguments import as_country, id_of
from .service import AsyncRawService, AsyncService, raw

if TYPE_CHECKING:
    from openpayments_client import models

    from .._protocol.arguments import AnyCountry
    from ..psu import Psu


class AsyncKyc(AsyncService):
    """`op.kyc`. Needs the API scope `paymentinitiation`, and takes a token for business accounts by itself.

    Raises:
        InvalidArgumentError: An argument is wrong; nothing was sent.
        MissingScopeError: The client lacks the API scope; nothing was sent.
        ClientStateError: The client is closed, or belongs to another event loop; nothing was sent.
        APIError: The API answered with an error.
        TokenError: There is no token: the token endpoint refused.
        ConnectionFailedError, TimedOutError, UnreadableResponseError: There is no usable answer.
    """

    async def create(self, psu_corporate_id: str | Psu, *, country_code: AnyCountry) -> models.KycCreated:
        """Starts the KYC of an organisation.

        Args:
            psu_corporate_id: The organisation's number, or a `Psu` that has it.
            country_code: Its country, or the country's ISO 3166-1 alpha-2 code.

        Returns:
            The address of the form (`kyc_url`), for the browser. It works for 24 hours, for everybody who has it.

        Raises:
            InvalidArgumentError: The number or the code is malformed.
            OutcomeUnknownError: There is no answer; the process may have been started.
        """
        return await self._call(
            api.create_kyc, _number(psu_corporate_id), country_code=as_country(country_code, "country_code")
        )

    async def status(self, psu_corporate_id: str | Psu) -> models.KycStatusAnswer:
        """Reads how far the KYC of an organisation has got.

        Args:
            psu_corporate_id: The organisation's number, or a `Psu` that has it.

        Returns:
            Whether it may make payments (`kyc_status`: `Valid` or `Invalid`), and until when (`kyc_valid_until`).

        Raises:
            InvalidArgumentError: The number is malformed.
            NotFoundError: The organisation is unknown.
        """
        return await self._call(api.get_kyc_status, _number(psu_corporate_id))


def _number(organisation: str | Psu) -> Any:
    return id_of(getattr(organisation, "corporate_id", organisation), "psu_corporate_id")


class AsyncRawKyc(AsyncRawService[AsyncKyc]):
    """`op.with_raw_response.kyc`: the same methods, each giving a `RawResponse`."""

    create = raw(AsyncKyc.create)
    status = raw(AsyncKyc.status)

# Written by `make unasync` from openpayments_facade/_async/aspsps.py; do not edit.
"""ASPSPs: the banks (document 001, "Get ASPSPs"; facts 20-aspsp-information)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpayments_client.api.aspsp_information import get_aspsp_details, get_aspsp_list

from .._protocol.arguments import read_bic, read_city_id, read_country_code, read_list
from .._protocol.operation import Operation
from .service import RawService, Service, raw

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable

    from openpayments_client.models import Aspsp, AspspDetails


class Aspsps(Service):
    """`op.aspsps`. Needs the API scope `aspspinformation`. New banks come without notice."""

    def get(self, bic_fi: str) -> AspspDetails:
        """One bank by its BIC: address, payment products, ways to authorise.

            op.aspsps.get("ESSESESS").global_payment_products   # ['sepa-credit-transfers', 'domestic']

        Raises InvalidArgumentError if it is no BIC, NotFoundError if the API does not know the bank.
        """
        return self._run(Operation.of(get_aspsp_details, read_bic(bic_fi)))

    def list(
        self, *, countries: Iterable[str] | None = None, city_ids: Iterable[str | uuid.UUID] | None = None
    ) -> list[Aspsp]:
        """Banks of one of `countries` or in one of `city_ids`; without either, all.

        The filters are a union (document 001): countries ["SE"] and the id of Helsinki give the banks of both.
        Raises InvalidArgumentError if a list is empty or has something else than codes or ids.
        """
        operation = Operation.of(
            get_aspsp_list,
            iso_country_codes=read_list(countries, "countries", read_country_code),
            city_ids=read_list(city_ids, "city_ids", read_city_id),
        )
        return self._run(operation).aspsps


class RawAspsps(RawService[Aspsps]):
    """`op.with_raw_response.aspsps`."""

    _service = Aspsps
    get = raw(Aspsps.get)
    list = raw(Aspsps.list)

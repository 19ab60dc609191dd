"""plaid: institutions_get. It has a key instead of a token, no async half, and uses urllib3."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from benchmarks.hosts import Hosts
    from benchmarks.measure import Call

IMPORT = "import plaid; from plaid.api import plaid_api"


def sync(hosts: Hosts) -> Call:
    import plaid
    from plaid.api import plaid_api
    from plaid.model.country_code import CountryCode
    from plaid.model.institutions_get_request import InstitutionsGetRequest

    configuration = plaid.Configuration(host=hosts.api, api_key={"clientId": "a", "secret": "b"})
    client = plaid_api.PlaidApi(plaid.ApiClient(configuration))

    def call() -> object:
        request = InstitutionsGetRequest(count=50, offset=0, country_codes=[CountryCode("SE")])
        return client.institutions_get(request).institutions

    return call

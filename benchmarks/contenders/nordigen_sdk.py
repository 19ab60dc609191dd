"""nordigen: get_institutions, as untyped dicts. No async half. A new connection of requests for each call."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from benchmarks.hosts import Hosts
    from benchmarks.measure import Call

IMPORT = "from nordigen import NordigenClient"


def sync(hosts: Hosts) -> Call:
    from nordigen import NordigenClient

    client = NordigenClient(secret_key="a", secret_id="b", base_url=hosts.api)
    client.generate_token()
    return lambda: client.institution.get_institutions()

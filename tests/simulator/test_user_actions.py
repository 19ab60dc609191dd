"""What happens outside the API: by methods, and by calls of another process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from openpayments_facade.simulator import SimulatedAuthorisation, Simulator
from tests.simulator.callers import AS_JSON, BankCaller

if TYPE_CHECKING:
    import httpx

Act = Callable[[str, str], int]


@pytest.fixture(params=["method", "auth_url", "api_url"])
def act(request: pytest.FixtureRequest, simulator: Simulator, http: httpx.Client) -> Act:
    """Does something to a consent or authorisation, and gives the status of the control call or its equivalent."""

    def by_method(action: str, identifier: str) -> int:
        method = getattr(simulator, action, None) or getattr(simulator, f"{action}_consent")
        try:
            method(identifier)
        except LookupError:
            return 404
        except ValueError:
            return 409
        return 204

    def by_call(action: str, identifier: str) -> int:
        origin = getattr(simulator, request.param)
        response = http.post(f"{origin}/simulator/consents/{identifier}/{action}", headers=AS_JSON)
        assert bool(response.content) == (response.status_code != 204)
        return response.status_code

    return by_method if request.param == "method" else by_call


@pytest.mark.parametrize("bic", ["ESSESESS", "SWEDSESS"])
@pytest.mark.parametrize(
    ("action", "sca_status", "status"), [("approve", "finalised", "valid"), ("decline", "failed", "rejected")]
)
@pytest.mark.parametrize("by", ["consent", "authorisation"])
def test_deciding(
    simulator: Simulator, http: httpx.Client, act: Act, bic: str, action: str, sca_status: str, status: str, by: str
) -> None:
    bank = BankCaller(simulator, http, bic)
    bank.headers["TPP-Redirect-Preferred"] = "false"
    consent_id = bank.create()
    path = bank.start(consent_id)
    bank.select(path)
    assert act(action, consent_id if by == "consent" else path.rpartition("/")[2]) == 204
    assert (bank.sca_status(path), bank.status(consent_id)) == (sca_status, status)
    for again in ("approve", "decline"):
        assert act(again, consent_id) == 409
        assert act(again, path.rpartition("/")[2]) == 409


@pytest.mark.parametrize(("action", "status"), [("approve", "valid"), ("decline", "rejected")])
def test_deciding_before_anything_was_started(seb: BankCaller, act: Act, action: str, status: str) -> None:
    consent_id = seb.create()
    assert act(action, consent_id) == 204
    assert seb.status(consent_id) == status


def test_of_several_authorisations_the_last_one_that_is_open(seb: BankCaller, act: Act) -> None:
    consent_id = seb.create()
    paths = [seb.start(consent_id) for _ in range(2)]
    assert act("approve", consent_id) == 204
    assert [seb.sca_status(path) for path in paths] == ["failed", "finalised"]


def test_expiring(seb: BankCaller, act: Act) -> None:
    for consent_id in (seb.create(), seb.valid()):
        assert act("expire", consent_id) == 204
        assert seb.status(consent_id) == "expired"
        assert act("expire", consent_id) == 409


def test_revoking(seb: BankCaller, act: Act) -> None:
    consent_id = seb.create()
    assert act("revoke", consent_id) == 409
    assert act("approve", consent_id) == 204
    assert act("revoke", consent_id) == 204
    assert seb.status(consent_id) == "revokedByPsu"
    assert act("revoke", consent_id) == 409


@pytest.mark.parametrize("action", ["approve", "decline", "expire", "revoke"])
def test_ids_that_nobody_knows(act: Act, action: str) -> None:
    assert act(action, "nobody") == 404


def test_looking_at_the_consents(seb: BankCaller) -> None:
    assert seb.simulator.consents == []
    consent_id = seb.create(access={"accounts": []})
    path = seb.start(consent_id, headers={"PSU-ID": "somebody"})
    before = seb.simulator.consents
    seb.select(path)
    (consent,) = seb.simulator.consents
    assert (consent.id, consent.bic, consent.status, consent.context) == (
        consent_id,
        "ESSESESS",
        "received",
        "private",
    )
    assert (consent.access, consent.valid_until.isoformat()) == ({"accounts": []}, "2026-06-01")
    assert consent.authorisations == (
        SimulatedAuthorisation(
            id=path.rpartition("/")[2],
            approach="redirect",
            sca_status="scaMethodSelected",
            method="mbid",
            psu_id="somebody",
        ),
    )
    # a look back does not change
    assert before[0].authorisations[0].sca_status == "received"
    for origin in (seb.simulator.auth_url, seb.simulator.api_url):
        response = seb.http.get(f"{origin}/simulator/consents")
        assert response.headers["Content-Type"] == "application/json"
        (told,) = response.json()["consents"]
        assert told["id"] == consent_id
        assert told["valid_until"] == "2026-06-01"
        assert told["authorisations"][0]["sca_status"] == "scaMethodSelected"


def test_control_calls_are_not_in_the_journal(seb: BankCaller) -> None:
    seb.simulator.reset()
    seb.http.get(f"{seb.simulator.api_url}/simulator/consents")
    assert seb.simulator.requests == []


def test_consents_outlive_a_stop(seb: BankCaller) -> None:
    consent_id = seb.valid()
    seb.simulator.reset()
    seb.simulator.stop()
    seb.simulator.start()
    assert seb.read(consent_id).status_code == 200

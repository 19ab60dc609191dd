"""Starting an authorisation and selecting a method, and approving in an app: the challenge, and how it ends."""

from __future__ import annotations

import base64
import struct
import uuid
import zlib
from typing import Any

import pytest

from tests.simulator.callers import CONSENTS, BankCaller, refused

METHODS = ["mbid", "mbid_animated_qr_image", "mbid_animated_qr_token"]


def test_starting_an_authorisation(seb: BankCaller) -> None:
    consent_id = seb.create()
    response = seb.call("POST", f"{consent_id}/authorisations", headers={"Content-Type": "application/json"})
    assert response.status_code == 201
    body = response.json()
    path = f"{CONSENTS}/{consent_id}/authorisations/{body.pop('authorisationId')}"
    assert body == {
        "scaStatus": "started",
        "scaMethods": [
            {"authenticationType": "PUSH_OTP", "authenticationMethodId": "mbid", "name": "Mobile BankID"},
        ],
        "_links": {"scaStatus": {"href": path}, "selectAuthenticationMethod": {"href": path}},
    }
    assert response.headers["Location"] == path
    assert "ASPSP-SCA-Approach" not in response.headers
    assert seb.get(path).json() == {"scaStatus": "started"}


def test_a_consent_can_have_several_authorisations(seb: BankCaller) -> None:
    consent_id = seb.create()
    assert seb.get(f"{consent_id}/authorisations").json() == {"authorisationIds": []}
    paths = [seb.start(consent_id) for _ in range(2)]
    ids = [path.rpartition("/")[2] for path in paths]
    assert seb.get(f"{consent_id}/authorisations").json() == {"authorisationIds": ids}
    seb.simulator.approve(ids[0])
    assert [seb.sca_status(path) for path in paths] == ["finalised", "failed"]


def test_a_method_that_is_not_offered(seb: BankCaller) -> None:
    path = seb.start(seb.create())
    response = seb.call("PUT", path, json={"authenticationMethodId": "mbid_animated_qr_image"})
    refused(response, 400, "SCA_METHOD_UNKNOWN", "authenticationMethodId")


@pytest.mark.parametrize("body", [{}, [], {"authenticationMethodId": 1}, {"authenticationMethodId": "m" * 36}])
def test_a_choice_that_is_malformed(seb: BankCaller, body: Any) -> None:
    refused(seb.call("PUT", seb.start(seb.create()), json=body), 400, "FORMAT_ERROR", "authenticationMethodId")


def test_no_method_can_be_selected_after_the_end(seb: BankCaller) -> None:
    path = seb.start(seb.create())
    seb.simulator.approve(path.rpartition("/")[2])
    refused(seb.call("PUT", path, json={"authenticationMethodId": "mbid"}), 409, "STATUS_INVALID")


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_an_authorisation_of_another_consent(seb: BankCaller, method: str) -> None:
    authorisation_id = seb.start(seb.create()).rpartition("/")[2]
    response = seb.call(
        method, f"{seb.create()}/authorisations/{authorisation_id}", json={"authenticationMethodId": "mbid"}
    )
    refused(response, 404, "RESOURCE_UNKNOWN", "authorisationId")


def test_swedbank_offers_every_kind_of_challenge(swedbank: BankCaller) -> None:
    body = swedbank.ask().json()
    assert [method["authenticationMethodId"] for method in body["scaMethods"]] == METHODS
    started = swedbank.call("POST", f"{body['consentId']}/authorisations").json()
    assert started["scaStatus"] == "received"
    assert started["scaMethods"] == body["scaMethods"]


def test_it_ends_well_by_itself(swedbank: BankCaller) -> None:
    consent_id = swedbank.create()
    path = swedbank.start(consent_id)
    assert swedbank.sca_status(path) == "received"
    response = swedbank.call("PUT", path, json={"authenticationMethodId": "mbid"})
    assert response.headers["ASPSP-SCA-Approach"] == "DECOUPLED"
    body = response.json()
    assert body["scaStatus"] == "authenticationStarted"
    assert body["chosenScaMethod"]["authenticationMethodId"] == "mbid"
    assert list(body["_links"]) == ["scaStatus"]
    assert [swedbank.sca_status(path) for _ in range(2)] == ["authenticationStarted", "started"]
    assert swedbank.get(path).json() == {"scaStatus": "finalised"}
    assert swedbank.status(consent_id) == "valid"


def test_a_client_may_ask_for_nothing_but_the_status_of_the_consent(swedbank: BankCaller) -> None:
    consent_id = swedbank.create()
    swedbank.select(swedbank.start(consent_id))
    assert [swedbank.status(consent_id) for _ in range(3)] == ["received", "received", "valid"]


def challenges(bank: BankCaller, method: str) -> list[dict[str, Any]]:
    path = bank.start(bank.create())
    found = [bank.select(path, method)["challengeData"]]
    found += [bank.get(path).json()["challengeData"] for _ in range(2)]
    assert "challengeData" not in bank.get(path).json()
    return found


def test_the_token_of_an_app_stays_the_same(swedbank: BankCaller) -> None:
    first, *others = challenges(swedbank, "mbid")
    (token,) = first["data"]
    assert str(uuid.UUID(token)) == token
    assert others == [first, first]
    assert challenges(swedbank, "mbid")[0] != first


def test_the_text_of_an_animated_qr_code_changes(swedbank: BankCaller) -> None:
    values = [challenge["data"][0] for challenge in challenges(swedbank, "mbid_animated_qr_token")]
    assert len({value.rpartition(".")[2] for value in values}) == 3
    assert [value.split(".")[::2] for value in values] == [["bankid", str(step)] for step in range(3)]


def test_the_image_of_an_animated_qr_code_changes(swedbank: BankCaller) -> None:
    images = [challenge["image"] for challenge in challenges(swedbank, "mbid_animated_qr_image")]
    assert len(set(images)) == 3
    for image in images:
        kind, _, data = image.partition(",")
        assert kind == "data:image/png;base64"
        assert_png(base64.b64decode(data, validate=True))


def assert_png(data: bytes) -> None:
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, position = {}, 8
    while position < len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        content = data[position + 8 : position + 8 + length]
        assert struct.unpack_from(">I", data, position + 8 + length) == (zlib.crc32(kind + content),)
        chunks[kind] = content
        position += length + 12
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, colour = struct.unpack_from(">IIBB", chunks[b"IHDR"])
    assert (width, height, depth, colour) == (33, 33, 1, 0)
    assert len(zlib.decompress(chunks[b"IDAT"])) == height * (1 + (width + 7) // 8)


def test_a_user_whose_authorisation_fails(swedbank: BankCaller) -> None:
    consent_id = swedbank.create()
    path = swedbank.start(consent_id, headers={"PSU-ID": "example-fails"})
    swedbank.select(path)
    assert [swedbank.sca_status(path) for _ in range(3)] == ["authenticationStarted", "started", "failed"]
    assert swedbank.status(consent_id) == "rejected"


def test_a_user_who_is_exempted(swedbank: BankCaller) -> None:
    consent_id = swedbank.create()
    body = swedbank.select(swedbank.start(consent_id, headers={"PSU-ID": "example-exempted"}))
    assert body["scaStatus"] == "exempted"
    assert "challengeData" not in body
    assert swedbank.status(consent_id) == "valid"


def test_a_user_who_never_ends(swedbank: BankCaller) -> None:
    consent_id = swedbank.create()
    path = swedbank.start(consent_id, headers={"PSU-ID": "example-never-ends"})
    swedbank.select(path, "mbid_animated_qr_token")
    bodies = [swedbank.get(path).json() for _ in range(10)]
    assert bodies[-1]["scaStatus"] == "started"
    assert len({body["challengeData"]["data"][0] for body in bodies}) == 10
    assert swedbank.status(consent_id) == "received"


@pytest.mark.parametrize(
    "reads", [pytest.param(reads, marks=pytest.mark.simulator(decoupled_reads=reads)) for reads in (1, 5, None)]
)
def test_how_many_reads_it_takes(swedbank: BankCaller, reads: int | None) -> None:
    consent_id = swedbank.create()
    path = swedbank.start(consent_id)
    swedbank.select(path)
    statuses = [swedbank.sca_status(path) for _ in range(reads or 20)]
    if reads is None:
        assert statuses[-1] == "started"
        swedbank.simulator.approve(consent_id)
        assert swedbank.sca_status(path) == "finalised"
    else:
        assert "finalised" not in statuses[:-1]
        assert statuses[-1] == "finalised"
    assert swedbank.status(consent_id) == "valid"


def test_without_a_preference_the_bank_decides_for_the_redirect(swedbank: BankCaller) -> None:
    for preferred in (None, "true"):
        headers = {"TPP-Redirect-Preferred": preferred}
        consent_id = swedbank.create(headers=headers)
        path = swedbank.start(consent_id, headers=headers)
        response = swedbank.call("PUT", path, json={"authenticationMethodId": "mbid"}, headers=headers)
        assert response.headers["ASPSP-SCA-Approach"] == "REDIRECT"
        assert set(response.json()["_links"]) == {"scaStatus", "scaOAuth"}


def test_handelsbanken_approves_when_the_authorisation_starts(handelsbanken: BankCaller) -> None:
    consent_id = handelsbanken.create()
    response = handelsbanken.call("POST", f"{consent_id}/authorisations")
    assert response.json()["scaStatus"] == "received"
    path = f"{consent_id}/authorisations/{response.json()['authorisationId']}"
    assert (handelsbanken.sca_status(path), handelsbanken.status(consent_id)) == ("finalised", "valid")
    response = handelsbanken.call("PUT", path, json={"authenticationMethodId": "mbid"})
    assert response.headers["ASPSP-SCA-Approach"] == "DECOUPLED"
    assert response.json()["scaStatus"] == "finalised"
    assert "challengeData" not in response.json()


@pytest.mark.parametrize(
    ("psu_id", "sca_status", "status"),
    [
        ("example-fails", "failed", "rejected"),
        ("example-exempted", "exempted", "valid"),
        ("example-never-ends", "received", "received"),
    ],
)
def test_handelsbanken_and_its_special_users(
    handelsbanken: BankCaller, psu_id: str, sca_status: str, status: str
) -> None:
    consent_id = handelsbanken.create()
    path = handelsbanken.start(consent_id, headers={"PSU-ID": psu_id})
    assert (handelsbanken.sca_status(path), handelsbanken.status(consent_id)) == (sca_status, status)
    body = handelsbanken.select(path)
    assert body["scaStatus"] == sca_status
    assert ("challengeData" in body) == (status == "received")

"""Starting an authorisation and selecting a method, and approving in an app: the challenge, and how it ends."""

from __future__ import annotations

import base64
import struct
import uuid
import zlib
from typing import TYPE_CHECKING, Any

import pytest
import segno

from openpayments_facade.simulator.api_host.challenges import challenge
from tests.simulator.callers import CONSENTS, OF_A_COMPANY, BankCaller, refused
from tests.simulator.rules import BOTH, of_2021

if TYPE_CHECKING:
    import httpx

    from openpayments_facade.simulator import Simulator

APP = {"TPP-Redirect-Preferred": "false"}


@pytest.mark.parametrize("rules", BOTH)
def test_starting_an_authorisation(seb: BankCaller, rules: str) -> None:
    consent_id = seb.create()
    response = seb.call("POST", f"{consent_id}/authorisations", headers={"Content-Type": "application/json"})
    assert response.status_code == 201
    body = response.json()
    path = f"{CONSENTS}/{consent_id}/authorisations/{body.pop('authorisationId')}"
    status = "started" if rules == "2021" else "received"
    assert body == {
        "scaStatus": status,
        "scaMethods": [
            {"authenticationType": "PUSH_OTP", "authenticationMethodId": "mbid", "name": "Mobile BankID"},
        ],
        "_links": {"scaStatus": {"href": path}, "selectAuthenticationMethod": {"href": path}},
    }
    assert response.headers["Location"] == path
    assert "ASPSP-SCA-Approach" not in response.headers
    assert seb.get(path).json() == {"scaStatus": status}


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


OF_2026 = [
    ("mbid", "PUSH_OTP"),
    ("mbid_same_device", "CHIP_OTP"),
    ("mbid_animated_qr_token", "PHOTO_OTP"),
    ("mbid_animated_qr_image", "PHOTO_OTP"),
]
OF_2021 = [(name, "PUSH_OTP") for name in ("mbid", "mbid_animated_qr_image", "mbid_animated_qr_token")]


@pytest.mark.parametrize("methods", [OF_2026, pytest.param(OF_2021, marks=of_2021)])
def test_swedbank_offers_every_kind_of_challenge(swedbank: BankCaller, methods: list[tuple[str, str]]) -> None:
    body = swedbank.ask().json()
    offered = [(method["authenticationMethodId"], method["authenticationType"]) for method in body["scaMethods"]]
    assert offered == methods
    started = swedbank.call("POST", f"{body['consentId']}/authorisations").json()
    assert started["scaStatus"] == "received"
    assert started["scaMethods"] == body["scaMethods"]


@pytest.mark.parametrize(
    "statuses", [["started"] * 3, pytest.param(["authenticationStarted"] * 2 + ["started"], marks=of_2021)]
)
def test_it_ends_well_by_itself(swedbank: BankCaller, statuses: list[str]) -> None:
    consent_id = swedbank.create()
    path = swedbank.start(consent_id)
    assert swedbank.sca_status(path) == "received"
    response = swedbank.call("PUT", path, json={"authenticationMethodId": "mbid"})
    assert response.headers["ASPSP-SCA-Approach"] == "DECOUPLED"
    body = response.json()
    assert body["scaStatus"] == statuses[0]
    assert body["chosenScaMethod"]["authenticationMethodId"] == "mbid"
    assert list(body["_links"]) == ["scaStatus"]
    assert [swedbank.sca_status(path) for _ in range(2)] == statuses[1:]
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


@pytest.mark.parametrize("method", ["mbid", "mbid_same_device"])
def test_the_token_of_an_app_stays_the_same(swedbank: BankCaller, method: str) -> None:
    first, *others = challenges(swedbank, method)
    (token,) = first["data"]
    assert str(uuid.UUID(token)) == token
    assert others == [first, first]
    assert challenges(swedbank, method)[0] != first


def test_the_text_of_an_animated_qr_code_changes(swedbank: BankCaller) -> None:
    values = [challenge["data"][0] for challenge in challenges(swedbank, "mbid_animated_qr_token")]
    assert len({value.rpartition(".")[2] for value in values}) == 3
    assert [value.split(".")[::2] for value in values] == [["bankid", str(step)] for step in range(3)]


def test_the_image_of_an_animated_qr_code_is_the_code_of_its_text(swedbank: BankCaller) -> None:
    path = swedbank.start(swedbank.create())
    found = [swedbank.select(path, "mbid_animated_qr_image")["challengeData"]]
    found += [swedbank.get(path).json()["challengeData"] for _ in range(2)]
    images = [each["image"] for each in found]
    assert len(set(images)) == 3
    for step, image in enumerate(images):
        kind, _, data = image.partition(",")
        assert kind == "data:image/png;base64"
        (token,) = challenge("mbid_animated_qr_token", path.rpartition("/")[2], step)["data"]
        assert token.startswith("bankid.")
        expected = [list(row) for row in segno.make_qr(token, error="l").matrix_iter(scale=3, border=4)]
        assert dark_pixels(base64.b64decode(data, validate=True)) == expected


def dark_pixels(data: bytes) -> list[list[int]]:
    """The pixels of a black-and-white PNG: 1 is dark."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, position = {}, 8
    while position < len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        content = data[position + 8 : position + 8 + length]
        assert struct.unpack_from(">I", data, position + 8 + length) == (zlib.crc32(kind + content),)
        chunks[kind] = content
        position += length + 12
    assert {b"IHDR", b"IDAT", b"IEND"} <= chunks.keys()
    width, height, depth, colour = struct.unpack_from(">IIBB", chunks[b"IHDR"])
    assert (width, depth, colour) == (height, 1, 0)
    filtered = zlib.decompress(chunks[b"IDAT"])
    stride = 1 + (width + 7) // 8
    assert len(filtered) == height * stride
    rows = [bytes(stride - 1)]
    for start in range(0, len(filtered), stride):
        how, row = filtered[start], filtered[start + 1 : start + stride]
        assert how in {0, 2}  # as it is, or what differs from the row above
        rows.append(bytes((one + above * (how == 2)) % 256 for one, above in zip(row, rows[-1], strict=True)))
    return [[1 - (row[column // 8] >> (7 - column % 8) & 1) for column in range(width)] for row in rows[1:]]


def test_a_user_whose_authorisation_fails(swedbank: BankCaller) -> None:
    consent_id = swedbank.create()
    path = swedbank.start(consent_id, headers={"PSU-ID": "example-fails"})
    swedbank.select(path)
    assert [swedbank.sca_status(path) for _ in range(3)] == ["started", "started", "failed"]
    assert swedbank.get(path).json() == {"scaStatus": "failed"}
    assert swedbank.status(consent_id) == "rejected"


REASONS = {
    "99990101004": "AUTHENTICATION_SESSION_EXPIRED",
    "99990101005": "BANKID_NOT_ACTIVATED",
    "example-has-no-rights": "PSU_RIGHTS_MISSING",
}


@pytest.mark.parametrize("bic", ["ESSESESS", "HANDSESS"])
@pytest.mark.parametrize("psu_id", REASONS)
def test_a_failure_has_a_reason(simulator: Simulator, http: httpx.Client, bic: str, psu_id: str) -> None:
    headers = {**OF_A_COMPANY, **APP, "PSU-ID": psu_id, "PSU-Corporate-ID": "9999999990"}
    bank = BankCaller(simulator, http, bic, scope="accountinformation corporate", headers=headers)
    consent_id = bank.create()
    path = bank.start(consent_id)
    bank.select(path)
    while bank.sca_status(path) == "started":
        pass
    body = bank.get(path).json()
    (message,) = body.pop("tppMessages")
    assert body == {"scaStatus": "failed"}
    assert message.pop("text")
    assert message == {"category": "ERROR", "code": REASONS[psu_id]}
    assert bank.status(consent_id) == "rejected"


def test_the_user_who_declines_gives_one_too(swedbank: BankCaller) -> None:
    path = swedbank.start(swedbank.create())
    swedbank.simulator.decline(path.rpartition("/")[2])
    assert [message["code"] for message in swedbank.get(path).json()["tppMessages"]] == ["USER_CANCEL"]


def test_what_ends_with_its_consent_has_no_reason(seb: BankCaller) -> None:
    consent_id = seb.create()
    path = seb.start(consent_id)
    seb.call("DELETE", consent_id)
    assert seb.get(path).json() == {"scaStatus": "failed"}


@of_2021
def test_in_2021_failures_had_no_reason_and_the_sandbox_other_users(swedbank: BankCaller) -> None:
    path = swedbank.start(swedbank.create())
    swedbank.simulator.decline(path.rpartition("/")[2])
    assert swedbank.get(path).json() == {"scaStatus": "failed"}
    consent_id = swedbank.create()
    swedbank.select(swedbank.start(consent_id, headers={"PSU-ID": "99990101004"}))
    assert [swedbank.status(consent_id) for _ in range(3)][-1] == "valid"


def test_a_test_user_for_whom_all_goes_well(seb: BankCaller) -> None:
    headers = {"PSU-ID": "99990101000", **APP}
    consent_id = seb.create(headers=headers)
    path = seb.start(consent_id, headers=headers)
    assert seb.sca_status(path) == "received"
    response = seb.call("PUT", path, json={"authenticationMethodId": "mbid_same_device"}, headers=headers)
    assert response.headers["ASPSP-SCA-Approach"] == "DECOUPLED"
    assert (response.json()["scaStatus"], list(response.json()["challengeData"])) == ("started", ["data"])
    assert [seb.sca_status(path) for _ in range(3)] == ["started", "started", "finalised"]
    assert seb.status(consent_id) == "valid"


@of_2021
def test_in_2021_seb_had_the_redirect_alone(seb: BankCaller) -> None:
    path = seb.start(seb.create(headers=APP), headers=APP)
    response = seb.call("PUT", path, json={"authenticationMethodId": "mbid"}, headers=APP)
    assert response.headers["ASPSP-SCA-Approach"] == "REDIRECT"


@pytest.mark.parametrize("signer", ["example-signer", None])
def test_a_signer_may_have_an_id_of_another_kind(seb: BankCaller, signer: str | None) -> None:
    seb.select(seb.start(seb.create()), headers={"PSU-Authoriser-ID": signer})
    refused(
        seb.call("PUT", seb.start(seb.create()), headers={"PSU-Authoriser-ID": ""}, json={}),
        400,
        "FORMAT_ERROR",
        "PSU-Authoriser-ID",
    )


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


@pytest.mark.parametrize("preferred", ["true", pytest.param(None, marks=of_2021)])
def test_without_a_preference_the_bank_decides_for_the_redirect(swedbank: BankCaller, preferred: str | None) -> None:
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

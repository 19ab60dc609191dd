"""The command line's journey from a consent to transactions: what people and programs meet."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import threading
import webbrowser
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import rich.console

from openpayments_facade.cli.app import app
from tests.cli.people import FAILS, IP, NEVER_ENDS, PSU_ID, SCRIPT, TODAY, USER, person, run

if TYPE_CHECKING:
    from typer.testing import Result

    from openpayments_facade.simulator import Simulator


@pytest.fixture
def openpayments_simulator_options() -> dict[str, Any]:
    return {"transactions": 400, "page_size": 30, "decoupled_reads": 2}


@pytest.fixture
def consent_id(simulator: Simulator) -> str:
    """A valid one at ESSESESS."""
    with simulator.client(api_scopes=["accountinformation"]) as op:
        created = op.at_bank("ESSESESS", USER).consents.create(valid_until=TODAY + timedelta(days=90))
    simulator.approve(created.consent_id)
    return created.consent_id


def create(bank: str, port: int, *more: str, psu_id: str = PSU_ID) -> Result:
    uri = f"http://127.0.0.1:{port}/callback"
    arguments = ["consent", "create", "--bank", bank, "--psu-ip", IP, "--redirect-uri", uri, *more]
    result = run(*arguments, OPENPAYMENTS_PSU_ID=psu_id)
    assert psu_id not in result.output
    return result


def status_of(simulator: Simulator, consent_id: str) -> str:
    return next(consent.status for consent in simulator.consents if consent.id == consent_id)


# consents


def test_a_redirect_comes_back_to_the_command(simulator: Simulator, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = person(
        monkeypatch,
        simulator.visit,
        lambda callback: httpx.get(re.sub("callback.*", "favicon.ico", callback)),
        lambda callback: httpx.get(re.sub("state=[^&]*", "state=of-somebody-else", callback)),
        lambda callback: httpx.get(callback.partition("?")[0]),
    )
    result = create("essesess", port, "--browser", "--days", "30", "--frequency-per-day", "2", "--verbose")
    assert result.exit_code == 0, result.stderr
    consent_id = result.stdout.strip()
    assert [page.status_code for page in pages] == [404, 400, 400, 200]
    assert "You can close this window" in pages[-1].text
    assert status_of(simulator, consent_id) == "valid"
    assert f"http://127.0.0.1:{port}/callback must be whitelisted" in result.stderr
    shown = json.loads(run("consent", "show", consent_id, "--bank", "ESSESESS", "--json").stdout)
    assert shown["frequencyPerDay"] == 2
    assert shown["validUntil"] == str(TODAY + timedelta(days=30))
    code = re.search(r"code=([^&]+)", str(pages[-1].url))
    assert code
    assert code[1] not in result.output


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("error=access_denied&error_description=no+thanks", "the authorisation failed (access_denied: no thanks)"),
        ("error=server_error&state=", "the authorisation failed (server_error)"),
        ("State={state}&amp;Error=access_denied", "the authorisation failed (access_denied)"),
        ("error_description=too+late", "the authorisation failed (too late)"),
        ("error=a&error=b&code=of-somebody-else", "the authorisation failed (a)"),
        ("state={state}", "neither a code nor an error"),
        ("state={state}&code=", "neither a code nor an error"),
        ("state={state}&error=access_denied", "the authorisation failed (access_denied)"),
        ("state={state}&state=another&code=c", "the callback has state more than once"),
    ],
)
def test_a_browser_that_comes_back_without_success_ends_the_command(
    simulator: Simulator, port: int, monkeypatch: pytest.MonkeyPatch, query: str, said: str
) -> None:
    def come_back(url: str) -> str:
        state = parse_qs(urlsplit(url).query)["state"][0]
        return f"http://127.0.0.1:{port}/callback?{query.format(state=state)}"

    pages = person(
        monkeypatch,
        come_back,
        # what has another state, or no error, ends nothing
        lambda callback: httpx.get(f"{callback.partition('?')[0]}?error=no&state=of-somebody-else"),
        lambda callback: httpx.get(f"{callback.partition('?')[0]}?code=of-somebody-else"),
        lambda callback: httpx.get(f"http://127.0.0.1:{port}/?error=no"),
    )
    result = create("ESSESESS", port, "--browser")
    assert (result.exit_code, result.stdout) == (3, "")
    assert said in result.stderr
    assert [page.status_code for page in pages[:3]] == [400, 400, 404]
    assert simulator.token_requests == 1


def test_a_page_of_the_banks_own_is_told_and_not_opened(
    simulator: Simulator, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: pytest.fail("a browser was opened"))
    said: list[str] = []

    def read(text: str) -> None:
        said.append(text)
        if "bank.example" in text:
            simulator.approve(simulator.consents[-1].id)

    monkeypatch.setattr("openpayments_facade.cli.journey.say", read)
    links = {"_links": {"scaRedirect": {"href": "https://bank.example/sign?id=1"}}}
    simulator.misbehave("/psd2/consent/v1/consents/*/authorisations/*", method="PUT", change=links)
    assert create("ESSESESS", port, "--browser").exit_code == 0
    page = next(each for each in said if "bank.example" in each)
    assert (
        page
        == "Open this page of the bank's own. The browser may not come back from there:\n  https://bank.example/sign?id=1"
    )


def test_the_link_can_be_opened_by_hand(simulator: Simulator, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def read_along(text: str) -> None:
        said.append(text)
        if link := re.search(r"http\S+/connect/authorize\S+", text):
            callback = simulator.visit(link[0], approve=False)
            threading.Thread(target=httpx.get, args=[callback], daemon=True).start()

    monkeypatch.setattr("openpayments_facade.cli.journey.say", read_along)
    monkeypatch.setattr(webbrowser, "open", lambda _: pytest.fail("a browser was opened"))
    declined = create("ESSESESS", port, "--browser", "--no-browser")
    assert (declined.exit_code, declined.stdout) == (3, "")
    assert "access_denied" in declined.stderr
    assert len(said) == 2


def test_nobody_comes_back(simulator: Simulator, port: int) -> None:
    result = create("ESSESESS", port, "--browser", "--no-browser", "--timeout", "1")
    assert (result.exit_code, result.stdout) == (6, "")
    assert f"no browser came back to http://127.0.0.1:{port}/callback" in result.stderr
    assert "consent authorise" in result.stderr


def test_a_browser_of_another_authorisation_came_back(
    simulator: Simulator, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    person(monkeypatch, lambda _: f"http://127.0.0.1:{port}/callback?code=c&state=of-somebody-else")
    result = create("ESSESESS", port, "--browser", "--timeout", "1")
    assert (result.exit_code, result.stdout) == (6, "")
    assert "only browsers with the state of another authorisation came back" in result.stderr


def test_a_browser_need_not_come_back_if_the_user_is_done(
    simulator: Simulator, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _: simulator.approve(simulator.consents[-1].id))
    result = create("ESSESESS", port, "--browser", "--timeout", "1")
    assert result.exit_code == 0
    assert status_of(simulator, result.stdout.strip()) == "valid"


@pytest.mark.parametrize(
    "uri",
    [
        "http://192.0.2.1:8765/callback",
        "http://example.com:8765/callback",
        "https://127.0.0.1:8765/callback",
        "http://127.0.0.1:0/callback",
        "http://127.0.0.1@example.com/",
        "http://someone@127.0.0.1:8765/",
        "http://127.0.0.1:x/",
        "http://127.0.0.1:8766/\x01",
        "http://127.0.0.1:8766/\n",
        "http://127.0.0.1:8766/a b",
        "callback",
    ],
)
def test_the_redirect_uri_leads_to_this_machine(simulator: Simulator, uri: str) -> None:
    result = run("consent", "create", "--bank", "ESSESESS", "--redirect-uri", uri)
    assert result.exit_code == 2
    assert "'--redirect-uri': must lead to this machine" in result.stderr
    assert simulator.requests == []


@pytest.mark.parametrize(
    ("option", "value"),
    [("--days", "999999999"), ("--timeout", "nan"), ("--timeout", "inf"), ("--timeout", "1e300"), ("--timeout", "0.5")],
)
def test_numbers_that_no_bank_is_asked_with(simulator: Simulator, port: int, option: str, value: str) -> None:
    result = create("ESSESESS", port, option, value)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"'{option}'" in result.stderr
    assert simulator.requests == []


def test_a_port_in_use_is_told_to_those_who_need_it(simulator: Simulator) -> None:
    taken = urlsplit(simulator.api_url).port or 0
    result = create("ESSESESS", taken, "--browser")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "can't listen on port" in result.stderr
    assert result.stderr.index("Error: ") < result.stderr.index("consent authorise")
    uri = f"http://127.0.0.1:{taken}/callback"
    again = f"{simulator.consents[-1].id} --bank ESSESESS --psu-ip {IP} --browser --redirect-uri {uri}"
    assert f"`openpayments consent authorise {again}` continues" in result.stderr
    assert create("HANDSESS", taken).exit_code == 0


def test_a_bank_that_nobody_knows(simulator: Simulator, port: int) -> None:
    result = create("DEUTDEFF", port)
    assert (result.exit_code, result.stdout) == (4, "")
    assert "RESOURCE_UNKNOWN" in result.stderr


def test_an_app_gets_a_link_where_no_code_can_be_drawn(simulator: Simulator, port: int) -> None:
    result = create("SWEDSESS", port, "--app", "--json")
    consent = json.loads(result.stdout)
    assert (result.exit_code, consent["consentStatus"]) == (0, "valid")
    assert result.stderr.count("https://app.bankid.com/?autostarttoken=") == 1
    shown = run("consent", "show", consent["consentId"], "--bank", "SWEDSESS", "--psu-ip", IP, "--app")
    assert re.search(r"Status +valid\n", shown.stdout)
    # an app is the default
    assert run("consent", "show", consent["consentId"], "--bank", "SWEDSESS", "--psu-ip", IP).exit_code == 0
    another = run("consent", "show", consent["consentId"], "--bank", "SWEDSESS", "--psu-ip", IP, "--browser")
    assert another.exit_code == 2
    assert "requires the --browser or --app that the consent or payment was created with" in another.stderr


def test_a_terminal_gets_a_code_that_is_redrawn(
    simulator: Simulator, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rich.console.Console, "is_terminal", True)
    for name, value in {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"}.items():
        monkeypatch.setenv(name, value)
    result = create("SWEDSESS", port, "--app")
    assert result.exit_code == 0
    assert status_of(simulator, result.stdout.strip()) == "valid"
    drawn = [line for line in result.stderr.splitlines() if re.search("[▀▄█ ]{30}", line)]
    # the code changes, and the drawing with it
    assert len(drawn) > len(set(drawn)) > 25
    assert "Scan the code with the BankID app" in result.stderr


def test_an_image_is_no_use_in_a_terminal(simulator: Simulator, port: int) -> None:
    shown = create("SWEDSESS", port, "--app", "--method", "mbid_animated_qr_image")
    assert shown.exit_code == 0
    assert "--method mbid_animated_qr_token, or mbid" in shown.stderr
    text = create("SWEDSESS", port, "--app", "--method", "mbid_animated_qr_token")
    assert text.exit_code == 0
    assert "with --method mbid there is a link instead" in text.stderr


@pytest.mark.parametrize(("is_terminal", "method"), [(True, "mbid_animated_qr_token"), (False, "mbid")])
def test_the_method_suits_the_terminal(
    simulator: Simulator, port: int, monkeypatch: pytest.MonkeyPatch, is_terminal: bool, method: str
) -> None:
    monkeypatch.setattr(rich.console.Console, "is_terminal", is_terminal)
    monkeypatch.setenv("TERM", "xterm-256color" if is_terminal else "dumb")
    assert create("SWEDSESS", port, "--app").exit_code == 0
    with simulator.client(api_scopes=["accountinformation"]) as op:
        created = op.at_bank("SWEDSESS", USER, redirect_preferred=False).consents.create(valid_until=TODAY)
    at = ["--bank", "SWEDSESS", "--psu-ip", IP, "--app", "--redirect-uri", f"http://127.0.0.1:{port}/"]
    assert run("consent", "authorise", created.consent_id, *at).exit_code == 0
    assert [each.authorisations[-1].method for each in simulator.consents] == [method, method]


def test_a_consent_that_is_not_authorised(simulator: Simulator, port: int, caplog: pytest.LogCaptureFixture) -> None:
    failed = create("SWEDSESS", port, "--app", psu_id=FAILS)
    assert (failed.exit_code, failed.stdout) == (3, "")
    assert "ended as failed" in failed.stderr
    assert (
        f"`openpayments consent create --bank SWEDSESS --psu-ip {IP} --app --redirect-uri http://127.0.0.1:{port}/callback`"
        in failed.stderr
    )
    hopeless = create("SWEDSESS", port, "--app", psu_id="99990101005")
    assert (hopeless.exit_code, hopeless.stdout) == (3, "")
    assert "BANKID_NOT_ACTIVATED: the user has no usable BankID" in hopeless.stderr
    assert "Trying again does not help" in hopeless.stderr
    assert "starts over" not in hopeless.stderr
    late = create("SWEDSESS", port, "--app", "--timeout", "1", psu_id=NEVER_ENDS)
    assert (late.exit_code, late.stdout) == (6, "")
    anonymous = ["consent", "create", "--bank", "SWEDSESS", "--redirect-uri", f"http://localhost:{port}/"]
    for options, wanted in (
        ([], "psu-ip (or OPENPAYMENTS_PSU_IP)"),
        (["--psu-ip", IP], "psu-id (or OPENPAYMENTS_PSU_ID)"),
    ):
        refused = run(*anonymous, *options, OPENPAYMENTS_PSU_ID="" if options else PSU_ID)
        assert refused.exit_code == 2
        assert f"requires --{wanted}" in refused.stderr
    assert " lacks " not in caplog.text
    assert " lacks " in run(*anonymous, "--verbose").stderr


def test_somebody_else_has_to_sign_as_well(simulator: Simulator, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openpayments_facade._sync.authorisation.GRACE", 0.1)
    signed = create("SWEDSESS", port, "--app", psu_id="99990101002")
    assert (signed.exit_code, signed.stdout) == (6, "")
    assert "others have to sign" in signed.stderr
    assert "consent authorise" in signed.stderr
    assert "with the --psu-id of the next person, continues with the same consent" in signed.stderr
    id_ = simulator.consents[-1].id
    at = ["--bank", "SWEDSESS", "--psu-ip", IP, "--app", "--redirect-uri", f"http://127.0.0.1:{port}/"]
    assert run("consent", "authorise", id_, *at).exit_code == 0
    assert status_of(simulator, id_) == "valid"


def test_on_the_device_that_has_bankid_there_is_a_link_and_no_code(
    simulator: Simulator, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rich.console.Console, "is_terminal", True)
    monkeypatch.setenv("TERM", "xterm-256color")
    result = create("SWEDSESS", port, "--app", "--method", "mbid_same_device")
    assert result.exit_code == 0
    assert "Open this link on the device that has BankID: https://app.bankid.com/?autostarttoken=" in result.stderr
    assert not re.search("[▀▄█ ]{30}", result.stderr)


def test_a_code_that_is_too_long_is_not_drawn(simulator: Simulator, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rich.console.Console, "is_terminal", True)
    monkeypatch.setenv("TERM", "xterm-256color")
    answer = {"challengeData": {"data": ["x" * 3000]}}
    simulator.misbehave("/psd2/consent/v1/consents/*/authorisations/*", method="PUT", change=answer)
    result = create("SWEDSESS", port, "--app", "--method", "mbid_animated_qr_token")
    assert result.exit_code == 0
    assert "SCA status: started" in result.stderr
    assert "The QR code can't be drawn here" in result.stderr.partition("SCA status: started")[0]


def test_a_consent_is_authorised_later_looked_at_and_ended(simulator: Simulator, port: int) -> None:
    with simulator.client(api_scopes=["accountinformation"]) as op:
        created = op.at_bank("HANDSESS", USER).consents.create(valid_until=TODAY)
    at = ["--bank", "HANDSESS", "--psu-ip", IP]
    assert run("consent", "status", created.consent_id, *at).stdout == "received\n"
    uri = f"http://127.0.0.1:{port}/"
    authorised = run("consent", "authorise", created.consent_id, *at, "--redirect-uri", uri)
    assert (authorised.exit_code, authorised.stdout) == (0, f"{created.consent_id}\n")
    assert json.loads(run("consent", "status", created.consent_id, *at, "--json").stdout) == {"consentStatus": "valid"}
    deleted = run("consent", "delete", created.consent_id, *at, "--json")
    assert json.loads(deleted.stdout) == {"consentId": created.consent_id, "consentStatus": "terminatedByTpp"}
    assert status_of(simulator, created.consent_id) == "terminatedByTpp"
    assert run("consent", "status", "..", *at).exit_code == 2


def test_a_consent_of_the_simulator_inside_the_command(simulator: Simulator, port: int) -> None:
    result = run("consent", "create", "--bank", "HANDSESS", "--simulator", "--redirect-uri", f"http://127.0.0.1:{port}")
    assert result.exit_code == 0
    assert "the consent with it" in result.stderr
    assert run("consent", "status", "x", "--bank", "HANDSESS", "--simulator").exit_code == 2
    assert simulator.requests == []


# accounts


def test_from_accounts_to_transactions_without_an_account() -> None:
    bank = ["--bank", "HANDSESS", "--simulator"]
    accounts = json.loads(run("accounts", *bank, "--json").stdout)
    assert "NUMBER" in run("accounts", *bank).stdout.splitlines()[0]
    terminal = run("accounts", *bank, "--with-balance", COLUMNS="80", FORCE_COLOR="1").stdout
    assert all(account["resourceId"] in terminal for account in accounts)
    assert re.search(r"closingBooked +\d+\.\d\d +SEK", run("balances", accounts[0]["resourceId"], *bank).stdout)
    transactions = run("transactions", accounts[0]["resourceId"], *bank).stdout.splitlines()
    assert transactions[0].split() == ["DATE", "AMOUNT", "CUR", "STATUS", "TEXT"]
    assert transactions[1] > str(TODAY - timedelta(days=92))
    assert len(transactions) > 10


def test_accounts_of_a_company_without_an_account(simulator: Simulator, port: int) -> None:
    corporate = ["--bank", "ESSESESS", "--psu-context", "corporate"]
    opened = run("accounts", *corporate, "--simulator", "--json")
    assert {each["usage"] for each in json.loads(opened.stdout)} == {"ORGA"}
    who = ["--psu-ip", IP, "--psu-id", PSU_ID]
    refused = run("consent", "create", *corporate, *who, "--redirect-uri", f"http://127.0.0.1:{port}")
    assert refused.exit_code == 2
    assert "requires --psu-corporate-id (or OPENPAYMENTS_PSU_CORPORATE_ID)" in refused.stderr


def test_accounts_need_the_consent(simulator: Simulator, consent_id: str) -> None:
    missing = run("accounts", "--bank", "ESSESESS")
    assert missing.exit_code == 2
    assert "--consent is missing" in missing.stderr
    assert run("accounts", "--bank", "ESSESESS", "--consent", consent_id, "--simulator").exit_code == 2
    simulator.revoke_consent(consent_id)
    revoked = run("accounts", "--bank", "ESSESESS", "--consent", consent_id)
    assert (revoked.exit_code, revoked.stdout) == (3, "")
    assert "openpayments consent create" in revoked.stderr


def test_the_scope_is_added_to_what_the_variable_says(simulator: Simulator, consent_id: str) -> None:
    arguments = ["accounts", "--bank", "ESSESESS", "--consent", consent_id, "--with-balance"]
    heading, first, *_ = run(*arguments, OPENPAYMENTS_API_SCOPES="aspspinformation").stdout.splitlines()
    assert heading.split()[-2:] == ["BOOKED", "AVAILABLE"]
    assert re.search(r"\d\.\d\d \(closingBooked\) +\d+\.\d\d \(interimAvailable\)", first)
    wrong = run(*arguments, OPENPAYMENTS_API_SCOPES="everything")
    assert wrong.exit_code == 2
    assert "OPENPAYMENTS_API_SCOPES must contain nothing but API scopes" in wrong.stderr
    assert "not 'everything'" in wrong.stderr


@pytest.fixture
def account(simulator: Simulator, consent_id: str) -> list[str]:
    """An account on the command line."""
    opened = ["--bank", "ESSESESS", "--consent", consent_id]
    accounts = json.loads(run("accounts", *opened, "--json").stdout)
    return [accounts[0]["resourceId"], *opened, "--psu-ip", IP]


def test_transactions_of_all_pages_as_json_csv_and_lines(simulator: Simulator, account: list[str]) -> None:
    year = ["--from", str(TODAY - timedelta(days=360))]
    simulator.reset()
    as_json = run("transactions", *account, *year, "--json", "--status", "both")
    pages = sum("/transactions" in request.path for request in simulator.requests)
    found = json.loads(as_json.stdout)
    assert pages > 10
    assert len(as_json.stdout.splitlines()) == len(found) + 2
    assert as_json.stderr == ""
    assert {each["bookingStatus"] for each in found} == {"booked", "pending"}

    rows = list(csv.DictReader(io.StringIO(run("transactions", *account, *year, "--csv", "--status", "both").stdout)))
    assert [row["entryReference"] or None for row in rows] == [each.get("entryReference") for each in found]
    assert [row["amount"] for row in rows] == [each["transactionAmount"]["amount"] for each in found]
    assert {row["creditorName"] for row in rows} == {each.get("creditorName", "") for each in found}
    assert [*rows[0]][-4:] == ["day", "text", "otherParty", "otherAccount"]

    lines = run("transactions", *account, *year, "--status", "both").stdout.splitlines()[1:]
    assert [line.split("   ")[0].strip() for line in lines] == [each.get("bookingDate", "") for each in found]


OWN, OTHER = {"iban": "SE4550000000058398257466"}, {"iban": "SE3550000000054910000003"}


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (
            {"remittanceInformationUnstructuredArray": ["Card purchase", "Card 0000"]},
            {"text": "Card purchase Card 0000"},
        ),
        (
            {"remittanceInformationStructuredArray": [{"creditorReferenceInformation": {"reference": "17"}}]},
            {"text": "17"},
        ),
        ({"additionalInformation": "Example Shop"}, {"text": "Example Shop"}),
        ({"bookingDateTime": "2026-01-05T03:30:00Z"}, {"day": "2026-01-05"}),
        ({"bookingDate": "2026-02-30", "valueDate": "2026-03-02"}, {"day": "2026-03-02"}),
        ({"creditorName": "Shop", "creditorAccount": OTHER}, {"otherParty": "Shop", "otherAccount": OTHER["iban"]}),
        ({"creditorAccount": OTHER["iban"]}, {"creditorAccount": OTHER["iban"], "otherAccount": OTHER["iban"]}),
        # no sign, but the account of the page stands on one side
        ({"creditorName": "Shop", "debtorName": "User", "debtorAccount": OWN}, {"otherParty": "Shop"}),
    ],
)
def test_what_every_application_looks_for(
    simulator: Simulator, account: list[str], sent: dict[str, object], shown: dict[str, str]
) -> None:
    booked = {"transactionAmount": {"currency": "SEK", "amount": "1.00"}, **sent}
    for _ in range(2):
        body = {"account": OWN, "transactions": {"booked": [booked]}}
        simulator.misbehave("/psd2/accountinformation", status=200, body=body)
    [row] = csv.DictReader(io.StringIO(run("transactions", *account, "--csv").stdout))
    assert {name: row[name] for name in shown} == shown
    line = run("transactions", *account).stdout.splitlines()[1]
    assert all(" ".join(said.split()) in line for name, said in shown.items() if "Account" not in name)


def test_csv_quotes_what_the_bank_sends(simulator: Simulator, account: list[str]) -> None:
    text = '1+1,"quoted";\r\nnext \x1b[31mline'
    booked = {
        "transactionAmount": {"currency": "SEK", "amount": "-1.00"},
        "remittanceInformationUnstructured": text,
        "creditorAccount": {"bban": "000000017", "clearingNumber": "6000"},
    }
    for _ in range(2):
        simulator.misbehave("/psd2/accountinformation", status=200, body={"transactions": {"booked": [booked]}})
    rows = list(csv.reader(io.StringIO(run("transactions", *account, "--csv").stdout_bytes.decode(), newline="")))
    assert len(rows) == 2
    row = dict(zip(*rows, strict=True))
    assert row["remittanceInformationUnstructured"] == '1+1,"quoted";  next  [31mline'
    assert (row["creditorAccount"], row["resourceId"]) == ("6000-000000017", account[0])
    lines = run("transactions", *account).stdout.splitlines()
    assert len(lines) == 2
    assert "\x1b" not in lines[1]


def test_a_terminal_is_not_steered(
    simulator: Simulator, account: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "one\nåäö\x1b[31m\x9b2J\r"
    booked = {"transactionAmount": {"currency": "SEK", "amount": "1.00"}, "remittanceInformationUnstructured": text}
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    for form in ("--csv", "--json"):
        simulator.misbehave("/psd2/accountinformation", status=200, body={"transactions": {"booked": [booked]}})
        app(["transactions", *account, form], standalone_mode=False)
        written = capsys.readouterr().out
        assert "å" in written
        assert "".join(filter(lambda character: not character.isprintable(), written)).strip("\n") == ""
    assert json.loads(written)[0]["remittanceInformationUnstructured"] == text


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"transactionAmount": {"amount": None, "currency": None}}, "booked"),
        ({"transactionAmount": "5 SEK"}, "5 SEK booked"),
        ({"transactionAmount": -12.5}, "-12.5 booked"),
        ({"transactionAmount": {"amount": "1,50 SEK"}}, "1,50 SEK SEK booked"),
        ({"transactionAmount": {"amount": -7.5, "currency": 752}, "creditorName": "A shop"}, "-7.5 752 booked A shop"),
        ({"creditorName": {"first": "A"}}, "1.00 SEK booked A"),
        ({"remittanceInformationUnstructured": ["a", "b\x1b"]}, "1.00 SEK booked a b"),
        (
            {"creditorAccount": {"iban": 7}, "debtorAccount": {"bban": 5, "clearingNumber": 6000}},
            "1.00 SEK booked 6000-5",
        ),
    ],
)
def test_types_that_no_description_has(
    simulator: Simulator, account: list[str], sent: dict[str, object], shown: str
) -> None:
    booked = {"transactionAmount": {"currency": "SEK", "amount": "1.00"}, **sent}
    for _ in range(3):
        simulator.misbehave("/psd2/accountinformation", status=200, body={"transactions": {"booked": [booked]}})
    assert " ".join(run("transactions", *account).stdout.splitlines()[1].split()) == shown
    [row] = csv.DictReader(io.StringIO(run("transactions", *account, "--csv").stdout))
    assert " ".join(f"{row['amount']} {row['currency']} booked".split()) in shown
    assert run("transactions", *account, "--json").exit_code == 0


def test_csv_has_what_is_no_text_as_json(simulator: Simulator, account: list[str]) -> None:
    kept = {
        "creditorName": {"name": "Café"},
        "remittanceInformationUnstructured": ["l1", "l2"],
        "endToEndId": 17,
        "purposeCode": True,
    }
    body = {"transactions": {"booked": [{"transactionAmount": {"amount": "1.00", "currency": "SEK"}, **kept}]}}
    simulator.misbehave("/psd2/accountinformation", status=200, body=body)
    [row] = csv.DictReader(io.StringIO(run("transactions", *account, "--csv").stdout))
    assert {name: json.loads(row[name]) for name in kept} == kept


def test_balances_that_are_not_as_described(simulator: Simulator, account: list[str]) -> None:
    sent = (12.5, "7.00 SEK", {"amount": "1,00", "currency": "SEK"}, None)
    body = {"balances": [{"balanceType": f"t{number}", "balanceAmount": each} for number, each in enumerate(sent)]}
    simulator.misbehave("/psd2/accountinformation", status=200, body=body)
    lines = run("balances", *account).stdout.splitlines()[1:]
    assert [line.split() for line in lines] == [["t0", "12.5"], ["t1", "7.00", "SEK"], ["t2", "1,00", "SEK"], ["t3"]]
    listed = {"accounts": [{"resourceId": "a", "balances": [{"balanceType": "CLBD", "balanceAmount": "7.00 SEK"}]}]}
    simulator.misbehave("/psd2/accountinformation", status=200, body=listed)
    opened = run("accounts", *account[1:], "--with-balance")
    assert re.search(r"a +7\.00 \(CLBD\)\n", opened.stdout)


def test_a_status_that_is_no_text(simulator: Simulator, consent_id: str) -> None:
    simulator.misbehave("/psd2/consent", body={"consentStatus": {"code": 7}})
    result = run("consent", "status", consent_id, "--bank", "ESSESESS")
    assert (result.exit_code, result.stdout) == (5, "")
    assert "consentStatus is not a text" in result.stderr


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
@pytest.mark.parametrize("form", ["--status=booked", "--csv", "--json"])
def test_what_no_output_can_show_ends_no_list(
    simulator: Simulator, account: list[str], form: str, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    amount = '"transactionAmount": {"currency": "SEK", "amount": "1.00"}'
    entries = ", ".join(
        f'{{{amount}, "creditorName": "{name}"}}' for name in ("Half \\ud83d", "\\u0141\u00f3d\u017a", "Last")
    )
    body = f'{{"transactions": {{"booked": [{entries}]}}}}'
    simulator.misbehave("/psd2/accountinformation", status=200, body=body, content_type="application/json")
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    done = subprocess.run([SCRIPT, "transactions", *account, form], capture_output=True, check=False)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert b"Half" in done.stdout
    assert b"Last" in done.stdout


def test_no_transactions(simulator: Simulator, account: list[str]) -> None:
    heading = run("transactions", *account, "--csv").stdout.splitlines(keepends=True)[0]
    for form, printed in {"--json": "[]\n", "--csv": heading, "--status=booked": ""}.items():
        for status, body in ((200, {"transactions": {"booked": []}}), (204, None)):
            simulator.misbehave("/psd2/accountinformation", status=status, body=body)
            result = run("transactions", *account, form)
            assert (result.stdout, result.stderr) == (printed, "No transactions in that period.\n")


def test_an_error_instead_of_transactions(simulator: Simulator, account: list[str]) -> None:
    report = {"transactions": {}, "tppMessages": [{"category": "ERROR", "code": "SERVICE_BLOCKED"}]}
    simulator.misbehave("/psd2/accountinformation", status=200, body=report)
    result = run("transactions", *account)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Error: the bank answered with an error instead of transactions: SERVICE_BLOCKED" in result.stderr


def test_a_file_instead_of_transactions(simulator: Simulator, account: list[str]) -> None:
    links = {"_links": {"download": {"href": "https://files.example/statement?key=k"}}}
    for form, report in (("--status=booked", links), ("--csv", {"transactions": links})):
        simulator.misbehave("/psd2/accountinformation", status=200, body=report)
        result = run("transactions", *account, form)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("Error: the bank offers a file to download instead of transactions: ask for")
        assert "a shorter period, or fetch the link `download`" in result.stderr
        assert "key=k" not in result.stderr


def test_a_page_that_fails_leaves_no_complete_json(simulator: Simulator, account: list[str]) -> None:
    link = {"next": {"href": "/psd2/accountinformation/v1/accounts/x/transactions?page=2"}}
    booked = [{"transactionAmount": {"currency": "SEK", "amount": "1.00"}}]
    report = {"transactions": {"booked": booked, "_links": link}}
    simulator.misbehave("/psd2/accountinformation", status=200, body=report)
    simulator.misbehave("/psd2/accountinformation", status=404, times=None)
    result = run("transactions", *account, "--json")
    assert result.exit_code == 4
    assert "1.00" in result.stdout
    with pytest.raises(json.JSONDecodeError):
        json.loads(result.stdout)


def test_a_terminal_shows_how_far_it_is(
    simulator: Simulator, account: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rich.console.Console, "is_terminal", True)
    for name, value in {"TERM": "xterm-256color", "COLUMNS": "100"}.items():
        monkeypatch.setenv(name, value)
    result = run("transactions", *account, "--csv")
    assert "Read 30 transactions" in result.stderr
    assert "% of the days" in result.stderr
    assert "\x1b" not in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "2026-02-30"], "not a date"),
        (["--from", "2025-02-02", "--to", "2025-01-01"], "--from is 2025-02-02, which is after --to 2025-01-01"),
        (["--json", "--csv"], "can't be used together"),
        (["--status", "imagined"], "--status"),
        (["--psu-ip", "203.0.113.777"], "--psu-ip must be"),
    ],
)
def test_what_is_wrong_is_not_sent(simulator: Simulator, arguments: list[str], said: str) -> None:
    result = run("transactions", "an-account", "--bank", "ESSESESS", "--consent", "a-consent", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert simulator.requests == []


def test_accesses_without_the_user_are_counted(simulator: Simulator, account: list[str]) -> None:
    unattended = account[: account.index("--psu-ip")]
    codes = [run("balances", *unattended).exit_code for _ in range(5)]
    assert codes == [0, 0, 0, 0, 1]
    assert "--psu-ip" in run("balances", *unattended).stderr
    assert run("balances", *account).exit_code == 0


def test_the_doctor_knows_the_users_variables_and_shows_none(simulator: Simulator) -> None:
    result = run("doctor", "--json", OPENPAYMENTS_PSU_ID=PSU_ID, OPENPAYMENTS_PSU_IP=IP)
    assert result.exit_code == 0
    assert "unknown variable" not in result.stdout
    assert PSU_ID not in result.output
    assert IP not in result.output

"""The other side of the wire: applications that talk to the simulator with plain httpx, and nothing of the facade."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    import httpx

    from openpayments_facade.simulator import Simulator

ASPSP_INFORMATION = "/psd2/aspspinformation/v1"
CONSENTS = "/psd2/consent/v1/consents"
ACCOUNTS = "/psd2/accountinformation/v1/accounts"
REDIRECT_URI = "https://app.example/callback"

CARDS = "/psd2/accountinformation/v1/card-accounts"
PAYMENTS = "/psd2/paymentinitiation/v1/payments"
QUOTES = "/psd2/paymentinitiation/v1/fx"
BASKETS = "/psd2/paymentinitiation/v1/signing-baskets"
# of tokens for banks
API_SCOPES = "accountinformation paymentinitiation"
# a POST to the control path needs it, even without a body
AS_JSON = {"Content-Type": "application/json"}
# what every bank is content with
HEADERS = {
    "PSU-IP-Address": "203.0.113.7",
    "PSU-User-Agent": "Mozilla/5.0",
    "PSU-ID": "example-user",
    "TPP-Redirect-Preferred": "true",
}
OF_A_COMPANY = {**HEADERS, "PSU-Corporate-ID": "example-company"}
YEAR = 365 * 86400
UNATTENDED: dict[str, str | None] = {"PSU-IP-Address": None}
REQUEST: Mapping[str, Any] = {
    "access": {},
    "recurringIndicator": True,
    "validUntil": "2026-06-01",
    "frequencyPerDay": 4,
    "combinedServiceIndicator": False,
}

Headers = Mapping[str, str | None]


class Clock:
    """2026-03-01, noon, until it is moved."""

    now = 1_772_366_400.0

    def __call__(self) -> float:
        return self.now

    def next_day(self, days: int = 1) -> None:
        self.now += days * 86400


class Caller:
    """Talks to one simulator. `http` is the bare client, for requests that are wrong on purpose."""

    def __init__(self, simulator: Simulator, http: httpx.Client) -> None:
        self.simulator = simulator
        self.http = http

    def ask_token(
        self, headers: dict[str, str] | list[tuple[str, str]] | None = None, /, **changes: str | None
    ) -> httpx.Response:
        """A good token request but for the changes; None leaves a field out."""
        form: dict[str, str | None] = {
            "client_id": self.simulator.client_id,
            "client_secret": self.simulator.client_secret,
            "grant_type": "client_credentials",
            "scope": "aspspinformation private",
        }
        form.update(changes)
        fields = {name: value for name, value in form.items() if value is not None}
        return self.http.post(f"{self.simulator.auth_url}/connect/token", data=fields, headers=headers)

    def exchange(
        self, code: str | None, headers: dict[str, str] | list[tuple[str, str]], **changes: str | None
    ) -> httpx.Response:
        """As `ask_token`, for the grant of an authorization code."""
        grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
        return self.ask_token(headers, **{**grant, "scope": "accountinformation private", **changes})

    def token(self, scope: str = "aspspinformation private") -> str:
        response = self.ask_token(scope=scope)
        assert response.status_code == 200, response.text
        return str(response.json()["access_token"])

    def get(
        self, path: str, *, token: str | None = None, headers: dict[str, str] | None = None, method: str = "GET"
    ) -> httpx.Response:
        """A good API request below ASPSP Information, with a new token unless one is given."""
        return self.http.request(
            method,
            f"{self.simulator.api_url}{ASPSP_INFORMATION}{path}",
            headers={"Authorization": f"Bearer {token or self.token()}", "X-Request-ID": str(uuid.uuid4())}
            | (headers or {}),
        )


class BankCaller:
    """`headers` go on every call. Paths that begin with `/` are whole, others begin at the consents."""

    def __init__(
        self,
        simulator: Simulator,
        http: httpx.Client,
        bic: str = "ESSESESS",
        *,
        scope: str = f"{API_SCOPES} private",
        headers: Mapping[str, str] = HEADERS,
    ) -> None:
        self.simulator = simulator
        self.http = http
        self.caller = Caller(simulator, http)
        self.headers = {
            "Authorization": f"Bearer {self.caller.token(scope)}",
            "X-BicFi": bic,
            **headers,
        }

    def call(self, method: str, path: str, *, headers: Headers | None = None, **arguments: Any) -> httpx.Response:
        """A header of None is left out."""
        sent = {"X-Request-ID": str(uuid.uuid4()), **self.headers, **(headers or {})}
        url = self.simulator.api_url + (path if path.startswith("/") else f"{CONSENTS}/{path}".rstrip("/"))
        fields = {name: value for name, value in sent.items() if value is not None}
        return self.http.request(method, url, headers=fields, **arguments)

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        return self.call("GET", path, **arguments)

    def ask(self, *, headers: Headers | None = None, **changes: Any) -> httpx.Response:
        """A good request for a consent but for the changes; None leaves a field out."""
        body = {name: value for name, value in {**REQUEST, **changes}.items() if value is not None}
        return self.call("POST", "", json=body, headers=headers)

    def create(self, *, headers: Headers | None = None, **changes: Any) -> str:
        response = self.ask(headers=headers, **changes)
        assert response.status_code == 201, response.text
        return str(response.json()["consentId"])

    def start(self, consent_id: str, **arguments: Any) -> str:
        response = self.call("POST", f"{consent_id}/authorisations", **arguments)
        assert response.status_code == 201, response.text
        return f"{consent_id}/authorisations/{response.json()['authorisationId']}"

    def select(self, path: str, method: str = "mbid", **arguments: Any) -> dict[str, Any]:
        response = self.call("PUT", path, json={"authenticationMethodId": method}, **arguments)
        assert response.status_code == 200, response.text
        return dict(response.json())

    def status(self, consent_id: str) -> str:
        return str(self.get(f"{consent_id}/status").json()["consentStatus"])

    def sca_status(self, path: str) -> str:
        return str(self.get(path).json()["scaStatus"])

    def link(self, *, redirect_uri: str = REDIRECT_URI, state: str = "a state", **consent: Any) -> tuple[str, str, str]:
        """A consent on the point of being approved: its id, the path of its authorisation, the link for the browser."""
        consent_id = self.create(**consent)
        path = self.start(consent_id)
        links = self.select(path)["_links"]
        template = links.get("scaOAuth") or links["scaRedirect"]
        return consent_id, path, fill(template["href"], self.simulator.client_id, redirect_uri, state)

    def exchange(self, path: str, code: str) -> httpx.Response:
        """The code that came back from the link of this authorisation, for a token."""
        consent_id, _, authorisation_id = path.partition("/authorisations/")
        return self.caller.exchange(code, {"X-ConsentId": consent_id, "X-ConsentAuthorisationId": authorisation_id})

    def valid(self, *, headers: Headers | None = None, **changes: Any) -> str:
        """The id of a consent that was approved."""
        consent_id = self.create(headers=headers, **changes)
        self.simulator.approve(consent_id)
        return consent_id

    def read(self, consent_id: str, path: str = "", *, headers: Headers | None = None, **query: Any) -> httpx.Response:
        """A call for accounts; `path` begins below them."""
        where = path if path.startswith("/") else f"{ACCOUNTS}/{path}".rstrip("/").replace("/?", "?")
        return self.get(where, headers={"Consent-ID": consent_id, **(headers or {})}, params=query or None)

    def accounts(self, consent_id: str, **arguments: Any) -> list[dict[str, Any]]:
        """The list of accounts; 204 is an empty one."""
        response = self.read(consent_id, **arguments)
        assert response.status_code in {200, 204}, response.text
        return [*response.json()["accounts"]] if response.content else []

    def account_ids(self, consent_id: str) -> list[str]:
        return [account["resourceId"] for account in self.accounts(consent_id)]

    def card_ids(self, consent_id: str) -> list[str]:
        return [card["resourceId"] for card in self.read(consent_id, CARDS).json()["cardAccounts"]]


_PAYMENT = {
    "instructedAmount": {"currency": "SEK", "amount": "150.00"},
    "debtorAccount": {"iban": "SE4550000000058398257466"},
    "creditorAccount": {"iban": "SE3550000000000000000025"},
    "creditorName": "Exempelföretaget AB",
}
_BANK = {"creditorAgent": "EXAMFIHH", "creditorAgentName": "Example Bank"}
# a good body of each product
ORDERS: Mapping[str, Mapping[str, Any]] = {
    "domestic": _PAYMENT,
    "sepa-credit-transfers": {
        **_PAYMENT,
        **_BANK,
        "instructedAmount": {"currency": "EUR", "amount": "12.50"},
        "creditorAccount": {"iban": "FI2112345600000785"},
    },
    "swedish-giro": {
        **{name: value for name, value in _PAYMENT.items() if name != "creditorAccount"},
        "creditorGiro": {"giroNumber": "000-0000", "giroType": "BANKGIRO"},
        "ocrRef": "1234567897",
    },
    "cross-border": {
        **_PAYMENT,
        **_BANK,
        "instructedAmount": {"currency": "USD", "amount": "130.00"},
        "creditorAccount": {"accountNumber": "000000001"},
        "creditorAddress": {"country": "US", "postalCode": "10001", "city": "New York", "street": "Example Street"},
    },
    "international": _PAYMENT,
}


QUOTE = {"sourceCurrency": "SEK", "targetCurrency": "USD", "amount": "130.00", "countryCode": "US"}


class Payer(BankCaller):
    """A caller whose payments are from an account that is none of the user's; what it returns are whole paths."""

    def pay(self, product: str = "domestic", *, headers: Headers | None = None, **changes: Any) -> httpx.Response:
        """A good request for a payment but for the changes; None leaves a field out."""
        body = {name: value for name, value in {**ORDERS[product], **changes}.items() if value is not None}
        return self.call("POST", f"{PAYMENTS}/{product}", json=body, headers=headers)

    def new(self, product: str = "domestic", *, headers: Headers | None = None, **changes: Any) -> str:
        response = self.pay(product, headers=headers, **changes)
        assert response.status_code == 201, response.text
        return str(response.json()["_links"]["self"]["href"])

    def approved(self, product: str = "domestic", *, headers: Headers | None = None, **changes: Any) -> str:
        path = self.new(product, headers=headers, **changes)
        self.simulator.approve(id_of(path))
        return path

    def quote(self, *, headers: Headers | None = None, **changes: Any) -> httpx.Response:
        """A good request for an FX quote but for the changes; None leaves a field out."""
        body = {name: value for name, value in {**QUOTE, **changes}.items() if value is not None}
        return self.call("POST", QUOTES, json=body, headers=headers)

    def new_quote(self, **changes: Any) -> dict[str, str]:
        """The header that names the quote."""
        response = self.quote(**changes)
        assert response.status_code == 201, response.text
        return {"FX-Quote-Id": response.json()["fxQuoteId"]}

    def basket(self, *paths: str, **arguments: Any) -> httpx.Response:
        """A request for a signing basket of these payments."""
        return self.call("POST", BASKETS, json={"paymentIds": [*map(id_of, paths)]}, **arguments)

    def new_basket(self, *paths: str, **arguments: Any) -> str:
        response = self.basket(*paths, **arguments)
        assert response.status_code == 201, response.text
        return str(response.json()["_links"]["self"]["href"])

    def payment_status(self, path: str) -> str:
        return str(self.get(f"{path}/status").json()["transactionStatus"])

    def sign(self, path: str, method: str = "mbid", *, kind: str = "authorisations", **arguments: Any) -> str:
        """An authorisation in the app, until it ends. Returns its path."""
        response = self.call("POST", f"{path}/{kind}", **arguments)
        assert response.status_code == 201, response.text
        authorisation = f"{path}/{kind}/{response.json()['authorisationId']}"
        self.select(authorisation, method, **arguments)
        while self.sca_status(authorisation) == "started":
            pass
        return authorisation


def id_of(path: str) -> str:
    return path.rpartition("/")[2]


def fill(template: str, client_id: str, redirect_uri: str, state: str) -> str:
    values = {"[CLIENT_ID]": client_id, "[TPP_REDIRECT_URI]": redirect_uri, "[TPP_STATE]": state}
    for placeholder, value in values.items():
        assert template.count(placeholder) == 1
        template = template.replace(placeholder, quote(value, safe=""))
    return template


def until(condition: Callable[[], object]) -> None:
    """Waits for something that another thread brings about."""
    give_up = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < give_up, "it did not happen"
        time.sleep(0.001)


def messages(response: httpx.Response) -> list[tuple[Any, Any]]:
    """Code and path of each message of an API error, which has the documented form."""
    body = response.json()
    assert list(body) == ["tppMessages"]
    for message in body["tppMessages"]:
        assert message["category"] == "ERROR"
        assert 0 < len(message["text"]) <= 512
        assert set(message) <= {"category", "code", "text", "path"}
    return [(message["code"], message.get("path")) for message in body["tppMessages"]]


def refused(response: httpx.Response, status: int, code: str, path: str | None = None) -> None:
    """Asserts that the API host answers with one error."""
    assert response.status_code == status
    if response.request.url.path.startswith("/kyc/") and "type" in response.json():
        body = response.json()
        assert set(body) == {"type", "title", "status", "detail", "instance"}
        where = response.request.url.raw_path.decode().partition("?")[0]
        assert (body["type"], body["status"], body["instance"]) == (f"urn:open-payments:{code}", status, where)
    else:
        assert messages(response) == [(code, path)]

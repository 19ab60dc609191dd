"""The other side of the wire: plain httpx, nothing of the facade."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from openpayments_facade.simulator import Simulator

ASPSP_INFORMATION = "/psd2/aspspinformation/v1"


class Caller:
    """Talks to one simulator. `http` is the bare client, for requests that are wrong on purpose."""

    def __init__(self, simulator: Simulator, http: httpx.Client) -> None:
        self.simulator = simulator
        self.http = http

    def ask_token(self, **changes: str | None) -> httpx.Response:
        """A good token request but for the changes; None leaves a field out."""
        form: dict[str, str | None] = {
            "client_id": self.simulator.client_id,
            "client_secret": self.simulator.client_secret,
            "grant_type": "client_credentials",
            "scope": "aspspinformation private",
        }
        form.update(changes)
        fields = {name: value for name, value in form.items() if value is not None}
        return self.http.post(f"{self.simulator.auth_url}/connect/token", data=fields)

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

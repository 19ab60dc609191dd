"""Where the canned server is."""

from __future__ import annotations


class Hosts:
    """The API, and what gives tokens for it: two hosts, as with the provider, with connections of their own."""

    def __init__(self, api: str, auth: str) -> None:
        self.api, self.auth = api, auth

"""The PSU, the end user at a bank: the PSU-* headers of one call. Never kept on a shared client.

Source: the provider's guide of 2021.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Final

from attrs import Attribute, field, fields, frozen
from openpayments_client.operations import OPERATIONS

from ._checks import check, refuse
from ._redaction import hiding_arguments
from .scopes import PsuContext, read_psu_context

__all__ = ["Psu"]


_ARGUMENTS: Final = OPERATIONS["create_consent"].arguments
_RULES: Final = {name[4:]: rule for name, rule in _ARGUMENTS.items() if name.startswith("psu_")}


def _is_ip_address(value: object) -> bool:
    # a zone (fe80::1%eth0) means nothing to a bank, and Python takes any text for one
    try:
        return isinstance(value, str) and "%" not in value and bool(ipaddress.ip_address(value))
    except ValueError:
        return False


def _check(_: object, attribute: Attribute[Any], value: object) -> None:
    name = attribute.name
    if name == "ip_address" and value is not None and not _is_ip_address(value):
        raise refuse(name, "must be an IP address such as 203.0.113.7")
    if name == "ip_port" and value is not None:
        if type(value) is not int:
            raise refuse(name, "must be a port from 1 to 65535")
        value = str(value)
    if value is not None:
        check(_RULES[name], value, name)


def _context(value: object) -> PsuContext | None:
    return read_psu_context(value, argument="context")


def _header(*, shown: bool = False) -> Any:
    return field(default=None, repr=shown, validator=_check)


@frozen(kw_only=True)
class Psu:
    """Who the end user is, as far as it is known. The repr shows neither id nor address.

    Args:
        ip_address: The user's own address. Without it nobody sits in front of the screen: unattended access, which the
            consent limits to a number a day.
        id: The user's id at the bank; at Swedish banks the personal identity number.
        id_type: What kind of id that is, where a bank knows several.
        corporate_id: The company's id, with business accounts; at Swedish banks the organisation number.
        corporate_id_type: What kind of id that is.
        context: Personal or business accounts; wins over the client's `psu_context`.
        ip_port, user_agent, accept, accept_charset, accept_encoding, accept_language, http_method, device_id,
            geo_location: What the user's browser or app sent.

    Raises:
        InvalidArgumentError: It names the field, and does not show the value.
    """

    ip_address: str | None = _header()
    id: str | None = _header()
    id_type: str | None = _header(shown=True)
    corporate_id: str | None = _header()
    corporate_id_type: str | None = _header(shown=True)
    context: PsuContext | None = field(default=None, converter=_context)
    ip_port: int | None = _header()
    user_agent: str | None = _header()
    accept: str | None = _header()
    accept_charset: str | None = _header()
    accept_encoding: str | None = _header()
    accept_language: str | None = _header()
    http_method: str | None = _header()
    device_id: str | None = _header()
    geo_location: str | None = _header()

    @classmethod
    @hiding_arguments
    def from_headers(
        cls,
        headers: Mapping[str, str],
        *,
        client_ip: str,
        context: PsuContext | str | None = None,
        id: str | None = None,  # noqa: A002 - the field's name
        corporate_id: str | None = None,
    ) -> Psu:
        """The user behind a request to your web application.

            psu = Psu.from_headers(request.headers, client_ip=request.client.host)

        Args:
            headers: The request's headers. User-Agent and the Accept headers are taken; what can't go into a header
                again is left out.
            client_ip: The user's own address, not your proxy's.
            context, id, corporate_id: As in `Psu`.

        Raises:
            InvalidArgumentError: `client_ip` is no address. An unknown one does not make the access unattended.
        """
        if not _is_ip_address(client_ip):
            raise refuse("client_ip", "must be the user's IP address")
        if not isinstance(headers, Mapping):
            raise refuse("headers", "must be a mapping of names to values")
        pairs = [(name, value) for name, value in headers.items() if isinstance(name, str) and isinstance(value, str)]
        sent = {name.lower(): value.strip() for name, value in pairs}
        names = ("user_agent", "accept", "accept_charset", "accept_encoding", "accept_language")
        found = {name: sent.get(name.replace("_", "-")) for name in names}
        kept: dict[str, Any] = {name: value for name, value in found.items() if not [*_RULES[name].problems(value, "")]}
        return cls(ip_address=client_ip, context=context, id=id, corporate_id=corporate_id, **kept)

    @property
    def is_attended(self) -> bool:
        """Whether the user is there."""
        return self.ip_address is not None

    def headers(self, *, identify: bool) -> dict[str, str]:
        """The PSU-* headers of a call; who the user is only where the API asks for it (`identify`)."""
        return {_RULES[name].name: value for name, value in self.values(identify=identify).items()}

    def values(self, *, identify: bool) -> dict[str, str]:
        """What the headers hold, by field."""
        hidden = {"context"} if identify else {"context", "id", "id_type", "corporate_id", "corporate_id_type"}
        values = {each.name: getattr(self, each.name) for each in fields(Psu) if each.name not in hidden}
        return {name: str(value) for name, value in values.items() if value is not None}


# error trackers send the locals of frames along, and the arguments tell who the user is
Psu.__init__ = hiding_arguments(Psu.__init__)  # type: ignore[method-assign]

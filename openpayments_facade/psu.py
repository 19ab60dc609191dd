"""The PSU, the end user at a bank: the PSU-* headers of one call. Never kept on a shared client.

Source: facts 10-auth, section 4.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from attrs import Attribute, field, frozen

from ._redaction import hiding_arguments
from .errors import InvalidArgumentError
from .scopes import PsuContext, read_psu_context

__all__ = ["Psu"]

_GEO: Final = re.compile(r"GEO:-?[0-9]{1,2}\.[0-9]{6};-?[0-9]{1,3}\.[0-9]{6}")
_METHODS: Final = ("DELETE", "GET", "PATCH", "POST", "PUT")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _refuse(attribute: Attribute[Any], what: str) -> None:
    # the value is not shown: it may tell who the user is
    raise InvalidArgumentError(f"{attribute.name} of the Psu must be {what}", argument=attribute.name)


def _is_header_value(value: object) -> bool:
    return isinstance(value, str) and "" != value == value.strip() and all(" " <= c <= "~" for c in value)


def _text(_: Psu, attribute: Attribute[Any], value: object) -> None:
    if value is not None and not _is_header_value(value):
        _refuse(attribute, "a text of printable ASCII, without blanks around it")


def _is_ip_address(value: object) -> bool:
    # a zone (fe80::1%eth0) means nothing to a bank, and Python takes any text for one
    if not isinstance(value, str) or "%" in value:
        return False
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _ip_address(_: Psu, attribute: Attribute[Any], value: object) -> None:
    # refused out here: the ValueError of ipaddress shows the value
    if value is not None and not _is_ip_address(value):
        _refuse(attribute, "an IP address such as 203.0.113.7")


def _ip_port(_: Psu, attribute: Attribute[Any], value: object) -> None:
    if value is not None and not (isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536):
        _refuse(attribute, "a port from 1 to 65535")


def _device_id(_: Psu, attribute: Attribute[Any], value: object) -> None:
    if value is not None and not (isinstance(value, str) and _UUID.fullmatch(value)):
        _refuse(attribute, "a UUID")


def _geo_location(_: Psu, attribute: Attribute[Any], value: object) -> None:
    if value is not None and not (isinstance(value, str) and _GEO.fullmatch(value)):
        _refuse(attribute, "like GEO:59.329323;018.068581, with six decimals")


def _http_method(_: Psu, attribute: Attribute[Any], value: object) -> None:
    if value is not None and value not in _METHODS:
        _refuse(attribute, f"one of {', '.join(_METHODS)}")


def _context(value: object) -> PsuContext | None:
    return read_psu_context(value, argument="context")


T = TypeVar("T")


def _hiding_who(cls: type[T]) -> type[T]:
    # error trackers send the locals of frames along, and the arguments tell who the user is
    cls.__init__ = hiding_arguments(cls.__init__)  # type: ignore[method-assign]
    return cls


@_hiding_who
@frozen(kw_only=True)
class Psu:
    """Who the end user is, as far as it is known.

    Without `ip_address` nobody sits in front of the screen: unattended access, which the consent limits to a number a
    day. `id` is the user's id at the bank (Swedish banks: the personal identity number), `corporate_id` that of the
    company; `context` wins over the client's `psu_context`. The rest is what the user's browser sent. The repr shows
    neither id nor address. Raises InvalidArgumentError, which names the field.
    """

    ip_address: str | None = field(default=None, repr=False, validator=_ip_address)
    id: str | None = field(default=None, repr=False, validator=_text)
    id_type: str | None = field(default=None, validator=_text)
    corporate_id: str | None = field(default=None, repr=False, validator=_text)
    corporate_id_type: str | None = field(default=None, validator=_text)
    context: PsuContext | None = field(default=None, converter=_context)
    ip_port: int | None = field(default=None, repr=False, validator=_ip_port)
    user_agent: str | None = field(default=None, repr=False, validator=_text)
    accept: str | None = field(default=None, repr=False, validator=_text)
    accept_charset: str | None = field(default=None, repr=False, validator=_text)
    accept_encoding: str | None = field(default=None, repr=False, validator=_text)
    accept_language: str | None = field(default=None, repr=False, validator=_text)
    http_method: str | None = field(default=None, repr=False, validator=_http_method)
    device_id: str | None = field(default=None, repr=False, validator=_device_id)
    geo_location: str | None = field(default=None, repr=False, validator=_geo_location)

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

        Takes User-Agent and the Accept headers. `client_ip` is the user's own address, not your proxy's. What can't go
        into a header again is left out. Raises InvalidArgumentError if `client_ip` is no address: not known is no
        reason to count the access as one without the user.
        """
        if not _is_ip_address(client_ip):
            raise InvalidArgumentError("client_ip must be the user's IP address", argument="client_ip")
        if not isinstance(headers, Mapping):
            raise InvalidArgumentError("headers must be a mapping of names to values", argument="headers")
        pairs = [(name, value) for name, value in headers.items() if isinstance(name, str) and isinstance(value, str)]
        sent = {name.lower(): value.strip() for name, value in pairs}
        names = ("user_agent", "accept", "accept_charset", "accept_encoding", "accept_language")
        kept = {name: value for name in names if _is_header_value(value := sent.get(name.replace("_", "-")))}
        return cls(ip_address=client_ip, context=context, id=id, corporate_id=corporate_id, **kept)  # type: ignore[arg-type]

    @property
    def is_attended(self) -> bool:
        """Whether the user is there."""
        return self.ip_address is not None

    def headers(self, *, identify: bool) -> dict[str, str]:
        """The PSU-* headers of a call; who the user is only where the API asks for it (`identify`)."""
        names = {
            "PSU-IP-Address": self.ip_address,
            "PSU-IP-Port": self.ip_port,
            "PSU-User-Agent": self.user_agent,
            "PSU-Accept": self.accept,
            "PSU-Accept-Charset": self.accept_charset,
            "PSU-Accept-Encoding": self.accept_encoding,
            "PSU-Accept-Language": self.accept_language,
            "PSU-Http-Method": self.http_method,
            "PSU-Device-ID": self.device_id,
            "PSU-Geo-Location": self.geo_location,
        }
        if identify:
            names |= {
                "PSU-ID": self.id,
                "PSU-ID-Type": self.id_type,
                "PSU-Corporate-ID": self.corporate_id,
                "PSU-Corporate-ID-Type": self.corporate_id_type,
            }
        return {name: str(value) for name, value in names.items() if value is not None}

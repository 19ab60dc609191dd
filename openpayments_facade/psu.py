"""The PSU: the end user at a bank, sent as PSU-* headers. It is bound to a bank, never to a shared client.

Source: the provider's description of 2026; for the older headers the provider's guide of 2021.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Final

from attrs import Attribute, Factory, field, fields
from openpayments_client.operations import OPERATIONS
from openpayments_client.types import short_repr

from ._attrs import frozen
from ._checks import check, refuse
from ._redaction import hiding_arguments
from .scopes import PsuContext, read_psu_context

__all__ = ["Psu"]


_RULES: Final = {
    name[4:]: rule
    for operation in ("create_consent", "update_consents_psu_data")
    for name, rule in OPERATIONS[operation].arguments.items()
    if name.startswith("psu_")
}


def _is_ip_address(value: object) -> bool:
    # a zone (fe80::1%eth0) means nothing to a bank, and Python accepts any string as one
    try:
        return isinstance(value, str) and "%" not in value and bool(ipaddress.ip_address(value))
    except ValueError:
        return False


def _check(_: object, attribute: Attribute[Any], value: object) -> None:
    name = attribute.name
    if name == "ip_address" and value is not None and not _is_ip_address(value):
        raise refuse(name, "must be an IP address such as 203.0.113.7")
    if name == "ip_port" and value is not None:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 65536:
            raise refuse(name, "must be a port from 1 to 65535")
        value = str(int(value))
    if value is not None:
        check(_RULES[name], value, name)


def _address(value: str | None) -> str | None:
    """An IPv4 address for one that an IPv6 socket has mapped: banks want IPv4."""
    mapped = getattr(ipaddress.ip_address(str(value)), "ipv4_mapped", None) if _is_ip_address(value) else None
    return value if mapped is None else str(mapped)


def _context(value: PsuContext | str | None) -> PsuContext | None:
    return read_psu_context(value, argument="context")


def _header(*, shown: bool = False, **options: Any) -> Any:
    return field(default=None, repr=shown, validator=_check, **options)


@frozen(kw_only=True, repr=False)
class Psu:
    """The end user, as far as you know them. The repr shows neither ids nor addresses.

    The provider requires `id`, `ip_address` and `user_agent` in nearly every call to a bank, and `corporate_id` for
    business accounts. All that is known goes with every call; what is missing is logged once. Keep `corporate_id` the
    same for the life of a consent or a payment: banks refuse calls about one with another than it was created with. A
    second person who has to sign has another `id`.

    Attributes:
        ip_address: The user's own IP address, not your proxy's. Without it access counts as unattended, and the consent
            limits how often a day that is allowed. The provider describes IPv4 alone; IPv6 is sent as it is, but an
            IPv4-mapped address (::ffff:203.0.113.7) as IPv4.
        id: The user's id at the bank; at Swedish banks the personal identity number (yyyyMMddNNNN).
        corporate_id: The company's id, for business accounts; at Swedish banks the organisation number.
        corporate_id_type: The type of that id, if the bank's documentation asks for it.
        user_agent: The User-Agent header of the user's browser or app.
        authoriser_id: The customer id by which some banks tell apart several people who sign. Goes with the selection
            of an authentication method.
        context: Personal or business accounts. It wins over the client's `psu_context`. By default a user with a
            `corporate_id` has business accounts, and for others the client's counts.
        id_type: Older, like all that follow: the provider's guide of 2021 has these headers, its description of 2026
            has not. They are sent where they used to be. The type of `id`, if the bank knows several.
        ip_port: The port of the user's connection, from 1 to 65535.
        accept: Its Accept header.
        accept_charset: Its Accept-Charset header.
        accept_encoding: Its Accept-Encoding header.
        accept_language: Its Accept-Language header.
        http_method: The HTTP method of the user's request to you.
        device_id: A UUID that identifies the user's device.
        geo_location: Where the user is, such as "GEO:59.332580;18.064900".

    Raises:
        InvalidArgumentError: A field is wrong; the message names it, but does not show the value.
    """

    ip_address: str | None = _header(converter=_address)
    id: str | None = _header()
    corporate_id: str | None = _header()
    corporate_id_type: str | None = _header(shown=True)
    user_agent: str | None = _header()
    authoriser_id: str | None = _header()
    context: PsuContext | None = field(
        default=Factory(lambda psu: PsuContext.CORPORATE if psu.corporate_id else None, takes_self=True),
        converter=_context,
    )
    id_type: str | None = _header(shown=True)
    ip_port: int | None = _header()
    accept: str | None = _header()
    accept_charset: str | None = _header()
    accept_encoding: str | None = _header()
    accept_language: str | None = _header()
    http_method: str | None = _header()
    device_id: str | None = _header()
    geo_location: str | None = _header()

    __repr__ = short_repr

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
        """Makes a Psu from a request that the user sent to your web application.

            psu = Psu.from_headers(request.headers, client_ip=request.client.host)

        Args:
            headers: The request's headers, of which User-Agent is used, unless it can't be sent as a header.
            client_ip: The user's own IP address, not your proxy's.
            context: Personal or business accounts, as in `Psu`.
            id: The user's id at the bank, as in `Psu`.
            corporate_id: The company's id, as in `Psu`.

        Returns:
            The user.

        Raises:
            InvalidArgumentError: `client_ip` is not an IP address. It is required: without one, access would count as
                unattended.
        """
        if not _is_ip_address(client_ip):
            raise refuse("client_ip", "must be the user's IP address")
        if not isinstance(headers, Mapping):
            raise refuse("headers", "must be a mapping of names to values")
        sent = {str(name).lower(): value.strip() for name, value in headers.items() if isinstance(value, str)}
        agent = sent.get("user-agent")
        known: dict[str, Any] = {} if context is None else {"context": context}
        if not [*_RULES["user_agent"].problems(agent, "")]:
            known["user_agent"] = agent
        return cls(ip_address=client_ip, id=id, corporate_id=corporate_id, **known)

    @property
    def is_attended(self) -> bool:
        """Whether the user is present: their IP address is known."""
        return self.ip_address is not None

    def headers(self, *, identify: bool = True) -> dict[str, str]:
        """All PSU-* headers, with names and values. Each call has those that its operation knows.

        Args:
            identify: Whether to include the ids and their types.

        Returns:
            The values of what is known, by the headers' names, such as `PSU-IP-Address`.
        """
        return {_RULES[name].name: value for name, value in self.values(identify=identify).items()}

    def values(self, *, identify: bool = True) -> dict[str, str]:
        """The values of the headers, by field name.

        Args:
            identify: Whether to include the ids and their types.

        Returns:
            The values of what is known, by the names of the fields, such as `ip_address`.
        """
        ids = {"id", "id_type", "corporate_id", "corporate_id_type", "authoriser_id"}
        hidden = {"context"} if identify else {"context", *ids}
        values = {each.name: getattr(self, each.name) for each in fields(Psu) if each.name not in hidden}
        return {name: str(value) for name, value in values.items() if value is not None}


# error trackers collect the locals of frames, and the arguments say who the user is
Psu.__init__ = hiding_arguments(Psu.__init__)  # type: ignore[method-assign]

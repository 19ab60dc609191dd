"""What every call to one bank for one user carries: bank, user, redirect preference (facts 10-auth, section 4.1)."""

from __future__ import annotations

from attrs import frozen

from ..errors import InvalidArgumentError
from ..psu import Psu
from .arguments import read_bic, read_id

__all__ = ["BankBinding", "bind"]


@frozen
class BankBinding:
    """A bank and a user. What a bank wants kept for the life of a consent stays the same for all calls made with it."""

    bic_fi: str
    psu: Psu
    affiliated_aspsp: str | None = None
    redirect_preferred: bool | None = None

    def headers(self, *, identify: bool = False, affiliate: bool = False) -> dict[str, str]:
        """The headers of a call; `identify` and `affiliate` where the matrix of the facts has them."""
        headers = {"X-BicFi": self.bic_fi, **self.psu.headers(identify=identify)}
        if affiliate and self.affiliated_aspsp is not None:
            headers["X-AffiliatedASPSP-ID"] = self.affiliated_aspsp
        if self.redirect_preferred is not None:
            headers["TPP-Redirect-Preferred"] = str(self.redirect_preferred).lower()
        return headers


def bind(bic_fi: object, psu: object, affiliated_aspsp: object, redirect_preferred: object) -> BankBinding:
    """Checks what `at_bank` was given. Raises InvalidArgumentError, which names the argument."""
    if psu is not None and not isinstance(psu, Psu):
        raise InvalidArgumentError("psu must be a Psu", argument="psu")
    if redirect_preferred is not None and not isinstance(redirect_preferred, bool):
        raise InvalidArgumentError("redirect_preferred must be True, False or None", argument="redirect_preferred")
    return BankBinding(
        read_bic(bic_fi),
        psu or Psu(),
        None if affiliated_aspsp is None else read_id(affiliated_aspsp, "affiliated_aspsp"),
        redirect_preferred,
    )

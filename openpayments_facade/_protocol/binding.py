"""The headers that every call to one bank for one user carries: bank, user, redirect preference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen
from openpayments_client import models
from openpayments_client.operations import OPERATIONS

from .._checks import check, refuse
from ..psu import Psu
from .arguments import id_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openpayments_client.operations import Rule


@frozen
class BankBinding:
    """A bank, a user and a redirect preference; banks want them unchanged for the life of a consent."""

    bic_fi: str
    psu: Psu
    affiliated_aspsp: str | None = None
    redirect_preferred: bool | None = None

    def arguments(self, known: Mapping[str, Rule]) -> dict[str, str]:
        """The arguments that it adds to a call of an operation that has the `known` arguments."""
        preferred = self.redirect_preferred
        # operations that take the type of the user's id are the ones that need the id (the provider's guide of 2021)
        user = self.psu.values(identify="psu_id_type" in known)
        values = {
            "x_bic_fi": self.bic_fi,
            "x_affiliated_aspsp_id": self.affiliated_aspsp,
            "tpp_redirect_preferred": None if preferred is None else str(preferred).lower(),
            **{f"psu_{name}": value for name, value in user.items()},
        }
        return {name: value for name, value in values.items() if value is not None and name in known}


def bind(bic_fi: Any, psu: Any, affiliated_aspsp: Any, redirect_preferred: Any) -> BankBinding:
    """Checks the arguments of `at_bank`. Raises InvalidArgumentError, whose message names the argument."""
    rules = OPERATIONS["create_consent"].arguments
    bic_fi = id_of(bic_fi, "bic_fi")
    affiliated_aspsp = affiliated_aspsp.id if isinstance(affiliated_aspsp, models.AffiliatedAspsp) else affiliated_aspsp
    check(rules["x_bic_fi"], bic_fi, "bic_fi")
    if affiliated_aspsp is not None:
        check(rules["x_affiliated_aspsp_id"], affiliated_aspsp, "affiliated_aspsp")
    if psu is not None and not isinstance(psu, Psu):
        raise refuse("psu", "must be a Psu")
    if redirect_preferred is not None and not isinstance(redirect_preferred, bool):
        raise refuse("redirect_preferred", "must be True, False or None")
    return BankBinding(bic_fi, psu or Psu(), affiliated_aspsp, redirect_preferred)

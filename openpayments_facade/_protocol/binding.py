"""The headers that every call to one bank for one user carries: bank, user, redirect preference.

Source: the provider's description of 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openpayments_client import models
from openpayments_client.operations import OPERATIONS

from .._attrs import frozen
from .._checks import check, refuse
from ..psu import Psu
from .arguments import as_bic, id_of

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
        headers = self.headers()
        return {
            name: headers[rule.name] for name, rule in known.items() if rule.place == "header" and rule.name in headers
        }

    def headers(self) -> dict[str, str]:
        """All of it as headers."""
        affiliated = {} if self.affiliated_aspsp is None else {"X-AffiliatedASPSP-ID": self.affiliated_aspsp}
        # required since 2026, so it can't be left to the bank; the provider's samples of 2022 always send `false`
        preferred = "true" if self.redirect_preferred else "false"
        return {"X-BicFi": self.bic_fi, **affiliated, "TPP-Redirect-Preferred": preferred, **self.psu.headers()}


def bind(bic_fi: Any, psu: Any, affiliated_aspsp: Any, redirect_preferred: Any) -> BankBinding:
    """Checks the arguments of `at_bank`. Raises InvalidArgumentError, whose message names the argument."""
    rules = OPERATIONS["create_consent"].arguments
    bic_fi = as_bic(bic_fi)
    if isinstance(affiliated_aspsp, models.AffiliatedAspsp):
        affiliated_aspsp = id_of(affiliated_aspsp, "id", "affiliated_aspsp")
    check(rules["x_bic_fi"], bic_fi, "bic_fi")
    if affiliated_aspsp is not None:
        check(rules["x_affiliated_aspsp_id"], affiliated_aspsp, "affiliated_aspsp")
    if psu is not None and not isinstance(psu, Psu):
        raise refuse("psu", "must be a Psu")
    if redirect_preferred is not None and not isinstance(redirect_preferred, bool):
        raise refuse("redirect_preferred", "must be True, False or None")
    return BankBinding(bic_fi, psu or Psu(), affiliated_aspsp, redirect_preferred)

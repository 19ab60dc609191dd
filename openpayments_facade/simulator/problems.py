"""The other form of an error, `application/problem+json` (facts 60, section 1.2): sent to those who prefer it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.datastructures import Headers

__all__ = ["wants_problem"]


def wants_problem(headers: Headers) -> bool:
    """Whether Accept gives this form a greater weight than `application/json` (RFC 9110, section 12.5.1)."""
    weights: dict[str, float] = {}
    for item in ",".join(headers.getlist("accept")).split(","):
        media_range, *parameters = (part.strip().lower() for part in item.split(";"))
        weight = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
        try:
            weights[media_range] = float(weight)
        except ValueError:
            weights[media_range] = 0.0
    general = weights.get("application/*", weights.get("*/*", 0.0))
    return weights.get("application/problem+json", 0.0) > weights.get("application/json", general)

"""All models of the API, generated from its description. Each is loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openpayments_client.models import *  # noqa: F403
else:
    from openpayments_client.models import __all__ as __all__
    from openpayments_client.models import __dir__ as __dir__
    from openpayments_client.models import __getattr__ as __getattr__

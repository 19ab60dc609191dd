"""A local server that plays the provider's two hosts, for programs and tests without an account.

    from openpayments_facade.simulator import Simulator

    with Simulator() as simulator, simulator.client() as op:
        op.aspsps.get("ESSESESS")

It is the other side of the wire: the server uses neither the facade nor generated code. Needs the extra `simulator`.
"""

try:
    import starlette as _starlette  # noqa: F401
    import uvicorn as _uvicorn  # noqa: F401
except ImportError as error:
    raise ImportError(
        f'the simulator needs {error.name or "its extra"}: pip install "openpayments-facade[simulator]"',
        name=error.name,
    ) from None

from .faults import Fault, Misbehaviour
from .journal import RecordedRequest
from .simulator import Simulator
from .state.authorisations import SimulatedAuthorisation
from .state.consents import SimulatedConsent

__all__ = ["Fault", "Misbehaviour", "RecordedRequest", "SimulatedAuthorisation", "SimulatedConsent", "Simulator"]

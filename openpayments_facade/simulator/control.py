"""`/simulator/...` on both hosts: faults and journal for other processes. The provider has nothing like it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .faults import Fault, Faults

if TYPE_CHECKING:
    from starlette.requests import Request

    from .journal import Journal

__all__ = ["CONTROL_PATH", "control_routes"]

CONTROL_PATH = "/simulator"


def control_routes(faults: Faults, journal: Journal) -> list[Route]:
    """`POST` and `DELETE` of `faults`, `GET` and `DELETE` of `requests`; a fault has the fields of `Fault`."""

    async def faults_endpoint(request: Request) -> Response:
        if request.method == "DELETE":
            faults.clear()
            return Response(status_code=204)
        try:
            faults.add(Fault.from_json(json.loads(await request.body())))
        except (json.JSONDecodeError, UnicodeDecodeError):
            return JSONResponse({"error": "the body is not JSON"}, 400)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        return Response(status_code=204)

    async def requests_endpoint(request: Request) -> Response:
        if request.method == "DELETE":
            journal.clear()
            return Response(status_code=204)
        return JSONResponse(
            {"requests": [asdict(entry) for entry in journal.requests], "token_requests": journal.token_requests}
        )

    return [
        Route(f"{CONTROL_PATH}/faults", faults_endpoint, methods=["POST", "DELETE"]),
        Route(f"{CONTROL_PATH}/requests", requests_endpoint, methods=["GET", "DELETE"]),
    ]

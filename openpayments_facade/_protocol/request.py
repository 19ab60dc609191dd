"""A request that the description does not have: checked as far as that is possible without knowing the operation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from openpayments_client.operations import is_id
from openpayments_client.types import shown

from .._checks import refuse
from .._redaction import hiding_arguments
from ..scopes import ApiScope, PsuContext
from .operation import Operation, as_json, plain
from .options import read_headers

if TYPE_CHECKING:
    from .binding import BankBinding

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_SIMPLE: Final = (str, int, float, date)


@hiding_arguments  # they may say who the user is
def read_request(
    method: object,
    path: object,
    *,
    params: object = None,
    json: object = None,
    headers: object = None,
    scope: object = None,
    bank: BankBinding | None = None,
) -> Operation[Any]:
    """Checks the arguments of `op.request(...)` and `bank.request(...)`.

    Raises InvalidArgumentError, whose message names the argument.
    """
    if not isinstance(method, str) or method.upper() not in _METHODS:
        raise refuse("method", f"must be one of {', '.join(_METHODS)}", method)
    request: dict[str, Any] = {"params": _read_params(params), "headers": bank.headers() if bank is not None else {}}
    if json is not None:
        request["json"] = as_json(_read_model(json), "json")
    own = {} if headers is None else read_headers(headers)
    return Operation(method.upper(), _read_path(path), _read_scope(scope), request, None, headers=own)


def _read_model(json: Any) -> Any:
    """The JSON of a model of the generated client; anything else as it is."""
    try:
        return json.to_dict() if hasattr(json, "to_dict") and not isinstance(json, type) else json
    except (AttributeError, TypeError, ValueError):  # a model that was taken apart
        raise refuse("json", "must be a model or what JSON can hold") from None


def _read_path(path: object) -> str:
    if not isinstance(path, str) or not path.startswith("/") or path.startswith("//"):
        raise refuse("path", "must be a path on the API host that begins with one slash, such as /psd2/...")
    if any(c in path for c in "?#\\") or not (path.isascii() and path.isprintable()) or " " in path:
        raise refuse("path", "must be quoted, without a query (use params) and without a fragment")
    if not is_id(path):
        raise refuse("path", "must be printable and have no segment . or ..")
    return path


def _read_params(params: object) -> dict[str, Any]:
    """The query. A list goes comma-separated, as everywhere in this API; None is left out."""
    if not isinstance(params, Mapping | None):
        raise refuse("params", "must be a mapping of names to values")
    query: dict[str, Any] = {}
    for name, value in (params or {}).items():
        items = [plain(item) for item in value] if isinstance(value, list | tuple) else [plain(value)]
        if not isinstance(name, str) or not all(isinstance(item, _SIMPLE) for item in items if value is not None):
            raise refuse("params", f"must have strings, numbers, days or lists of them; {shown(name)} does not")
        if value is not None:
            try:
                query[name] = ",".join(str(item).lower() if isinstance(item, bool) else str(item) for item in items)
                query[name].encode()
            except ValueError:  # a lone surrogate, or a number of thousands of digits
                raise refuse("params", f"must have a value for {name!r} that can be sent") from None
    return query


def _read_scope(scope: object) -> tuple[tuple[str, ...], ...]:
    if scope is None:
        return ()
    words = scope.split() if isinstance(scope, str) else [scope]
    known = (*ApiScope, *PsuContext)
    if not words or not all(word in known for word in words) or {*PsuContext} <= {*words}:
        contexts = f"and at most one of {', '.join(PsuContext)}"
        raise refuse("scope", f"must be one or more of {', '.join(ApiScope)}, {contexts}, separated by spaces", scope)
    if ApiScope.BANKGIRO_INFORMATION in words and not {*PsuContext} & {*words}:
        words.append(PsuContext.CORPORATE)  # tokens for personal accounts are requested without it
    return (tuple(str(word) for word in words),)

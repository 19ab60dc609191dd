"""X-Request-ID: a fresh one for every call, or the one of the request that you are serving.

    from openpayments_facade.request_ids import pass_on

    with pass_on(request.headers["X-Request-ID"]):     # in a web application
        op.aspsps.list(countries=["SE"])               # carries the id of the request that is being served

Source: document 001, general notes on requests.
"""

from __future__ import annotations

import re
import uuid
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from ._checks import refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["current_request_id", "new_request_id", "pass_on", "read_request_id"]

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

current_request_id: ContextVar[str | None] = ContextVar("openpayments_request_id", default=None)
"""The id that calls in this context (thread or task) carry. With None, every call gets a fresh one."""


def new_request_id() -> str:
    """Makes a request id.

    Returns:
        A fresh random UUID.
    """
    return str(uuid.uuid4())


def read_request_id(value: object, *, argument: str = "request_id") -> str:
    """Checks a request id.

    Args:
        value: A UUID, as a string or a `uuid.UUID`.
        argument: What the message calls the value.

    Returns:
        The UUID as a string.

    Raises:
        InvalidArgumentError: It is not a UUID.
    """
    text = str(value) if isinstance(value, uuid.UUID) else value
    if not isinstance(text, str) or not _UUID.fullmatch(text):
        raise refuse(argument, "must be a UUID such as 6ff9e7ee-2ac2-42d3-a188-c7314d434b9c", value)
    return text


@contextmanager
def pass_on(request_id: str | uuid.UUID) -> Iterator[str]:
    """Makes every call inside the block carry this id.

    Args:
        request_id: A UUID, as a string or a `uuid.UUID`.

    Yields:
        The id as a string.

    Raises:
        InvalidArgumentError: It is not a UUID.
    """
    checked = read_request_id(request_id)
    token = current_request_id.set(checked)
    try:
        yield checked
    finally:
        current_request_id.reset(token)

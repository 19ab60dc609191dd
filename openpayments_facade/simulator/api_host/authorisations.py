"""The authorisations of anything that a user approves: start one, list them, select a method, read the SCA status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..auth_host.authorise_page import link_template
from .challenges import challenge
from .errors import ApiError, malformed
from .operation import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from starlette.routing import Route

    from ..state.authorisations import Authorisation, Subject
    from ..state.banks import Approach, Bank
    from .bank_call import BankCall

__all__ = ["authorisation_routes", "describe_methods", "links"]

_LONGEST_METHOD_ID = 35


def authorisation_routes(
    on: Callable[..., Route],
    path: str,
    find: Callable[[BankCall], Subject],
    *,
    start: str,
    list_all: str | None,
    get_sca_status: str,
    select_method: str,
    name: str = "authorisationId",
    optional_on_one: Collection[str] = (),
) -> list[Route]:
    """The routes of the four operations. The other arguments are their operationIds; None if there is no such one.

    Args:
        on: `bank_operation` for a provider and its API scopes.
        path: The path of a subject's authorisations, such as `/.../{consentId}/authorisations`.
        find: Returns the subject of a call, or raises ApiError.
        name: The parameter of the path of one authorisation, and with an `s` the field of the list.
        optional_on_one: The headers that the operations on one authorisation do not need.
    """

    def about(handler: Callable[[BankCall, Subject], Answer]) -> Callable[[BankCall], Answer]:
        return lambda call: handler(call, find(call))

    def about_one(handler: Callable[[BankCall, Authorisation], Answer]) -> Callable[[BankCall], Answer]:
        return lambda call: handler(call, _find(call, find(call), name))

    one = f"{path}/{{{name}}}"
    routes = [
        on(start, "POST", path, about(_start)),
        on(get_sca_status, "GET", one, about_one(_get_sca_status), optional=optional_on_one),
        on(
            select_method,
            "PUT",
            one,
            about_one(_select_method),
            json_body=True,
            headers=["PSU-Authoriser-ID"],
            optional=optional_on_one,
        ),
    ]
    if list_all is not None:
        routes.append(
            on(list_all, "GET", path, about(lambda _, subject: Answer({f"{name}s": [*subject.authorisations]})))
        )
    return routes


def describe_methods(bank: Bank, approach: Approach) -> list[dict[str, str]]:
    """The authentication methods that the user can choose from."""
    return [
        {"authenticationType": method.type, "authenticationMethodId": method.id, "name": method.name}
        for method in bank.offers(approach)
    ]


def links(**hrefs: str) -> dict[str, dict[str, str]]:
    return {name: {"href": href} for name, href in hrefs.items()}


def _start(call: BankCall, subject: Subject) -> Answer:
    if subject.is_blocked:
        raise ApiError(400, "RESOURCE_BLOCKED", f"the {subject.kind} is in a signing basket")
    if not subject.waits_for_user:
        raise _wrong_status(f"the {subject.kind} is {subject.status}")
    authorisation = call.provider.authorisations.start(subject, call.header("PSU-ID"))
    path = f"{call.path}/{authorisation.id}"
    answer = Answer(
        {
            "authorisationId": authorisation.id,
            "scaStatus": authorisation.sca_status,
            "scaMethods": describe_methods(call.bank, authorisation.approach),
            "_links": links(scaStatus=path, selectAuthenticationMethod=path),
        },
        201,
        # no ASPSP-SCA-Approach: it is optional here, and the provider's samples of 2022 read that of the next step
        {"Location": path},
    )
    if call.bank.at_once:
        authorisation.end()
    return answer


def _get_sca_status(call: BankCall, authorisation: Authorisation) -> Answer:
    authorisation.let_app_proceed()
    return Answer(
        {"scaStatus": authorisation.sca_status, **_challenge(authorisation), **_messages(call, authorisation)}
    )


def _select_method(call: BankCall, authorisation: Authorisation) -> Answer:
    name = "authenticationMethodId"
    method = call.body.get(name) if isinstance(call.body, dict) else None
    if not isinstance(method, str) or not 0 < len(method) <= _LONGEST_METHOD_ID:
        raise malformed(name, f"{name} is missing or malformed")
    offered = describe_methods(call.bank, authorisation.approach)
    chosen = next((each for each in offered if each[name] == method), None)
    if chosen is None:
        raise ApiError(400, "SCA_METHOD_UNKNOWN", "no such method", path=name)
    if authorisation.is_open:
        authorisation.select(method, call.header("PSU-ID"))
    elif not call.bank.at_once:
        raise _wrong_status(f"the authorisation is {authorisation.sca_status}")
    hrefs = {"scaStatus": call.path}
    if authorisation.approach == "redirect" and authorisation.is_open:
        hrefs["scaOAuth" if call.provider.comes_back_with_code(authorisation.subject) else "scaRedirect"] = (
            link_template(call.provider, authorisation)
        )
    return Answer(
        {
            "scaStatus": authorisation.sca_status,
            "chosenScaMethod": chosen,
            **_challenge(authorisation),
            **_messages(call, authorisation),
            "_links": links(**hrefs),
        },
        headers={"ASPSP-SCA-Approach": authorisation.approach.upper()},
    )


def _find(call: BankCall, subject: Subject, name: str) -> Authorisation:
    authorisation = subject.authorisations.get(call.path_value(name))
    if authorisation is None:
        raise ApiError(404, "RESOURCE_UNKNOWN", "no such authorisation", path=name)
    return authorisation


def _challenge(authorisation: Authorisation) -> dict[str, Any]:
    if not authorisation.waits_for_app:
        return {}
    assert authorisation.method is not None
    return {"challengeData": challenge(authorisation.method, authorisation.id, authorisation.reads)}


def _messages(call: BankCall, authorisation: Authorisation) -> dict[str, Any]:
    """Why it failed, if there is a reason (observed in 2026)."""
    reason = authorisation.reason
    if reason is None or not call.provider.of_2026:
        return {}
    return {"tppMessages": [{"category": "ERROR", "code": reason.code, "text": reason.text}]}


def _wrong_status(text: str) -> ApiError:
    return ApiError(409, "STATUS_INVALID", text)

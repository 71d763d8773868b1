"""The description of the API (OpenAPI): what the routes say of themselves, and what their rules demand of who asks."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts

from cloud.accounts.access import Requires, rule_of
from cloud.paging import CURSORS
from cloud.problems import MEDIA_TYPE
from cloud.tagging import Tagged

_WAYS = {
    "token": {"type": "http", "scheme": "bearer", "description": "a token made at /api/v1/tokens, `lwt_…`"},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-liftwatch",
        "description": "as the sign-in page sets it",
    },
}
_LINK = {
    "description": 'on a full page: the next one, as `</api/v1/…?after=…>; rel="next"` (RFC 8288)',
    "schema": {"type": "string"},
}
_UNCHANGED = {"description": "as it was when it had the ETag that If-None-Match names"}
_PROBLEM = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def of(app: FastAPI) -> dict[str, Any]:
    """The document, made once."""
    if app.openapi_schema is None:
        contexts = list(iter_route_contexts(app.routes))
        found = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        found.setdefault("components", {})["securitySchemes"] = _WAYS
        for context in contexts:
            if isinstance(context.original_route, APIRoute) and context.original_route.include_in_schema:
                for method in context.original_route.methods or ():
                    operation = found["paths"][context.path_format][method.lower()]
                    _complete(operation, rule_of(context.original_route))
                    _link_pages(operation)
                    if isinstance(context.original_route, Tagged) and method == "GET":
                        operation["responses"]["304"] = _UNCHANGED
        for unused in ("HTTPValidationError", "ValidationError"):
            found["components"]["schemas"].pop(unused, None)
        app.openapi_schema = found
    return app.openapi_schema


def _link_pages(operation: dict[str, Any]) -> None:
    """What `cloud.paging` puts on the lists that have pages."""
    names = {parameter["name"] for parameter in operation.get("parameters", ())}
    if "limit" in names and names & CURSORS:
        operation["responses"]["200"].setdefault("headers", {})["Link"] = _LINK


def _complete(operation: dict[str, Any], rule: object) -> None:
    """Who may, and how it is refused to the others."""
    refusals = {"429": "too many requests; Retry-After says when it works again"}
    if isinstance(rule, Requires):
        operation["security"] = [{"session": []}] if rule.people else [{"token": []}, {"session": []}]
        refusals["401"] = "nobody known"
        needs = (
            "of a person, not of a machine" if rule.permission == "signed_in" else f"with permission {rule.permission}"
        )
        if rule.permission != "signed_in" or rule.people:
            refusals["403"] = f"wants a session or token {needs}"
    else:
        operation["security"] = []
    responses = operation["responses"]
    if "422" in responses:
        # What FastAPI says by itself of a request that is not understood is not how we say it.
        refusals["422"] = "the request is not understood; `detail` says where and why"
        del responses["422"]
    if "requestBody" in operation:
        refusals |= {"400": "the body cannot be read", "413": "the body is too large"}
    for status, text in refusals.items():
        responses.setdefault(status, {"description": text, **_PROBLEM})
    for status, response in responses.items():
        if status >= "400":
            # FastAPI puts a model under the type of what goes well; problems have their own.
            held = response["content"].pop("application/json", None)
            response["content"][MEDIA_TYPE] = held or response["content"][MEDIA_TYPE]

"""What all pages of administration share: the menu by permission, and how a refusal is shown on the page that it came from."""

from typing import Annotated

from fastapi import Form, Request, Response

from cloud.accounts.scope import Scope
from cloud.pages.menu import sections_of
from cloud.pages.render import page

Field = Annotated[str, Form(max_length=300)]


def managed(
    request: Request,
    scope: Scope,
    name: str,
    here: str,
    *,
    status: int = 200,
    problem: str = "",
    note: str = "",
    **values: object,
) -> Response:
    """A page of administration. `problem` and `note` are keys of texts."""
    return page(
        request, name, status=status, sections=sections_of(scope), here=here, problem=problem, note=note, **values
    )


def gone(request: Request, status: int = 404, text: str = "not_there") -> Response:
    """There is no such thing for this scope."""
    return page(request, "message.html", status=status, title="error", text=text, to="/account", to_word="account")

"""Errors as problem documents (RFC 9457): one shape for all of them, in the API and in its description."""

from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException as StarletteHTTPException

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What went wrong, and what to do."""

    type: str = "about:blank"
    title: str
    status: int
    detail: Any = None


def problem(status: int, title: str, detail: Any = None, headers: dict[str, str] | None = None) -> JSONResponse:
    """A problem document."""
    body = Problem(title=title, status=status, detail=detail).model_dump()
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def describes(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route that can answer with these problems."""
    return {status: {"model": Problem, "content": {MEDIA_TYPE: {}}} for status in statuses}


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem document."""
    app.add_exception_handler(StarletteHTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    # PostgreSQL says the first of a NUL and of a number out of range, the driver of SQLite the second of the latter.
    app.add_exception_handler(DataError, _unkeepable)
    app.add_exception_handler(OverflowError, _unkeepable)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StarletteHTTPException)
    headers = dict(error.headers) if isinstance(error, HTTPException) and error.headers else None
    return problem(error.status_code, str(error.detail), headers=headers)


async def _unkeepable(request: Request, error: Exception) -> JSONResponse:
    return problem(422, "the request has a NUL or a number out of range, which the database cannot keep")


async def _validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    places = [{"where": ".".join(map(str, e["loc"])), "what": e["msg"]} for e in error.errors()]
    return problem(422, "the request is not understood", places)

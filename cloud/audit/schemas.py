"""Shapes of the audit log in the API."""

from typing import Any

from pydantic import BaseModel


class AuditEntry(BaseModel):
    """One entry. `hash` is SHA-256 over `previous`, a line feed and the canonical JSON of the rest."""

    number: int
    at_ms: int
    actor_kind: str
    actor: str
    actor_name: str
    organisation: str
    action: str
    object: str
    detail: dict[str, Any]
    ip: str
    request: str
    previous: str
    hash: str

"""Cases: people's work on incidents, with their timelines, photos, and the watch on silent gateways."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_CASE = "rescue_case.id"


def _number() -> Any:
    return sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _partial(name: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    held = sa.text(where)
    op.create_index(name, "rescue_case", columns, unique=unique, sqlite_where=held, postgresql_where=held)


def upgrade() -> None:
    """Create them. Incidents that are open become cases when the cloud starts."""
    op.create_table(
        "rescue_case",
        sa.Column("number", _number(), primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(16), nullable=False, unique=True),
        sa.Column("rev", sa.Integer, nullable=False),
        sa.Column("subject", sa.String(40), nullable=False),
        sa.Column("lift", sa.String(32), nullable=False),
        sa.Column("gateway", sa.String(32), nullable=False),
        sa.Column("district", sa.String(12), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("severity", sa.Integer, nullable=False),
        sa.Column("phase", sa.String(12), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("cause", sa.String(24), nullable=False),
        sa.Column("opened_at_ms", sa.BigInteger, nullable=False),
        sa.Column("changed_at_ms", sa.BigInteger, nullable=False),
        sa.Column("closed_at_ms", sa.BigInteger),
        sa.Column("next_due_ms", sa.BigInteger),
        sa.Column("caller_name", sa.String(120), nullable=False),
        sa.Column("caller_phone", sa.String(32), nullable=False),
        sa.Column("state", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
    _partial("rescue_case_subject", ["subject"], "phase = 'open' AND subject <> ''", unique=True)
    op.create_index("rescue_case_opened", "rescue_case", ["opened_at_ms", "number"])
    op.create_index("rescue_case_lift", "rescue_case", ["lift", "opened_at_ms"])
    op.create_index("rescue_case_gateway", "rescue_case", ["gateway", "opened_at_ms"])
    _partial("rescue_case_not_closed", ["opened_at_ms"], "phase <> 'closed'")
    _partial("rescue_case_due", ["next_due_ms"], "next_due_ms IS NOT NULL")
    _timeline()
    _around()


def _timeline() -> None:
    op.create_table(
        "rescue_case_entry",
        sa.Column("id", _number(), primary_key=True, autoincrement=True),
        sa.Column("case", sa.String(16), sa.ForeignKey(_CASE), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("said_at_ms", sa.BigInteger),
        sa.Column("by", sa.String(16), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("organisation", sa.String(120), nullable=False),
        sa.Column("step", sa.String(24), nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("rescue_case_entry_case", "rescue_case_entry", ["case", "id"])
    op.create_table(
        "rescue_case_step",
        sa.Column("case", sa.String(16), sa.ForeignKey(_CASE), primary_key=True),
        sa.Column("op", sa.String(64), primary_key=True),
        sa.Column("by", sa.String(16), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("refusal", sa.JSON),
    )
    op.create_index("rescue_case_step_op", "rescue_case_step", ["op"])


def _around() -> None:
    op.create_table(
        "rescue_case_incident",
        sa.Column("incident", sa.String(64), primary_key=True),
        sa.Column("case", sa.String(16), sa.ForeignKey(_CASE), primary_key=True),
        sa.Column("rev", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index("rescue_case_incident_case", "rescue_case_incident", ["case"])
    op.create_table(
        "rescue_case_unit",
        sa.Column("case", sa.String(16), sa.ForeignKey(_CASE), primary_key=True),
        sa.Column("organisation", sa.String(16), sa.ForeignKey("organisation.id"), primary_key=True),
    )
    op.create_index("rescue_case_unit_organisation", "rescue_case_unit", ["organisation"])
    op.create_table(
        "rescue_case_photo",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("case", sa.String(16), sa.ForeignKey(_CASE), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("media_type", sa.String(16), nullable=False),
        sa.Column("size_bytes", sa.Integer, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("by", sa.String(16), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("rescue_case_photo_case", "rescue_case_photo", ["case"])
    op.create_table(
        "gateway_watch",
        sa.Column("gateway", sa.String(32), primary_key=True),
        sa.Column("last_heard_ms", sa.BigInteger, nullable=False),
        sa.Column("at_risk", sa.JSON, nullable=False),
        sa.Column("paged_at_ms", sa.BigInteger),
    )


def downgrade() -> None:
    """Drop them, the cases with all their photos too: keep a copy of the database if they are to be kept."""
    for table in (
        "gateway_watch", "rescue_case_photo", "rescue_case_unit", "rescue_case_incident", "rescue_case_step",
        "rescue_case_entry", "rescue_case",
    ):  # fmt: skip
        op.drop_table(table)

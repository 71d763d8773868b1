"""The alarm channel, and what gateways told of their lifts."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def _record() -> list[sa.Column[Any]]:
    return [
        sa.Column("told_at_ms", sa.BigInteger),
        sa.Column("name", sa.String(120), nullable=False, server_default=""),
        sa.Column("site", sa.String(32), nullable=False, server_default=""),
        sa.Column("address", sa.String(200), nullable=False, server_default=""),
        sa.Column("rescue_code", sa.String(6), nullable=False, server_default=""),
        sa.Column("registration_code", sa.String(40), nullable=False, server_default=""),
        sa.Column("stops", sa.Integer, nullable=False, server_default="6"),
        sa.Column("doors", sa.Integer, nullable=False, server_default="1"),
        sa.Column("rated_speed_mm_s", sa.Integer, nullable=False, server_default="1000"),
        sa.Column("latitude_deg", sa.Float),
        sa.Column("longitude_deg", sa.Float),
        sa.Column("floor_pitch_mm", sa.Integer, nullable=False, server_default="2900"),
        sa.Column("floor_levels_mm", sa.JSON, nullable=False, server_default="[]"),
        sa.Column("floor_names", sa.JSON, nullable=False, server_default="[]"),
    ]


def upgrade() -> None:
    """Create them. Lifts of before have an empty record until their gateway dials in."""
    op.create_table(
        "channel_entry",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("object_id", sa.String(64), nullable=False),
        sa.Column("lift", sa.String(32), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("channel_entry_at", "channel_entry", ["at_ms"])
    for column in _record():
        op.add_column("lift", column)
    op.create_index("lift_rescue_code", "lift", ["rescue_code"])


def downgrade() -> None:
    """Drop them again."""
    op.drop_index("lift_rescue_code", "lift")
    for column in reversed(_record()):
        op.drop_column("lift", column.name)
    op.drop_table("channel_entry")

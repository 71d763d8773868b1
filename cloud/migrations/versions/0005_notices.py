"""Channels by which organisations are told, and the outbox of what they are told."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_ID = sa.String(16)
_WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "notice_channel",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("organisation", _ID, sa.ForeignKey("organisation.id"), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("least_severity", sa.Integer, nullable=False),
        sa.Column("kinds", sa.JSON, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("pause_until_ms", sa.BigInteger, nullable=False),
        sa.Column("made_at_ms", sa.BigInteger, nullable=False),
        sa.Column("changed_at_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("notice_channel_organisation", "notice_channel", ["organisation"])
    op.create_table(
        "notice",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("id", _ID, nullable=False, unique=True),
        sa.Column("channel", _ID, sa.ForeignKey("notice_channel.id", ondelete="CASCADE"), nullable=False),
        sa.Column("organisation", _ID, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("case", sa.String(64), nullable=False),
        sa.Column("lift", sa.String(32), nullable=False),
        sa.Column("dedupe", sa.String(120), nullable=False),
        sa.Column("severity", sa.Integer, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("made_at_ms", sa.BigInteger, nullable=False),
        sa.Column("next_at_ms", sa.BigInteger, nullable=False),
        sa.Column("ends_at_ms", sa.BigInteger, nullable=False),
        sa.Column("done_at_ms", sa.BigInteger),
        sa.Column("receipt", sa.JSON, nullable=False),
        sa.UniqueConstraint("channel", "kind", "case", "dedupe", name="notice_once"),
    )
    op.create_index(
        "notice_due", "notice", ["channel", "severity", "number"], sqlite_where=_WAITING, postgresql_where=_WAITING
    )
    op.create_index("notice_case", "notice", ["case"])
    op.create_index("notice_channel_newest", "notice", ["channel", "number"])
    op.create_index("notice_age", "notice", ["made_at_ms"])


def downgrade() -> None:
    """Drop them again, with what was not yet sent."""
    op.drop_table("notice")
    op.drop_table("notice_channel")

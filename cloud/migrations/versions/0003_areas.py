"""The area event that an incident is a member of."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; the gateways tell it with each incident's next version."""
    op.add_column("incident", sa.Column("area", sa.String(64), nullable=True))
    op.create_index("incident_area", "incident", ["area", "opened_at_ms"])


def downgrade() -> None:
    """Remove it."""
    op.drop_index("incident_area", "incident")
    op.drop_column("incident", "area")

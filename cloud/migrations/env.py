"""Alembic's environment: runs on the connection that cloud.database hands over."""

from alembic import context

from cloud.database import Base
from cloud.incidents import models  # noqa: F401  registers its tables

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()

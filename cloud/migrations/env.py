"""Alembic's environment: runs on the connection that cloud.database hands over."""

from alembic import context

import cloud.accounts.models
import cloud.audit.models
import cloud.cases.models
import cloud.incidents.models
import cloud.lifts.models
import cloud.notices.models  # noqa: F401  these register their tables
from cloud.database import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()

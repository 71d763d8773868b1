"""Organisations, people, sessions, tokens, whose a lift is, and the audit log with the triggers that keep it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_ID = sa.String(16)
_HASH = sa.String(64)
_OPEN = sa.text("phase <> 'closed'")

_SQLITE_TRIGGERS = (
    (
        "CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry "
        "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
    ),
    (
        "CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry "
        "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
    ),
)
_POSTGRES_TRIGGERS = (
    (
        "CREATE FUNCTION audit_entry_stays() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
    ),
    (
        "CREATE TRIGGER audit_entry_no_change BEFORE UPDATE OR DELETE ON audit_entry "
        "FOR EACH ROW EXECUTE FUNCTION audit_entry_stays()"
    ),
    (
        "CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_stays()"
    ),
)


def upgrade() -> None:
    """Create them; lifts of which there are incidents are known at once, and nobody's."""
    _organisations()
    _people()
    _ways_in()
    _lifts()
    _audit()


def _organisations() -> None:
    op.create_table(
        "organisation",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(120), nullable=False, unique=True),
        sa.Column("made_at_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "organisation_district",
        sa.Column("organisation", _ID, sa.ForeignKey("organisation.id"), primary_key=True),
        sa.Column("code", sa.String(12), primary_key=True),
    )


def _people() -> None:
    op.create_table(
        "person",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("sign_in_name", sa.String(64), nullable=False, unique=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("phone", sa.String(32), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("password_hash", sa.String(256)),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("locked_until_ms", sa.BigInteger, nullable=False),
        sa.Column("made_at_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "membership",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("person", _ID, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("organisation", _ID, sa.ForeignKey("organisation.id"), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("district", sa.String(12), nullable=False),
        sa.UniqueConstraint("person", "organisation", "role", "district", name="membership_once"),
    )
    op.create_index("membership_organisation", "membership", ["organisation"])


def _ways_in() -> None:
    op.create_table(
        "session",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("token_hash", _HASH, nullable=False, unique=True),
        sa.Column("person", _ID, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("method", sa.String(16), nullable=False),
        sa.Column("ip", sa.String(45), nullable=False),
        sa.Column("agent", sa.String(200), nullable=False),
        sa.Column("begun_at_ms", sa.BigInteger, nullable=False),
        sa.Column("used_at_ms", sa.BigInteger, nullable=False),
        sa.Column("ends_at_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("session_person", "session", ["person"])
    op.create_index("session_end", "session", ["ends_at_ms"])
    op.create_table(
        "one_time_link",
        sa.Column("token_hash", _HASH, primary_key=True),
        sa.Column("person", _ID, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("made_at_ms", sa.BigInteger, nullable=False),
        sa.Column("ends_at_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("one_time_link_person", "one_time_link", ["person"])
    op.create_table(
        "token",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("token_hash", _HASH, nullable=False, unique=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("gateway", sa.String(32)),
        sa.Column("organisation", _ID, sa.ForeignKey("organisation.id")),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("district", sa.String(12), nullable=False),
        sa.Column("made_at_ms", sa.BigInteger, nullable=False),
        sa.Column("ends_at_ms", sa.BigInteger),
        sa.Column("used_at_ms", sa.BigInteger),
    )
    op.create_index("token_organisation", "token", ["organisation"])
    op.create_index("token_gateway", "token", ["gateway"])
    op.create_table(
        "passkey",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("credential", sa.LargeBinary(1023), nullable=False, unique=True),
        sa.Column("person", _ID, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("public_key", sa.LargeBinary(2048), nullable=False),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("made_at_ms", sa.BigInteger, nullable=False),
        sa.Column("used_at_ms", sa.BigInteger),
    )
    op.create_index("passkey_person", "passkey", ["person"])
    op.create_table(
        "external_identity",
        sa.Column("issuer", sa.String(200), primary_key=True),
        sa.Column("subject", sa.String(200), primary_key=True),
        sa.Column("person", _ID, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("made_at_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_external_identity_person", "external_identity", ["person"])
    op.create_table(
        "ceremony",
        sa.Column("token_hash", _HASH, primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("secret", sa.String(600), nullable=False),
        sa.Column("person", _ID),
        sa.Column("ends_at_ms", sa.BigInteger, nullable=False),
    )


def _lifts() -> None:
    op.create_table(
        "lift",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("gateway", sa.String(32), nullable=False),
        *(sa.Column(name, _ID, sa.ForeignKey("organisation.id")) for name in ("contractor", "owner", "manager")),
        sa.Column("district", sa.String(12), nullable=False),
        sa.Column("made_at_ms", sa.BigInteger, nullable=False),
    )
    for name in ("gateway", "contractor", "owner", "manager"):
        op.create_index(f"lift_{name}", "lift", [name])
    op.drop_index("incident_lift", "incident")
    op.create_index("incident_lift", "incident", ["lift", "opened_at_ms", "id", "phase", "gateway", "area"])
    op.create_index("incident_open", "incident", ["opened_at_ms"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.execute(
        "INSERT INTO lift (id, gateway, district, made_at_ms) "
        "SELECT lift, max(gateway), '', min(changed_at_ms) FROM incident GROUP BY lift"
    )
    access = op.create_table(
        "access_change",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(access, [{"id": 1, "number": 0}])


def _audit() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("actor_kind", sa.String(8), nullable=False),
        sa.Column("actor", sa.String(16), nullable=False),
        sa.Column("actor_name", sa.String(120), nullable=False),
        sa.Column("organisation", sa.String(200), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("object", sa.String(120), nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.Column("ip", sa.String(45), nullable=False),
        sa.Column("request", sa.String(32), nullable=False),
        sa.Column("previous", _HASH, nullable=False),
        sa.Column("hash", _HASH, nullable=False),
    )
    op.create_index("audit_entry_actor", "audit_entry", ["actor"])
    op.create_index("audit_entry_object", "audit_entry", ["object"])
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("hash", _HASH, nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "number": 0, "hash": "0" * 64}])
    for statement in _POSTGRES_TRIGGERS if op.get_bind().dialect.name == "postgresql" else _SQLITE_TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    """Drop them again, the audit log too: keep a copy of the database if it is to be kept."""
    op.drop_index("incident_open", "incident")
    op.drop_index("incident_lift", "incident")
    op.create_index("incident_lift", "incident", ["lift", "opened_at_ms"])
    for table in (
        "audit_head", "audit_entry", "access_change", "lift", "ceremony", "external_identity", "passkey", "token",
        "one_time_link", "session", "membership", "person", "organisation_district", "organisation",
    ):  # fmt: skip
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_entry_stays()")

"""The audit log: a chain that shows what was changed, left out, put in or cut off; written with what it tells of."""

import asyncio
import json
import pathlib
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

import liftwatch
from cloud.accounts.scope import Actor
from cloud.audit import service as audit
from cloud.audit.chain import BODY, GENESIS, Verifier, link
from cloud.database import make_engine, make_sessions, migrate
from cloud.tests.conftest import SHELL, Cloud

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
bodies = st.fixed_dictionaries({name: st.integers(0, 2**53) if name in ("number", "at_ms") else plain for name in BODY})


def chained(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    previous, out = GENESIS, []
    for number, body in enumerate(found, 1):
        entry = {**body, "number": number, "previous": previous}
        entry["hash"] = previous = link(previous, entry)
        out.append(entry)
    return out


def judged(entries: list[dict[str, Any]], head: dict[str, Any]) -> Any:
    verifier = Verifier()
    verifier.take(entries)
    verifier.end(head["number"], head["hash"])
    return verifier.broken


@settings(max_examples=100)
@given(st.lists(bodies, min_size=2, max_size=6), st.data())
def test_a_chain_that_was_touched_is_broken_at_the_place(found: list[dict[str, Any]], data: st.DataObject) -> None:
    entries = chained(found)
    head = entries[-1]
    assert judged(entries, head) is None
    at = data.draw(st.integers(0, len(entries) - 1))
    how = data.draw(st.sampled_from(("change", "leave out", "cut off", "put in", "swap")))
    touched = [dict(entry) for entry in entries]
    if how == "change":
        touched[at]["actor"] = ["somebody else", touched[at]["actor"]]
    elif how == "leave out":
        del touched[at]
    elif how == "cut off":
        touched = touched[:at]
    elif how == "put in":
        touched.insert(at, dict(touched[at]))
    else:
        touched[at], touched[at - 1] = touched[at - 1], touched[at]
    broken = judged(touched, head)
    assert broken is not None
    assert broken.number <= at + 2


@given(st.lists(bodies, min_size=1, max_size=4))
def test_a_log_written_anew_is_found_by_what_was_noted_down(found: list[dict[str, Any]]) -> None:
    entries = chained(found)
    number, noted = entries[-1]["number"], entries[-1]["hash"]
    anew = chained([{**body, "actor": ["somebody else", body["actor"]]} for body in found])
    verifier = Verifier({number: noted})
    verifier.take(anew)
    verifier.end(anew[-1]["number"], anew[-1]["hash"])
    assert verifier.broken is not None
    assert verifier.broken.number == number
    fewer = Verifier({number + 5: noted})
    fewer.take(entries)
    fewer.end(number, noted)
    assert fewer.broken is not None


async def opened(database: str) -> AsyncEngine:
    engine = make_engine(database)
    await migrate(engine)
    return engine


async def test_what_comes_back_from_the_database_is_what_was_hashed(database: str) -> None:
    engine = await opened(database)
    sessions = make_sessions(engine)
    odd = {"a": "\x00 \ud800 \U0001f600 汉", "b": [1, None, True, {"c": "\n"}], "d": "x" * 5000}
    async with sessions() as session:
        await audit.write(session, 1, Actor("nobody", "", "\x00" * 300, "1.2.3.4", "r"), "tried", "o" * 500, **odd)
        await session.commit()
    async with sessions() as session:
        found = await audit.verify(session)
    assert (found.broken, found.number) == (None, 1)
    await engine.dispose()


async def test_writers_at_once_make_one_chain_without_a_gap(database: str) -> None:
    engine = await opened(database)
    sessions = make_sessions(engine)

    async def write(number: int) -> None:
        async with sessions() as session:
            await audit.write(session, number, SHELL, "tried", f"o:{number}")
            if number % 5 == 0:
                await session.rollback()  # what was undone leaves no hole
            else:
                await session.commit()

    await asyncio.gather(*(write(number) for number in range(40)))
    async with sessions() as session:
        found = await audit.verify(session)
    assert (found.broken, found.number) == (None, 32)
    await engine.dispose()


async def test_the_log_is_walked_over_many_pages(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PAGE", 4)
    engine = await opened(database)
    sessions = make_sessions(engine)
    async with sessions() as session:
        for number in range(12):
            await audit.write(session, number, SHELL, "tried")
        await session.commit()
    async with sessions() as session:
        assert (await audit.verify(session)).number == 12
    await engine.dispose()


def verify(database: str, *options: str) -> Result:
    return CliRunner().invoke(liftwatch.main, ["audit", "verify", "--database", database, *options])


async def tamper(engine: AsyncEngine, statement: str) -> None:
    """As somebody does who owns the database: without its triggers."""
    sqlite = engine.dialect.name == "sqlite"
    off = "DROP TRIGGER audit_entry_no_update" if sqlite else "ALTER TABLE audit_entry DISABLE TRIGGER ALL"
    async with engine.begin() as connection:
        await connection.execute(text(off))
        if sqlite:
            await connection.execute(text("DROP TRIGGER audit_entry_no_delete"))
        await connection.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE audit_entry SET actor_name = 'x' WHERE number = 3", "entry 3"),
        ("DELETE FROM audit_entry WHERE number = 2", "entry 2"),
        ("DELETE FROM audit_entry WHERE number = 5", "entry 5"),
        ("UPDATE audit_head SET number = 4", "entry 5"),
    ],
)
async def test_the_command_names_the_first_broken_entry(database: str, statement: str, place: str) -> None:
    engine = await opened(database)
    async with make_sessions(engine)() as session:
        for number in range(5):
            await audit.write(session, number, SHELL, "tried")
        await session.commit()
    whole = await asyncio.to_thread(verify, database)
    assert whole.exit_code == 0
    assert whole.stdout.startswith("whole: 5 entries; note down 5:")
    noted = whole.stdout.split()[-1]
    assert (await asyncio.to_thread(verify, database, "--expect", noted)).exit_code == 0
    await tamper(engine, statement)
    broken = await asyncio.to_thread(verify, database)
    assert broken.exit_code == 1
    assert broken.stderr.startswith(f"BROKEN at {place}")
    await engine.dispose()


def test_the_command_says_what_is_wrong_with_what_it_is_given(tmp_path: pathlib.Path) -> None:
    assert "NUMBER:HASH" in verify(f"sqlite+aiosqlite:///{tmp_path}/c.db", "--expect", "x").stderr
    assert "does not answer" in verify("sqlite+aiosqlite:////nowhere/at/all/c.db").stderr
    assert "--database" in verify("rubbish").stderr


def test_changes_and_refusals_are_in_the_log_with_who_and_from_where(client: Cloud) -> None:
    made = client.post("/api/v1/organisations", json={"kind": "contractor", "name": "安达"}).json()
    place = {"organisation": made["id"], "role": "viewer"}
    token = client.post("/api/v1/tokens", json={"name": "report", **place}).json()
    assert client.get("/api/v1/people", headers={"authorization": f"Bearer {token['token']}"}).status_code == 403
    person = client.post("/api/v1/people", json={"sign_in_name": "li.na", "name": "李娜", **place}).json()
    client.post(f"/api/v1/people/{person['id']}/memberships", json={**place, "role": "technician"})
    (newest, *_) = [
        m for m in client.get(f"/api/v1/people/{person['id']}").json()["memberships"] if m["role"] == "viewer"
    ]
    client.delete(f"/api/v1/people/{person['id']}/memberships/{newest['id']}")
    entries = client.get("/api/v1/audit").json()
    found = {(entry["action"], entry["object"]) for entry in entries}
    assert {
        ("organisation.made", f"organisation:{made['id']}"), ("token.made", f"token:{token['id']}"),
        ("refused", "GET /api/v1/people"), ("person.made", f"person:{person['id']}"),
        ("role.given", f"person:{person['id']}"), ("role.taken", f"person:{person['id']}"),
        ("personal.read", f"GET /api/v1/people/{person['id']}"), ("personal.read", "GET /api/v1/audit"),
    } <= found  # fmt: skip
    refusal = next(entry for entry in entries if entry["action"] == "refused")
    assert (refusal["actor_kind"], refusal["actor"], refusal["organisation"]) == ("token", token["id"], made["id"])
    assert (refusal["ip"], len(refusal["request"])) == ("testclient", 16)
    assert token["token"] not in json.dumps(entries)

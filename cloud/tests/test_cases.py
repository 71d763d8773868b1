"""Cases from outside: what a gateway tells becomes work, people say steps, nothing of it is lost."""

import functools
import json
import pathlib
import shutil
import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest
from sqlalchemy import select

from cloud.accounts.scope import Assignment
from cloud.audit.models import AuditEntry
from cloud.cases.doing import Car
from cloud.cases.lamps import Lamps
from cloud.cases.limits import HOUR_MS, MINUTE_MS
from cloud.lifts import service as lifts
from cloud.notices.models import NoticeChannel, NoticeRow
from cloud.shell import shell_scope
from cloud.tests.case_town import Town
from cloud.tests.conftest import Cloud, incident
from cloud.turns import Turns

PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 20


@pytest.fixture
def town(database: str) -> Iterator[Town]:
    with Town(database) as found:
        yield found


@pytest.fixture
def sqlite_town(sqlite_template: pathlib.Path, tmp_path: pathlib.Path) -> Iterator[Town]:
    """For what does not hang on the database."""
    shutil.copy(sqlite_template, tmp_path / "cloud.db")
    with Town(f"sqlite+aiosqlite:///{tmp_path / 'cloud.db'}") as found:
        yield found


def steps(case: dict[str, Any]) -> list[str]:
    return [entry["step"] for entry in case["timeline"]]


def test_a_trapped_passenger_from_the_button_to_the_closed_case(town: Town) -> None:
    town.tell(presses=1, kind="trapped_at_level")
    case = town.only()
    id = case["id"]
    assert (case["kind"], case["rescue_code"], case["active"], case["acknowledged"]) == (
        "trapped",
        "330117",
        True,
        None,
    )
    assert case["owner"]["organisation"] == "96333 西湖"
    assert [(leg["state"], leg["organisation"]) for leg in case["legs"]] == [
        ("ordered", "安达维保"), ("standby", "滨湖救援站"), ("standby", None),
    ]  # fmt: skip
    case = town.say("desk", id, "acknowledge")
    assert town.answer()["args"] == {"alarm": "heard"}
    assert (case["acknowledged"]["name"], case["owner"]["role"]) == ("李明", "acknowledged")
    town.say("desk", id, "persons", count=2, injured=0)
    town.say("desk", id, "comfort", keys=["heard"])
    town.say("technician", id, "on_the_way", eta_min=8)
    assert town.answer()["args"] == {"alarm": "coming", "eta_min": 8}
    town.say("technician", id, "arrived")
    town.answer()
    assert town.say("office", id, "released", level=1, status=409)["detail"]["reason"] == "competent"
    case = town.say("technician", id, "released")
    assert (case["phase"], case["end_of_alarm"]["over"]) == ("follow_up", False)
    assert town.answer()["args"] == {"alarm": "ended"}
    case = _until(town, id, lambda found: found["end_of_alarm"]["over"])
    assert case["end_of_alarm"]["competent"] == "张伟"
    town.tell(phase="closed", version=2, presses=1, kind="trapped_at_level")
    town.say("technician", id, "cause", cause="door_system", note="地坎有杂物")
    town.say("desk", id, "call_back", done=False, note="乘客未留电话")
    case = town.say("desk", id, "close")
    assert (case["phase"], case["outcome"], case["cause"], case["clocks"]) == ("closed", "released", "door_system", [])
    assert town.get("desk", "/api/v1/cases?phase=open").json() == []
    (closed,) = town.get("desk", "/api/v1/cases?phase=closed&kind=trapped&lift=lift-1").json()
    assert closed["timeline_total"] == len(closed["timeline"])
    actions = town.rows(lambda session: _actions(session, id))
    assert actions == [
        "acknowledge",
        "persons",
        "comfort",
        "on_the_way",
        "arrived",
        "released",
        "cause",
        "call_back",
        "close",
    ]


async def _actions(session: Any, id: str) -> list[str]:
    query = select(AuditEntry.action).where(AuditEntry.object == f"case:{id}").order_by(AuditEntry.number)
    return [action.removeprefix("case.") for action in (await session.scalars(query)).all()]


def _until(town: Town, id: str, holds: Any) -> dict[str, Any]:
    for _ in range(300):
        case: dict[str, Any] = town.get("desk", f"/api/v1/cases/{id}").json()
        if holds(case):
            return case
    raise AssertionError(case)


def test_a_killed_server_goes_on_where_it_was(town: Town) -> None:
    town.tell()
    id = town.only()["id"]
    town.say("desk", id, "acknowledge")
    town.say("technician", id, "accept")
    before = town.get("desk", f"/api/v1/cases/{id}").json()
    town.restart()
    assert {**town.get("desk", f"/api/v1/cases/{id}").json(), "timeline": 0, "timeline_total": 0} | {"rev": 0} == {
        **before, "timeline": 0, "timeline_total": 0, "rev": 0,
    }  # fmt: skip
    town.clock.ahead_ms += 30 * MINUTE_MS
    town.restart()
    town.turn()
    case = town.get("desk", f"/api/v1/cases/{id}").json()
    assert [leg["state"] for leg in case["legs"]] == ["accepted", "ordered", "standby"]
    assert steps(case)[-3:] == ["not_arrived", "escalated", "ordered"]
    assert town.get("station", f"/api/v1/cases/{id}").status_code == 200
    town.say("station", id, "accept")


def test_an_alarm_that_came_and_went_before_its_case_was_made_is_a_case_all_the_same(town: Town) -> None:
    now_ms = town.clock()
    over: dict[str, Any] = {"phase": "closed", "opened": now_ms - 900, "closed_at_ms": now_ms - 400}
    # The cloud was busy: of two revisions only the last is looked at, at once or by the sweep.
    town.tell(**over)
    case = town.only()
    assert (case["kind"], case["active"], case["acknowledged"], case["legs"][0]["state"]) == (
        "trapped", False, None, "ordered",
    )  # fmt: skip
    town.client.app.state.links.incident_stored = lambda name: None  # type: ignore[attr-defined]
    town.socket.send_json({"type": "incident", "incident": incident("lift-1-1-2", **over)})
    town.socket.receive_json()
    town.restart()
    town.turn()
    assert sorted(town.only()["incidents"]) == ["lift-1-1-1", "lift-1-1-2"]


def test_an_incident_that_was_stored_before_a_crash_gets_its_case_when_the_server_is_back(town: Town) -> None:
    town.client.app.state.links.incident_stored = lambda name: None  # type: ignore[attr-defined]
    town.socket.send_json({"type": "incident", "incident": incident()})
    town.socket.receive_json()
    assert town.get("desk", "/api/v1/cases").json() == []
    town.restart()
    town.turn()
    assert town.only()["incidents"] == ["lift-1-1-1"]


def test_of_two_desks_at_two_servers_that_acknowledge_at_once_exactly_one_has_it(town: Town) -> None:
    town.tell()
    id = town.only()["id"]
    gate, answers = threading.Barrier(2), []

    def acknowledge(server: Cloud, who: str) -> None:
        gate.wait()
        body = {"op": f"by {who}", "step": "acknowledge"}
        answers.append((who, server.post(f"/api/v1/cases/{id}/steps", json=body, headers=town.headers[who])))

    del town.client.headers["authorization"]
    with Cloud(town.database, town.settings) as second:
        del second.headers["authorization"]
        servers = ((town.client, "desk"), (second, "desk2"))
        threads = [threading.Thread(target=acknowledge, args=one) for one in servers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(answer.status_code for _, answer in answers) == [200, 409]
    (winner,) = [who for who, answer in answers if answer.status_code == 200]
    (lost,) = [answer.json() for _, answer in answers if answer.status_code == 409]
    name = {"desk": "李明", "desk2": "王芳"}[winner]
    assert lost["detail"]["case"]["acknowledged"]["name"] == name
    assert name in lost["title"]
    town.say("desk" if winner == "desk2" else "desk2", id, "take_over", note="交接班")


def test_of_steps_calls_and_photos_at_two_servers_at_once_none_is_lost(town: Town) -> None:
    town.tell()
    id = town.only()["id"]
    statuses: list[int] = []

    def work(server: Cloud, who: str) -> None:
        for n in range(3):
            headers = town.headers[who]
            call = {"op": f"{n}", "lift": "lift-1", "kind": "other"}
            step = {"op": f"{who} {n}", "step": "note", "note": "x"}
            statuses.append(server.post("/api/v1/cases", json=call, headers=headers).status_code)
            statuses.append(server.post(f"/api/v1/cases/{id}/steps", json=step, headers=headers).status_code)
            picture = PNG + f"{who} {n}".encode()
            statuses.append(server.post(f"/api/v1/cases/{id}/photos", content=picture, headers=headers).status_code)

    del town.client.headers["authorization"]
    with Cloud(town.database, town.settings) as second:
        del second.headers["authorization"]
        places = ((town.client, "desk"), (second, "desk2"), (town.client, "technician"), (second, "office"))
        threads = [threading.Thread(target=work, args=place) for place in places]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(statuses) == [200] * 24 + [201] * 12
    found = steps(town.get("desk", f"/api/v1/cases/{id}").json())
    assert [found.count(step) for step in ("telephoned", "note", "photo")] == [12, 12, 12]


def test_a_phone_says_its_queue_anew_and_nothing_happens_twice(town: Town) -> None:
    town.tell()
    id = town.only()["id"]
    first = town.say("technician", id, "accept", op="a")
    town.say("technician", id, "on_the_way", op="b", eta_min=5)
    again = town.say("technician", id, "accept", op="a")
    assert again["timeline_total"] >= first["timeline_total"]
    assert steps(again).count("accept") == 1
    assert town.say("technician", id, "arrived", op="a", status=409)["detail"] is None


def test_what_was_said_offline_and_comes_too_late_is_kept_and_its_clock_is_not_trusted(town: Town) -> None:
    town.tell()
    id = town.only()["id"]
    town.say("desk", id, "order", level=2)
    town.say("desk", id, "stand_down", level=1)
    later = town.clock() + 40 * 365 * 24 * HOUR_MS
    told = town.say("technician", id, "arrived", op="x", said_at_ms=later, status=409)["detail"]
    assert (told["reason"], told["kept"]) == ("leg", True)
    assert told["case"]["timeline"][-1]["said_at_ms"] == later
    assert told["case"]["timeline"][-1]["detail"]["said"] == "arrived"
    assert abs(told["case"]["timeline"][-1]["at_ms"] - town.clock()) < MINUTE_MS
    again = town.say("technician", id, "arrived", op="x", said_at_ms=later, status=409)["detail"]
    assert steps(again["case"]).count("said_late") == 1
    case = town.say("station", id, "arrived", said_at_ms=5)
    assert abs(case["legs"][1]["arrived_at_ms"] - town.clock()) < MINUTE_MS
    assert town.say("technician", id, "note", note="不在线时写的", said_at_ms=7)["timeline"][-1]["said_at_ms"] == 7


def test_unacknowledged_it_goes_to_the_next_and_every_notice_is_queued_once(town: Town) -> None:
    async def channels(session: Any) -> None:
        for name in ("96333 西湖", "安达维保", "荷芳物业", "滨湖救援站"):
            row = NoticeChannel(organisation=town.ids[name], kind="webhook", name=name, language="zh", least_severity=1)
            row.kinds, row.settings, row.made_at_ms, row.changed_at_ms = [], {"url": "https://127.0.0.1:9/"}, 0, 0
            session.add(row)

    town.rows(channels)
    town.tell()
    town.wait(3 * MINUTE_MS)
    names = {id: name for name, id in town.ids.items()}

    async def queued(session: Any) -> list[tuple[str, str]]:
        rows = (await session.scalars(select(NoticeRow).order_by(NoticeRow.number))).all()
        assert all(row.facts["rescue_code"] == "330117" for row in rows)
        return [(row.kind, names[row.organisation]) for row in rows]

    found = town.rows(queued)
    assert found.count(("case_opened", "96333 西湖")) == 1
    assert {("case_opened", "安达维保"), ("case_opened", "荷芳物业"), ("case_ordered", "安达维保")} <= set(found)
    assert {("case_unacknowledged", "96333 西湖"), ("case_unacknowledged", "安达维保")} <= set(found)
    assert {("case_unanswered", "96333 西湖"), ("case_escalated", "荷芳物业"), ("case_ordered", "滨湖救援站")} <= set(
        found
    )


def test_a_call_is_found_by_its_code_and_joins_the_open_case(town: Town) -> None:
    found = town.get("desk", "/api/v1/lifts/by-code/330117").json()
    assert (found["lift"], found["case"], found["contractor"]) == ("lift-1", None, "安达维保")
    case = town.enter("desk", rescue_code="330117", caller="刘女士", phone="139 0000 0000", persons=2, note="孩子害怕")
    assert (case["source"], case["persons"]["count"], case["caller"]) == (
        "telephone", 2, {"name": "刘女士", "has_phone": True},
    )  # fmt: skip
    assert "139 0000" not in str(case)
    town.tell()
    assert town.only()["id"] == case["id"]
    again = town.enter("office", lift="lift-1", status=200)
    assert (again["id"], steps(again)[-1]) == (case["id"], "telephoned")
    people = town.get("technician", f"/api/v1/cases/{case['id']}/contacts").json()
    assert [(one["party"], one["name"]) for one in people][:2] == [("caller", "刘女士"), ("contractor", "张伟")]
    assert people[0]["phone"] == "139 0000 0000"
    assert town.get("viewer", f"/api/v1/cases/{case['id']}/contacts").status_code == 403
    assert town.get("desk", "/api/v1/lifts/by-code/330118").status_code == 404
    assert town.get("desk", "/api/v1/lifts/by-code/33011").status_code == 422


def test_a_call_about_no_known_lift_is_the_desks_and_is_linked_later(town: Town) -> None:
    case = town.enter("desk", place="文二路 8 号", district="330106", rescue_code="999999")
    assert (case["lift"], case["owner"]["organisation"]) == ("", "96333 西湖")
    assert [leg["state"] for leg in case["legs"]] == ["standby", "ordered", "standby"]
    assert town.get("technician", f"/api/v1/cases/{case['id']}").status_code == 404
    town.enter("technician", place="文二路", status=422)
    town.enter("desk", status=422)
    assert "link" in case["steps_allowed"]
    linked = town.say("desk", case["id"], "link", lift="lift-1")
    assert (linked["lift"], linked["rescue_code"]) == ("lift-1", "330117")
    assert [leg["state"] for leg in linked["legs"]] == ["ordered", "ordered", "standby"]
    assert town.get("technician", f"/api/v1/cases/{case['id']}").status_code == 200
    other = town.enter("desk", place="文二路 8 号 2 单元", district="330106")
    joined = town.say("desk", other["id"], "link", lift="lift-1")
    assert joined["id"] == case["id"]
    ended = town.get("desk", f"/api/v1/cases/{other['id']}").json()
    assert (ended["phase"], ended["outcome"]) == ("closed", "joined")


def test_who_was_away_is_told_of_the_case_in_its_newest_form_also_by_another_server(town: Town) -> None:
    town.tell()
    id = town.only()["id"]
    town.restart()
    town.say("desk", id, "acknowledge")
    town.tell("lift-2-1-1", lift="lift-2")
    told = {who: _stream(town, who) for who in ("desk", "technician", "viewer", "stranger")}
    assert [case["lift"] for case in told["stranger"]] == ["lift-2"]
    for who in ("desk", "technician", "viewer"):
        (case,) = told[who]
        assert (case["id"], case["acknowledged"]["name"]) == (id, "李明")
    assert ("order:2" in told["desk"][0]["steps_allowed"], "accept:1" in told["technician"][0]["steps_allowed"]) == (
        True,
        True,
    )
    assert told["viewer"][0]["steps_allowed"] == []


def _stream(town: Town, who: str) -> list[dict[str, Any]]:
    """The cases that a stream tells which goes on behind the first entry of the channel."""
    feed = town.client.app.state.feed  # type: ignore[attr-defined]

    async def read() -> str:
        scope = await town.scope(who)

        async def again() -> Any:
            return scope

        text, stream = "", feed.watch(1, scope, again)
        async for chunk in stream:
            text += chunk.decode()
            if "event: case" in text or "event: heartbeat" in text:
                break
        await stream.aclose()
        return text

    assert town.client.portal is not None
    text: str = town.client.portal.call(read)
    events = [event for event in text.split("\n\n") if "event: case" in event]
    return [json.loads(event.partition("data: ")[2]) for event in events]


def test_a_fault_is_the_contractors_is_shelved_and_raised(sqlite_town: Town) -> None:
    town = sqlite_town
    fault: dict[str, Any] = {"kind": "door_wont_close", "severity": 2, "class": "fault", "opened": 500}
    town.tell("f-1", **fault)
    case = town.only("technician")
    assert (case["kind"], case["owner"]["organisation"], case["since_ms"]) == ("fault", "安达维保", 500)
    until = town.clock() + HOUR_MS
    town.say("office", case["id"], "acknowledge")
    shelved = town.say("office", case["id"], "shelve", until_ms=until, reason="等配件")
    assert [clock["name"] for clock in shelved["clocks"]] == ["shelf"]
    town.tell("lift-1-1-2")
    raised = town.only()
    assert raised["since_ms"] == 1000
    assert (raised["id"], raised["kind"], raised["shelved"], raised["acknowledged"]) == (
        case["id"],
        "trapped",
        None,
        None,
    )
    assert raised["incidents"] == ["f-1", "lift-1-1-2"]


def test_a_lift_that_gets_another_contractor_amid_a_fault_is_his_at_once(sqlite_town: Town) -> None:
    town = sqlite_town
    fault: dict[str, Any] = {"kind": "door_wont_close", "severity": 2, "class": "fault"}
    town.tell("f-1", **fault)

    async def assign(session: Any, contractor: str) -> None:
        wanted = Assignment(contractor, "", "", "330106")
        await lifts.assign(session, town.clock(), shell_scope(), "lift-1", wanted)

    for contractor in ("", town.ids["捷安维保"]):
        town.rows(functools.partial(assign, contractor=contractor))
        town.client.look_again()
        town.turn()
    case = town.only("stranger")
    assert (case["owner"]["organisation"], case["legs"][0]["organisation"]) == ("捷安维保", "捷安维保")
    assert {"acknowledge", "accept:1"} <= set(case["steps_allowed"])


def test_who_presses_again_after_his_case_is_closed_gets_another_one(sqlite_town: Town) -> None:
    town = sqlite_town
    press: dict[str, Any] = {"kind": "button_pressed", "presses": 1}
    town.tell(**press)
    id = town.only()["id"]
    town.say("desk", id, "acknowledge")
    town.answer()
    town.say("desk", id, "no_rescue", outcome="false_alarm", note="误按")
    town.answer()
    _until(town, id, lambda case: case["end_of_alarm"]["over"])
    town.say("desk", id, "close", note="按钮未复位")
    town.tell(version=2, **press)
    assert town.get("desk", "/api/v1/cases?phase=open").json() == []
    town.tell(version=3, **{**press, "presses": 2})
    assert town.only()["id"] != id


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"withheld": "work"}, "withheld"),
        ({"severity": 1}, "a note"),
        ({"kind": "area_power_cut", "severity": 3}, "of an area as a whole"),
        ({"phase": "closed"}, "over"),
    ],
)
def test_what_is_no_work_opens_no_case(sqlite_town: Town, more: dict[str, Any], why: str) -> None:
    town = sqlite_town
    town.tell(**more)
    assert town.get("desk", "/api/v1/cases").json() == [], why
    portal, loop = town.client.portal, town.client.app.state.cases_running.loop  # type: ignore[attr-defined]
    assert portal is not None
    assert portal.call(loop.missed) == []


def test_the_silent_gateway_is_paged_with_its_lifts_at_risk_also_after_a_restart(town: Town) -> None:
    look = town.client.app.state.cases_running.dead_man.look  # type: ignore[attr-defined]
    portal = town.client.portal
    assert portal is not None
    board = town.client.app.state.board  # type: ignore[attr-defined]
    heard = board.gateways["g-1"].heard_ms
    portal.call(look, heard + 5_000)
    town.clock.ahead_ms += 61_000
    portal.call(look, heard + 61_000)
    case = town.only("technician")
    assert (case["kind"], case["gateway"], case["at_risk"], case["active"]) == (
        "gateway_silent",
        "g-1",
        ["lift-1"],
        True,
    )
    assert town.only("stranger")["at_risk"] == []
    town.restart()
    board = town.client.app.state.board  # type: ignore[attr-defined]
    look = town.client.app.state.cases_running.dead_man.look  # type: ignore[attr-defined]
    portal = town.client.portal
    assert portal is not None
    portal.call(look, board.gateways["g-1"].heard_ms + 61_000)
    assert town.only("technician")["id"] == case["id"]
    town.hello()
    portal.call(look, board.gateways["g-1"].heard_ms + 1000)
    back = town.only("technician")
    assert (back["active"], steps(back)[-1]) == (False, "heard_again")
    town.say("office", case["id"], "acknowledge")
    town.say("office", case["id"], "close", outcome="gateway_back")


class Shows:
    """A board on which one lift shows what the test wants, and cars that note down what they are told."""

    def __init__(self) -> None:
        self.lifts: dict[str, Any] = {"lift-1": {}}
        self.quality, self.shown = "good", 2
        self.told: list[str] = []

    def view(self, name: str, mono: int) -> dict[str, Any]:
        return {"quality": self.quality, "state": {"alarm_shown": self.shown}}

    def tell(self, case: str, lift: str, gateway: str, word: Car) -> None:
        self.told.append(word.alarm)


def test_a_car_that_has_forgotten_is_told_again_ever_more_rarely_and_of_its_end_when_it_is_back(
    sqlite_town: Town,
) -> None:
    town = sqlite_town
    town.tell()
    id = town.only()["id"]
    town.say("desk", id, "acknowledge")
    state, shows = town.client.app.state, Shows()  # type: ignore[attr-defined]
    lamps = Lamps(state.sessions, cast(Any, shows), state.cases, cast(Any, shows), town.clock, Turns())
    assert town.client.portal is not None

    def look(at_s: int, quality: str, shown: int) -> list[str]:
        shows.quality, shows.shown, shows.told = quality, shown, []
        town.client.portal.call(lamps.look, at_s * 1000)  # type: ignore[union-attr]
        return shows.told

    looks = [
        (0, "good", 2),
        (1, "good", 1),
        (10, "good", 1),
        (11, "good", 1),
        (30, "good", 1),
        (31, "good", 1),
        (99, "offline", 1),
    ]
    assert [look(*one) for one in looks] == [[], [], [], ["heard"], [], ["heard"], []]
    town.say("desk", id, "no_rescue", outcome="false_alarm", note="误按")
    town.wait(5_000)
    town.wait(10 * MINUTE_MS)
    assert town.get("desk", f"/api/v1/cases/{id}").json()["end_of_alarm"]["over"]
    look(200, "offline", 0)
    assert town.get("desk", f"/api/v1/cases/{id}").json()["end_of_alarm"]["over"]
    look(201, "good", 2)
    assert not town.get("desk", f"/api/v1/cases/{id}").json()["end_of_alarm"]["over"]


def test_a_gateway_that_does_not_come_back_after_a_restart_is_paged_with_what_was_known_before(town: Town) -> None:
    def look(after_ms: int) -> None:
        state, portal = town.client.app.state, town.client.portal  # type: ignore[attr-defined]
        assert portal is not None
        portal.call(state.cases_running.dead_man.look, state.board.gateways["g-1"].heard_ms + after_ms)

    look(5_000)
    town.clock.ahead_ms += 50_000
    town.restart()
    look(11_000)
    assert town.get("technician", "/api/v1/cases").json() == []
    town.clock.ahead_ms += 61_000
    look(61_000)
    look(62_000)
    case = town.only("technician")
    assert (case["kind"], case["at_risk"]) == ("gateway_silent", ["lift-1"])
    assert 110_000 < town.clock() - case["silent_since_ms"] < 130_000


def test_photos_are_what_they_are_and_no_more_than_twelve(town: Town) -> None:
    town.tell()
    id = town.only()["id"]
    path = f"/api/v1/cases/{id}/photos"

    def add(who: str, body: bytes, kind: str = "image/png") -> Any:
        return town._as(who, "POST", path, content=body, headers={"content-type": kind})

    made = add("technician", PNG)
    assert (made.status_code, made.json()["media_type"]) == (201, "image/png")
    assert add("technician", PNG).status_code == 200
    assert add("technician", b"<svg onload=alert(1)>").status_code == 415
    assert add("viewer", PNG + b"2").status_code == 403
    assert add("stranger", PNG + b"2").status_code == 404
    assert add("desk", PNG + b"x" * (4 << 20)).status_code == 413
    assert add("desk", PNG + b"x" * (3 << 20)).status_code == 201
    for n in range(10):
        assert add("technician", PNG + bytes([n])).status_code == 201
    assert add("technician", PNG + b"more").status_code == 409
    shown = town.get("manager", f"{path}/{made.json()['id']}")
    assert (shown.content, shown.headers["content-type"], shown.headers["x-content-type-options"]) == (
        PNG,
        "image/png",
        "nosniff",
    )
    assert shown.headers["content-disposition"].startswith("inline; filename=")
    assert len(town.only()["photos"]) == 12
    assert town.get("stranger", f"{path}/{made.json()['id']}").status_code == 404


def test_who_may_say_what_is_shown_to_him_and_refused_to_the_others(sqlite_town: Town) -> None:
    town = sqlite_town
    town.tell()
    case = town.only()
    id = case["id"]
    assert {"acknowledge", "order:2", "order:3", "accept:1"} <= set(case["steps_allowed"])
    assert case["legs"][0]["steps_allowed"] == ["accept", "refuse", "on_the_way", "arrived"]
    mine = town.only("technician")["steps_allowed"]
    assert {"acknowledge", "accept:1", "note"} <= set(mine)
    assert not {"order:2", "close", "called_119:3"} & set(mine)
    assert town.only("manager")["steps_allowed"] == []
    assert town.say("technician", id, "order", level=2, status=409)["detail"]["reason"] == "not_yours"
    for who, status in (("viewer", 403), ("manager", 403), ("stranger", 404), ("station", 404)):
        town.say(who, id, "acknowledge", status=status)
    found = town.get("desk", f"/api/v1/cases/{id}")
    held = town.get("desk", f"/api/v1/cases/{id}", headers={"if-none-match": found.headers["etag"]})
    assert (held.status_code, held.headers["etag"]) == (304, found.headers["etag"])
    town.say("desk", id, "fly", status=422)
    town.say("desk", id, "order", level=2, organisation="nobody", status=422)
    town.say("desk", id, "note", note="\x00\ud800 ok".encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def test_the_end_of_an_older_alarm_is_kept_from_who_is_shut_in_meanwhile(town: Town) -> None:
    town.tell(presses=1, kind="trapped_at_level")
    id = town.only()["id"]
    town.say("technician", id, "arrived")
    town.answer()
    town.say("technician", id, "released")
    asked = town.socket.receive_json()
    assert asked["args"] == {"alarm": "ended"}
    town.socket.send_json({"type": "answer", "q": asked["q"], "ok": False, "unanswered": True, "detail": "no node"})
    _until(town, id, lambda found: found["end_of_alarm"]["detail"].startswith("no_node"))
    town.tell("lift-1-1-2")
    town.wait(5_000)
    case = _until(town, id, lambda found: found["end_of_alarm"]["detail"].startswith("refused"))
    assert "shut in there anew" in case["end_of_alarm"]["detail"]
    town.say("desk", id, "acknowledge")  # and its lamp is not lit by it either: the next question is of the new case
    town.say("desk", town.get("desk", "/api/v1/cases").json()[0]["id"], "acknowledge")
    assert town.answer()["args"] == {"alarm": "heard"}


def test_a_call_that_is_closed_is_linked_to_nothing(town: Town) -> None:
    id = town.enter("desk", kind="trapped", place="西溪路", district="330106")["id"]
    town.say("desk", id, "acknowledge")
    town.say("desk", id, "no_rescue", outcome="false_alarm", note="打错了")
    town.say("desk", id, "close")
    town.tell()
    assert town.say("desk", id, "link", lift="lift-1", status=409)["detail"]["reason"] == "phase"
    assert town.get("desk", f"/api/v1/cases/{id}").json()["outcome"] == "false_alarm"


def test_two_calls_whose_ids_begin_alike_are_two(town: Town) -> None:
    calls = [
        town.enter("desk", op="x" * 60 + str(n), place=f"西溪路 {n} 号", district="330106") for n in range(2)
    ]  # fmt: skip
    assert calls[0]["id"] != calls[1]["id"]


def test_a_silence_is_paged_though_the_clock_was_set_back(town: Town) -> None:
    state, portal = town.client.app.state, town.client.portal  # type: ignore[attr-defined]
    assert portal is not None
    heard = state.board.gateways["g-1"].heard_ms
    for ahead_ms, after_ms in ((HOUR_MS, 5_000), (0, 6_000), (61_000, 61_000), (62_000, 62_000)):
        town.clock.ahead_ms = ahead_ms
        portal.call(state.cases_running.dead_man.look, heard + after_ms)
    case = town.only("technician")
    assert (case["kind"], case["active"]) == ("gateway_silent", True)


@pytest.mark.parametrize("more", [{"severity": "grave"}, {"severity": True}, {"severity": 5}, {"kind": None}])
def test_an_incident_that_nobody_could_search_for_is_refused_and_stops_no_clock(
    town: Town, more: dict[str, Any]
) -> None:
    town.socket.send_json({"type": "incident", "incident": incident("lift-1-9-9", **more)})
    assert town.socket.receive_json()["type"] == "error"
    town.tell()
    town.wait(31_000)
    town.wait(3 * MINUTE_MS)
    assert town.only()["legs"][1]["state"] == "ordered"


def test_a_fault_after_the_last_one_was_mended_is_sent_to_somebody_though_that_case_waits_for_its_cause(
    town: Town,
) -> None:
    fault: dict[str, Any] = {"kind": "door_wont_close", "severity": 2, "class": "fault"}
    town.tell(**fault)
    id = town.only("technician")["id"]
    town.say("technician", id, "arrived")
    town.say("technician", id, "mended")
    town.tell(version=2, phase="closed", **fault)
    town.tell("lift-1-1-2", **fault)  # while he tries it out
    assert town.only("technician")["incidents"] == ["lift-1-1-1", "lift-1-1-2"]
    town.wait(11 * MINUTE_MS)
    town.tell("lift-1-1-3", **fault)
    newer, older = town.get("technician", "/api/v1/cases?phase=open").json()
    assert (older["id"], older["phase"]) == (id, "follow_up")
    assert (newer["incidents"], newer["legs"][0]["state"]) == (["lift-1-1-3"], "ordered")

"""The machine of a case: what each path must come to, and by hypothesis that no path loses one."""

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cloud.cases import facts
from cloud.cases.clocks import clocks
from cloud.cases.doing import Car, Order, Tell, chain
from cloud.cases.limits import HOUR_MS, MINUTE_MS, Limits
from cloud.cases.machine import OUTCOMES_OF, TABLE, Result, StepRefused, apply, due, possible
from cloud.cases.state import KINDS, LEVELS, By, Case, Fact, Kind, Parties, Who, from_json, to_json
from cloud.cases.words import CAUSES, COMFORT, OUTCOMES

LIMITS = Limits()
PARTIES = Parties(["con"], desk="desk", station="sta", manager="man", owner="own", platform="plat")


def who(organisation: str, name: str = "", *, desk: bool = False, competent: bool = False) -> Who:
    name = name or f"somebody of {organisation}"
    return Who(By(name, name, organisation, organisation), desk, frozenset([organisation]), competent)


DESK, DESK2 = who("desk", "李明", desk=True), who("desk", "王芳", desk=True)
TECHNICIAN, OFFICE = who("con", "张伟", competent=True), who("con", "office")
STATION = who("sta", "赵强", competent=True)
STRANGER = who("elsewhere")
PEOPLE = (DESK, DESK2, TECHNICIAN, OFFICE, STATION, STRANGER)


class Play:
    """A case, and the time."""

    def __init__(self, kind: Kind = "trapped", *, parties: Parties = PARTIES, lift: str = "lift-1") -> None:
        self.now = 1_000_000
        self.effects: list[Any] = []
        self.timeline: list[str] = []
        severity = 4 if kind == "trapped" else 2
        case = Case(
            kind, "incident", severity, 0, lift=lift, gateway="g-1" if lift else "", parties=parties,
            incidents={"i-1": Fact("trapped_at_level", severity, True, kind == "trapped")} if lift else {},
        )  # fmt: skip
        self.take(facts.opened(case, LIMITS, self.now))

    def take(self, result: Result) -> None:
        self.case = from_json(json.loads(json.dumps(to_json(result.case))))
        assert self.case == result.case
        self.effects += result.effects
        self.timeline += [entry.step for entry in result.entries]

    def say(self, by: Who, step: str, **args: Any) -> None:
        self.take(apply(self.case, LIMITS, by, step, args, self.now))

    def tries(self, by: Who, step: str, **args: Any) -> StepRefused | None:
        try:
            self.say(by, step, **args)
        except StepRefused as refused:
            return refused
        return None

    def refused(self, by: Who, step: str, **args: Any) -> str:
        before = to_json(self.case)
        with pytest.raises(StepRefused) as found:
            self.say(by, step, **args)
        assert to_json(self.case) == before
        return found.value.reason

    def wait(self, ms: int) -> None:
        """Let time pass, by the clocks as a server would."""
        until = self.now + ms
        while (running := clocks(self.case)) and running[0].due_ms <= until:
            self.now = max(self.now, running[0].due_ms)
            self.take(due(self.case, LIMITS, self.now))
        self.now = until

    def told(self, ok: bool = True) -> None:
        self.take(facts.car_told(self.case, LIMITS, self.now, "ended", ok=ok, detail="" if ok else "offline"))

    def clear(self) -> None:
        for name, fact in self.case.incidents.items():
            self.take(facts.incident(self.case, LIMITS, self.now, name, dataclasses.replace(fact, open=False)))

    def states(self) -> list[str]:
        return [leg.state for leg in self.case.legs]

    def notices(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(effect.kind, effect.to) for effect in self.effects if isinstance(effect, Tell)]

    def car(self) -> list[str]:
        return [effect.alarm for effect in self.effects if isinstance(effect, Car)]


def test_a_trapped_case_from_the_button_to_its_end() -> None:
    play = Play()
    assert play.states() == ["ordered", "standby", "standby"]
    assert ("case_opened", ("desk", "contractors", "manager")) in play.notices()
    play.say(DESK, "acknowledge")
    play.say(DESK, "persons", count=2, injured=0)
    play.say(DESK, "comfort", keys=["heard", "air"])
    play.wait(MINUTE_MS)
    play.say(TECHNICIAN, "accept")
    play.say(TECHNICIAN, "on_the_way", eta_min=8)
    play.wait(8 * MINUTE_MS)
    play.say(TECHNICIAN, "arrived")
    play.wait(5 * MINUTE_MS)
    assert play.refused(OFFICE, "released") == "competent"
    play.say(TECHNICIAN, "released")
    assert play.case.phase == "follow_up"
    assert play.car() == ["heard", "coming", "arrived", "ended"]
    assert play.refused(DESK, "close") == "end"
    play.told()
    play.say(TECHNICIAN, "cause", cause="door_system")
    play.say(DESK, "call_back", done=True)
    play.clear()
    play.say(DESK, "close")
    assert play.case.outcome == "released"
    assert play.case.closed_at_ms == play.now
    assert clocks(play.case) == []
    assert [step for step in play.timeline if step in ("unanswered", "not_arrived", "escalated")] == []


@pytest.mark.parametrize(
    ("says", "missed", "after_ms"),
    [
        ([], "unanswered", 3 * MINUTE_MS),
        (["accept"], "not_arrived", 30 * MINUTE_MS),
        (["accept", "on_the_way"], "not_arrived", 30 * MINUTE_MS),
        (["on_the_way"], "not_arrived", 30 * MINUTE_MS),
        (["accept", "arrived"], "not_freed", 30 * MINUTE_MS),
        (["arrived"], "not_freed", 30 * MINUTE_MS),
    ],
)
def test_each_state_in_which_the_first_level_is_waited_for_escalates(
    says: list[str], missed: str, after_ms: int
) -> None:
    """A published machine let one who answers and never comes wait for ever: "answered" must escalate like the others."""
    play = Play()
    play.say(DESK, "acknowledge")
    for step in says:
        play.say(TECHNICIAN, step)
    play.wait(after_ms - 1)
    assert play.states()[1] == "standby"
    play.wait(1)
    assert play.states()[1] == "ordered"
    assert play.timeline[-3:] == [missed, "escalated", "ordered"]
    assert Order(2, "sta") in play.effects


def test_a_level_that_was_escalated_may_still_come_and_free_them() -> None:
    play = Play()
    play.say(DESK, "acknowledge")
    play.wait(3 * MINUTE_MS)
    play.say(STATION, "accept")
    play.say(TECHNICIAN, "arrived")
    play.say(TECHNICIAN, "released")
    assert play.states() == ["released", "stood_down", "standby"]
    assert ("case_stood_down", ("leg:2",)) in play.notices()


def test_nobody_answers_and_the_fire_service_is_called_by_a_person() -> None:
    play = Play()
    play.say(DESK, "acknowledge")
    play.wait(6 * MINUTE_MS)
    assert play.states() == ["ordered", "ordered", "ordered"]
    assert ("case_ordered", ("desk",)) in play.notices()
    assert play.refused(TECHNICIAN, "called_119", note="rang") == "not_yours"
    play.wait(MINUTE_MS)
    assert "call_reminded" in play.timeline
    assert play.refused(DESK, "called_119") == "note"
    play.say(DESK, "called_119", note="消防已出警，10 分钟到")
    assert play.states()[2] == "accepted"
    before = play.timeline.count("call_reminded")
    play.wait(20 * MINUTE_MS)
    assert play.timeline.count("call_reminded") == before
    play.say(DESK, "arrived", level=3)
    assert play.refused(DESK, "released", level=3) == "competent"
    play.say(DESK, "released", level=3, competent="消防队长 陈")
    assert play.case.end_of_alarm is not None
    assert play.case.end_of_alarm.competent == "消防队长 陈"


def test_refusal_goes_on_to_the_next_level_at_once_and_not_back() -> None:
    play = Play()
    play.say(TECHNICIAN, "refuse", reason="在外地")
    assert play.states() == ["refused", "ordered", "standby"]
    play.say(STATION, "refuse", reason="出动中")
    assert play.states() == ["refused", "refused", "ordered"]
    play.say(DESK, "order", level=1)
    assert play.states()[0] == "ordered"
    play.wait(40 * MINUTE_MS)
    assert play.timeline.count("nobody_left") >= 1


def test_who_has_refused_may_yet_come_by_a_clock_of_his_own() -> None:
    play = Play()
    play.say(TECHNICIAN, "refuse", reason="在外地")
    play.wait(40 * MINUTE_MS)
    play.say(OFFICE, "accept")
    assert ("arrive", 1) in {(clock.name, clock.level) for clock in clocks(play.case)}


def test_a_fault_that_one_technician_refuses_is_taken_by_another() -> None:
    play = Play("fault")
    play.say(TECHNICIAN, "accept")
    play.say(TECHNICIAN, "refuse", reason="没有配件")
    assert (play.case.acknowledged, play.states()[0]) == (None, "ordered")
    assert {"acknowledge", "answer"} <= {clock.name for clock in clocks(play.case)}
    play.say(OFFICE, "accept")


def test_without_a_contractor_the_station_is_sent_and_without_a_station_somebody_must_call_it() -> None:
    play = Play(parties=Parties(desk="desk", station="sta", platform="plat"))
    assert play.states() == ["standby", "ordered", "standby"]
    play = Play(parties=Parties(desk="desk", platform="plat"), lift="")
    assert play.states() == ["standby", "ordered", "standby"]
    assert ("case_ordered", ("desk",)) in play.notices()
    play.say(DESK, "called_station", note="滨湖站")
    assert play.states()[1] == "accepted"


def test_two_facts_are_kept_apart() -> None:
    """What cleared by itself stays until somebody has had it and closed it."""
    play = Play("fault")
    play.clear()
    assert not play.case.active
    assert play.refused(OFFICE, "close", outcome="no_fault_found") == "acknowledged"
    play.wait(20 * MINUTE_MS)
    assert [told for told in play.notices() if told[0] == "case_unacknowledged"] == [
        ("case_unacknowledged", ("contractors", "manager"))
    ]
    play.say(OFFICE, "acknowledge")
    assert play.refused(TECHNICIAN, "acknowledge") == "nobodys"
    play.say(TECHNICIAN, "take_over")
    play.say(TECHNICIAN, "close", outcome="no_fault_found")
    assert play.case.phase == "closed"


def test_a_trapped_case_cannot_be_shelved_and_a_shelved_fault_that_becomes_one_sounds_again() -> None:
    assert Play().refused(DESK, "shelve", until_ms=2_000_000, reason="later") == "kind"
    play = Play("fault")
    play.say(OFFICE, "acknowledge")
    assert play.refused(OFFICE, "shelve", until_ms=play.now + 8 * 24 * HOUR_MS, reason="配件") == "shelf_end"
    play.say(OFFICE, "shelve", until_ms=play.now + 24 * HOUR_MS, reason="等配件")
    play.wait(HOUR_MS)
    assert play.timeline[-1] == "shelve"
    play.take(facts.incident(play.case, LIMITS, play.now, "i-2", Fact("trapped_between_floors", 4, True, True)))
    assert (play.case.kind, play.case.shelved, play.case.acknowledged) == ("trapped", None, None)
    play.wait(3 * MINUTE_MS)
    assert play.states()[:2] == ["ordered", "ordered"]


def test_a_fault_that_is_mended_is_off_the_shelf() -> None:
    play = Play("fault")
    play.say(TECHNICIAN, "arrived")
    play.say(OFFICE, "shelve", until_ms=play.now + 5 * 24 * HOUR_MS, reason="等配件")
    play.say(TECHNICIAN, "mended")
    assert [clock.name for clock in clocks(play.case)] == ["cause"]


def test_who_takes_a_case_after_its_end_lights_no_lamp() -> None:
    play = Play()
    play.say(TECHNICIAN, "arrived")
    play.say(TECHNICIAN, "released")
    play.effects.clear()
    play.say(DESK, "acknowledge")
    assert not [effect for effect in play.effects if isinstance(effect, Car)]


def test_what_is_shelved_comes_back_by_itself() -> None:
    play = Play("fault")
    play.say(OFFICE, "acknowledge")
    play.say(OFFICE, "shelve", until_ms=play.now + HOUR_MS, reason="等配件")
    play.wait(HOUR_MS)
    assert play.case.shelved is None
    assert ("case_reminder", ("contractors", "manager")) in play.notices()


def test_a_technician_on_his_way_to_a_fault_gets_the_clocks_of_a_rescue() -> None:
    play = Play("fault")
    play.say(TECHNICIAN, "on_the_way")
    play.wait(HOUR_MS)
    play.say(DESK, "raise", note="业主来电，里面有人")
    assert play.states() == ["on_the_way", "standby", "standby"]
    assert play.case.since_ms == play.now
    play.wait(30 * MINUTE_MS)
    assert play.states()[1] == "ordered"


def test_all_who_were_sent_for_a_fault_get_the_clocks_of_a_rescue() -> None:
    play = Play("fault")
    play.say(DESK, "order", level=2)
    play.say(TECHNICIAN, "arrived")
    play.say(STATION, "accept")
    play.say(DESK, "raise", note="里面有人")
    assert {(clock.name, clock.level) for clock in clocks(play.case)} >= {("free", 1), ("arrive", 2)}


def test_a_fault_is_mended_by_who_took_it() -> None:
    play = Play("fault")
    play.say(TECHNICIAN, "accept")
    assert play.case.acknowledged is not None
    play.say(TECHNICIAN, "arrived")
    play.say(TECHNICIAN, "mended", note="调整门刀")
    play.clear()
    assert play.refused(OFFICE, "close") == "end"
    play.say(OFFICE, "close", cause="door_system")
    assert (play.case.outcome, play.case.cause) == ("mended", "door_system")


def test_who_is_on_his_way_when_a_fault_is_closed_is_called_off() -> None:
    play = Play("fault")
    play.say(TECHNICIAN, "on_the_way")
    play.clear()
    play.say(OFFICE, "close", outcome="no_fault_found")
    assert play.states()[0] == "stood_down"
    assert ("case_stood_down", ("leg:1",)) in play.notices()


def test_a_false_alarm_is_an_outcome_and_needs_a_note() -> None:
    play = Play()
    play.say(DESK, "acknowledge")
    assert play.refused(DESK, "no_rescue", outcome="false_alarm") == "no_rescue"
    play.say(DESK, "no_rescue", outcome="false_alarm", note="监控确认轿厢无人")
    assert play.car()[-1] == "ended"
    play.clear()
    assert play.refused(DESK, "close") == "end"
    play.told()
    assert play.refused(DESK, "close", outcome="released", cause="control") == "end"
    play.say(DESK, "close")
    assert play.case.outcome == "false_alarm"


def test_the_car_is_asked_again_until_it_was_told_or_ten_minutes_are_over() -> None:
    play = Play()
    play.say(DESK, "acknowledge")
    play.say(TECHNICIAN, "arrived")
    play.say(TECHNICIAN, "released")
    for _ in range(3):
        play.told(ok=False)
        play.wait(10_000)
    assert play.car().count("ended") >= 3
    assert play.timeline.count("car_not_told") == 1
    play.wait(10 * MINUTE_MS)
    assert play.case.end_of_alarm is not None
    assert (play.case.end_of_alarm.over, play.case.end_of_alarm.told_at_ms) == (True, None)
    play.say(DESK, "end_alarm")
    play.told()
    assert play.case.end_of_alarm.told_at_ms == play.now
    assert play.refused(DESK, "end_alarm") == "given_up"


def test_the_last_one_on_the_way_is_not_called_off_while_somebody_is_shut_in() -> None:
    play = Play()
    assert play.refused(DESK, "stand_down", level=1) == "another_comes"
    play.say(DESK, "order", level=2)
    play.say(DESK, "stand_down", level=1)
    assert play.states() == ["stood_down", "ordered", "standby"]


def test_a_level_that_was_called_off_is_sent_again_when_the_one_below_does_not_come() -> None:
    play = Play()
    play.say(DESK, "order", level=2)
    play.say(DESK, "stand_down", level=2)
    play.wait(3 * MINUTE_MS)
    assert play.states() == ["ordered", "ordered", "standby"]


def test_a_silent_gateway_is_somebodys_until_it_is_heard_and_closed() -> None:
    case = Case(
        "gateway_silent", "dead_man", 3, 0, gateway="g-1", parties=PARTIES, silent_since_ms=1, at_risk=["lift-1"]
    )
    play = Play()
    play.take(facts.opened(case, LIMITS, play.now))
    play.say(OFFICE, "acknowledge")
    assert play.refused(OFFICE, "close", outcome="gateway_back") == "end"
    play.take(facts.heard_again(play.case, LIMITS, play.now + 90_000))
    assert ("gateway_back", ("contractors", "platform")) in play.notices()
    play.take(facts.silent_again(play.case, LIMITS, play.now + 200_000, play.now + 140_000, ["lift-2"]))
    assert play.case.acknowledged is None
    play.take(facts.heard_again(play.case, LIMITS, play.now + 300_000))
    play.say(OFFICE, "acknowledge")
    play.say(OFFICE, "close", outcome="gateway_back")


def test_what_fell_due_while_the_server_was_down_happens_once_each() -> None:
    play = Play()
    play.now += 10 * HOUR_MS
    play.take(due(play.case, LIMITS, play.now))
    assert play.timeline.count("unacknowledged") == 1
    assert play.states() == ["ordered", "ordered", "standby"]
    assert all(clock.due_ms > play.now for clock in clocks(play.case))


def test_a_stranger_can_say_nothing() -> None:
    play = Play()
    assert possible(play.case, STRANGER) == []
    assert {play.refused(STRANGER, step.name) for step in TABLE} == {"not_yours"}
    assert play.refused(DESK, "fly") == "no_such_step"


def test_all_words_are_there() -> None:
    assert set(OUTCOMES) - {"joined"} == {outcome for found in OUTCOMES_OF.values() for outcome in found}
    assert all(cause.zh and cause.en for cause in CAUSES)


ARGS = {
    "level": st.sampled_from([None, *LEVELS]),
    "outcome": st.sampled_from([None, *OUTCOMES]),
    "cause": st.sampled_from([None, *(cause.name for cause in CAUSES)]),
    "note": st.sampled_from(["", "because"]),
    "reason": st.sampled_from(["", "parts"]),
    "competent": st.sampled_from(["", "captain"]),
    "organisation": st.sampled_from(["", "sta"]),
    "eta_min": st.sampled_from([None, 9]),
    "keys": st.sampled_from([[], list(COMFORT)[:2]]),
    "count": st.sampled_from([None, 0, 2]),
    "injured": st.sampled_from([None, 0, 1]),
    "done": st.booleans(),
    "shelf": st.sampled_from([0, HOUR_MS, 30 * 24 * HOUR_MS]),
}


class AnyPath(RuleBasedStateMachine):
    """Anybody says anything at any time, incidents come and go, clocks run or the server was down."""

    @initialize(
        kind=st.sampled_from(KINDS),
        contractor=st.booleans(),
        desk=st.booleans(),
        station=st.booleans(),
        lift=st.booleans(),
    )
    def begin(self, kind: Kind, contractor: bool, desk: bool, station: bool, lift: bool) -> None:
        parties = Parties(
            ["con"] if contractor else [], "desk" if desk else "", "sta" if station else "", "man", "own", "plat"
        )
        self.play = Play(kind, parties=parties, lift="lift-1" if lift else "")
        if kind == "gateway_silent":
            self.play.case.silent_since_ms = self.play.now
        self.seen = 0

    @rule(
        by=st.sampled_from(PEOPLE),
        step=st.sampled_from(sorted({step.name for step in TABLE})),
        args=st.fixed_dictionaries(ARGS),
    )
    def anybody_says_anything(self, by: Who, step: str, args: dict[str, Any]) -> None:
        until = self.play.now + args.pop("shelf")
        names = {name.partition(":")[0] for name in possible(self.play.case, by)}
        refused = self.play.tries(by, step, **args, until_ms=until, lift="lift-2", gateway="g-2", parties=PARTIES)
        if refused is None:
            assert step in names
        else:
            assert refused.detail
            assert refused.possible == possible(self.play.case, by)

    @rule(by=st.sampled_from(PEOPLE[:5]), data=st.data())
    def somebody_says_what_he_can(self, by: Who, data: Any) -> None:
        names = possible(self.play.case, by)
        assume(names)
        name, _, level = data.draw(st.sampled_from(names)).partition(":")
        args: dict[str, Any] = {
            "note": "because", "reason": "parts", "competent": "captain", "keys": ["air"], "count": 1, "cause": "control",
            "done": True, "until_ms": self.play.now + HOUR_MS, "organisation": "sta", "lift": "lift-2", "gateway": "g-2",
            "parties": PARTIES,
        }  # fmt: skip
        if name in ("close", "no_rescue"):
            args["outcome"] = data.draw(st.sampled_from(OUTCOMES_OF[self.play.case.kind]))
        refused = self.play.tries(by, name, **args, **({"level": int(level)} if level else {}))
        if refused is not None:
            assert name in ("close", "no_rescue")
            assert refused.reason in ("end", "no_rescue", "which_level")

    @rule(ms=st.sampled_from([1000, MINUTE_MS, 4 * MINUTE_MS, 31 * MINUTE_MS, 25 * HOUR_MS]))
    def time_passes(self, ms: int) -> None:
        case = self.play.case
        waited = [
            (leg.level, clock.name)
            for leg in case.legs
            for clock in clocks(case)
            if clock.level == leg.level and clock.due_ms <= self.play.now + ms and clock.name != "call"
        ]
        self.play.wait(ms)
        if case.kind == "trapped" and case.phase == "open":
            for level, name in waited:
                assert name in self.play.case.leg(level).missed
                above = [self.play.case.leg(found) for found in LEVELS[level:]]
                assert not above or any(leg.state != "standby" for leg in above)

    @rule(ms=st.sampled_from([MINUTE_MS, HOUR_MS, 48 * HOUR_MS]))
    def the_server_was_down(self, ms: int) -> None:
        self.play.now += ms
        self.play.take(due(self.play.case, LIMITS, self.play.now))

    @rule(
        name=st.sampled_from(["i-1", "i-2", "i-3"]),
        severity=st.sampled_from([2, 3, 4]),
        open=st.booleans(),
        presses=st.integers(0, 2),
    )
    def an_incident_is_told(self, name: str, severity: int, open: bool, presses: int) -> None:
        assume(self.play.case.phase != "closed")
        self.play.take(
            facts.incident(
                self.play.case, LIMITS, self.play.now, name, Fact("x", severity, open, severity == 4, presses)
            )
        )

    @precondition(lambda self: self.play.case.end_of_alarm is not None)
    @rule(ok=st.booleans())
    def the_car_answers(self, ok: bool) -> None:
        self.play.told(ok)

    @precondition(lambda self: self.play.case.kind == "gateway_silent")
    @rule(heard=st.booleans())
    def the_gateway_comes_and_goes(self, heard: bool) -> None:
        case, now = self.play.case, self.play.now
        assume(case.phase != "closed")
        self.play.take(
            facts.heard_again(case, LIMITS, now) if heard else facts.silent_again(case, LIMITS, now, now, ["lift-1"])
        )

    @invariant()
    def no_case_is_lost(self) -> None:
        case, now = self.play.case, self.play.now
        assert len(self.play.timeline) >= self.seen
        self.seen = len(self.play.timeline)
        if case.phase == "closed":
            assert clocks(case) == []
            assert case.outcome in OUTCOMES_OF[case.kind]
            assert case.closed_at_ms is not None
            assert not any(leg.under_way for leg in case.legs)
            if case.outcome in ("released", "self_released", "mended") and case.kind in ("trapped", "fault"):
                assert case.cause
            if case.outcome in ("released", "self_released"):
                assert case.call_back is not None
            if case.kind == "trapped":
                assert case.end_of_alarm is not None
                assert case.end_of_alarm.over
            return
        assert chain(case)
        assert [clock for clock in clocks(case) if clock.due_ms > now], "a case without a clock"
        assert all(clock.due_ms > now for clock in clocks(case))
        if case.kind == "trapped":
            assert case.shelved is None
            assert case.phase != "open" or any(leg.state != "standby" for leg in case.legs)
            for leg in case.legs if case.phase == "open" else ():
                if leg.under_way and not {"arrive", "free"} & set(leg.missed):
                    assert {"arrive", "free"} & {clock.name for clock in clocks(case) if clock.level == leg.level}


TestAnyPath = AnyPath.TestCase
TestAnyPath.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

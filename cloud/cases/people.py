"""What people say of cases: steps, calls by telephone. Idempotent by the ids that clients make; what comes too late is kept."""

import hashlib
import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.accounts.errors import Conflict, NotAllowed, Refused
from cloud.accounts.models import Organisation
from cloud.accounts.scope import Scope
from cloud.audit import service as audit
from cloud.cases import facts, machine, reading
from cloud.cases.doing import Entry
from cloud.cases.keeping import announce, keep, new_row, subject_of
from cloud.cases.machine import Result, StepRefused
from cloud.cases.models import CasePhoto, CaseRow, CaseStep, state_of
from cloud.cases.parties import STATIONS, Place, place_of
from cloud.cases.state import LEAST_SEVERITY, Caller, Case, Persons, Who
from cloud.cases.transactions import Transactions, both
from cloud.lifts import service as lift_service

MOST_PHOTOS = 12  # of a case; ours: it has some three
# Of what is said, this is not for the audit log: what a caller is called, and his number.
NOT_AUDITED = frozenset(("op", "step", "said_at_ms", "name", "phone", "parties"))


class NotNow(Exception):
    """The table does not allow the step; `shown` is the case as it is, `kept` says that it stands in the timeline as said late."""

    def __init__(self, refused: dict[str, Any], shown: dict[str, Any], *, kept: bool) -> None:
        super().__init__(refused["detail"])
        self.refused, self.shown, self.kept = refused, shown, kept


class People(Transactions):
    """Steps and calls."""

    async def say(self, scope: Scope, id: str, said: dict[str, Any]) -> dict[str, Any]:
        """One step; the case as it is then. NotNow where the table has no place for it, NotThere, Conflict of an op used twice."""
        said = _cleaned(said)
        return await self._again(lambda session: self._say(session, scope, id, said))

    async def _say(self, session: AsyncSession, scope: Scope, id: str, said: dict[str, Any]) -> dict[str, Any]:
        row = await reading.one(session, scope, id, to_change=True)
        before = await self._said_before(session, scope, row, said)
        if before is not None:
            return before
        now = self._clock()
        case, place = await self._read(session, row)
        by = await self._who(session, scope, case, place, now)
        args = {name: value for name, value in said.items() if name not in ("op", "step", "said_at_ms")}
        if said["step"] == "link" and case.phase != "closed":
            other = await self._link(session, scope, args)
            if other is not None and by.desk and not (case.lift or case.gateway):
                return await self._join(session, scope, row, by, other, said)
        if said["step"] == "order" and args.get("organisation"):
            await self._check_station(session, args["organisation"])
        limits = place.district.limits
        before_that = facts.concerns(case, limits, now, place.parties)
        try:
            result = both(before_that, machine.apply(before_that.case, limits, by, said["step"], args, now))
        except StepRefused as refused:
            told = {"reason": refused.reason, "detail": refused.detail, "possible": refused.possible}
            return await self._refuse(session, scope, row, case, place, by, said, told)
        await keep(session, now, row, result, place, said.get("said_at_ms"))
        session.add(_step(row, scope, said, now, None))
        await self._audit(session, now, scope, row, said)
        return await self._commit(session, now, row, result, scope)

    async def _said_before(
        self, session: AsyncSession, scope: Scope, row: CaseRow, said: dict[str, Any]
    ) -> dict[str, Any] | None:
        """The same op again is answered as then; another step with its op is a mistake of the client."""
        found = await session.get(CaseStep, (row.id, said["op"]))
        if found is None:
            return None
        if found.by != scope.actor.id or found.digest != _digest(said):
            raise Conflict("op_used", f"op {said['op'][:40]!r} was used for another step; make a new one")
        shown = await self._as_it_is(session, scope, row)
        if found.refusal is not None:
            raise NotNow(found.refusal, shown, kept=bool(found.refusal.get("kept")))
        return shown

    async def _refuse(
        self, session: AsyncSession, scope: Scope, row: CaseRow, case: Case, place: Place, by: Who,
        said: dict[str, Any], told: dict[str, Any],
    ) -> dict[str, Any]:  # fmt: skip
        """A step that was said without a line and comes too late stays in the timeline: somebody did it, or saw it."""
        now, late = self._clock(), said.get("said_at_ms") is not None and told["reason"] != "not_yours"
        if told["reason"] != "not_yours":
            session.add(_step(row, scope, said, now, {**told, "kept": late}))
        if late:
            self.late += 1
            detail = {"said": said["step"], "reason": told["reason"]}
            detail |= {
                name: value for name, value in said.items() if name not in NOT_AUDITED and value not in (None, "")
            }
            result = Result(case, [Entry("said_late", by, detail)], [])
            await keep(session, now, row, result, place, said["said_at_ms"])
            await self._audit(session, now, scope, row, said, late=True)
            shown = await self._commit(session, now, row, result, scope)
        else:
            await session.commit()
            shown = await self._as_it_is(session, scope, row)
        raise NotNow(told, shown, kept=late)

    async def _link(self, session: AsyncSession, scope: Scope, args: dict[str, Any]) -> CaseRow | None:
        """Complete what is said of the lift; its open case if it has one."""
        lift = await lift_service.one(session, scope, args["lift"])
        found = await place_of(session, self.rescue, Case("other", "telephone", 2, 0, lift=lift.id))
        args |= {"gateway": lift.gateway, "district": lift.district, "parties": found.parties}
        return await self._open_of(session, f"lift:{lift.id}")

    async def _join(
        self, session: AsyncSession, scope: Scope, row: CaseRow, by: Who, other: CaseRow, said: dict[str, Any]
    ) -> dict[str, Any]:
        """A call ends in the case that its lift has already; the answer is that one."""
        now = self._clock()
        case, place = await self._read(session, row)
        held, there = await self._read(session, other)
        limits = there.district.limits
        called = facts.called(held, limits, now, by, trapped=case.kind == "trapped", place=case.place)
        called.case.caller, called.case.persons = held.caller or case.caller, held.persons or case.persons
        await keep(session, now, row, facts.joined(case, limits, now, by, other.number), place, said.get("said_at_ms"))
        await keep(session, now, other, called, there)
        session.add(_step(row, scope, said, now, None))
        await self._audit(session, now, scope, row, said)
        ended = await announce(session, now, row)
        (whole,) = await reading.wholes(session, [row])
        shown = await self._commit(session, now, other, called, scope)
        self._feed.push(ended, "case", row.lift or row.gateway, {"case": whole})
        return shown

    async def _check_station(self, session: AsyncSession, id: str) -> None:
        found = await session.get(Organisation, id)
        if found is None or found.kind not in STATIONS:
            raise Refused("wrong_kind", f"organisation {id!r:.40} is none of kind {' or '.join(STATIONS)}")

    async def photo(self, scope: Scope, id: str, photo: CasePhoto) -> CasePhoto:
        """A picture from the place; the one that is there already if it is the same. NotAllowed where he has no part in the case."""

        async def once(session: AsyncSession) -> CasePhoto:
            row = await reading.one(session, scope, id, to_change=True)
            case, place = await self._read(session, row)
            now = self._clock()
            by = await self._who(session, scope, case, place, now)
            if not by.desk and not by.responds:
                raise NotAllowed("not_yours", "this case is another's to work on")
            held = (await session.scalars(select(CasePhoto).where(CasePhoto.case == row.id))).all()
            same = [known for known in held if known.sha256 == photo.sha256]
            if same:
                return same[0]
            if len(held) >= MOST_PHOTOS:
                raise Conflict("too_many_photos", f"a case has at most {MOST_PHOTOS} photos")
            session.add(photo)
            await session.flush()
            await keep(session, now, row, Result(case, [Entry("photo", by, {"photo": photo.id})], []), place)
            await audit.write(
                session, now, scope, "case.photo", f"case:{row.id}", number=row.number, sha256=photo.sha256
            )
            await self._commit(session, now, row)
            return photo

        return await self._again(once)

    async def enter(self, scope: Scope, wanted: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """A call by telephone: (the case, whether it is new). About a lift with an open case it joins that."""
        wanted = _cleaned(wanted)
        return await self._again(lambda session: self._enter(session, scope, wanted))

    async def _enter(self, session: AsyncSession, scope: Scope, wanted: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        now = self._clock()
        digest_op = hashlib.sha256(f"{scope.actor.id}:{wanted['op']}".encode()).hexdigest()
        done = await session.scalar(select(CaseStep).where(CaseStep.op == digest_op))
        if done is not None:
            if done.digest != _digest(wanted):
                raise Conflict("op_used", f"op {wanted['op'][:40]!r} was used for another call; make a new one")
            return await self._as_it_is(session, scope, await reading.one(session, scope, done.case)), False
        lift = await self._lift_of_call(session, scope, wanted)
        case = Case(
            wanted["kind"], "telephone", 4 if wanted["kind"] == "trapped" else LEAST_SEVERITY, now,
            lift=lift.id if lift else "", gateway=lift.gateway if lift else "", district=wanted["district"],
            place=wanted["place"],
        )  # fmt: skip
        other = await self._open_of(session, subject_of(case)) if lift else None
        row = other or new_row(case, f"call:{digest_op[:32]}")
        place = await place_of(session, self.rescue, case, row.id or "")
        held = state_of(row) if other else case
        by = await self._who(session, scope, held, place, now)
        if other is None and not by.desk and not by.responds:
            raise Refused(
                "not_yours", "a call about no lift of yours is for the rescue desk to enter; say lift or rescue_code"
            )
        limits = place.district.limits
        if other is None:
            held.parties = place.parties
            result = facts.opened(held, limits, now, by)
        else:
            result = facts.called(held, limits, now, by, trapped=case.kind == "trapped", place=wanted["place"])
        _told_by_caller(result.case, wanted, now)
        if wanted["note"]:
            result.entries.append(Entry("note", by, {"note": wanted["note"]}))
        session.add(row)
        await keep(session, now, row, result, place)
        session.add(
            CaseStep(case=row.id, op=digest_op, by=scope.actor.id, at_ms=now, digest=_digest(wanted), refusal=None)
        )
        kept = {name: wanted[name] for name in ("kind", "lift", "rescue_code", "place", "district")}
        action = "case.entered" if other is None else "case.telephoned"
        await audit.write(session, now, scope, action, f"case:{row.id}", number=row.number, **kept)
        return await self._commit(session, now, row, result, scope), other is None

    async def _lift_of_call(self, session: AsyncSession, scope: Scope, wanted: dict[str, Any]) -> Any:
        if wanted["lift"]:
            return await lift_service.one(session, scope, wanted["lift"])
        if wanted["rescue_code"]:
            found = await lift_service.by_code(session, scope, wanted["rescue_code"])
            if found is None and not wanted["place"]:
                raise Refused(
                    "no_such_code",
                    f"no lift has rescue code {wanted['rescue_code']}; say the place too, and link the lift later",
                )
            return found
        if not wanted["place"]:
            raise Refused("no_place", "say lift, rescue_code or place")
        return None

    async def _audit(
        self, session: AsyncSession, now: int, scope: Scope, row: CaseRow, said: dict[str, Any], *, late: bool = False
    ) -> None:
        detail = {
            name: value for name, value in said.items() if name not in NOT_AUDITED and value not in (None, "", [])
        }
        more = {"late": True} if late else {}
        await audit.write(
            session, now, scope, f"case.{said['step']}", f"case:{row.id}", number=row.number, **detail, **more
        )


def _told_by_caller(case: Case, wanted: dict[str, Any], now: int) -> None:
    if wanted["caller"] or wanted["phone"]:
        case.caller = Caller(wanted["caller"], wanted["phone"])
    if wanted["persons"] is not None or wanted["injured"] is not None:
        case.persons = Persons(wanted["persons"], wanted["injured"], now)


def _cleaned(said: dict[str, Any]) -> dict[str, Any]:
    """Text as both databases can keep it."""
    return {name: audit.clean(value, 1000).strip() if isinstance(value, str) else value for name, value in said.items()}


def _digest(said: dict[str, Any]) -> str:
    """Of what was said, not of when: a phone that got no answer adds the time as it says it again."""
    said = {name: value for name, value in said.items() if name != "said_at_ms"}
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def _step(row: CaseRow, scope: Scope, said: dict[str, Any], now: int, refusal: dict[str, Any] | None) -> CaseStep:
    return CaseStep(case=row.id, op=said["op"], by=scope.actor.id, at_ms=now, digest=_digest(said), refusal=refusal)

"""Events of many lifts by hand, a clock, and what a gateway would store, for tests of the area core. It asserts nothing."""

from typing import Any

from gateway import own_events
from gateway.area_causes import HOLD_MS
from gateway.areas import Areas
from gateway.triage import Whereabouts
from protocols.faults import BY_NAME

# Unix and monotonic time of the tests begin apart, as they do.
UNIX_MS = 1_795_000_000_000
MONO_MS = 5_000_000
GATEWAY = "gw"
Event = dict[str, Any]

SEEN = Whereabouts(True, UNIX_MS, False, True, 3, UNIX_MS, True)
NOBODY = Whereabouts(False, UNIX_MS, False, True, 3, UNIX_MS, True)


class Rig:
    """A core with `sites` {site: number of lifts}; a lift is named site-number. What it tells is kept as a journal would."""

    def __init__(self, sites: dict[str, int]) -> None:
        self.sites = sites
        self.lifts = {f"{site}-{n}": site for site, count in sites.items() for n in range(count)}
        self.now_ms = 0  # since the begin
        self.unix_shift_ms = 0
        self.newest: dict[str, Event] = {}  # of the nodes' incidents, and the gateway's on them
        self.areas: dict[str, list[Event]] = {}
        self.stored_marks: dict[str, str] = {}
        self.numbers = dict.fromkeys(self.lifts, 0)
        self.core = self._make()

    def _make(self) -> Areas:
        core = Areas(GATEWAY)
        for lift, site in self.lifts.items():
            core.known(lift, site)
        return core

    @property
    def mono_ms(self) -> int:
        return MONO_MS + self.now_ms

    @property
    def unix_ms(self) -> int:
        return UNIX_MS + self.unix_shift_ms + self.now_ms

    def restart(self, away_ms: int = 0, known: bool = True) -> None:
        """Another process goes on with what was stored."""
        self.now_ms += away_ms
        core = self._make()
        areas = [revisions[-1] for revisions in self.areas.values() if revisions[-1]["phase"] != "closed"]
        names = {area["id"] for area in areas}
        held = [
            (event, self.stored_marks.get(name), self.lifts[event["lift"]]) for name, event in self.newest.items()
            if event["phase"] != "closed" or self.stored_marks.get(name) in names or event["received"] >= self.unix_ms - HOLD_MS
        ]  # fmt: skip
        core.restore(areas, held, self.mono_ms, self.unix_ms)
        self.core = core

    # -- what nodes tell ------------------------------------------------------------------------------------------

    def tell(self, event: Event, where: Whereabouts = NOBODY) -> Event:
        """A revision arrives now."""
        self.newest[event["id"]] = event
        self.core.took(event, self.lifts[event["lift"]], where, self.mono_ms)
        return event

    def opens(
        self, lift: str, kind: str = "mains_lost", ago_ms: int = 2000, where: Whereabouts = NOBODY, **more: Any
    ) -> Event:
        """An incident of a lift opens now; it began `ago_ms` ago."""
        self.numbers[lift] += 1
        own = kind == "node_offline"
        name = (
            f"{GATEWAY}-{self.unix_ms // 1000}-{len(self.newest) + 1_000_000}"
            if own
            else f"{lift}-1-{self.numbers[lift]}"
        )
        event_class, severity = ("fault", 2) if own else (BY_NAME[kind].event_class, BY_NAME[kind].severity)
        onset_ms = self.unix_ms - ago_ms
        event = own_events.opened(name, lift, kind, event_class, severity, onset_ms, self.unix_ms, **more)
        return self.tell(event, where)

    def closes(self, event: Event, ago_ms: int = 0) -> None:
        """It ends; the end was `ago_ms` ago."""
        self.tell(own_events.closed(event, self.unix_ms, self.unix_ms - ago_ms), Whereabouts())

    # -- what the gateway tells -----------------------------------------------------------------------------------

    def round(self) -> list[Event]:
        """What is due now, told and stored."""
        return self.store(self.core.due(self.mono_ms, self.unix_ms))

    def store(self, events: list[Event]) -> list[Event]:
        """These that were due, and whatever is to be marked."""
        for event in events:
            self.areas.setdefault(event["id"], []).append(event)
            self.core.told(event, self.mono_ms)
        while pairs := self.core.marks(100):
            self.stored_marks |= dict(pairs)
            self.core.marked(pairs, set())
        return events

    def passes(self, ms: int, step_ms: int = 250) -> list[Event]:
        """Time goes on, with a round each `step_ms`; all that was told."""
        told = []
        end_ms = self.now_ms + ms
        while self.now_ms < end_ms:
            self.now_ms = min(end_ms, self.now_ms + step_ms)
            told += self.round()
        return told

    def newest_areas(self) -> list[Event]:
        """The newest revision of each area."""
        return [revisions[-1] for revisions in self.areas.values()]


def listed(event: Event) -> list[tuple[str, str]]:
    """[(lift, class)] of an area's body, in its order."""
    return [(member["lift"], member["class"]) for member in event["members"]]


def classes(event: Event) -> dict[str, str]:
    """{lift: class}."""
    return dict(listed(event))

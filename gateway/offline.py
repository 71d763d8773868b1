"""Which nodes are offline as incidents of the gateway's own: opened at once, ended when they stay heard. No I/O, no clock.

When a node is offline is decided in `live` alone; here its silence gets a beginning, an end and what the node told last.
"""

from dataclasses import dataclass
from typing import Any

from gateway import own_events
from gateway.live import LiveLift
from protocols.fault_texts import GATEWAY_FAULTS

KIND = "node_offline"
# Heard for so long, and its silence is over (ours: a node that boots or roams comes and goes for some seconds); twice as long
# each time that it falls silent again within FLAP_MS, so that a bad radio is one incident and not a hundred.
HOLD_MS = 20_000
LONGEST_HOLD_MS = 600_000
FLAP_MS = 600_000
# A process that did not look for so long was frozen itself: what the nodes told meanwhile is still in the sockets, and takes
# at most so long to be read (ours).
AWAY_MS = 5000
WAKE_MS = 10_000

Event = dict[str, Any]


@dataclass
class Node:
    """A node that is silent, or was just now. Times are monotonic ms unless they say unix."""

    lapses: int = 0
    is_silent: bool = True
    back_ms: int | None = None
    back_unix_ms: int | None = None
    pending: Event | None = None  # its opening, being told
    event: Event | None = None  # its open incident as told last
    ended_ms: int | None = None

    def hold_ms(self) -> int:
        """How long it must be heard."""
        return int(min(LONGEST_HOLD_MS, HOLD_MS << min(self.lapses, 10)))


class Offline:
    """`look` says whether a node is offline now, `due` which incidents open and close by it; both are cheap for nodes that are well."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._awake_ms: int | None = None
        self._blind_until_ms = 0

    def is_awake(self, now_ms: int) -> bool:
        """To be asked before each round: False while the silence may be our own."""
        if self._awake_ms is not None and now_ms - self._awake_ms > AWAY_MS:
            self._blind_until_ms = now_ms + WAKE_MS
        self._awake_ms = now_ms
        return now_ms >= self._blind_until_ms

    def __contains__(self, lift: str) -> bool:
        return lift in self._nodes

    def restore(self, event: Event) -> None:
        """An incident that is open from before a restart."""
        self._nodes[event["lift"]] = Node(event=event)

    def look(self, lift: str, is_offline: bool, now_ms: int, unix_ms: int) -> None:
        """A node as it is now. Those that are well and not in here need not be looked at."""
        node = self._nodes.get(lift)
        if is_offline:
            if node is None:
                self._nodes[lift] = Node()
            elif not node.is_silent:
                node.is_silent, node.back_ms, node.ended_ms = True, None, None
                node.lapses += 1
        elif node is not None and node.is_silent:
            node.is_silent, node.back_ms, node.back_unix_ms = False, now_ms, unix_ms

    def to_open(self) -> list[str]:
        """Lifts whose node is silent, and for which no incident was made yet."""
        return [
            lift for lift, node in self._nodes.items() if node.is_silent and node.event is None and node.pending is None
        ]

    def opening(self, event: Event) -> None:
        """Made for one of these. From now on it may be stored, and so is told whatever the node does."""
        self._nodes[event["lift"]].pending = event

    def pending(self) -> list[Event]:
        """Openings that are to be told; until `opened` has them they come again."""
        return [node.pending for node in self._nodes.values() if node.pending is not None]

    def to_close(self, now_ms: int) -> list[tuple[Event, int]]:
        """(open incident, unix ms of its end) of nodes that have been heard for long enough; those long forgotten are forgotten."""
        out = []
        for lift, node in list(self._nodes.items()):
            if node.is_silent or node.pending is not None:
                continue
            if node.event is not None:
                if (
                    node.back_ms is not None
                    and node.back_unix_ms is not None
                    and now_ms - node.back_ms >= node.hold_ms()
                ):
                    out.append((node.event, node.back_unix_ms))
            elif node.ended_ms is None or now_ms - node.ended_ms >= FLAP_MS:
                del self._nodes[lift]
        return out

    def opened(self, event: Event) -> None:
        """Its incident is committed."""
        node = self._nodes[event["lift"]]
        node.pending, node.event = None, event

    def closed(self, lift: str, now_ms: int) -> None:
        """The end of its incident is committed."""
        node = self._nodes.get(lift)
        if node is not None:
            node.event, node.ended_ms = None, now_ms

    def open_events(self) -> list[Event]:
        """Its open incidents as told last."""
        return [node.event for node in self._nodes.values() if node.event is not None]


def opened(name: str, live: LiveLift, now_ms: int, unix_ms: int) -> Event:
    """The canonical event of a silence that is told now: since when, how it was seen, and what the node told last."""
    since_ms = unix_ms - live.silent_ms(now_ms)
    evidence = [["last_heard" if live.heard_ms is not None else "watched", since_ms]]
    if live.will_ms is not None:
        evidence.append(["will", unix_ms - (now_ms - live.will_ms)])
    last = live.told_last()
    mains = last.get("mains")
    cause = "mains_unknown" if mains is None else "mains_present" if mains else "on_battery"
    return own_events.opened(
        name, live.record.id, KIND, "fault", GATEWAY_FAULTS[KIND], since_ms, unix_ms, cause=cause, evidence=evidence,
        last_known=last, last_known_at_ms=live.state_unix_ms if last else None,
    )  # fmt: skip

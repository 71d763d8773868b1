"""Live states as a gateway tells them. Most say that a lift is as it was: what is equal byte for byte is not read again."""

from typing import Any, Literal

import msgspec

from cloud.live.board import UNKNOWN

_Count = dict[str, int]


class ToldLive(msgspec.Struct):
    """The live state of one lift; ages in ms. What else a newer gateway tells is left out: a field for the page goes here too."""

    id: str
    quality: Literal["good", "stale", "bus_silent", "offline", "unknown"]
    age_ms: int | None
    link_age_ms: int | None
    since_ms: int | None
    period_ms: int
    boot: int
    state: msgspec.Raw
    last_known: msgspec.Raw
    stops: int
    rated_speed_mm_s: int
    firmware: str | None = None
    rtt_ms: int | None = None
    rssi_dbm: int | None = None
    profile: str | None = None
    link_bytes_month: int | None = None
    near_misses: _Count = {}
    suppressed: _Count = {}


class _Live(msgspec.Struct):
    lifts: list[ToldLive]


_decode = msgspec.json.Decoder(_Live).decode
_decode_state = msgspec.json.Decoder(dict[str, Any]).decode
_decode_last = msgspec.json.Decoder(dict[str, Any] | None).decode


class LiveStates:
    """What one link told last of each lift: {lift: (bytes of its state, the state)}."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[bytes, dict[str, Any]]] = {}

    def read(self, message: str) -> list[ToldLive]:
        """The states of a `live` message; msgspec.MsgspecError says what is wrong with it."""
        return _decode(message).lifts

    def whole(self, told: ToldLive) -> dict[str, Any]:
        """One of them in the form of the board. An equal state is the same object as before."""
        out = msgspec.structs.asdict(told)
        raw = bytes(told.state)
        held = self._held.get(told.id)
        if held is None or held[0] != raw:
            held = self._held[told.id] = raw, {**UNKNOWN, **_decode_state(raw)}
        out["state"], out["last_known"] = held[1], _decode_last(told.last_known)
        return out

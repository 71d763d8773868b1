"""Maps a node's uptime to the gateway's time, and the node's uptime to unix time. No clock is read here.

A message cannot arrive before it was sent, so of all (arrival - up_ms) of one boot the smallest is nearest to the truth.
"""

# Crystal of an ESP32 with temperature: ours, generous against 10-20 ppm of data sheets.
DRIFT_PPM = 50
BUCKET_MS = 60000
BUCKETS = 10


class OffsetEstimate:
    """Gateway time minus node uptime for one boot: the minimum over the last ten minutes, corrected for drift."""

    def __init__(self) -> None:
        self._buckets: list[
            tuple[int, int, int]
        ] = []  # [(bucket number by arrival, offset_ms, arrival_ms)], oldest first, one per minute
        self._rtt_ms: int | None = None

    def add(self, up_ms: int, arrived_ms: int, rtt_ms: int | None = None) -> None:
        """One message sent at `up_ms` arrived at `arrived_ms`; `rtt_ms` is the node's shortest round trip, if it knows."""
        offset = arrived_ms - up_ms
        number = arrived_ms // BUCKET_MS
        if self._buckets and number < self._buckets[-1][0]:
            # The gateway's clock was set back: what was learnt before is of another time scale.
            self._buckets = []
        if self._buckets and self._buckets[-1][0] == number:
            if offset < self._buckets[-1][1]:
                self._buckets[-1] = (number, offset, arrived_ms)
        else:
            # Also where the gateway's clock was set forward: what was learnt before is soon as old as that step.
            self._buckets = [bucket for bucket in self._buckets if number - bucket[0] < BUCKETS]
            self._buckets.append((number, offset, arrived_ms))
        if rtt_ms is not None:
            self._rtt_ms = rtt_ms

    def _best(self) -> tuple[int, int]:
        newest = self._buckets[-1][2]
        best = (self._buckets[-1][1], 0)
        for _, offset, arrived in self._buckets:
            late = (newest - arrived) * DRIFT_PPM // 1000000
            if offset + late < best[0] + best[1]:
                best = (offset, late)
        return best

    def known(self) -> bool:
        """True once a message of this boot has arrived."""
        return bool(self._buckets)

    def gateway_ms(self, up_ms: int) -> int | None:
        """The gateway's time at the node's `up_ms`; None before the first message."""
        return None if not self._buckets else self._best()[0] + up_ms

    def error_ms(self) -> int | None:
        """How wrong `gateway_ms` may be: the shortest round trip and the drift; None while no round trip is known."""
        if not self._buckets or self._rtt_ms is None:
            return None
        return self._rtt_ms + self._best()[1] + 1


class NodeClock:
    """The node's unix time, set by the gateway's acks; 0 until the first."""

    def __init__(self) -> None:
        self._offset_ms: int | None = None
        self._best_rtt_ms: int | None = None
        self.rtt_ms: int | None = None

    def on_ack(self, t_ms: int, echo_up_ms: int | None, now_up_ms: int) -> None:
        """An ack sent at `t_ms` echoes our `echo_up_ms`. Held-up acks count less than quick ones."""
        if echo_up_ms is None:
            if self._offset_ms is None:
                self._offset_ms = t_ms - now_up_ms
            return
        rtt = max(0, now_up_ms - echo_up_ms)
        if self.rtt_ms is None or rtt < self.rtt_ms:
            self.rtt_ms = rtt
        offset = t_ms - now_up_ms
        # Within a minute's walk of the old estimate a slower round trip teaches nothing; a clock that was set does.
        if (
            self._offset_ms is None
            or self._best_rtt_ms is None
            or rtt <= 2 * self._best_rtt_ms + 20
            or abs(offset - self._offset_ms) > 1000 + rtt
        ):
            self._offset_ms = offset
            self._best_rtt_ms = rtt if self._best_rtt_ms is None else min(self._best_rtt_ms, rtt)

    def unix_ms(self, up_ms: int) -> int:
        """Unix ms at `up_ms`, 0 while unknown."""
        return 0 if self._offset_ms is None else self._offset_ms + up_ms

    def known(self) -> bool:
        """True once an ack told the time."""
        return self._offset_ms is not None

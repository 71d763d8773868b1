"""The chip's own clock, by which TLS judges certificates. It starts at the latest time known to have passed; the gateway sets it right.

Events and log have nothing to do with it: they carry uptime, and the gateway's time (protocols/clock.py).
"""

import time

import esp32
import machine

# The chip counts from 2000, a host from 1970.
EPOCH_S = 946684800 if time.gmtime(0)[0] == 2000 else 0
EPOCH_2000_S = 946684800
# Ours: a gateway whose clock is a day ahead for a while must not make a good certificate look expired after the next power cut.
SLACK_S = 2 * 86400
# Ours: what the gateway tells becomes the floor only after it has told the same for a day: one that is years ahead would
# shut the node out for good.
SURE_MS = 86400000
SAME_MS = 600000
# Flash wears out; a floor that is a week old is as good.
SAVE_EVERY_S = 7 * 86400
OFF_BY_S = 2
KEY = "floor"


class Calendar:
    """`floor_s` (unix s) is the time of provisioning: it was later than that ever since."""

    def __init__(self, floor_s):
        self._nvs = esp32.NVS("liftwatch")
        try:
            saved_s = self._nvs.get_i32(KEY) + EPOCH_2000_S  # 31 bits from 2000 on last until 2068
        except OSError:
            saved_s = 0
        self._saved_s = saved_s
        self._same_offset_ms = None
        self._same_since_ms = 0
        self._sure = False
        self._moved_s = 0  # by what the gateway told
        self.told = False
        self._floor_s = max(floor_s, saved_s)
        self.at_least(self._floor_s)

    @staticmethod
    def unix_s():
        """What the chip's clock shows, in unix seconds."""
        return int(time.time()) + EPOCH_S

    def at_least(self, unix_s):
        """It is no earlier than that: a clock that shows less is moved there."""
        if self.unix_s() < unix_s:
            self._set(unix_s)

    def follow(self, unix_ms, up_ms):
        """The gateway's time at `up_ms`; 0 while it has told none."""
        if not unix_ms:
            return
        self.told = True
        off_s = unix_ms // 1000 - self.unix_s()
        if abs(off_s) >= OFF_BY_S:
            self._moved_s += off_s
            self._set(unix_ms // 1000)
        offset = unix_ms - up_ms
        if self._same_offset_ms is None or abs(offset - self._same_offset_ms) > SAME_MS:
            self._same_offset_ms = offset
            self._same_since_ms = up_ms
        self._sure = up_ms - self._same_since_ms >= SURE_MS
        floor_s = unix_ms // 1000 - SLACK_S
        if self._sure and floor_s - self._saved_s >= SAVE_EVERY_S:
            self._nvs.set_i32(KEY, floor_s - EPOCH_2000_S)
            self._nvs.commit()
            self._saved_s = floor_s

    def doubt(self):
        """By the time that the gateway told, nobody can be trusted: unless it told the same for a day, it is as if it had told none.

        Else a gateway whose clock was wrong for a moment would shut out all nodes whose connection broke then, for good.
        """
        if self.told and not self._sure:
            self._set(self.unix_s() - self._moved_s)
            self._moved_s = 0
            self.told = False
            self.at_least(self._floor_s)

    @staticmethod
    def _set(unix_s):
        year, month, day, hour, minute, second, weekday = time.gmtime(unix_s - EPOCH_S)[:7]
        machine.RTC().datetime((year, month, day, weekday, hour, minute, second, 0))

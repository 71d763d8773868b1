"""The node's own terminals: alarm button by interrupt, mains sense, presence sensor, battery. It knows nothing of the bus."""

import asyncio
import time

# A contact bounces for a few ms; a spike on a long cable is over in less (ours).
SPIKE_MS = 5
BOUNCE_MS = 50
SCAN_MS = 100


class Inputs:
    """Watches the pins; tells `on_press(edge_ticks_ms)`, `on_release()` and `on_change()`. True = active; `battery` and `work_key` may be None."""

    def __init__(
        self, button, mains, presence, battery, work_key, presence_hold_ms, on_press, on_release, on_change, beat
    ):
        self._button = button
        self._mains = mains
        self._presence = presence
        self._battery = battery
        self._work_key = work_key
        self._hold_ms = presence_hold_ms
        self._on_press = on_press
        self._on_release = on_release
        self._on_change = on_change
        self._beat = beat
        self._flag = asyncio.ThreadSafeFlag()
        self._edge_ms = 0
        self._seen_ms = None
        self.pressed = False
        self.mains = None
        self.passenger = None
        self.battery_low = None  # where nothing tells of it
        self.work_key = None
        self.spikes = 0

    def _irq(self, pin):
        if not self.pressed:
            self._edge_ms = time.ticks_ms()
        self._flag.set()

    async def run(self):
        """Scan for ever; a button edge wakes it at once."""
        self._button.irq(self._irq)
        while True:
            self._beat()
            await self._scan_button()
            self._scan_levels()
            try:
                await asyncio.wait_for_ms(self._flag.wait(), SCAN_MS)
            except asyncio.TimeoutError:
                pass

    async def _scan_button(self):
        down = self._button.value() == 1
        if down == self.pressed:
            return
        await asyncio.sleep_ms(SPIKE_MS if down else BOUNCE_MS)
        if (self._button.value() == 1) != down:
            self.spikes += 1
            return
        self.pressed = down
        if down:
            age = time.ticks_diff(time.ticks_ms(), self._edge_ms)
            # An edge older than a scan is another one's: this press was found by scanning.
            self._on_press(self._edge_ms if 0 <= age <= 2 * SCAN_MS else time.ticks_ms())
        else:
            self._on_release()

    def _scan_levels(self):
        now = time.ticks_ms()
        mains = self._mains.value() == 1
        if self._presence.value() == 1:
            self._seen_ms = now
            passenger = True
        else:
            passenger = self._seen_ms is not None and time.ticks_diff(now, self._seen_ms) < self._hold_ms
            if not passenger:
                self._seen_ms = None
        battery_low = None if self._battery is None else self._battery.value() == 1
        work_key = None if self._work_key is None else self._work_key.value() == 1
        found = (mains, passenger, battery_low, work_key)
        if found != (self.mains, self.passenger, self.battery_low, self.work_key):
            self.work_key = work_key
            self.mains = mains
            self.passenger = passenger
            self.battery_low = battery_low
            self._on_change()

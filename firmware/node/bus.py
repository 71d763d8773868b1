"""The RS-485 line: one request at a time, every read with a deadline, the receive buffer flushed before each request."""

import asyncio
import time

from protocols.modbus.errors import PeerError
from protocols.modbus.rtu import Answer, gap_us, transaction_us

# The controller may think longer than its nominal reply delay (0-20 ms on a NICE): ours.
MARGIN_MS = 40


class Bus:
    """One UART with a controller behind it. `counters` are by kind of PeerError and "polls", `frame` is the last good answer."""

    def __init__(self, uart, baud, bits, reply_delay_ms, direction=None):
        """`direction` is the Pin of the transceiver's driver enable, None where it switches by itself."""
        self._uart = uart
        self._reader = asyncio.StreamReader(uart)
        self._baud = baud
        self._bits = bits
        self._delay_us = reply_delay_ms * 1000
        self._gap_us = gap_us(baud, bits)
        self._direction = direction
        self._quiet_us = time.ticks_us()
        self.frame = b""
        self.counters = {"polls": 0}

    async def read(self, request):
        """The registers of `request`; raises PeerError (counted) when there is no valid answer in time."""
        try:
            values = await self._transact(request)
        except PeerError as error:
            self.counters[error.kind] = self.counters.get(error.kind, 0) + 1
            await self._settle()
            raise
        self.counters["polls"] += 1
        return values

    async def _transact(self, request):
        since_us = time.ticks_diff(time.ticks_us(), self._quiet_us)
        if since_us < self._gap_us:
            await asyncio.sleep_ms((self._gap_us - since_us + 999) // 1000)
        stray = self._uart.any()
        if stray:
            self._uart.read(stray)
            self.counters["stray_bytes"] = self.counters.get("stray_bytes", 0) + stray
        await self._send(request.encode())
        answer = Answer(request)
        limit_ms = transaction_us(request, self._baud, self._bits, self._delay_us) // 1000 + MARGIN_MS
        start = time.ticks_ms()
        while True:
            left = limit_ms - time.ticks_diff(time.ticks_ms(), start)
            if left <= 0:
                raise PeerError("timeout", "no whole answer within %d ms" % limit_ms)
            try:
                data = await asyncio.wait_for_ms(self._reader.read(answer.missing() + 8), left)
            except asyncio.TimeoutError:
                continue
            self._quiet_us = time.ticks_us()
            values = answer.feed(data)
            if values is not None:
                self.frame = answer.frame()
                return values

    async def _send(self, frame):
        if self._direction is None:
            self._uart.write(frame)
            return
        self._direction.value(1)
        self._uart.write(frame)
        while not self._uart.txdone():
            await asyncio.sleep_ms(1)
        self._direction.value(0)

    async def _settle(self):
        """Wait for silence, so that a late or foreign frame is over before the next request."""
        for _ in range(20):
            await asyncio.sleep_ms(self._gap_us // 1000 + 2)
            stray = self._uart.any()
            if not stray:
                break
            self._uart.read(stray)
            self.counters["stray_bytes"] = self.counters.get("stray_bytes", 0) + stray
        self._quiet_us = time.ticks_us()

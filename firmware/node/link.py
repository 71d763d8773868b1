"""The node's connection to the broker: birth and will, reconnecting, one write per packet. What is sent is decided elsewhere."""

import asyncio
import time

from protocols.identity import client_id, topic
from protocols.link_cost import LinkCost
from protocols.messages import encode
from protocols.mqtt.client import Connection
from protocols.mqtt.packets import MqttError

CONNECT_MS = 10000
WRITE_MS = 10000
RETRY_FIRST_MS = 500
RETRY_MAX_MS = 8000
TURN_MS = 100
IDLE_MS = 500
# A small block is found even in a heap in pieces; a longer ack comes in several.
READ_BYTES = 256


class Link:
    """Connects for ever. `outbox` has birth(conn), connected(), due() yielding (kind, payload), doubts(), wait_ms(), received(kind, payload), lost()."""

    def __init__(self, settings, transport, boot, outbox, now, random, say, beat):
        """`transport` opens the sockets; `now()` gives ms since boot; `random(n)` an int below n, for jitter."""
        self._settings = settings
        self._transport = transport
        self._boot = boot
        self._outbox = outbox
        self._now = now
        self._random = random
        self._say = say
        self._beat = beat
        self._wake = asyncio.Event()
        self._told = None
        self._hurried = False
        self._renamed = False
        self.conn = 0
        self.up = False
        self.cost = LinkCost(settings.tls)

    def hurry(self):
        """An alarm is due: as `wake`, and without a connection the next is tried soon, however often it failed before."""
        self._hurried = not self.up
        self._wake.set()

    def wake(self):
        """Something is due: do not wait for the next turn."""
        self._wake.set()

    def take_boot(self, boot):
        """Go on as `boot`: the connection ends, and the next one's birth and will say so."""
        self._boot = boot
        self._renamed = True
        self.hurry()

    async def run(self):
        """Make one connection after another."""
        retry_ms = RETRY_FIRST_MS
        while True:
            self._beat()
            began = time.ticks_ms()
            try:
                await self._session()
            # ValueError: TLS says so of a certificate (measured); OSError: sockets; the rest is ours.
            except (OSError, ValueError, EOFError, MqttError, asyncio.TimeoutError) as error:
                text = self._transport.explain(error)
                self._say("warning" if text != self._told else "debug", "link: %s" % text)
                self._told = text
            if time.ticks_diff(time.ticks_ms(), began) > 30000:
                retry_ms = RETRY_FIRST_MS
            retry_ms = await self._wait(retry_ms)

    async def _wait(self, retry_ms):
        """Back off before the next connection; returns how long before the one after it. An alarm begins anew."""
        waited = 0
        wait_ms = retry_ms + self._random(retry_ms)
        while waited < wait_ms and not (self._hurried and waited >= RETRY_FIRST_MS):
            self._beat()
            await asyncio.sleep_ms(TURN_MS)
            waited += TURN_MS
        if self._hurried:
            self._hurried = False
            retry_ms = RETRY_FIRST_MS
        return min(RETRY_MAX_MS, 2 * retry_ms)

    async def _session(self):
        settings = self._settings
        self.conn += 1
        self._renamed = False
        name = topic(settings.site, settings.lift, "link")
        will = encode("link", {"online": False, "boot": self._boot, "conn": self.conn})
        topics = [topic(settings.site, settings.lift, "ack"), topic(settings.site, settings.lift, "cmd")]
        connection = Connection(
            client_id(settings.site, settings.lift), settings.keepalive_ms, topics, (name, will),
            settings.user, settings.password,
        )  # fmt: skip
        listener = None
        writer = None
        failure = []
        self.cost.opened()
        try:
            reader, writer = await asyncio.wait_for_ms(self._transport.open(), CONNECT_MS)
            await self._write(writer, connection.start(self._now()))
            listener = asyncio.create_task(self._listen(reader, writer, connection, failure))
            await self._talk(writer, connection, name, failure)
        finally:
            if self.up:
                self.up = False
                self._outbox.lost()
            if listener is not None:
                listener.cancel()
            if writer is not None:
                # On MicroPython close() alone closes nothing (1.25): each lost connection would keep its socket.
                writer.close()
                await writer.wait_closed()
            self._transport.close()

    async def _listen(self, reader, writer, connection, failure):
        try:
            while True:
                data = await reader.read(READ_BYTES)
                if not data:
                    raise EOFError("the broker closed the connection")
                self.cost.passed(len(data))
                out, messages = connection.receive(data, self._now())
                if out:
                    await self._write(writer, out)
                for name, payload, _ in messages:
                    self._outbox.received(name.rsplit("/", 1)[-1], payload)
                self._wake.set()
        except asyncio.CancelledError:
            raise
        except Exception as error:  # handed to the session, which ends with it
            failure.append(error)
            self._wake.set()

    async def _talk(self, writer, connection, link_topic, failure):
        settings = self._settings
        while True:
            self._beat()
            if failure:
                raise failure[0]
            if self._renamed:
                return
            self._wake.clear()
            if connection.state == "up":
                if not self.up:
                    self.up = True
                    self._told = None
                    self._say("info", "link: up, connection %d" % self.conn)
                    birth = encode("link", self._outbox.birth(self.conn))
                    await self._write(writer, connection.publish(link_topic, birth, self._now(), True))
                    self._outbox.connected()
                for kind, payload in self._outbox.due():
                    name = topic(settings.site, settings.lift, kind)
                    await self._write(writer, connection.publish(name, payload, self._now()))
            ping = connection.tick(self._now(), self._outbox.doubts())
            if ping:
                await self._write(writer, ping)
            wait_ms = min(IDLE_MS, self._outbox.wait_ms()) if self.up else IDLE_MS
            if wait_ms > 0 and not self._wake.is_set():
                try:
                    await asyncio.wait_for_ms(self._wake.wait(), wait_ms)
                except asyncio.TimeoutError:
                    pass

    async def _write(self, writer, packet):
        writer.write(packet)
        self.cost.passed(len(packet))
        await asyncio.wait_for_ms(writer.drain(), WRITE_MS)

"""The node: joins bus, inputs, detector, log, delivery and link. Hardware comes in through its constructor."""

import asyncio
import gc
import time
from binascii import hexlify

from node.bus import Bus
from node.car import Car
from node.commands import Commands
from node.inputs import Inputs
from node.keeper import Keeper
from node.link import Link
from node.supervisor import Supervisor
from protocols import messages
from protocols.clock import NodeClock
from protocols.delivery.node import NodeDelivery
from protocols.detector import Detector
from protocols.detector import Settings as DetectorSettings
from protocols.errors import ContractError
from protocols.faults import fault
from protocols.fields import DISCRETE_NAMES
from protocols.modbus.errors import PeerError
from protocols.records import wire
from protocols.state import LiftState
from protocols.uptime import Uptime
from protocols.work_mode import WorkMode

VERSION = "0.1.0"
# Two in a row: one lost answer on a noisy line is ordinary, two make what we know too old (ours).
MISSED_POLLS = 2
SLOW_MS = 1000
STATE_MIN_MS = 200
WATCHED_MS = 1000
# Ours: with the next state after so long; 25 bytes.
COST_TOLD_MS = 15000
# The ticks' period is a power of two, asked of the interpreter itself.
TICKS_PERIOD = time.ticks_add(0, -1) + 1  # pyright: ignore[reportArgumentType]  ticks are plain numbers
MAX_REPLIES = 4
# From this severity on the minutes around an event are kept at the full sample rate.
SERIOUS = 3
# Collecting only when nothing is left strews what lives long over the whole heap, until no kilobyte is in one piece
# (measured: after 60 alarms 36 KB were free and 824 bytes not to be had). Ours: 16 KB is four collections a second.
COLLECT_EVERY_BYTES = 16384


class Node:
    """One node from boot to reset.

    `hardware` has uart, pins, feed(), reset(), keep_boot(n), random(n), rssi_dbm(), direction, car, calendar, transport, files.
    """

    def __init__(self, settings, hardware, boot, console):
        gc.threshold(COLLECT_EVERY_BYTES)
        self._settings = settings
        self._hardware = hardware
        self._boot = boot
        self._console = console
        self._uptime = Uptime(TICKS_PERIOD, time.ticks_ms())  # pyright: ignore[reportArgumentType]
        self._clock = NodeClock()
        self._state = LiftState()
        self._sent_discrete = None
        profile = settings.profile
        self._bus = Bus(hardware.uart, settings.baud, profile.bits, profile.reply_delay_ms, hardware.direction)
        self._detector = Detector(
            DetectorSettings(
                settings.rated_speed_mm_s,
                settings.travel_mm,
                settings.doors,
                settings.confirm_ms,
                profile.name,
                settings.button_filter,
            )
        )
        self._keeper = Keeper(hardware.files, boot, settings.log_bytes, settings.flush_ms)
        self._log = self._keeper.log
        self._delivery = NodeDelivery(settings.lift, boot, self._log, self._clock.unix_ms, self._keeper.table, True)
        for name in self._delivery.names():
            self._tell(name, " kept")
        for kind, presses, withheld in self._delivery.open_events():
            self._detector.resume(kind, presses, self.now(), withheld)
        self._supervisor = Supervisor(console.say, hardware.feed, hardware.reset)
        self._commands = Commands(self)
        self._link = Link(
            settings, hardware.transport, boot, self, self.now, hardware.random, console.say, self._beat("link")
        )
        self._work = WorkMode()
        self._car = Car(*hardware.car)
        self._inputs = Inputs(
            hardware.button, hardware.mains, hardware.presence, hardware.battery, hardware.work_key,
            settings.presence_hold_ms, self._pressed, self._released, self._sampled, self._beat("inputs"),
        )  # fmt: skip
        self._sample_up_ms = None
        self._last_known = ({}, None)  # what the controller told before it fell silent, and when
        self._frames = []  # the bus answers of that sample
        self._missed = 0
        self._seq = 0
        self._state_due_ms = 0
        self._state_sent_ms = 0
        self._cost_due_ms = 0
        self._counts_told = None  # of near misses and suppressions, on this connection
        self._watched_until = 0
        self._replies = []
        self._door_cycles = 0
        self._door_was_open = False
        self._blink = 0
        self._restart_at = None
        self._mem_alloc = 0
        self.counters = {"bad_down": 0, "bad_up": 0, "detector_us": 0, "replies_dropped": 0}

    def now(self):
        """Milliseconds since boot, never wrapping."""
        return self._uptime.up_ms(time.ticks_ms())  # pyright: ignore[reportArgumentType]

    def _beat(self, name):
        return lambda: self._supervisor.beat(name)

    async def run(self):
        """Run for ever."""
        self._supervisor.add("inputs", self._inputs.run, 5000)
        self._supervisor.add("bus", self._poll, 15000)
        self._supervisor.add("link", self._link.run, 30000)
        self._supervisor.add("keeper", self._keep, 30000)
        self._supervisor.add("care", self._care, 10000)
        await self._supervisor.run()

    # -- bus ------------------------------------------------------------------------------------------------------

    async def _poll(self):
        settings = self._settings
        plan = settings.profile.plan
        safety = plan("safety", settings.baud, settings.doors, settings.unit)
        slow = plan("slow", settings.baud, settings.doors, settings.unit)
        registers = {}
        slow_index = 0
        slow_due_ms = 0
        while True:
            self._supervisor.beat("bus")
            registers.clear()
            frames = []
            answered = await self._read_all(safety, registers, frames)
            if answered and slow and self.now() >= slow_due_ms:
                await self._read_all(slow[slow_index : slow_index + 1], registers, [])
                slow_index = (slow_index + 1) % len(slow)
                slow_due_ms = self.now() + SLOW_MS
            if answered:
                self._missed = 0
                self._frames = frames
                settings.profile.decode(registers, self._state, settings.doors)
                self._state.controller_link = True
                self._sample_up_ms = self.now()
                self._count_doors()
            else:
                self._missed += 1
                if self._missed >= MISSED_POLLS:
                    if self._state.controller_link:
                        self._last_known = (self._state.known_of_bus(), self._sample_up_ms)
                    self._state.forget_bus()
                    self._state.controller_link = False
                    self._frames = []
            self._sampled()
            await asyncio.sleep_ms(0)

    async def _read_all(self, requests, registers, frames):
        for request in requests:
            try:
                values = await self._bus.read(request)
            except PeerError as error:
                self._console.say("debug", "bus: %s" % error)
                return False
            for index in range(len(values)):
                registers[request.address + index] = values[index]
            frames.append((request.address, self._bus.frame))
        return True

    def _count_doors(self):
        is_open = self._state.door_1 == 4 or self._state.door_2 == 4
        if is_open and not self._door_was_open:
            self._door_cycles += 1
        if self._state.door_1 is not None:
            self._door_was_open = is_open
        self._state.door_cycles = self._door_cycles

    def _sampled(self):
        """A new sample, from the bus or from the inputs: detect, log, and send what changed."""
        state = self._state
        state.mains = self._inputs.mains
        state.passenger = self._inputs.passenger
        state.button = self._inputs.pressed
        state.battery_low = self._inputs.battery_low
        now = self.now()
        state.work_mode = self._work.look(self._inputs.work_key, now)
        begun = time.ticks_us()
        transitions = self._detector.step(state, now)
        took = time.ticks_diff(time.ticks_us(), begun)
        self.counters["detector_us"] += (took - self.counters["detector_us"]) // 8
        self._raise(transitions, now)
        state.alarm_shown = self._car.show(self._delivery.alarm_level(), now)
        self._log.record(state, now, self._clock.unix_ms(now))
        discrete = [getattr(state, name) for name in DISCRETE_NAMES]
        if discrete != self._sent_discrete:
            self._sent_discrete = discrete
            # On a metered link nobody looks, and the period of a moving lift is soon enough.
            hurry = not self._settings.metered or now < self._watched_until
            soonest = self._state_sent_ms + (STATE_MIN_MS if hurry else self._settings.period_ms)
            self._state_due_ms = max(min(self._state_due_ms, now), soonest)
            self._link.wake()

    def _raise(self, transitions, now):
        for transition in transitions:
            frames = [[address, hexlify(frame).decode()] for address, frame in self._frames]
            name = self._delivery.raise_transition(
                transition, fault(transition.kind), self._state, now, frames, self._last_known
            )
            self._tell(name)
            if transition.phase == "open" and fault(transition.kind).severity >= SERIOUS:
                self._log.keep_minute(now)
        if transitions:
            self._state_due_ms = now
            self._link.hurry()

    def _tell(self, name, more=""):
        if name is not None:
            self._console.say("info", "%s %s %s rev %d%s" % (self._delivery.newest(name) + (more,)))

    # -- inputs ---------------------------------------------------------------------------------------------------

    def _pressed(self, edge_ticks_ms):
        self._state.button = True
        now = self.now()
        edge = max(0, now - max(0, time.ticks_diff(time.ticks_ms(), edge_ticks_ms)))
        self._raise(self._detector.press(edge, self._state), now)

    def _released(self):
        self._state.button = False
        self._detector.release()

    # -- the link's outbox ----------------------------------------------------------------------------------------

    def birth(self, conn):
        """Values of the retained birth message."""
        settings = self._settings
        gc.collect()
        self._mem_alloc = gc.mem_alloc()
        counters = {
            "mem_alloc": self._mem_alloc, "mem_free": gc.mem_free(), "events_overflow": self._delivery.overflow,
            "resent": self._delivery.resent, "link_bytes": self._link.cost.total(),
            "spikes": self._inputs.spikes, "near_misses": sum(self._detector.near_misses.values()),
            "suppressed": sum(self._detector.suppressed.values()),
        }  # fmt: skip
        counters.update(self.counters)
        counters.update(self._keeper.counters(self._delivery))
        counters.update(self._hardware.transport.counters)
        for name in self._bus.counters:
            counters["bus_" + name] = self._bus.counters[name]
        return {
            "online": True, "boot": self._boot, "conn": conn, "fw": VERSION, "profile": settings.profile.name,
            "stops": settings.stops, "doors": settings.doors, "rated_speed_mm_s": settings.rated_speed_mm_s,
            "period_ms": settings.period_ms, "log_capacity_h": self._log.capacity_h(self.now()),
            "counters": counters,
        }  # fmt: skip

    def connected(self):
        """A new connection stands: everything without a receipt is due."""
        self._delivery.link_up(self.now())
        self._state_due_ms = self.now()
        self._counts_told = None

    def lost(self):
        """The connection is gone."""
        self._delivery.link_down()

    def due(self):
        """Yields (kind, payload) to send now, alarms first; one at a time, for the heap has no room for all."""
        now = self.now()
        batch = None
        for kind, item in self._delivery.each_due(now):
            if kind == "event":
                yield from self._packed(kind, item)
            else:
                batch = item
        replies, self._replies = self._replies, []
        for reply in replies:
            yield from self._packed("reply", reply)
        if now >= self._state_due_ms:
            self._seq += 1
            self._state_sent_ms = now
            self._state_due_ms = now + self._period_ms(now)
            values = {
                "boot": self._boot, "conn": self._link.conn, "seq": self._seq, "up_ms": now,
                "period_ms": self._period_ms(now), "rtt_ms": self._clock.rtt_ms,
                "sample_up_ms": self._sample_up_ms, "faults": self._detector.open_kinds(),
                "withheld": self._detector.withheld_kinds(),
            }  # fmt: skip
            if now >= self._cost_due_ms:
                self._cost_due_ms = now + COST_TOLD_MS
                values["link_bytes"] = self._link.cost.total()
                values["rssi_dbm"] = self._hardware.rssi_dbm()
                self._add_counts(values)
            yield ("state", messages.state_payload(values, self._state))
        if batch is not None:
            yield ("log", wire(batch[0], batch[1]))

    def _add_counts(self, values):
        near, suppressed = self._detector.near_misses, self._detector.suppressed
        total = sum(near.values()) + sum(suppressed.values())
        if total != self._counts_told:
            self._counts_told = total
            values["near_misses"] = near
            values["suppressed"] = suppressed

    def _packed(self, kind, values):
        """Yields the message; one that does not fit the contract is our mistake and must not hold up the others."""
        try:
            payload = messages.encode(kind, values)
        except ContractError as error:
            self.counters["bad_up"] += 1
            self._console.say("error", "cannot send: %s" % error)
            return
        yield (kind, payload)

    def _period_ms(self, now):
        if now < self._watched_until:
            return min(WATCHED_MS, self._settings.period_ms)
        # A controller that says nothing is no reason to say more.
        parked = self._state.car_status != 1 and not self._state.passenger
        return self._settings.parked_ms if parked else self._settings.period_ms

    def doubts(self):
        """An alarm has been sent again and again without a receipt: does the line still carry?"""
        return self._delivery.is_unanswered()

    def wait_ms(self):
        """Until when nothing is due, in ms from now."""
        now = self.now()
        return max(0, min(self._state_due_ms, self._delivery.next_due_ms(now)) - now)

    def received(self, kind, payload):
        """A message from the gateway. What is malformed is counted and dropped."""
        now = self.now()
        try:
            if kind == "ack":
                ack = messages.decode("ack", payload)
                known = self._delivery.predecessor(ack, now)
                if known:
                    self._succeed(known)
                    return
                echo = ack["echo_up_ms"] if ack["boot"] == self._boot else None
                self._clock.on_ack(ack["t_ms"], echo, now)
                self._hardware.calendar.follow(self._clock.unix_ms(now), now)
                self._delivery.on_ack(ack, now)
            elif kind == "cmd":
                if len(self._replies) >= MAX_REPLIES:
                    self.counters["replies_dropped"] += 1
                    return
                self._replies.append(self._commands.take(payload, now, self._clock.unix_ms(now)))
        except ContractError as error:
            self.counters["bad_down"] += 1
            self._console.say("warning", "%s from the gateway: %s" % (kind, error))

    def _succeed(self, known):
        """Another node was here up to the boot `known`: go on beyond it, without a reset, which would lose what was never sent."""
        boot = known + 1
        self._console.say("warning", "another node was here up to boot %d: going on as boot %d" % (known, boot))
        self._hardware.keep_boot(boot)
        self._boot = boot
        for old, new in self._delivery.take_boot(boot):
            self._console.say("info", "%s is told as %s" % (old, new))
        self._link.take_boot(boot)

    # -- what commands ask ----------------------------------------------------------------------------------------

    def identify(self):
        """Blink for ten seconds."""
        self._blink = 20

    def self_test(self):
        """(passed, what was found)."""
        late = self._supervisor.late()
        text = "bus %s, %d restarts, %d bytes free" % (
            "silent" if self._missed else "answers", sum(self._supervisor.restarts.values()), gc.mem_free(),
        )  # fmt: skip
        return not late, text

    def watch(self, until_ms):
        """Send at the full rate until `until_ms`."""
        self._watched_until = until_ms
        self._state_due_ms = self.now()

    def work(self, ms):
        """A technician is at work for `ms`; 0 ends it."""
        self._work.command(ms, self.now())
        self._sampled()

    def tell_car(self, step, eta_min):
        """Show how far help has come, a place in ALARM_STEPS; with 0 the open alarms end. Returns what is shown now, in words."""
        now = self.now()
        if not step:
            self._raise(self._detector.end_alarm(now), now)
        self._car.sign.tell(step, eta_min, now)
        self._sampled()
        return self._car.told()

    def set_log_level(self, level):
        """True if there is such a level."""
        return self._console.set_level(level)

    def restart(self):
        """Reset once the reply is out."""
        self._restart_at = self.now() + 1000

    async def _keep(self):
        await self._keeper.run(self._delivery, self.now, self._link, lambda: self._inputs.mains, self._beat("keeper"))

    async def _care(self):
        """Once in a while: blink, restart when told to."""
        told = 0
        while True:
            self._supervisor.beat("care")
            now = self.now()
            if self._blink:
                self._blink -= 1
                self._hardware.led.value(self._blink & 1)
            if self._restart_at is not None and now >= self._restart_at:
                self._hardware.reset()
            if now - told >= 30000:
                told = now
                gc.collect()
                cycles = self._bus.counters["polls"]
                self._console.say("info", "heap %d used, %d free; %d polls" % (gc.mem_alloc(), gc.mem_free(), cycles))
            await asyncio.sleep_ms(500)

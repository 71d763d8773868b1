"""Runs on the VM: a node lives through thousands of alarms in injected time, and its heap must still have one large piece.

Prints "alarms N, largest block before B, after A". Everything but the sockets and the lift is the real node.
"""

import gc
import json
import sys

from node.console import Console
from node.node import Node
from node.settings import Settings
from protocols import messages
from protocols.delivery.black_box import BlackBox


class Pin:
    """A terminal that nobody touches."""

    def value(self, to=None):
        return 0

    def irq(self, handler):
        pass


class Transport:
    """Never asked for a connection."""

    def __init__(self):
        self.counters = {}


class Calendar:
    """No certificate is judged by it."""

    def follow(self, unix_ms, up_ms):
        pass


class Board:
    """What the node sees of its hardware."""

    calendar = Calendar()
    transport = Transport()
    uart = None
    direction = None
    button = mains = presence = led = Pin()
    battery = None
    work_key = None
    car = (None, None, None)
    files = None

    def feed(self):
        pass

    def reset(self):
        raise SystemExit("reset")

    def rssi_dbm(self):
        return -70

    def random(self, below):
        return below // 2


def largest_block():
    """The largest bytearray that can be had now, to 16 bytes."""
    gc.collect()
    low, high = 0, 200000
    while high - low > 16:
        middle = (low + high) // 2
        try:
            bytearray(middle)
            low = middle
        except MemoryError:
            high = middle
    return low


def load_profile(name):
    with open("%s/%s.json" % (sys.argv[2], name)) as file:
        return json.load(file)


class Life:
    """One node, its clock, and a gateway that receipts all it gets."""

    def __init__(self):
        data = {
            "site": "s-1", "lift": "lift-1", "broker": {"host": "h"}, "profile": "nice3000",
            "car": {"stops": 6, "doors": 1, "rated_speed_mm_s": 1000, "travel_mm": 14500},
        }  # fmt: skip
        self.now = 1000
        self.node = Node(Settings(data, load_profile), Board(), 1, Console("error"))
        self.node.now = lambda: self.now
        self.node._log._box = BlackBox()  # as a node with flash has it
        state = self.node._state
        state.controller_link = True
        state.mains = True
        self.events = 0

    def connect(self):
        """A new connection: birth, then all that is due."""
        messages.encode("link", self.node.birth(1))
        self.node.connected()

    def move(self, speed, position, door, number):
        """One sample from the bus, then 100 ms pass."""
        state = self.node._state
        state.service_mode = 1
        state.car_status = 1 if speed else 0
        state.direction = 1 if speed else 0
        state.door_zone = not speed
        state.floor = 1 + position // 2900
        state.door_1 = door
        state.speed_mm_s = speed
        state.position_mm = position
        state.safety_circuit = state.door_lock = door == 2
        state.load_permille = 100 + number % 7
        self.node._sample_up_ms = self.now
        self.node._count_doors()
        self.node._sampled()
        self.now += 100
        self.talk()

    def talk(self):
        """Send what is due and receipt it."""
        node = self.node
        node._log.flush(self.now)
        receipts = []
        log = None
        for kind, payload in node.due():
            if kind == "event":
                found = messages.decode("event", payload)
                receipts.append([found["id"], found["rev"], 2])
                self.events += found["phase"] == "open"
            elif kind == "log":
                log = [1, node._log.newest]
        if receipts or log:
            ack = {"gw": "g", "t_ms": 1790000000000 + self.now, "boot": 1, "echo_up_ms": self.now, "events": receipts}
            if log:
                ack["log"] = log
            node.received("ack", messages.encode("ack", ack))


def main(rounds):
    life = Life()
    before = largest_block()
    for number in range(rounds):
        if number % 10 == 0:
            life.connect()
        position = number % 5 * 2900
        for step in range(4):
            life.move(600 + 100 * step, position + 500 * step, 2, number)
        position = (number + 1) % 5 * 2900
        life.node._raise(life.node._detector.press(life.now, life.node._state), life.now)
        life.move(0, position, 2, number)
        life.node._released()
        for door in (3, 4, 4, 1, 2):
            for _ in range(8):
                life.move(0, position, door, number)
    after = largest_block()
    print(
        "alarms %d, largest block before %d, after %d, used %d, free %d"
        % (life.events, before, after, gc.mem_alloc(), gc.mem_free())
    )


main(int(sys.argv[1]))

"""Entry of the node on the device: reads the settings, opens the hardware, runs. A node that cannot start says why and blinks."""

import asyncio
import gc
import json
import os
import time

import esp32
import machine

from node.calendar import Calendar
from node.console import Console
from node.flash import PARTITION, open_flash
from node.network import join, rssi_dbm
from node.node import VERSION, Node
from node.settings import load
from node.transport import Transport
from protocols.errors import SettingsError

WATCHDOG_MS = 12000


def _path(name, default):
    """A path that a host may set by its environment; an ESP32 has none."""
    getenv = getattr(os, "getenv", None)
    return (getenv(name) if getenv else None) or default


SETTINGS_PATH = _path("NODE_SETTINGS", "/settings.json")
PROFILES_PATH = _path("NODE_PROFILES", "/profiles")


def load_profile(name):
    """The parsed register profile `name` from flash."""
    gc.collect()
    with open("%s/%s.json" % (PROFILES_PATH, name)) as file:
        return json.load(file)


def keep_boot(boot):
    """Keep the boot counter, before anything is sent with it."""
    nvs = esp32.NVS("liftwatch")
    nvs.set_i32("boot", boot)
    nvs.commit()


def next_boot(first):
    """The boot counter, raised by one; at least `first`, so that a replacement begins higher than its predecessor ended."""
    try:
        boot = esp32.NVS("liftwatch").get_i32("boot")
    except OSError:
        boot = 0
    boot = max(boot + 1, first)
    keep_boot(boot)
    return boot


class Hardware:
    """The board as the node uses it. Raises SettingsError where it cannot be used as the settings say."""

    def __init__(self, settings, say):
        self.calendar = Calendar(settings.time_floor_s)
        self.transport = Transport(settings, self.calendar)
        pin = machine.Pin
        self.uart = machine.UART(
            settings.uart, baudrate=settings.baud, bits=8, parity=None if settings.profile.bits == 10 else 0, stop=1,
            rxbuf=512,
        )  # fmt: skip
        self.direction = None if settings.direction_pin is None else pin(settings.direction_pin, pin.OUT, value=0)
        self.button, self.mains, self.presence, self.battery, self.work_key = (
            None if settings.pins[name] is None else pin(settings.pins[name], pin.IN)
            for name in ("button", "mains", "presence", "battery", "work_key")
        )
        self.led = pin(settings.pins["led"], pin.OUT)
        yellow, green = (
            None if settings.pins[name] is None else pin(settings.pins[name], pin.OUT) for name in ("yellow", "green")
        )
        voice = (
            None
            if settings.voice_uart is None
            else machine.UART(settings.voice_uart, baudrate=settings.voice_baud).write
        )
        self.car = yellow, green, voice
        self.feed = machine.WDT(timeout=WATCHDOG_MS).feed
        self.reset = machine.reset
        self.keep_boot = keep_boot
        self.station = join(settings.wifi, say)
        self.files = open_flash(esp32.Partition.find(esp32.Partition.TYPE_DATA, label=PARTITION), say)

    def rssi_dbm(self):
        """Of the Wi-Fi; None where there is none."""
        return rssi_dbm(self.station)

    @staticmethod
    def random(below):
        """A number below `below` from the hardware's noise."""
        return int.from_bytes(os.urandom(2), "little") % below


def main():
    """Run the node for ever; with wrong settings, blink and say so for ever."""
    console = Console()
    console.say("info", "liftwatch node %s" % VERSION)
    try:
        settings = load(SETTINGS_PATH, load_profile)
        hardware = Hardware(settings, console.say)
    except SettingsError as error:
        led = machine.Pin(2, machine.Pin.OUT)
        while True:
            console.say("error", "settings: %s" % error)
            for count in range(50):
                led.value(count & 1)
                time.sleep_ms(100)
    console.set_level(settings.log_level)
    boot = next_boot(settings.first_boot)
    gc.collect()
    console.say("info", "lift %s, boot %d, reset cause %d" % (settings.lift, boot, machine.reset_cause()))
    if not settings.tls:
        console.say(
            "warning", "broker.tls is not set: what is sent can be read and changed on the way; for a bench only"
        )
    asyncio.run(Node(settings, hardware, boot, console).run())


main()

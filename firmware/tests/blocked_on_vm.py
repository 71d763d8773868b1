"""Runs on the VM: feeds the watchdog four times, then blocks. The watchdog must end it."""

import time

import machine

dog = machine.WDT(timeout=300)
for _ in range(4):
    dog.feed()
    time.sleep_ms(100)
print("fed")
time.sleep(5)

"""network for the unix VM: the host's network is up, so a station only remembers what it was told."""

STA_IF = 0


class WLAN:
    def __init__(self, interface):
        self._active = False

    def active(self, on=None):
        if on is not None:
            self._active = on
        return self._active

    def config(self, **_):
        pass

    def connect(self, ssid, key=""):
        pass

    def status(self, what):
        return {"rssi": -58}[what]

    def isconnected(self):
        return self._active

"""The Wi-Fi that the settings name. Nobody waits for it: the link retries until there is a way."""

import network


def join(wifi, say):
    """Switch the station on with `wifi` {"ssid", "key"}, and return it; None without an ssid: the board has another way out (Ethernet, a host)."""
    if not wifi.get("ssid"):
        return None
    station = network.WLAN(network.STA_IF)
    station.active(True)
    # The driver reconnects by itself for ever; a connection object of ours would only get in its way.
    station.config(reconnects=-1)
    station.connect(wifi["ssid"], wifi.get("key", ""))
    say("info", "wifi: joining %s" % wifi["ssid"])
    return station


def rssi_dbm(station):
    """How strong the Wi-Fi of `join`'s station is; None on another way out, or while it is not joined."""
    try:
        return station.status("rssi") if station is not None and station.isconnected() else None
    except OSError:
        return None  # it was lost just now

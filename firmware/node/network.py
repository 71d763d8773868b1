"""Joins the Wi-Fi that the settings name. It does not wait: the link retries until there is a way."""

import network


def join(wifi, say):
    """Switch the station on with `wifi` {"ssid", "key"}; without an ssid the board has another way out (Ethernet, a host)."""
    if not wifi.get("ssid"):
        return
    station = network.WLAN(network.STA_IF)
    station.active(True)
    # The driver reconnects by itself for ever; a connection object of ours would only get in its way.
    station.config(reconnects=-1)
    station.connect(wifi["ssid"], wifi.get("key", ""))
    say("info", "wifi: joining %s" % wifi["ssid"])

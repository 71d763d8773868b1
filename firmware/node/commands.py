"""Carries out the closed list of commands. None moves a lift; each is done once, answered each time it comes."""

from protocols import messages
from protocols.codes import ALARM_STEPS
from protocols.work_mode import LONGEST_MS, USUAL_MS

REMEMBERED = 8
WATCH_S = 60
# Whoever is further away than a day is not coming (ours).
LONGEST_ETA_MIN = 1440


class Commands:
    """`node` offers identify(), self_test(), watch(until), work(ms), tell_car(step, eta_min), restart(), set_log_level(name)."""

    def __init__(self, node):
        self._node = node
        self._answered = []  # (id, reply values), newest last

    def take(self, payload, now, unix_ms):
        """The reply's values for one `cmd` payload; `unix_ms` 0 while the node has no time. DecodeError if malformed."""
        cmd = messages.decode("cmd", payload)
        for name, reply in self._answered:
            if name == cmd["id"]:
                return dict(reply, up_ms=now)
        if unix_ms and unix_ms > cmd["expires_ms"]:
            ok, detail = False, "expired"
        else:
            ok, detail = self._do(cmd["what"], cmd["args"], now)
        reply = {"id": cmd["id"], "ok": ok, "what": cmd["what"], "detail": detail, "up_ms": now}
        self._answered.append((cmd["id"], reply))
        del self._answered[:-REMEMBERED]
        return reply

    def _do(self, what, args, now):
        node = self._node
        if what == "identify":
            node.identify()
            return True, "the lamp blinks"
        if what == "self_test":
            return node.self_test()
        if what == "watch" or what == "work":
            return self._for_a_time(what, args, now)
        if what == "car":
            return self._car(args.get("alarm"), args.get("eta_min"))
        if what == "log_level":
            return (
                (True, "") if node.set_log_level(args.get("level")) else (False, "level: error, warning, info or debug")
            )
        if what == "restart" or what == "reload":
            node.restart()
            return True, "restarting with the settings on flash"
        return False, "not supported by this firmware"

    def _car(self, alarm, eta_min):
        if alarm not in ALARM_STEPS:
            return False, "alarm: one of %s" % ", ".join(ALARM_STEPS)
        if eta_min is not None and (not isinstance(eta_min, int) or not 0 <= eta_min <= LONGEST_ETA_MIN):
            return False, "eta_min: 0 to %d" % LONGEST_ETA_MIN
        return True, self._node.tell_car(ALARM_STEPS.index(alarm), eta_min)

    def _for_a_time(self, what, args, now):
        """`watch` or `work` for the `seconds` of its arguments."""
        usual_s, low_s, high_s = (WATCH_S, 1, 3600) if what == "watch" else (USUAL_MS // 1000, 60, LONGEST_MS // 1000)
        seconds = args.get("seconds", usual_s)
        ends = what == "work" and seconds == 0
        if not isinstance(seconds, int) or not (ends or low_s <= seconds <= high_s):
            return False, "seconds: %d to %d; 0 ends work" % (low_s, high_s)
        if what == "watch":
            self._node.watch(now + seconds * 1000)
        else:
            self._node.work(seconds * 1000)
        return True, "%s for %d s" % (what, seconds)

"""Carries out the closed list of commands. None moves a lift; each is done once, answered each time it comes."""

from protocols import messages
from protocols.work_mode import LONGEST_MS, USUAL_MS

REMEMBERED = 8
WATCH_MS = 60000
WORK_S = (60, LONGEST_MS // 1000)


class Commands:
    """`node` offers identify(), self_test(), watch(until), work(ms), restart(), set_log_level(name)."""

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
        if what == "watch":
            seconds = args.get("seconds", WATCH_MS // 1000)
            if not isinstance(seconds, int) or not 1 <= seconds <= 3600:
                return False, "seconds: 1 to 3600"
            node.watch(now + seconds * 1000)
            return True, "watched for %d s" % seconds
        if what == "work":
            seconds = args.get("seconds", USUAL_MS // 1000)
            if not isinstance(seconds, int) or not (seconds == 0 or WORK_S[0] <= seconds <= WORK_S[1]):
                return False, "seconds: %d to %d, or 0 to end it" % WORK_S
            node.work(seconds * 1000)
            return True, "work mode for %d s" % seconds if seconds else "work mode is over"
        if what == "log_level":
            return (
                (True, "") if node.set_log_level(args.get("level")) else (False, "level: error, warning, info or debug")
            )
        if what == "restart" or what == "reload":
            node.restart()
            return True, "restarting with the settings on flash"
        return False, "not supported by this firmware"

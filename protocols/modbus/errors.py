"""What can go wrong on the RS-485 line.

ModbusError
    RequestError      we asked for what may not be asked (a write, a range): a bug of ours, nothing was sent
    PeerError         the line or the controller; `kind` is the name of its counter
        kinds: "timeout", "check" (checksum), "foreign" (another unit or function), "malformed", "exception"
"""


class ModbusError(Exception):
    """Base of this package's errors."""


class RequestError(ModbusError):
    """A request that must not or cannot be encoded."""


class PeerError(ModbusError):
    """The answer was no valid answer to our request. `kind` names the counter, `code` the exception code if any."""

    def __init__(self, kind: str, text: str, code: int = 0) -> None:
        super().__init__("%s: %s" % (kind, text))
        self.kind = kind
        self.code = code

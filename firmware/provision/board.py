"""A board at a serial port, through mpremote: its files, its log partition, its restart. It knows nothing of settings."""

import ast
import contextlib
import io
from collections.abc import Iterator
from typing import Any, Self

import serial
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

# As firmware/node/flash.py and partitions.csv name it.
PARTITION = "liftlog"
# A node's watchdog (12 s) goes on counting while its program is interrupted: it gets more time than a provisioning takes (ours).
HANDS_OFF = "import machine\nmachine.WDT(timeout=60000)"
# Files are replaced as a whole: whoever pulls the plug meanwhile leaves the old one.
WRITE = """import os
with open({beside!r}, "wb") as file:
    file.write({data!r})
os.rename({beside!r}, {path!r})"""
MAKE_FOLDER = """import os
try:
    os.mkdir({folder!r})
except OSError:
    pass"""
READ = """try:
    with open({path!r}, "rb") as file:
        print(file.read())
except OSError:
    print(None)"""
LOG_FILES = f"""import esp32, vfs
found = esp32.Partition.find(esp32.Partition.TYPE_DATA, label={PARTITION!r})
try:
    print(len(list(vfs.VfsLfs2(found[0]).ilistdir("/"))))
except (IndexError, OSError):
    print(0)"""
ERASE_LOG = f"""import esp32, vfs
for partition in esp32.Partition.find(esp32.Partition.TYPE_DATA, label={PARTITION!r}):
    vfs.VfsLfs2.mkfs(partition)"""


class BoardError(Exception):
    """The board cannot be reached or did not do what it was told; the message says what to do."""


class Board:
    """The board at `port` while its program is interrupted. Raises BoardError."""

    def __init__(self, port: str) -> None:
        self._port = port
        with self._told("plug the node in; no other program may have the port open"):
            self._transport = SerialTransport(port)

    def __enter__(self) -> Self:
        try:
            with self._told("is there MicroPython on it? flash it first"):
                self._transport.enter_raw_repl()
            self._run(HANDS_OFF)
        except BoardError:
            self._transport.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._transport.close()

    @contextlib.contextmanager
    def _told(self, what_to_do: str) -> Iterator[None]:
        # mpremote prints what it did not expect.
        said = io.StringIO()
        try:
            with contextlib.redirect_stdout(said):
                yield
        except (TransportError, serial.SerialException, OSError) as error:
            text = " ".join(str(part) for part in (*error.args, said.getvalue().strip()[-200:]) if part)
            raise BoardError(f"{self._port}: {text}: {what_to_do}") from error

    def _run(self, code: str) -> str:
        with self._told("try again; the board keeps what it had"):
            out: bytes = self._transport.exec(code)
            return out.decode()

    def read(self, path: str) -> bytes | None:
        """The file at `path`; None if there is none."""
        found: Any = ast.literal_eval(self._run(READ.format(path=path)))
        return found if isinstance(found, bytes) else None

    def write(self, path: str, data: bytes) -> None:
        """`path` holds `data` and nothing else; until then it holds what it did."""
        folder = path.rpartition("/")[0]
        if folder:
            self._run(MAKE_FOLDER.format(folder=folder))
        self._run(WRITE.format(beside=path + ".new", path=path, data=data))
        if self.read(path) != data:
            raise BoardError(f"{self._port}: {path} was not written as it should be: its flash may be full or worn out")

    def log_files(self) -> int:
        """How many files lie on the partition of log and events: 0 for a board that never ran."""
        return int(self._run(LOG_FILES))

    def erase_log(self) -> None:
        """Log and events are gone."""
        self._run(ERASE_LOG)

    def restart(self) -> None:
        """The node starts, with what is on flash now."""
        with self._told("press its reset button"):
            self._transport.exec_raw_no_follow("import machine\nmachine.reset()")

"""A disk of a few megabytes that can be filled to its last byte and freed: a tmpfs of its own. Needs the right to mount."""

import contextlib
import errno
import os
import pathlib
import subprocess


class NoDisk(Exception):
    """No file system can be mounted here; the message says why."""


class SmallDisk:
    """Mounted at `path` until `close`."""

    def __init__(self, path: pathlib.Path, megabytes: int) -> None:
        """Raises NoDisk."""
        path.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(path)]
        self.path = path
        self._ballast = path / "ballast"
        try:
            made = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
        except OSError as error:
            raise NoDisk(f"no mount here: {error}") from error
        except BaseException:  # Ctrl-C: nobody else knows yet what may have been mounted
            self.close()
            raise
        if made.returncode != 0:
            raise NoDisk(f"run as root, where tmpfs may be mounted: {made.stderr.strip()}")

    def fill(self) -> None:
        """Take all that is free."""
        file = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            while True:
                os.write(file, bytes(65536))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        finally:
            os.close(file)

    def free(self) -> None:
        """Give it back."""
        self._ballast.unlink(missing_ok=True)

    def close(self) -> None:
        """Unmounted; what was on it is gone."""
        with contextlib.suppress(OSError):
            subprocess.run(["umount", "-l", str(self.path)], capture_output=True, check=False, timeout=10)

"""The `files` port of protocols.delivery.ring in RAM, as nasty as flash: it refuses, and the power goes between two operations."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class PowerCut(Exception):
    """The power went; what was written before is there at the next boot."""


class RamFiles:
    """{name: bytes} behind the port. `refuses` operations to come raise OSError; at the `cut_at`th the power goes."""

    def __init__(self, capacity_bytes: int = 1 << 20) -> None:
        self.kept: dict[str, bytes] = {}
        self.operations = 0
        self.refuses = 0
        self.cut_at = 0
        self.cut_is_after = False  # the operation that was cut had come through
        self._capacity = capacity_bytes

    def _does(self, work: "Callable[[], None]") -> None:
        self.operations += 1
        if self.refuses:
            self.refuses -= 1
            raise OSError(5)
        is_cut = self.operations == self.cut_at
        if not is_cut or self.cut_is_after:
            work()
        if is_cut:
            raise PowerCut

    def names(self) -> list[tuple[str, int]]:
        return [(name, len(self.kept[name])) for name in self.kept]

    def read(self, name: str, at: int, length: int) -> bytes:
        if name not in self.kept:
            raise OSError(2)
        return self.kept[name][at : at + length]

    def _put(self, name: str, data: bytes) -> None:
        if sum(len(held) for held in self.kept.values()) - len(self.kept.get(name, b"")) + len(data) > self._capacity:
            raise OSError(28)
        self.kept[name] = data

    def append(self, name: str, data: bytes) -> None:
        # As littlefs does: the name is there, and survives, before what is written into it.
        self._does(lambda: self._put(name, self.kept.get(name, b"")))
        self._does(lambda: self._put(name, self.kept[name] + data))

    def replace(self, name: str, data: bytes) -> None:
        self._does(lambda: self._put(name, data))

    def remove(self, name: str) -> None:
        def gone() -> None:
            if self.kept.pop(name, None) is None:
                raise OSError(2)

        self._does(gone)

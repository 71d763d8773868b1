"""The processes under one, as the kernel lists them. It starts and ends none."""

import pathlib


def children_of(pid: int) -> list[int]:
    """Pids of all processes under `pid`."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            child = int(path.parent.name)
            found += [child, *children_of(child)]
    return found


def runs(pid: int) -> bool:
    """True while there is such a process, zombies apart."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False

"""Runs protocols/tests/both on MicroPython: imports each file there and calls each `test_*`. Started by test_on_vm.py."""

import gc
import os
import sys

HERE = __file__.rsplit("/", 1)[0]


def run() -> bool:
    """Run all files; print a line a file and a closing line; True if nothing failed."""
    passed = failed = 0
    # As the node does: collecting only when nothing is left strews what lives long over the whole heap.
    gc.threshold(16384)  # type: ignore[attr-defined]  # MicroPython's
    for file_name in sorted(os.listdir(HERE + "/both")):
        if not file_name.startswith("test_") or not file_name.endswith(".py"):
            continue
        name = "protocols.tests.both." + file_name[:-3]
        module = __import__(name, None, None, ("x",))
        count = 0
        for test in sorted(dir(module)):
            if test.startswith("test_"):
                count += 1
                try:
                    getattr(module, test)()
                    passed += 1
                except Exception as error:  # the runner must reach the end
                    failed += 1
                    print("FAILED %s.%s" % (file_name, test))
                    sys.print_exception(error)  # type: ignore[attr-defined]  # MicroPython's
        print("%s: %d tests" % (file_name, count))
        del sys.modules[name]
        gc.collect()
    print("%d passed, %d failed" % (passed, failed))
    return failed == 0


if __name__ == "__main__":
    sys.exit(0 if run() else 1)

"""Folds the constants of modules for the chip: a whole number that only its own module uses needs no name there.

Each name costs the node's heap some 40 bytes, and the interpreter's pool of names doubles in one step of 10 KB.
"""

import io
import re
import tokenize
from collections.abc import Iterable

CONSTANT = re.compile(r"^([A-Z][A-Z0-9_]*) = (-?\d+|0x[0-9A-Fa-f]+)(?=\s*(?:#.*)?$)", re.MULTILINE)


def names(text: str) -> set[str]:
    """All names in a module's code, without its strings and comments."""
    return {
        token.string for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type == tokenize.NAME
    }


def folded(text: str, used_elsewhere: Iterable[str]) -> str:
    """The module `text` with each of its whole numbers put in where it is used, unless another module uses the name."""
    elsewhere = set(used_elsewhere)
    private = {name for name, _ in CONSTANT.findall(text) if name not in elsewhere}
    lines = text.splitlines(keepends=True)
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    for token in reversed(tokens):
        if token.type == tokenize.NAME and token.string in private:
            row, column = token.start
            line = lines[row - 1]
            lines[row - 1] = line[:column] + "_" + line[column:]
    # The compiler for the chip knows const() by itself, and keeps no name that begins with an underscore.
    return re.sub(
        r"^_([A-Z][A-Z0-9_]*) = (-?\d+|0x[0-9A-Fa-f]+)(?=\s*(?:#.*)?$)",
        r"_\1 = const(\2)",
        "".join(lines),
        flags=re.MULTILINE,
    )

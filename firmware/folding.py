"""Makes modules smaller for the chip: without what is for the other side, with constants for their names and short private names.

What is left says the same. Each name costs the node's heap some 40 bytes, and the interpreter's pool of names doubles in one
step of 10 KB; a function costs 60.
"""

import ast
import collections
import io
import itertools
import re
import string
import tokenize
from collections.abc import Iterable, Iterator

CONSTANT = re.compile(r'^([A-Z][A-Z0-9_]*) = (-?\d+|0x[0-9A-Fa-f]+|"[a-z_]*")(?=\s*(?:#.*)?$)', re.MULTILINE)


PRIVATE = re.compile(r"_[a-z][a-z0-9_]*|_[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*")
WORD = re.compile(r"\w+")


def _names(text: str) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token.string for token in tokens if token.type == tokenize.NAME]


def names(text: str) -> set[str]:
    """All names in a module's code, without its strings and comments."""
    return set(_names(text))


def _defined(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Functions, classes and methods, those within functions apart."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _defined(node)


def _said(tree: ast.AST) -> set[str]:
    """Words in the texts of a module, by which something may be looked up; what only describes is none of them."""
    described = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in described)
    return {word for node in texts if isinstance(node.value, str) for word in WORD.findall(node.value)}


def without_unused(texts: dict[str, str], wanted: Iterable[str]) -> dict[str, str]:
    """{name: module} without the functions, methods and classes that none of the modules mentions: they are for the other side.

    `wanted` are names that somebody else uses.
    """
    found = dict(texts)
    while True:
        trees = {module: ast.parse(text) for module, text in found.items()}
        kept = set(wanted).union(*(_said(tree) for tree in trees.values()))
        count = collections.Counter(name for text in found.values() for name in _names(text))
        left = {
            module: [
                node for node in _defined(tree)
                if count[node.name] == 1 and node.name not in kept and not node.name.startswith("__")
            ]
            for module, tree in trees.items()
        }  # fmt: skip
        if not any(left.values()):
            return found
        for module, nodes in left.items():
            lines = found[module].splitlines(keepends=True)
            gone = 0
            for node in nodes:
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                if first <= gone:
                    continue  # its class went
                gone = node.end_lineno or first
                # Lines stay where they are, and so does a class of which nothing is left.
                lines[first - 1 : gone] = [" " * node.col_offset + "pass\n"] + ["\n"] * (gone - first)
            found[module] = "".join(lines)


def with_constants(text: str, constants: dict[str, dict[str, str]]) -> str:
    """The module `text` with each constant of another module put in where it is used: its name is then that module's own.

    `constants` {module: {name: value}}; it may be mentioned as `codes.DONE`, or the name be imported from its module.
    """
    tree = ast.parse(text)
    lines = text.splitlines(keepends=True)
    stored = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    modules: dict[str, dict[str, str]] = {}  # as it is called here
    imported: dict[str, str] = {}
    shorter: list[tuple[int, int, str]] = []
    for node in tree.body:
        if not isinstance(node, ast.ImportFrom) or any(name.asname for name in node.names):
            continue
        modules |= {name.name: constants.get(f"{node.module}.{name.name}", {}) for name in node.names}
        known = {name.name: constants.get(node.module or "", {}).get(name.name, "") for name in node.names}
        found = {name: value for name, value in known.items() if value and name not in stored}
        if found:
            imported |= found
            left = [name.name for name in node.names if name.name not in found]
            line = f"from {node.module} import {', '.join(left)}\n" if left else "\n"
            shorter.append((node.lineno, node.end_lineno or node.lineno, line))
    skipped = {row for first, last, _ in shorter for row in range(first, last + 1)}
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.start[0] not in skipped]
    for before, token, dot, name in reversed(
        list(zip([tokens[0], *tokens], tokens, tokens[1:], tokens[2:], strict=False))
    ):
        if token.type != tokenize.NAME or before.string == ".":
            continue
        value, end = imported.get(token.string), token.end[1]
        if dot.string == "." and name.string in modules.get(token.string, {}):
            value, end = modules[token.string][name.string], name.end[1]
        if value:
            row, column = token.start
            line = lines[row - 1]
            lines[row - 1] = line[:column] + (f"({value})" if value[0] == "-" else value) + line[end:]
    for first, last, line in shorter:
        lines[first - 1 : last] = [line] + ["\n"] * (last - first)
    return "".join(lines)


def folded(text: str, used_elsewhere: Iterable[str]) -> str:
    """The module `text` with each of its constants put in where it is used, unless another module uses the name."""
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
        r'^_([A-Z][A-Z0-9_]*) = (-?\d+|0x[0-9A-Fa-f]+|"[a-z_]*")(?=\s*(?:#.*)?$)',
        r"_\1 = const(\2)",
        "".join(lines),
        flags=re.MULTILINE,
    )


def _short_names(taken: set[str]) -> Iterator[str]:
    """_a, _b … _aa …, without those that are `taken`."""
    for length in itertools.count(1):
        for letters in itertools.product(string.ascii_lowercase, repeat=length):
            if (name := "_" + "".join(letters)) not in taken:
                yield name


def shortened(text: str, used_elsewhere: Iterable[str], taken: Iterable[str]) -> str:
    """The module `text` with a short name in place of each private one that no other module uses: every module begins with _a.

    Nobody meets another's: no class of the node has its base in another module. A name that also stands in some text of the module
    is left, for it may be looked up by it. `taken` are names that may not be given.
    """
    elsewhere = set(used_elsewhere)
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    said = {word for token in tokens if token.type == tokenize.STRING for word in WORD.findall(token.string)}
    private = dict.fromkeys(
        token.string for token in tokens if token.type == tokenize.NAME and PRIVATE.fullmatch(token.string)
    )
    short = dict(
        zip((name for name in private if name not in elsewhere | said), _short_names(set(taken)), strict=False)
    )
    lines = text.splitlines(keepends=True)
    for token in reversed(tokens):
        if token.type == tokenize.NAME and token.string in short:
            (row, column), (_, end) = token.start, token.end
            line = lines[row - 1]
            lines[row - 1] = line[:column] + short[token.string] + line[end:]
    return "".join(lines)

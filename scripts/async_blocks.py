"""The async half of an example: `async with AsyncOpenPayments`, in a `main()` that `asyncio.run` runs.

What is awaited is read off the async classes: a method that is a coroutine there, called on something that came from a
client. It knows what examples do, and no more. The tests run what it writes, so what it gets wrong does not stay.
"""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import textwrap
from functools import cache
from typing import Any, Final

import openpayments_facade

# what examples call the things that come from a client
_USUAL_NAMES: Final = {"op", "bank", "accounts", "cards", "authorisation", "approval", "consents"}
_PLAIN: Final = {"to_dict", "to_json", "additional_properties"}
_WIDTH: Final = 88


@cache
def _words() -> tuple[set[str], set[str], set[str]]:
    """The coroutines of the async classes, what gives async iterators, and the classes that have an async twin."""
    coroutines, iterators, twins = set(), {"transactions", "bankgiro"}, set()
    for name in openpayments_facade.__all__:
        if not name.startswith("Async"):
            continue
        twins.add(name.removeprefix("Async"))
        for member in dir(each := getattr(openpayments_facade, name)):
            function = inspect.getattr_static(each, member)
            if member.startswith("_") or not inspect.isfunction(function):
                continue
            if inspect.iscoroutinefunction(function):
                coroutines.add(member)
            elif str(inspect.signature(function).return_annotation).startswith("AsyncIterator"):
                iterators.add(member)
    return coroutines, iterators, twins


def waits(code: str) -> bool:
    """Whether a block of sync code has an async half: something in it is awaited there."""
    halves = _Halves(code)
    is_async = any(isinstance(node, ast.AsyncFunctionDef | ast.Await) for node in ast.walk(halves.tree))
    return not is_async and halves.find()


def to_async(code: str) -> str:
    """The async half of a block of sync code."""
    halves = _Halves(code)
    halves.find()
    text = halves.written()
    for arguments in (["check", "--select", "I,F401", "--fix"], ["format", "--line-length", str(_WIDTH)]):
        ruff = [sys.executable, "-m", "ruff", *arguments, "--isolated", "--quiet", "--stdin-filename", "block.py", "-"]
        text = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True).stdout
    return text


class _Halves:
    def __init__(self, code: str) -> None:
        self.code = code
        self.tree = ast.parse(code)
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}
        self.ours: set[str] = set(_USUAL_NAMES)
        self.streams: set[str] = set()
        self.functions: set[str] = set()
        self.simulators: set[str] = {"openpayments_simulator"}  # the name of the fixture
        # at which place of the text, in which order there, what comes instead of how many bytes
        self.edits: list[tuple[int, int, int, int, str]] = []
        lines = code.splitlines(keepends=True)
        self.starts = [sum(len(line.encode()) for line in lines[:i]) for i in range(len(lines) + 1)]
        self.awaiting: set[ast.AST] = set()

    def find(self) -> bool:
        """Finds all that is awaited; whether there is anything."""
        while True:
            found = (self.ours, self.streams, self.functions, self.simulators, self.awaiting)
            before = [len(each) for each in found]
            for node in ast.walk(self.tree):
                self._look_at(node)
            if before == [len(each) for each in found]:
                return bool(self.awaiting)

    def _look_at(self, node: ast.AST) -> None:
        coroutines, _, _ = _words()
        match node:
            case ast.Assign(targets=[target], value=value) | ast.NamedExpr(target=target, value=value):
                self._name(target, value)
            case ast.With(items=items):
                for item in items:
                    if item.optional_vars is not None:
                        self._name(item.optional_vars, item.context_expr)
                    if self._is_ours(item.context_expr):
                        self._await(node)
            case ast.For(target=target, iter=iterated) | ast.comprehension(target=target, iter=iterated):
                if self._is_ours(iterated):
                    self._names(target)
                if self._is_stream(iterated):
                    self._await(node)
            case ast.Call(func=ast.Attribute(value=value, attr=attr)) if self._is_ours(value):
                if attr in coroutines or attr == "close":
                    self._await(node)
            case ast.Call(func=ast.Name(id=name)) if name in self.functions:
                self._await(node)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="time"), attr="sleep")):
                if self.awaiting:
                    self._await(node)

    def _await(self, node: ast.AST) -> None:
        self.awaiting.add(node)
        function: ast.AST | None = node
        while function is not None and not isinstance(function, ast.FunctionDef):
            function = self.parents.get(function)
        if function is not None:
            self.functions.add(function.name)

    def _name(self, target: ast.expr, value: ast.expr) -> None:
        match target, value:
            case ast.Name(id=name), ast.Call(func=ast.Name(id="Simulator")):
                self.simulators.add(name)
            case ast.Name(id=name), _ if self._is_stream(value):
                self.streams.add(name)
                self.ours.add(name)
            case _ if self._is_ours(value):
                self._names(target)

    def _names(self, target: ast.AST) -> None:
        self.ours |= {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}

    def _is_ours(self, node: ast.expr) -> bool:
        """Whether something came from a client."""
        match node:
            case ast.Name(id=name):
                return name in self.ours or name == "OpenPayments"
            case ast.Attribute(value=ast.Name(id=name), attr="client"):
                return name in self.simulators
            case ast.Attribute(value=value, attr=attr):
                return attr not in _PLAIN and self._is_ours(value)
            case ast.Call(func=function):
                return self._is_ours(function)
            case ast.Subscript(value=value) | ast.Await(value=value):
                return self._is_ours(value)
        return False

    def _is_stream(self, node: ast.expr) -> bool:
        """Whether something is an async iterator in the async half."""
        match node:
            case ast.Name(id=name):
                return name in self.streams
            case ast.Call(func=ast.Attribute(value=value, attr=attr)):
                return attr in _words()[1] and self._is_ours(value)
        return False

    def written(self) -> str:
        """The async text."""
        twins = _words()[2]
        for node in ast.walk(self.tree):
            match node:
                case ast.Name(id=name) | ast.alias(name=name) if name in twins:
                    self._insert(node, f"Async{name}", replaced=len(name))
                case ast.Attribute(value=ast.Name(id=name), attr="client") if name in self.simulators:
                    self._replace_end(node, "client", "async_client")
                case ast.Attribute(attr="close") if self.parents[node] in self.awaiting:
                    self._replace_end(node, "close", "aclose")
                case ast.FunctionDef(name=name) if name in self.functions:
                    self._insert(node, "async ")
                case ast.Call(args=arguments, func=function):
                    for each in arguments:
                        if self._is_stream(each):
                            whole = isinstance(function, ast.Name) and function.id == "list"
                            self._collect(node if whole else each, each)
                case ast.comprehension() if node in self.awaiting:
                    # `for` is the last word before the target
                    at = self.code.encode().rindex(b"for", 0, self._at(node.target))
                    self._edit(at, 0, "async ")
        waiting = [node for node in ast.walk(self.tree) if node in self.awaiting]
        for node in waiting:
            match node:
                case ast.For():
                    self._insert(node, "async ")
                case ast.Call(func=ast.Attribute(value=ast.Name(id="time"))):
                    self._insert(node, "await asyncio", replaced=len("time"))
                case ast.Call() if isinstance(self.parents[node], ast.Attribute | ast.Subscript):
                    self._insert(node, "(await ")
                    self._edit(self._end(node), 0, ")")
                case ast.Call():
                    self._insert(node, "await ")
        for node in waiting:
            if not isinstance(node, ast.With):
                continue
            if all(self._is_ours(item.context_expr) for item in node.items):
                self._insert(node, "async ")
            else:
                # a context that is not ours stays sync: the next one gets a line of its own
                [first, second] = node.items
                at, end = self._end(first.optional_vars or first.context_expr), self._at(second.context_expr)
                self._edit(at, end - at, f":\n{' ' * (node.col_offset + 4)}async with ")
                for line in range(node.body[0].lineno, (node.end_lineno or 0) + 1):
                    self._edit(self.starts[line - 1], 0, "    ", first=True)
        text = self.code.encode()
        for at, _, _, length, new in sorted(self.edits, reverse=True):
            text = text[:at] + new.encode() + text[at + length :]
        return self._wrapped(text.decode())

    def _collect(self, whole: ast.expr, stream: ast.expr) -> None:
        self._edit(self._at(whole), self._at(stream) - self._at(whole), "[each async for each in ")
        self._edit(self._end(stream), self._end(whole) - self._end(stream), "]")

    def _edit(self, at: int, length: int, new: str, *, first: bool = False) -> None:
        # of two insertions at one place the outer one was found first and comes first; replacements come after both
        self.edits.append((at, -1 if first else int(length > 0), len(self.edits), length, new))

    def _wrapped(self, text: str) -> str:
        """All that comes after the definitions, in a function `main`."""
        tree = ast.parse(f"async def block():\n{textwrap.indent(text, '    ')}").body[0]
        assert isinstance(tree, ast.AsyncFunctionDef)
        lines = text.splitlines(keepends=True)
        top, body, end = "", "", 0
        for statement in tree.body:
            last = (statement.end_lineno or 0) - 1
            part, end = "".join(lines[end:last]), last
            is_definition = isinstance(
                statement, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
            )
            waits = any(isinstance(each, ast.Await | ast.AsyncWith | ast.AsyncFor) for each in ast.walk(statement))
            if is_definition or (not body and not waits):
                top += part
            else:
                body += part
        main = f"async def main() -> None:\n{textwrap.indent(body.lstrip(chr(10)), '    ')}"
        imports = "import asyncio\n" if body or re.search(r"\basyncio\.", top) else ""
        run = f"\n\n{main}\n\nasyncio.run(main())\n" if body else ""
        return f"{imports}{top.rstrip()}\n{run}"

    def _at(self, node: Any) -> int:
        return int(self.starts[node.lineno - 1] + node.col_offset)

    def _end(self, node: Any) -> int:
        return int(self.starts[node.end_lineno - 1] + node.end_col_offset)

    def _insert(self, node: ast.AST, new: str, *, replaced: int = 0) -> None:
        self._edit(self._at(node), replaced, new)

    def _replace_end(self, node: ast.AST, old: str, new: str) -> None:
        self._edit(self._end(node) - len(old), len(old), new)

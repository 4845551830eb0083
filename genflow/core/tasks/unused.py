"""Reports generators and tasks that the code of a workflow makes and never uses, with file and line, after ``run``.

A generator that is made and dropped runs nothing, and a timer or a ``get()`` that nobody waits for makes nobody wait;
none of them is an error to Python. So each of them is remembered until it is used (:class:`Unused`). Generators are
seen where a method of the workflow makes them.

Those of a function inside of another one, or of the module, are out of reach there: Python calls nothing of ours, and
frees what is dropped at once. But the mistake stands in the code itself: a generator function is called, and its value
popped, or stored under a name that is never read. So :func:`dropped_by` looks for it in the instructions of the
workflow's methods, once for each class.
"""

from __future__ import annotations

import dis
import functools
import inspect
import itertools
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FrameType, FunctionType, GeneratorType, ModuleType
from typing import Any

from attrs import define, field

from genflow.core.protocols import Loop
from genflow.core.tasks.task import Task, Waiter
from genflow.core.text import Location, place

__all__ = ['Unused', 'UsageTracked', 'dropped_by', 'watched']

FIRST_PRUNING = 64


class UsageTracked(Task[Any]):
    """A task that does not keep an execution open, so that a missing wait for it would go unnoticed.

    Attributes:
        used: Whether it was waited for, combined, or asked whether it is done.
    """

    __slots__ = ()

    used: bool

    def mark_used(self) -> None:
        """Sets :attr:`used`."""

    def watch(self, waiter: Waiter) -> None:
        self.mark_used()
        super().watch(waiter)

    def mark_retrieved(self) -> None:
        self.mark_used()
        super().mark_retrieved()

    def done(self) -> bool:
        self.mark_used()
        return super().done()


@define(eq=False)
class Unused:
    """The generators and tasks that one execution has made and not used yet."""

    _generators: list[tuple[GeneratorType[Any, Any, Any], Location]] = field(factory=list, init=False)
    _tasks: list[tuple[UsageTracked, Location]] = field(factory=list, init=False)
    _prune_at: int = field(default=FIRST_PRUNING, init=False)

    def note_generator(self, generator: GeneratorType[Any, Any, Any], frame: FrameType) -> None:
        """A generator was made at the frame's line."""
        self._generators.append((generator, (frame.f_code, frame.f_lasti)))
        self._prune()

    def note_task(self, task: UsageTracked, frame: FrameType) -> None:
        """A timer or a get was made at the frame's line."""
        self._tasks.append((task, (frame.f_code, frame.f_lasti)))
        self._prune()

    @property
    def count(self) -> int:
        """The number of them."""
        return len(self._generators) + len(self._tasks)

    def _prune(self) -> None:
        """Lets go of what has been used, whenever the number of what is kept has doubled."""
        if self.count >= self._prune_at:
            self._generators = [(generator, where) for generator, where in self._generators if _is_new(generator)]
            self._tasks = [(task, where) for task, where in self._tasks if not task.used]
            self._prune_at = max(FIRST_PRUNING, 2 * self.count)

    def never_run(self, loop: Loop) -> list[tuple[GeneratorType[Any, Any, Any], Location]]:
        """The generators that have not begun, and are not about to, each with the place where it was made."""
        return [
            (generator, where)
            for generator, where in self._generators
            if _is_new(generator) and generator not in loop.branches
        ]

    def found(self, loop: Loop, *, tasks: bool) -> Iterator[str]:
        """Says what is unused, one line for each place; then forgets it.

        Args:
            loop: Knows the generators that are about to begin.
            tasks: Whether timers and gets count: where ``run`` raised, their turn may not have come.
        """
        generators, self._generators = self.never_run(loop), []
        tasks_made, self._tasks = self._tasks, []
        unused = [
            f'the generator {generator.__qualname__}() was created at {place(where)} but never run: yield it, use '
            '`yield from`, or give it to spawn()'
            for generator, where in generators
        ]
        if tasks:
            unused += [
                f'nothing waited for the {task.label} created at {place(where)}: yield it, or cancel() it'
                for task, where in tasks_made
                if not task.used
            ]
        yield from dict.fromkeys(unused)


def _is_new(generator: GeneratorType[Any, Any, Any]) -> bool:
    return inspect.getgeneratorstate(generator) == inspect.GEN_CREATED


def watched(method: Callable[..., Any], loop: Loop) -> Callable[..., Any]:
    """A generator method whose generators the loop remembers."""

    @functools.wraps(method)
    def make(*args: Any, **kwargs: Any) -> Any:
        generator = method(*args, **kwargs)
        if not loop.silent:
            loop.unused.note_generator(generator, sys._getframe(1))
        return generator

    return make


MADE = ('MAKE_FUNCTION', 'SET_FUNCTION_ATTRIBUTE')
"""The instructions that come just before a function without decorators is stored under its name."""

FILLING = ('PUSH_NULL', 'EXTENDED_ARG', 'NOP', 'PRECALL')
ATTRIBUTE = ('LOAD_ATTR', 'LOAD_METHOD')
JUMPS = frozenset(dis.hasjrel) | frozenset(dis.hasjabs)
LOCAL = ('LOAD_FAST', 'LOAD_DEREF', 'LOAD_CLOSURE')


@functools.lru_cache(maxsize=1024)
def dropped_by(cls: type) -> tuple[str, ...]:
    """Says which generators the methods of a workflow class make and drop, and where."""
    found: dict[str, None] = {}
    pending = [function for base in cls.__mro__ if not _is_ours(base) for function in _functions(base)]
    seen: set[FunctionType] = set()
    while pending:
        function = pending.pop(0)
        if function not in seen:
            seen.add(function)
            reader = _Reader(function.__globals__)
            found.update(dict.fromkeys(reader.dropped(function.__code__, {})))
            pending += reader.branches
    return tuple(found)


def _is_ours(cls: type) -> bool:
    return cls is object or cls.__module__.startswith('genflow.')


def _functions(cls: type) -> Iterator[FunctionType]:
    for value in vars(cls).values():
        plain = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
        function = inspect.unwrap(plain) if callable(plain) else plain
        if isinstance(function, FunctionType):
            yield function


def _is_generator(code: CodeType) -> bool:
    return bool(code.co_flags & inspect.CO_GENERATOR)


class _Reader:
    """Reads the instructions of one function and of those inside it.

    Attributes:
        branches: The generator functions of modules that the code names: they may be branches of the workflow.
    """

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._names = names
        self.branches: list[FunctionType] = []

    def dropped(self, code: CodeType, outer: Mapping[str, CodeType]) -> Iterator[str]:
        """Says what is dropped.

        Args:
            code: What is read.
            outer: The generator functions of the code around it, by name.
        """
        instructions = list(dis.get_instructions(code))
        known = {name: made for name, made in outer.items() if name not in code.co_varnames}
        known.update(_made_in(instructions))
        read = _names_read(instructions)
        for at, instruction in enumerate(instructions[:-1]):
            if instruction.opname.startswith('CALL') and _drops(instructions[at + 1], read):
                name = self._called(instructions, at, known)
                if name is not None:
                    where = place((code, instruction.offset))
                    yield (
                        f'the generator {name}() is made at {where} and dropped, so it never runs: yield it, use '
                        '`yield from`, or give it to spawn()'
                    )
            elif instruction.opname == 'LOAD_GLOBAL':
                value = self._names.get(instruction.argval)
                if isinstance(value, FunctionType) and _is_generator(value.__code__):
                    self.branches.append(value)
        for inner in code.co_consts:
            if isinstance(inner, CodeType):
                yield from self.dropped(inner, known)

    def _called(self, instructions: list[dis.Instruction], at: int, known: Mapping[str, CodeType]) -> str | None:
        """The name of the generator function that an instruction calls; ``None`` where it calls anything else."""
        callee = _callee(instructions, at)
        if not callee:
            return None
        load, *attributes = callee
        if load.opname.startswith(LOCAL):
            return load.argval if load.argval in known and not attributes else None
        if load.opname != 'LOAD_GLOBAL':
            return None
        value = self._names.get(load.argval)
        for one in attributes:
            value = getattr(value, one.argval, None) if isinstance(value, (ModuleType, type)) else None
        is_generator = isinstance(value, FunctionType) and _is_generator(value.__code__)
        return '.'.join(one.argval for one in callee) if is_generator else None


def _made_in(instructions: list[dis.Instruction]) -> dict[str, CodeType]:
    """The generator functions without decorators that the code makes, and stores under names that it stores once."""
    stored = Counter(one.argval for one in instructions if one.opname.startswith('STORE_'))
    found: dict[str, CodeType] = {}
    last: CodeType | None = None
    for before, one in itertools.pairwise(instructions):
        if isinstance(before.argval, CodeType):
            last = before.argval
        is_made = before.opname in MADE and one.opname in ('STORE_FAST', 'STORE_DEREF') and stored[one.argval] == 1
        if is_made and last is not None and last.co_name == one.argval and _is_generator(last):
            found[one.argval] = last
    return found


def _names_read(instructions: list[dis.Instruction]) -> set[str]:
    """The local names of which the code reads the values; an instruction may store one and read another."""
    read: set[str] = set()
    for one in instructions:
        if 'LOAD_FAST' in one.opname:
            names = (one.argval,) if isinstance(one.argval, str) else one.argval
            read.update(names[one.opname.startswith('STORE_FAST') :])
    return read


def _drops(one: dis.Instruction, read: set[str]) -> bool:
    """Whether an instruction loses the value that the one before it gave."""
    if one.opname in ('STORE_FAST', 'STORE_FAST_LOAD_FAST'):
        name = one.argval if isinstance(one.argval, str) else one.argval[0]
        return name not in read
    return one.opname == 'POP_TOP'


def _callee(instructions: list[dis.Instruction], at: int) -> list[dis.Instruction]:
    """The instructions that load what a call calls: a name and its attributes; nothing where it calls anything else."""
    first = _first_of(instructions, at)
    if first is None:
        return []
    callee: list[dis.Instruction] = []
    depth = lowest = 0
    for one in instructions[first:at]:
        depth += dis.stack_effect(one.opcode, one.arg)
        if one.opname in FILLING or not callee or (one.opname in ATTRIBUTE and lowest == 0):
            callee += [one] if one.opname not in FILLING else []
            continue
        lowest = lowest or depth - dis.stack_effect(one.opcode, one.arg)
        if depth <= lowest:
            return []  # it calls what another call gave
    return callee


def _first_of(instructions: list[dis.Instruction], at: int) -> int | None:
    """Where the expression begins that ends with a call; ``None`` where it branches."""
    depth = 0
    for number in range(at, -1, -1):
        one = instructions[number]
        if one.opcode in JUMPS:
            return None
        depth += dis.stack_effect(one.opcode, one.arg)
        if depth == 1:
            return number
    return None

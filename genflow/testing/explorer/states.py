"""Fingerprints of states: if two runs are in the same state, their continuations are explored once.

*Theory of operation.* A state is what has happened (in any order), what SWF has open, where each generator stands and
what it can reach: locals, the values that an unfinished expression holds, the workflow's attributes, mailboxes, and
what the stubs remember. The walk names each object by the place at which it is met first, so that numbers of calls
and addresses, which depend on the order, do not make equal states different. An object that cannot be looked into
makes its state equal to none.
"""

from __future__ import annotations

import gc
import sys
from collections import deque
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from itertools import count
from random import Random
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
    ModuleType,
)
from typing import Any
from uuid import UUID

from genflow.core.authoring.proxies import Proxy
from genflow.core.engine.execution import Execution
from genflow.core.tasks.signals import Signal
from genflow.core.tasks.task import Task
from genflow.testing.explorer.simulation import Simulation

__all__ = ['fingerprint']

ATOMS = frozenset({str, int, float, bool, type(None), bytes, complex})
VALUES = frozenset({datetime, date, time, timedelta, timezone, Decimal, UUID, range, slice, Fraction})
FIXED = (type, ModuleType, BuiltinFunctionType, CodeType, Proxy, Signal, Enum)
SKIPPED = frozenset({'loop', '_driver', 'number', 'key', 'ref', 'where', 'settings', 'proxy'})
"""Slots of the engine's objects that depend on the order of calls alone, or that lead back to the engine."""

_opaque = count()


def fingerprint(run: Simulation, memory: Iterable[Any]) -> int:
    """A number that is the same for equal states."""
    walk = _Walk()
    live = run.live
    walk.out += [run.digest, len(run.past), run.cancel_at is not None, live.closed]
    if live.workflow is not None:
        walk.visit(vars(live.workflow))
    branches = list(live.branches.values())
    if live.root is not None:
        walk.visit(live.root)
    for branch in sorted(branches, key=_place):
        walk.visit(branch)
    for name in sorted(live.mailboxes):
        walk.out += [name, tuple(live.mailboxes[name].texts)]
    for root in memory:
        walk.visit(root if type(root) in _VISIT else vars(root))
    walk.out.append(tuple(sorted(_item(run, item) for item in run.open.values())))
    walk.out.append(tuple((name, len(texts)) for name, texts in run.signals.items()))
    walk.out.append(tuple(run.extra))
    walk.out.append(run.pending)
    return hash(tuple(walk.out))


def _place(branch: Any) -> tuple[str, int]:
    generator = branch.generator
    frame = None if generator is None else generator.gi_frame
    return (
        ('', 0)
        if frame is None
        else (generator.gi_code.co_qualname if sys.version_info >= (3, 11) else '', frame.f_lasti)
    )


def _item(run: Simulation, item: Any) -> tuple[Any, ...]:
    return (
        item.kind,
        item.name,
        item.input or '',
        item.started,
        item.canceling,
        item.silent,
        item.due - run.time,
        item.limit - run.time,
        run.is_faulty(item),
    )


class _Walk:
    """Turns a graph of objects into a flat list of hashable parts."""

    def __init__(self) -> None:
        self.out: list[Any] = []
        self.seen: dict[int, int] = {}
        self._alive: list[Any] = []

    def visit(self, value: Any) -> None:
        kind = type(value)
        if kind in ATOMS:
            self.out.append(kind)
            self.out.append(value)
            return
        if kind in VALUES:
            self.out.append(repr(value))
            return
        if isinstance(value, FIXED):
            self.out.append(id(value))
            return
        known = self.seen.get(id(value))
        if known is not None:
            self.out.append(('seen', known))
            return
        self.seen[id(value)] = len(self.seen)
        self._alive.append(value)  # a temporary object's address must not be used again
        visit = _VISIT.get(kind)
        if visit is not None:
            visit(self, value)
        else:
            self.visit_object(value)

    def visit_object(self, value: Any) -> None:
        for base, visit in _BY_BASE:
            if isinstance(value, base):
                visit(self, value)
                return
        if hasattr(value, '__dict__') or _slots(type(value)):
            self.visit_members(value)
        else:
            self.visit_reduced(value)

    def visit_sequence(self, value: Iterable[Any]) -> None:
        self.out.append(type(value))
        for item in list(value):
            self.visit(item)
        self.out.append('end')

    def visit_mapping(self, value: dict[Any, Any]) -> None:
        self.out.append(type(value))
        for key, item in list(value.items()):
            self.visit(key)
            self.visit(item)
        self.out.append('end')

    def visit_set(self, value: Iterable[Any]) -> None:
        items = list(value)
        if all(type(item) in ATOMS for item in items):
            self.out.append((type(value), frozenset(items)))
        else:
            self.visit_unknown()

    def visit_generator(self, value: GeneratorType[Any, Any, Any]) -> None:
        frame = value.gi_frame
        self.out.append((id(value.gi_code), None if frame is None else frame.f_lasti))
        if frame is None:
            return
        holder: Any = value
        left_out = {id(frame.f_globals), id(frame.f_builtins)}
        if sys.version_info < (3, 11):
            holder = frame  # before 3.11 the values of a generator belong to its frame
        for item in gc.get_referents(holder):
            if id(item) not in left_out and not isinstance(item, (FrameType, CodeType)):
                self.visit(item)

    def visit_function(self, value: FunctionType) -> None:
        self.out.append(id(value.__code__))
        for cell in value.__closure__ or ():
            self.visit(cell)

    def visit_method(self, value: MethodType) -> None:
        self.out.append(id(getattr(value.__func__, '__code__', value.__func__)))
        self.visit(value.__self__)

    def visit_cell(self, value: CellType) -> None:
        try:
            self.visit(value.cell_contents)
        except ValueError:
            self.out.append('empty')

    def visit_error(self, value: BaseException) -> None:
        self.out.append(type(value))
        self.visit(value.args)

    def visit_random(self, value: Random) -> None:
        self.out.append(hash(value.getstate()))

    def visit_frame(self, value: FrameType) -> None:
        self.out.append(id(value.f_code))  # its generator is visited, too

    def visit_engine(self, value: Any) -> None:
        self.out.append('engine')

    def visit_task(self, value: Task[Any]) -> None:
        if isinstance(value.loop, Execution) or value.loop is None:
            self.visit_members(value)
        else:
            self.visit_unknown()

    def visit_members(self, value: Any) -> None:
        self.out.append(type(value))
        for name in _slots(type(value)):
            self.visit(getattr(value, name, None))
        members = getattr(value, '__dict__', None)
        if members:
            for name, item in list(members.items()):
                self.out.append(name)
                self.visit(item)

    def visit_reduced(self, value: Any) -> None:
        """Iterators say by their reduction where they stand."""
        if not type(value).__name__.endswith('iterator') and type(value) not in _REDUCED:
            self.visit_unknown()
            return
        self.visit(value.__reduce__())

    def visit_unknown(self) -> None:
        self.out.append(('opaque', next(_opaque)))


_members: dict[type, tuple[str, ...]] = {}


def _slots(cls: type) -> tuple[str, ...]:
    found = _members.get(cls)
    if found is None:
        names: list[str] = []
        for base in cls.__mro__:
            slots = base.__dict__.get('__slots__', ())
            skipped = SKIPPED if base.__module__.startswith('genflow.core.') else ()
            names += [name for name in ([slots] if isinstance(slots, str) else slots) if name not in skipped]
        found = _members[cls] = tuple(name for name in dict.fromkeys(names) if not name.startswith('__'))
    return found


_REDUCED = (enumerate, zip, map, filter, reversed)

_VISIT: dict[type, Callable[[Any, Any], None]] = {
    list: _Walk.visit_sequence,
    tuple: _Walk.visit_sequence,
    deque: _Walk.visit_sequence,
    dict: _Walk.visit_mapping,
    set: _Walk.visit_set,
    frozenset: _Walk.visit_set,
    FrameType: _Walk.visit_frame,
    GeneratorType: _Walk.visit_generator,
    FunctionType: _Walk.visit_function,
    MethodType: _Walk.visit_method,
    CellType: _Walk.visit_cell,
    Random: _Walk.visit_random,
}

_BY_BASE: tuple[tuple[type, Callable[[Any, Any], None]], ...] = (
    (Execution, _Walk.visit_engine),
    (BaseException, _Walk.visit_error),
    (Task, _Walk.visit_task),
    (dict, _Walk.visit_mapping),
    (list, _Walk.visit_sequence),
    (tuple, _Walk.visit_sequence),
)

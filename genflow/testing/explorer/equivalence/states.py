"""Fingerprints of states: if two runs are in the same state, their continuations are explored once.

*Theory of operation.* A state is what has happened (in any order), what SWF has open, what the code was not told yet
(in its order), where each generator stands and what it can reach: locals, the values that an unfinished expression
holds, the workflow's attributes, mailboxes, and what the stubs remember. The walk names each object by the place at
which it is met first, so that numbers of calls and addresses, which depend on the order, do not make equal states
different; what is open, and an event that ends it, go by the name of the call. An object that cannot be looked into,
such as one of a class that is derived from a file, makes its state equal to none.
"""

from __future__ import annotations

import gc
import re
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import partial
from itertools import count
from pathlib import PurePath
from random import Random
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
)
from typing import Any
from uuid import UUID

from genflow.core.authoring.proxies import Proxy
from genflow.core.calls.call import Call
from genflow.core.calls.phases import PAUSED, QUEUED, SENT
from genflow.core.engine.execution import Execution
from genflow.core.tasks.signals import Signal
from genflow.core.tasks.task import Task
from genflow.testing.explorer.inputs.bindings import Binding
from genflow.testing.explorer.inputs.memory import members_of
from genflow.testing.explorer.inputs.shared_state import CONTAINERS
from genflow.testing.explorer.playing.simulation import Simulation

__all__ = ['Walk', 'fingerprint', 'item_state']

ATOMS = frozenset({str, int, float, bool, type(None), bytes, complex})
VALUES = frozenset({datetime, date, time, timedelta, timezone, Decimal, UUID, range, slice, Fraction, re.Pattern})
FIXED = (
    type,
    ModuleType,
    CodeType,
    Proxy,
    Signal,
    Enum,
    type(str.upper),
    type(str.__len__),
    type(...),
    type(NotImplemented),
)
PLAIN_BASES = (str, bytes, int, float, complex, datetime, date, time, timedelta, Decimal, Fraction, UUID, PurePath)
"""What a class of values may be derived from: the value and its members are all that there is to see."""

OPEN_BASES = (
    object,
    BaseException,
    Random,
    *PLAIN_BASES,
    list,
    tuple,
    dict,
    set,
    frozenset,
    deque,
    OrderedDict,
    defaultdict,
    Counter,
)
"""The classes written in C whose objects show what is in them."""

SKIPPED = frozenset({'loop', '_driver', 'number', 'key', 'ref', 'where', 'settings', 'proxy'})
"""Slots of the engine's objects that depend on the order of calls alone, or that lead back to the engine."""

_OF_CALLS = frozenset({'phase', 'cancellation'})
"""Slots of calls that say when the engine heard of what SWF has, as what is open says it."""

HEAP_TYPE = 1 << 9
"""The flag of ``type.__flags__`` that classes written in Python have."""

_opaque = count()


def fingerprint(run: Simulation, memory: Iterable[Any]) -> int:
    """A number that is the same for equal states."""
    walk = Walk(everything_is_sent=run.all_sent)
    live = run.live
    walk.out += [run.digest, len(run.past), run.cancel_at is not None, live.closed]
    if live.workflow is not None:
        walk.visit(vars(live.workflow))
    branches = list(live.branches.values())
    if live.root is not None:
        walk.visit(live.root)
    walk.visit(live.pending_close)  # its result is text, as it was when `run` returned
    for branch in sorted(branches, key=_place):
        walk.visit(branch)
    for name in sorted(live.mailboxes):
        walk.out += [name, tuple(live.mailboxes[name].texts)]
    if live.markers.streams_begun:
        walk.visit(live.markers.streams_begun)
    for root in memory:
        walk.visit(root if isinstance(root, (Binding, *CONTAINERS)) else members_of(root))
    walk.visit_surroundings(run)
    walk.out.append(tuple(sorted(item_state(run, item, walk.calls) for item in run.open.values())))
    walk.out.append(tuple(_unseen(event, run, walk.calls) for event in run.unseen()))
    walk.out.append(tuple((name, len(texts)) for name, texts in run.signals.items()))
    walk.out.append(tuple(run.extra))
    walk.out.append(run.pending)
    if run.setup.minds_calls:
        walk.out.append(tuple((call.name, call.input, call.outcome, call.ended) for call in run.calls))
    return hash(tuple(walk.out))


def _place(branch: Any) -> tuple[str, int]:
    generator = branch.generator
    frame = None if generator is None else generator.gi_frame
    return (
        ('', 0)
        if frame is None
        else (generator.gi_code.co_qualname if sys.version_info >= (3, 11) else '', frame.f_lasti)
    )


def item_state(run: Simulation, item: Any, calls: Mapping[str, int]) -> tuple[Any, ...]:
    """What an open item is, apart from the order of openings; ``calls`` are the places of calls in a walk."""
    return (
        _name_of(item.call, calls),
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


def _name_of(call: str, calls: Mapping[str, int]) -> int:
    """The place at which the walk met a call; ``-1`` for one that the code cannot reach."""
    return calls.get(call.rpartition('/')[2], -1)


def _unseen(event: Any, run: Simulation, calls: Mapping[str, int]) -> tuple[Any, ...]:
    """An event that the next decision will tell of."""
    call = run.call_of.get(getattr(event, 'ref', 0), '')
    return (type(event), _name_of(call, calls), getattr(event, 'name', ''), getattr(event, 'input', ''))


class Walk:
    """Turns a graph of objects into a flat list of hashable parts.

    Attributes:
        out: The parts.
        calls: The places at which calls were met, by their numbers.
        seen: The places at which objects were met, by their addresses.
        alive: These objects, so that no address is used again.
    """

    def __init__(self, *, everything_is_sent: bool) -> None:
        self.out: list[Any] = []
        self.calls: dict[str, int] = {}
        self._phases = {PAUSED: SENT, QUEUED: SENT if everything_is_sent else QUEUED}
        self.seen: dict[int, int] = {}
        self.alive: list[Any] = []

    def visit(self, value: Any) -> None:
        kind = type(value)
        if kind in ATOMS:
            self.visit_all((value,))
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
        self.alive.append(value)
        visit = _VISIT.get(kind)
        if visit is not None:
            visit(self, value)
        else:
            self.visit_object(value)

    def visit_surroundings(self, run: Simulation) -> None:
        """What the code and the judges can see, and nothing that belongs to the execution reaches."""
        shared = run.setup.shared
        for place, value in shared.differing():
            self.out.append(place)
            self.visit(value)
        if shared.asks_length:
            self.out.append(len(run.events))
        never_run = run.live.unused.never_run(run.live)
        self.out.append(frozenset([*run.warnings, *run.live.warnings, *(where for _, where in never_run)]))

    def visit_all(self, values: Iterable[Any]) -> None:
        """Visits each, without a call for those that are atoms: most are."""
        out = self.out
        for value in values:
            kind = type(value)
            if kind in ATOMS:
                out.append(kind)
                out.append('-1' if value == -1 else value)  # whose hash is that of -2
            else:
                self.visit(value)

    def visit_object(self, value: Any) -> None:
        for base, visit in _BY_BASE:
            if isinstance(value, base):
                visit(self, value)
                return
        if not _is_open(type(value)):
            self.visit_reduced(value)
            return
        for base, visit in _CONTENT:
            if isinstance(value, base):
                visit(self, value)
                break
        self.visit_members(value)

    def visit_sequence(self, value: Iterable[Any]) -> None:
        self.out.append(type(value))
        self.visit_all(list(value))
        self.out.append('end')

    def visit_mapping(self, value: dict[Any, Any]) -> None:
        self.out.append(type(value))
        for pair in list(value.items()):
            self.visit_all(pair)
        self.out.append('end')

    def visit_set(self, value: Iterable[Any]) -> None:
        items = list(value)
        if all(map(_is_value, items)):
            self.out.append(
                (type(value), frozenset((type(item), repr(item) if item == -1 else item) for item in items))
            )
        else:
            self.visit_unknown()

    def visit_default(self, value: defaultdict[Any, Any]) -> None:
        self.visit(value.default_factory)
        self.visit_mapping(value)

    def visit_plain(self, value: Any) -> None:
        base = next(base for base in PLAIN_BASES if isinstance(value, base))
        self.out.append(base.__repr__(value))

    def visit_partial(self, value: partial[Any]) -> None:
        self.visit(value.func)
        self.visit(value.args)
        self.visit(value.keywords)

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
        if value.__defaults__ or value.__kwdefaults__:
            self.visit(value.__defaults__)
            self.visit(value.__kwdefaults__)
        for cell in value.__closure__ or ():
            self.visit(cell)

    def visit_builtin(self, value: Any) -> None:
        """Such as ``found.append``, which an expression holds while it waits for the argument."""
        owner = value.__self__
        if owner is None or isinstance(owner, (ModuleType, type)):
            self.out.append(id(value) if owner is None else (id(owner), value.__name__))
            return
        self.out.append(value.__name__)
        self.visit(owner)

    def visit_method(self, value: MethodType) -> None:
        self.out.append(id(getattr(value.__func__, '__code__', value.__func__)))
        self.visit(value.__self__)

    def visit_binding(self, value: Binding) -> None:
        self.visit(value.read())

    def visit_cell(self, value: CellType) -> None:
        try:
            self.visit(value.cell_contents)
        except ValueError:
            self.out.append('empty')

    def visit_error(self, value: BaseException) -> None:
        self.out.append(type(value))
        self.visit(value.args)
        if not type(value).__module__.startswith('genflow.'):
            self.visit(vars(value))
            self.visit(value.__cause__)

    def visit_random(self, value: Random) -> None:
        self.out.append(hash(value.getstate()))

    def visit_frame(self, value: FrameType) -> None:
        self.out.append(id(value.f_code))  # its generator is visited, too

    def visit_engine(self, value: Any) -> None:
        self.out.append('engine')

    def visit_task(self, value: Task[Any]) -> None:
        if isinstance(value.loop, Execution) or value.loop is None:
            if isinstance(value, Call):
                self.calls[str(value.number)] = self.seen[id(value)]
                self.visit_members(value, _OF_CALLS)
                self.out.append(self._phases.get(value.phase, value.phase))
            else:
                self.visit_members(value)
        else:
            self.visit_unknown()

    def visit_members(self, value: Any, left_out: Collection[str] = ()) -> None:
        self.out.append(type(value))
        self.visit_all(getattr(value, name, None) for name in _slots(type(value)) if name not in left_out)
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
        try:
            self.visit(value.__reduce__())
        except RuntimeError:  # what it goes through has changed since, so its next step raises the same
            self.out.append('broken')

    def visit_unknown(self) -> None:
        self.out.append(('opaque', next(_opaque)))


_open: dict[type, bool] = {}


def _is_open(cls: type) -> bool:
    """Whether all that objects of a class hold is in their members and in what they are derived from."""
    found = _open.get(cls)
    if found is None:
        found = _open[cls] = all(base.__flags__ & HEAP_TYPE or base in OPEN_BASES for base in cls.__mro__)
    return found


def _is_value(item: Any) -> bool:
    """Whether an object is nothing but its value, which its hash shows."""
    kind = type(item)
    if kind in (tuple, frozenset):
        return all(map(_is_value, item))
    return kind in ATOMS or kind in VALUES or isinstance(item, (Enum, type))


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
    list: Walk.visit_sequence,
    tuple: Walk.visit_sequence,
    deque: Walk.visit_sequence,
    dict: Walk.visit_mapping,
    set: Walk.visit_set,
    frozenset: Walk.visit_set,
    FrameType: Walk.visit_frame,
    GeneratorType: Walk.visit_generator,
    FunctionType: Walk.visit_function,
    MethodType: Walk.visit_method,
    CellType: Walk.visit_cell,
    Binding: Walk.visit_binding,
    BuiltinFunctionType: Walk.visit_builtin,
    MethodWrapperType: Walk.visit_builtin,
    partial: Walk.visit_partial,
    Random: Walk.visit_random,
}

_BY_BASE: tuple[tuple[type, Callable[[Any, Any], None]], ...] = (
    (Execution, Walk.visit_engine),
    (BaseException, Walk.visit_error),
    (Task, Walk.visit_task),
    (Random, Walk.visit_random),
)
"""What stands for an object and all of its members."""

_CONTENT: tuple[tuple[Any, Callable[[Any, Any], None]], ...] = (
    (PLAIN_BASES, Walk.visit_plain),
    (defaultdict, Walk.visit_default),
    (dict, Walk.visit_mapping),
    ((set, frozenset), Walk.visit_set),
    ((list, tuple, deque), Walk.visit_sequence),
)
"""What an object holds beside its members."""

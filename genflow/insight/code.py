"""The position of an execution's code, found by replaying the history: each branch and what it waits for.

A replay needs no worker and no service: it drives the workflow's class with the recorded events. It changes nothing,
and works for open and closed executions, held or healthy. :func:`suppose` finds in the same way what the code would do
after an event that has not happened.

The caller passes a function that reads source lines, since this package reads no files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from types import FrameType, GeneratorType
from typing import Any

from attrs import define, evolve, field, frozen

from genflow.core.calls.call import Call, RetryableCall
from genflow.core.engine.execution import Execution
from genflow.core.engine.workflow_values import Abort
from genflow.core.errors import GenflowError
from genflow.core.model import events as core
from genflow.core.model.info import ExecutionIds
from genflow.core.model.registry import WorkflowSpec
from genflow.core.model.retry import Retry
from genflow.core.tasks.branch import Branch
from genflow.core.tasks.signals import signals_of
from genflow.core.tasks.task import OPEN
from genflow.core.text import line_of, suspended_at
from genflow.insight.decision_lines import decision_lines
from genflow.insight.suppositions import Supposition
from genflow.insight.times import utc
from genflow.insight.view import ExecutionView
from genflow.swf.wire.events import decided, translate

__all__ = [
    'BranchView',
    'CodeView',
    'ObservedExecution',
    'Place',
    'Replay',
    'Source',
    'no_source',
    'replayed',
    'suppose',
]

Source = Callable[[str], Sequence[str]]
"""Returns the lines of a source file; an empty sequence if it cannot be read."""

CONTEXT = 1
"""Lines of source that are shown before and after a line."""


@frozen
class Place:
    """A line of the user's code.

    Attributes:
        lines: Numbers and texts of the line and its neighbours; empty if the source is not available.
    """

    file: str
    line: int
    function: str
    lines: tuple[tuple[int, str], ...] = ()

    def __str__(self) -> str:
        return f'{self.file}:{self.line} in {self.function}'


@frozen
class BranchView:
    """A branch that has not ended.

    Attributes:
        name: The name of its function; ``run`` is the first branch.
        place: Where it stands; ``None`` where that is not known.
        awaits: What it waits for, in words.
        operations: The event ids of the operations that it waits for.
        signals: The signals that it waits for.
    """

    name: str
    place: Place | None
    awaits: str
    operations: tuple[int, ...] = ()
    signals: tuple[str, ...] = ()


@frozen
class CodeView:
    """The result of a replay.

    Attributes:
        spec: The class, and its type.
        branches: Those that have not ended, ``run`` first.
        awaited: The signals that the code waits for now.
        unread: How many signals of each name came in and were not read.
        declared: The signals that the class declares.
        made: Where each call was made, by its number.
        made_by: The branch that made each call, by its number.
        retries: The retry policy of each call that has one, by its number.
        warnings: What the engine would log.
        error: Why the code cannot continue with this history; ``None`` if it can.
        decides: The decisions of the code in the pending decision task; ``None`` if none is pending.
        finished: Whether ``run`` has ended and waits for calls that are still open.
    """

    spec: WorkflowSpec
    branches: tuple[BranchView, ...] = ()
    awaited: tuple[str, ...] = ()
    unread: dict[str, int] = field(factory=dict)
    declared: tuple[str, ...] = ()
    made: dict[int, Place] = field(factory=dict)
    made_by: dict[int, str] = field(factory=dict)
    retries: dict[int, Retry] = field(factory=dict)
    warnings: tuple[str, ...] = ()
    error: GenflowError | None = None
    decides: tuple[str, ...] | None = None
    finished: bool = False


@define(eq=False)
class _Made:
    call: Call
    branch: Branch | None


class ObservedExecution(Execution):
    """An execution that remembers which branch made which call, and what it would log."""

    def __init__(self, spec: WorkflowSpec, view: ExecutionView) -> None:
        super().__init__(spec, workflow_id=view.workflow_id, run_id=view.run_id, seed=view.run_id)
        self.observed: list[_Made] = []
        self.names: dict[int, str] = {}
        self.warnings: list[str] = []
        self.origins = self._unknown_origin

    def _unknown_origin(self, what: str, _: ExecutionIds) -> ExecutionIds:
        self.abort = UnknownEffect(f'the code asks for info.{what} next; only a worker looks it up')
        raise Abort

    def schedule(self, call: Call, frame: FrameType) -> None:
        branch = self.current
        super().schedule(call, frame)
        if call.number is not None:
            self.observed.append(_Made(call, branch))
            if branch is not None and branch.generator is not None:
                self.names[id(branch)] = branch.generator.gi_code.co_name

    def report(self, message: str) -> None:
        self.warnings.append(message)

    def side_effect(self, function: Callable[[], Any], raises: tuple[type[Exception], ...] = ()) -> Any:
        """Returns the recorded value. One that is not recorded is not computed, since a worker will compute it."""
        if not self.silent and not self.replaying:
            self.abort = UnknownEffect('the code runs a side effect next; its value is only made by a worker')
            raise Abort
        return super().side_effect(function, raises)


class UnknownEffect(GenflowError):
    """The code needs a value that only a worker computes."""


def no_source(_: str) -> Sequence[str]:
    """A :data:`Source` that has no files."""
    return ()


class Replay:
    """Replays the events of a view once with a workflow's class. Close it after use.

    Args:
        view: The execution.
        spec: The class; its type is not compared with the recorded one.
        source: Gives source lines.

    Attributes:
        code: The result.
    """

    def __init__(self, view: ExecutionView, spec: WorkflowSpec, source: Source = no_source) -> None:
        self._view = view
        self._spec = spec
        self._events: list[core.Event] = []
        self._execution: ObservedExecution | None = ObservedExecution(spec, view)
        self.code = self._replayed(self._execution, source)
        if self.code.error is not None or self.code.decides is not None:
            self.close()  # it stands elsewhere than the events do

    def _replayed(self, execution: ObservedExecution, source: Source) -> CodeView:
        view, spec = self._view, self._spec
        try:
            self._events = list(decided(translate(view.events)))
            execution.advance(self._events)
            code = _seen(execution, view, spec, source)
            return code if view.pending_decision is None else evolve(code, decides=_pending(execution, view))
        except UnknownEffect as effect:
            return evolve(code, decides=(str(effect),))
        except GenflowError as error:
            return evolve(_seen(execution, view, spec, source), error=error)

    def suppose(self, supposition: Supposition | None, at: datetime | None = None) -> tuple[str, ...]:
        """Works as :func:`suppose`; the first call needs no second replay."""
        execution, self._execution = self._execution, None
        events = [] if execution is not None else self._events
        return _supposed(execution or ObservedExecution(self._spec, self._view), events, self._view, supposition, at)

    def close(self) -> None:
        """Closes the generators."""
        execution, self._execution = self._execution, None
        if execution is not None:
            execution.close()


def replayed(view: ExecutionView, spec: WorkflowSpec, source: Source = no_source) -> CodeView:
    """Replays the events of a view; the arguments are those of :class:`Replay`."""
    replay = Replay(view, spec, source)
    replay.close()
    return replay.code


def _pending(execution: ObservedExecution, view: ExecutionView) -> tuple[str, ...]:
    """What the code asks for in the decision that is to be made."""
    answer = execution.advance([core.DecisionStarted(view.last_event_id + 1, utc(view.updated_at))])
    return () if answer is None else tuple(decision_lines(answer, view))


def _seen(execution: ObservedExecution, view: ExecutionView, spec: WorkflowSpec, source: Source) -> CodeView:
    waits = _waits(execution, view)
    branches = [
        _branch(generator, branch, source, waits.get(id(branch), ()))
        for generator, branch in execution.branches.items()
        if view.is_open
    ]
    boxes = execution.mailboxes.items()
    return CodeView(
        spec,
        tuple(branches),
        tuple(name for name, box in boxes if box.is_awaited()) if view.is_open else (),
        {name: len(box.items) for name, box in boxes if box.items},
        signals_of(spec.cls),
        {made.call.number or 0: _made_at(made.call, source) for made in execution.observed if made.call.where},
        {made.call.number or 0: execution.names.get(id(made.branch), 'run') for made in execution.observed},
        _retries(execution),
        tuple(execution.warnings),
        finished=execution.pending_close is not None,
    )


def _retries(execution: ObservedExecution) -> dict[int, Retry]:
    """The policies of the calls that may be tried again."""
    calls = (made.call for made in execution.observed)
    retried = {call.number or 0: call.settings.retry for call in calls if isinstance(call, RetryableCall)}
    return {number: retry for number, retry in retried.items() if retry.max_attempts > 1}


def _branch(
    generator: GeneratorType[Any, Any, Any], branch: Branch, source: Source, waits: Sequence[int]
) -> BranchView:
    awaited = branch.awaiting
    text = 'nothing yet' if awaited is None else awaited.label
    gets = tuple(sorted(set(_signals(awaited))))
    return BranchView(generator.gi_code.co_name, _stands(generator, source), text, tuple(sorted(set(waits))), gets)


def _stands(generator: GeneratorType[Any, Any, Any], source: Source) -> Place | None:
    file, _, rest = suspended_at(generator).rpartition(':')
    line, _, function = rest.partition(' in ')
    return _place(file, int(line), function, source) if line.isdecimal() else None


def _made_at(call: Call, source: Source) -> Place:
    code, _ = where = call.where or (no_source.__code__, 0)
    return _place(code.co_filename, line_of(where), code.co_name, no_source)


def _place(file: str, line: int, function: str, source: Source) -> Place:
    lines = source(file)
    first, last = max(1, line - CONTEXT), min(len(lines), line + CONTEXT)
    return Place(
        file, line, function, tuple((number, lines[number - 1].rstrip('\n')) for number in range(first, last + 1))
    )


def _waits(execution: ObservedExecution, view: ExecutionView) -> dict[int, list[int]]:
    """For each branch, the operations whose end it waits for: found from the calls upwards."""
    found: dict[int, list[int]] = {}
    for call in execution.calls():
        if call.state != OPEN or call.number is None:
            continue
        operation = view.numbered(call.number)
        if operation is not None:
            for branch in _waiting(call):
                found.setdefault(id(branch), []).append(operation.id)
    return found


def _waiting(task: Any) -> Iterator[Branch]:
    """The branches that wait for a task, directly or through combinators."""
    todo: list[Any] = [task]
    seen: set[int] = set()
    while todo:
        one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, Branch):
            yield one
        named = (getattr(one, name, None) for name in ('branch', 'call'))
        todo += [other for other in named if other is not None and not callable(other)]
        outlets = getattr(one, 'outlets', None)
        todo += [*(getattr(one, 'waiters', None) or ()), *(outlets() if outlets else ())]


def _signals(task: Any) -> Iterator[str]:
    """The signals that a task waits for, directly or through combinators."""
    todo, seen = [task], set[int]()
    while todo:
        one = todo.pop()
        if one is None or id(one) in seen or getattr(one, 'state', OPEN) != OPEN:
            continue
        seen.add(id(one))
        if getattr(one, 'mailbox', None) is not None:
            yield one.name
        if not isinstance(one, Branch):
            todo += getattr(one, 'members', None) or ()


# effects of a supposed event


def suppose(
    view: ExecutionView, spec: WorkflowSpec, supposition: Supposition | None, at: datetime | None = None
) -> tuple[str, ...]:
    """Describes the calls that the code would make next if something had happened.

    Args:
        view: An open execution.
        spec: The workflow's class.
        supposition: The supposed event; ``None`` for the decision that is pending anyway.
        at: The time of it. Default: the time of the last event.

    Raises:
        GenflowError: The code cannot continue; the error is that of the engine.
    """
    return _supposed(ObservedExecution(spec, view), decided(translate(view.events)), view, supposition, at)


def _supposed(
    execution: ObservedExecution,
    found: Iterable[core.Event],
    view: ExecutionView,
    supposition: Supposition | None,
    at: datetime | None,
) -> tuple[str, ...]:
    first = view.last_event_id + 1
    happened = [] if supposition is None else supposition.events(first)
    started = core.DecisionStarted(first + len(happened), utc(at or view.updated_at))
    try:
        answer = execution.advance([*found, *happened, started])
    except UnknownEffect as effect:
        return (str(effect),)
    finally:
        execution.close()
    return tuple(decision_lines(answer, view)) if answer is not None else ()

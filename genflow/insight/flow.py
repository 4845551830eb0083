"""Dependencies between operations: a decision connects the operations whose end it saw with those that it scheduled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from attrs import frozen

from genflow.insight.operations import Operation
from genflow.insight.view import ExecutionView

__all__ = ['Step', 'steps']


@frozen
class Step:
    """A decision that scheduled something.

    Attributes:
        id: The event of its ``DecisionTaskCompleted``.
        causes: The operations whose end it saw; empty for the first decision, and after a signal or cancel request.
        signals: The names of the signals that it saw.
        asked: The operations that it scheduled.
    """

    id: int
    causes: tuple[Operation, ...]
    signals: tuple[str, ...]
    asked: tuple[Operation, ...]


def steps(view: ExecutionView) -> Iterator[Step]:
    """Returns the decisions that scheduled something, in history order, without the engine's own timers."""
    operations = view.visible_operations()
    asked: dict[int, list[Operation]] = defaultdict(list)
    ended: list[tuple[int, Operation]] = []
    for operation in operations:
        asked[operation.attempts[0].decision_id].append(operation)
        if not operation.is_open:
            ended.append((operation.last.ended_id, operation))
    ended.sort(key=lambda one: one[0])
    known: dict[int, Operation] = {}
    place = seen = 0
    for task in view.decisions:
        if task.state != 'completed':
            continue
        causes = known
        known = {}
        while place < len(ended) and ended[place][0] < task.started_id:
            causes[ended[place][1].id] = ended[place][1]
            place += 1
        signals = tuple(one.name for one in view.signals if seen < one.id < task.started_id)
        seen = task.started_id
        if asked.get(task.ended_id):
            yield Step(task.ended_id, tuple(causes.values()), signals, tuple(asked[task.ended_id]))
        else:
            known = causes

"""Tasks as arguments: a call whose arguments are not all there yet."""

from __future__ import annotations

from collections.abc import Iterable
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from genflow.core.calls.call import Call
from genflow.core.calls.external import SignalCall
from genflow.core.calls.retryable import RetryableCall
from genflow.core.payloads.nesting import check_nesting, contents
from genflow.core.tasks.branch import as_task
from genflow.core.tasks.combinators import Gathered
from genflow.core.tasks.task import ERROR, OPEN, Task

if TYPE_CHECKING:
    from genflow.core.tasks.loop import Loop

__all__ = ['Arguments', 'find_tasks', 'resolved', 'returned_task']


def find_tasks(values: Iterable[Any]) -> list[Task[Any]]:
    """The tasks among some values in their order, nested in lists, tuples and dicts too.

    Raises:
        TypeError: A task is the key of a dict.
        ValueError: A value with tasks in it contains itself, or is nested too deeply to be written.
    """
    found: list[Task[Any]] = []
    for value in contents(values):
        if isinstance(value, Task):
            found.append(value)
        elif isinstance(value, dict):
            _check_keys(value)
    if found:
        check_nesting(values)
    return found


def _check_keys(value: dict[Any, Any]) -> None:
    for key in value:
        if isinstance(key, Task):
            raise key.misused('is the key of a dict', '{(yield task): x}')


def returned_task(loop: Loop, value: Any) -> Task[Any]:
    """The task of a value that contains tasks and branches beside plain values.

    Raises:
        ValueError: The value contains itself, or is nested too deeply to be written.
    """
    check_nesting((value,))
    value = _with_branches(loop, value)
    if isinstance(value, Task):
        return value
    return Gathered(loop, find_tasks((value,)), lambda _: resolved(value))


def _with_branches(loop: Loop, value: Any) -> Any:
    if isinstance(value, GeneratorType):
        return as_task(loop, value)
    if isinstance(value, dict):
        return {key: _with_branches(loop, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [_with_branches(loop, item) for item in value]
        return type(value)(*items) if hasattr(value, '_fields') else type(value)(items)
    return value


def resolved(value: Any) -> Any:
    """A value with its tasks replaced by their results."""
    if isinstance(value, Task):
        return value.outcome
    if isinstance(value, dict):
        return {key: resolved(item) for key, item in value.items()}
    if isinstance(value, tuple):
        items = [resolved(item) for item in value]
        return type(value)(*items) if hasattr(value, '_fields') else tuple(items)
    if isinstance(value, list):
        return [resolved(item) for item in value]
    return value


class Arguments:
    """Waits for the tasks among a call's arguments, then serializes them and lets the call go.

    A failed argument is the call's failure.
    """

    __slots__ = ('call', 'missing')

    is_stale = False

    def __init__(self, call: Call, tasks: list[Task[Any]]) -> None:
        self.call = call
        self.missing = len(tasks)
        call.loop.deferred[call.number or 0] = call
        for task in tasks:
            task.mark_retrieved()
            if task.state == OPEN:
                task.await_by(self)
            else:
                self.notify(task)

    def is_waiting_for(self, task: Task[Any]) -> bool:
        return self.call.state == OPEN

    def notify(self, task: Task[Any]) -> None:
        self.missing -= 1
        call = self.call
        if call.state != OPEN:
            return
        if task.state == ERROR:
            call.loop.deferred.pop(call.number or 0, None)
            call.settle(ERROR, task.outcome)
        elif self.missing == 0:
            self._go(call)

    def _go(self, call: Call) -> None:
        call.loop.deferred.pop(call.number or 0, None)
        try:
            if isinstance(call, RetryableCall):
                call.args, call.kwargs = resolved(call.args), resolved(call.kwargs)
            elif isinstance(call, SignalCall):
                call.value = resolved(call.value)
            call.prepare()
        except Exception as error:  # noqa: BLE001 - what the user's serializer raises is the failure of the call
            call.settle(ERROR, error)
        else:
            call.begin()

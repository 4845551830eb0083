"""Tasks as arguments: a call waits until they have settled."""

from __future__ import annotations

from typing import Any

from genflow.core.calls.call import Call, RetryableCall
from genflow.core.calls.external import SignalCall
from genflow.core.tasks.nested import resolved
from genflow.core.tasks.task import ERROR, OPEN, Task

__all__ = ['Arguments']


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
        for task in map(call.loop.as_task, tasks):  # one of another execution becomes one that has failed
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

"""Who does what an execution asks for: activity workers, deciders of children and Lambda functions, by a schedule.

Each of them takes what it is handed out and holds it; when, how and whether it answers is the schedule's choice.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from genflow.local import LocalSWF

DOMAIN = 'd'

Pick = Callable[[int], int]
"""A choice of so many, the one that leads on where there is no other wish."""


def _close(kind: str, **said: Any) -> dict[str, Any]:
    return {'decisionType': kind, f'{kind[0].lower()}{kind[1:]}DecisionAttributes': said}


ACTIVITY_WAYS: dict[int, tuple[str, dict[str, Any]]] = {
    0: ('respond_activity_task_completed', {'result': '"done"'}),
    4: ('respond_activity_task_failed', {'reason': 'broken', 'details': 'all of it'}),
    5: ('respond_activity_task_failed', {}),
    6: ('respond_activity_task_canceled', {}),
    7: ('record_activity_task_heartbeat', {'details': 'half'}),
}
CHILD_WAYS: dict[int, list[dict[str, Any]]] = {
    0: [_close('CompleteWorkflowExecution', result='"done"')],
    4: [_close('FailWorkflowExecution', reason='broken')],
    5: [_close('CancelWorkflowExecution')],
    6: [_close('ContinueAsNewWorkflowExecution')],
    7: [],
}
"""What may become of a task, by the choice; the first for those that do not stand here."""


class ScheduledWorkers:
    """The workers around one execution."""

    def __init__(self, swf: LocalSWF, pick: Pick) -> None:
        self._swf = swf
        self._pick = pick
        self._activities: list[str] = []
        self._children: list[str] = []
        self._functions: list[Callable[[], None]] = []
        self._function_fails = False

    def serve(self, function: str) -> None:
        """There is a Lambda function of that name."""
        self._swf.register_lambda(function, self._shrunk, run=self._functions.append)

    def collect(self) -> None:
        """Takes all that is handed out, or nothing."""
        if self._pick(4) != 3:
            self._take('activities', self._swf.poll_for_activity_task, self._activities)
            self._take('children', self._swf.poll_for_decision_task, self._children)

    def _take(self, name: str, poll: Callable[..., dict[str, Any]], held: list[str]) -> None:
        task = poll(domain=DOMAIN, taskList={'name': name})
        while task.get('taskToken'):
            held.append(task['taskToken'])
            task = poll(domain=DOMAIN, taskList={'name': name})

    def work(self) -> bool:
        """Somebody does something with what he holds; whether anybody holds anything."""
        work = [(held, end, item) for held, end in self._held() for item in held]
        if work:
            held, end, item = work[self._pick(len(work))]
            held.remove(item)
            end(item)
        return bool(work)

    def _held(self) -> list[tuple[list[Any], Callable[[Any], None]]]:
        return [
            (self._activities, self._end_activity),
            (self._children, self._end_child),
            (self._functions, self._end_function),
        ]

    def _end_activity(self, token: str) -> None:
        operation, said = ACTIVITY_WAYS.get(self._pick(8), ACTIVITY_WAYS[0])
        self.attempt(operation, taskToken=token, **said)
        if operation == 'record_activity_task_heartbeat':
            self._activities.append(token)

    def _end_child(self, token: str) -> None:
        decisions = CHILD_WAYS.get(self._pick(8), CHILD_WAYS[0])
        self.attempt('respond_decision_task_completed', taskToken=token, decisions=decisions)

    def _end_function(self, function: Callable[[], None]) -> None:
        self._function_fails = self._pick(4) == 3
        function()

    def _shrunk(self, value: Any) -> Any:
        if self._function_fails:
            raise ValueError('broken')
        return value

    def attempt(self, operation: str, **request: Any) -> None:
        """A call that may come too late."""
        with suppress(self._swf.exceptions.UnknownResourceFault):
            getattr(self._swf, operation)(**request)

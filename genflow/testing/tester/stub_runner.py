"""Activity tasks of a test: the real class or its stub, run as a worker would run it, and its answer."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from typing import Any

from attrs import define, field

from genflow.core.authoring.activity import ActivityInfo
from genflow.core.model.registry import ActivitySpec
from genflow.swf.tasks.polled_tasks import ActivityTask
from genflow.swf.tasks.respond import Outcome, Suspended, respond_activity
from genflow.swf.wire.activity_ids import read_activity_id
from genflow.swf.worker.activity_runner import previous_details
from genflow.swf.worker.performing import run_activity
from genflow.testing.tester.doubles import NOTHING, Double
from genflow.testing.tester.environment import DOMAIN, Environment
from genflow.testing.tester.stubs import Stand, TesterError
from genflow.testing.tester.timeouts import check_strikes

__all__ = ['StubRunner', 'play']


@define
class TaskContext:
    """What an activity asks its worker, answered by the service of the test.

    Attributes:
        details: Those of the last heartbeat.
    """

    environment: Environment
    task: ActivityTask
    details: str | None = None

    @property
    def info(self) -> ActivityInfo:
        task, known = self.task, read_activity_id(self.task.activity_id)
        attempt = None if known is None else known.attempt
        kind = (task.activity_id, task.name, task.version)
        return ActivityInfo(*kind, task.workflow_id, task.run_id, attempt, self._last_heartbeat)

    @property
    def token(self) -> str:
        return self.task.token

    def heartbeat(self, details: str | None) -> bool:
        self.details = details
        attributes: dict[str, Any] = {} if details is None else {'details': details}
        answer = self.environment.service.call(
            'record_activity_task_heartbeat', taskToken=self.task.token, **attributes
        )
        return not answer['cancelRequested']

    def _last_heartbeat(self) -> str | None:
        known = read_activity_id(self.task.activity_id)
        if known is None or known.attempt == 1:
            return None
        return previous_details(self.environment.service, DOMAIN, self.task, known)


def play(part: Double, input: str | None, context: Any, stub: Any = NOTHING) -> tuple[Outcome, Stand]:
    """Calls a stub with an input, and returns its result.

    Args:
        part: Who is played.
        input: The serialized arguments.
        context: What an activity asks its worker.
        stub: The one of this call; the part's own, or its next, unless given.

    Raises:
        BaseException: What the stub raised that means the test: a failed assertion, a script that has ended.
    """
    stand = part.stand(stub)
    spec = ActivitySpec(Stand, part.proxy.name, str(part.proxy.version))
    outcome = run_activity(spec, input, context, lambda cls: stand)
    if stand.crash is not None:
        raise stand.crash
    return stand.failure or outcome, stand


@define(eq=False)
class StubRunner:
    """Answers activity tasks.

    Attributes:
        create: Makes instances of real activity classes.
        unanswered: The tasks that were begun and that nobody answers: suspended, and those of silent stubs.
    """

    environment: Environment
    create: Callable[[type], Any]
    unanswered: list[ActivityTask] = field(factory=list)

    def run_activity(self, task: ActivityTask) -> str:
        """Runs and answers one task.

        Raises:
            TesterError: There is neither a stub nor a class for its type, or the stub is wrong.
        """
        outcome = self._outcome(task)
        label = f'{task.name} {task.version}'
        if isinstance(outcome, Suspended):
            self.unanswered.append(task)
            return f'{label} does not answer'
        respond_activity(self.environment.service, task, outcome)
        return f'{label} {type(outcome).__name__.lower()}'

    def _outcome(self, task: ActivityTask) -> Outcome:
        part = self.environment.doubles.parts[('activity', task.name, task.version)]
        context = TaskContext(self.environment, task)
        if not part.is_stubbed:
            if not isinstance(part.spec, ActivitySpec):
                raise TesterError(f'the activity {task.name} {task.version} was scheduled, {part.missing()}')
            return copy_context().run(run_activity, part.spec, task.input, context, self.create)
        stub = part.given.pop((task.run_id, task.activity_id), NOTHING)
        outcome, stand = copy_context().run(play, part, task.input, context, stub)
        if stand.time_out is not None:
            check_strikes(self.environment.waiting(task.workflow_id, task.run_id, task.activity_id), stand.time_out)
        return outcome

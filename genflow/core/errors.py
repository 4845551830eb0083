"""Every exception of genflow, in one tree under :class:`GenflowError`.

Three families hang below it: what a task raises at its ``yield`` (:class:`TaskFailed`), what the engine raises
outside the user's generator (:class:`NondeterminismError` and its neighbours, which a worker holds), and what a
definition or a limit raises at the line that is wrong. Some exceptions stay outside the tree as ``BaseException``, so
that an ``except Exception`` in user code cannot eat them: :class:`Canceled` with :class:`WorkflowCanceled` and
:class:`BranchCanceled`, :class:`StopActivity` and :class:`SuspendTask`.
"""

from __future__ import annotations

from typing import Any

from genflow.core.durations import Duration, in_seconds
from genflow.core.text import short

__all__ = [
    'MAX_RETRY_LATER',
    'ActivityCanceled',
    'ActivityFailed',
    'ActivityTimedOut',
    'AlreadyStarted',
    'BranchCanceled',
    'CancelFailed',
    'Canceled',
    'ChildCanceled',
    'ChildFailed',
    'ChildTerminated',
    'ChildTimedOut',
    'CompensationFailed',
    'DefinitionError',
    'GenflowError',
    'GiveUp',
    'HistoryError',
    'LambdaFailed',
    'LambdaTimedOut',
    'NondeterminismError',
    'NotDecidedYet',
    'PayloadTooLarge',
    'RegistrationError',
    'RetryLater',
    'ScheduleFailed',
    'SignalFailed',
    'StopActivity',
    'SuspendTask',
    'TaskCanceled',
    'TaskFailed',
    'TaskTimeout',
    'UpdateFailed',
    'UpdateRefused',
    'WorkflowCanceled',
    'WorkflowStalled',
    'YieldError',
]


MAX_SHOWN = 1_000
"""Characters of one exception in the text of another one."""

MAX_RETRY_LATER = 31_536_000
"""Seconds of the longest timer of SWF, a year."""


class GenflowError(Exception):
    """The root of genflow's exceptions."""

    @property
    def report(self) -> str:
        """What it says, for those who have said already which execution it is about."""
        return str(self)


class TaskFailed(GenflowError):
    """A task did not give a result; raised at the ``yield`` that waits for it.

    Attributes:
        reason: What SWF recorded as the reason (at most 256 characters), or the kind of failure.
        details: What SWF recorded as the details, or ``None``.
        traceback: The remote traceback as text where the other side was genflow, else ``None``.
        task: The task that failed.
        names: Module and qualified name of the remote exception's class and of its bases, where they were recorded.
        retry_after: Seconds after which the other side asked to be tried again (``RetryLater``), else ``None``.
    """

    def __init__(
        self,
        reason: str | None = None,
        details: str | None = None,
        traceback: str | None = None,
        *,
        task: Any = None,
    ) -> None:
        super().__init__(reason, details)
        self.reason = reason
        self.details = details
        self.traceback = traceback
        self.task = task
        self.names: tuple[str, ...] = ()
        self.retry_after: float | None = None
        self._label: str | None = None

    def __reduce__(self) -> Any:
        """Leaves the task behind, which lives in its execution only, and takes its label along."""
        state = {**vars(self), 'task': None, '_label': self._labeled()}
        return _bare, (type(self), self.args), state

    def __copy__(self) -> TaskFailed:
        copied = _bare(type(self), self.args)
        vars(copied).update(vars(self))
        return copied

    def __deepcopy__(self, memo: Any) -> TaskFailed:
        return self.__copy__()

    def _labeled(self) -> str | None:
        return self._label if self.task is None else self.task.label

    @property
    def message(self) -> str:
        """What failed and why, without the remote traceback."""
        text = self.reason or type(self).__name__
        label = self._labeled()
        if label is not None:
            text = f'{label}: {text}'
        return f'{text} ({self.details})' if self.details and not self.traceback else text

    def __str__(self) -> str:
        return f'{self.message}\n\nremote traceback:\n{self.traceback.rstrip()}' if self.traceback else self.message


def _bare(cls: type[TaskFailed], args: tuple[Any, ...]) -> TaskFailed:
    """An error without its state, which whoever copies it sets."""
    error = cls.__new__(cls)
    error.args = args  # OSError, a base of time-outs, leaves them to its __init__
    return error


class ActivityFailed(TaskFailed):
    """The activity raised, or its worker answered that it failed."""


class ChildFailed(TaskFailed):
    """The child workflow failed."""


class ChildTerminated(TaskFailed):
    """The child workflow was terminated."""


class LambdaFailed(TaskFailed):
    """The Lambda function failed or could not be started."""


class SignalFailed(TaskFailed):
    """A signal to another execution could not be delivered."""


class UpdateFailed(TaskFailed):
    """An update was answered with a failure, or the execution closed without an answer."""


class UpdateRefused(UpdateFailed):
    """The validator of an update refused it."""


class CancelFailed(TaskFailed):
    """A cancel request to another execution could not be delivered."""


class ScheduleFailed(TaskFailed):
    """SWF refused to schedule the task; ``reason`` is the cause it recorded.

    Attributes:
        cause: SWF's own word, such as ``ACTIVITY_TYPE_DOES_NOT_EXIST``.
    """

    @property
    def cause(self) -> str | None:
        return self.reason


class TaskTimeout(TaskFailed, TimeoutError):
    """A task was not settled in time; also what ``.timeout(seconds)`` raises.

    Attributes:
        timeout_type: ``START_TO_CLOSE``, ``SCHEDULE_TO_START``, ``SCHEDULE_TO_CLOSE``, ``HEARTBEAT``, or ``None``
            where the workflow's own ``.timeout()`` struck.
    """

    def __init__(
        self,
        reason: str | None = None,
        details: str | None = None,
        traceback: str | None = None,
        *,
        task: Any = None,
        timeout_type: str | None = None,
    ) -> None:
        super().__init__(reason, details, traceback, task=task)
        self.timeout_type = timeout_type


class ActivityTimedOut(TaskTimeout):
    """SWF timed the activity out, after the attempts that its retry policy allows."""


class ChildTimedOut(TaskTimeout):
    """The child workflow ran into its execution time-out."""


class LambdaTimedOut(TaskTimeout):
    """The Lambda function ran into its time-out."""


class TaskCanceled(TaskFailed):
    """The task was cancelled, by the workflow or by the other side."""


class ActivityCanceled(TaskCanceled):
    """The activity answered that it was cancelled, or SWF cancelled it before it started."""


class ChildCanceled(TaskCanceled):
    """The child workflow closed as canceled."""


class NondeterminismError(GenflowError):
    """The code asks for something else than the history recorded.

    Raised out of the engine, never into the generator.

    Attributes:
        event_id: The event that does not agree, or ``None`` where the history has nothing to point at.
        execution: Type, workflow id and run id, with which the text begins.
    """

    def __init__(self, report: str, *, event_id: int | None = None, execution: str | None = None) -> None:
        super().__init__(report if execution is None else f'{execution}: {report}')
        self.event_id = event_id
        self.execution = execution
        self._report = report

    @property
    def report(self) -> str:
        return self._report


class WorkflowStalled(GenflowError):
    """An open execution waits for nothing that could ever happen."""


class YieldError(GenflowError, TypeError):
    """A workflow yielded something that cannot be waited for, or read a task that is not settled."""


class HistoryError(GenflowError):
    """A history cannot be read: a gap, a reference to an unknown event, a payload that does not decode."""


class DefinitionError(GenflowError, TypeError):
    """A workflow, activity, proxy or option is defined wrongly."""


class AlreadyStarted(GenflowError):
    """An execution of this workflow id is open already; SWF starts no second one.

    What a starter raises is the error of its SWF client as well: code that catches boto3's
    ``WorkflowExecutionAlreadyStartedFault`` goes on working.

    Attributes:
        workflow_id: The id.
    """

    def __init__(self, workflow_id: str) -> None:
        super().__init__(
            f'an execution with the workflow id {workflow_id!r} is open; wait until it has closed, choose another id, '
            "or join it with starter(..., if_open='join')"
        )
        self.workflow_id = workflow_id

    def __reduce__(self) -> Any:
        return AlreadyStarted, (self.workflow_id,), vars(self)  # not the client's class, which nobody can import


class RegistrationError(GenflowError):
    """A type cannot be registered, or is registered twice."""


class PayloadTooLarge(GenflowError, ValueError):
    """A payload is longer than the 32,768 characters that SWF takes."""


class NotDecidedYet(HistoryError):
    """A query came before the first decision of the execution, or of the run that a restart began: ask again later."""


class CompensationFailed(GenflowError):
    """Steps of a saga could not be undone.

    Attributes:
        errors: The exceptions, in the order in which the compensations ran.
        reason: The exception because of which the steps were undone; ``None`` if there was none.
    """

    def __init__(self, errors: list[BaseException], reason: BaseException | None = None) -> None:
        text = f'{len(errors)} compensation(s) failed: ' + '; '.join(short(error, MAX_SHOWN) for error in errors)
        why = '' if reason is None else f'. The steps were undone because of {short(reason, MAX_SHOWN)}'
        super().__init__(text + why)
        self.errors = errors
        self.reason = reason

    def __reduce__(self) -> Any:
        return type(self), (self.errors, self.reason), vars(self)


class RetryLater(GenflowError):
    """Raised in an activity: try again, after so many seconds at least.

    The attempts that the proxy's ``retry`` allows are the limit; for what it tries again does not matter.

    Attributes:
        seconds: For which the next attempt waits at least.
        reason: Why.
    """

    def __init__(self, seconds: Duration, reason: str = 'try again later') -> None:
        length = in_seconds(seconds)
        if isinstance(length, bool) or not isinstance(length, (int, float)) or not 0 <= length <= MAX_RETRY_LATER:
            raise DefinitionError(
                f'RetryLater() was given {seconds!r}; it takes 0 to {MAX_RETRY_LATER:,} seconds, or a timedelta'
            )
        super().__init__(length, reason)
        self.seconds = length
        self.reason = reason

    def __str__(self) -> str:
        return f'{self.reason} (in {self.seconds:g} s)'


class GiveUp(GenflowError):
    """Raised in an activity: do not try again, whatever the proxy's ``retry`` says."""


class Canceled(BaseException):
    """Thrown at the ``yield`` of a branch that is cancelled, at most once a branch.

    Catch it to clean up, with calls and yields, and raise it again.
    """

    @property
    def details(self) -> str | None:
        """The first argument as text, or ``None``."""
        return str(self.args[0]) if self.args and self.args[0] is not None else None


class WorkflowCanceled(Canceled):
    """The cancellation of the execution was requested.

    Where it leaves ``run``, the execution closes as canceled. ``raise WorkflowCanceled('why')`` does the same without
    a request; its text becomes the details of the close, and of the parent's :class:`ChildCanceled`.
    """


class BranchCanceled(Canceled):
    """This branch was cancelled: by ``cancel()``, by a time-out, as a loser, or because ``run`` ended."""


class StopActivity(BaseException):
    """Raised in an activity: stop now, and answer the task as canceled.

    Attributes:
        details: What ``ActivityTaskCanceled`` is to carry, text of at most 32,768 characters.
    """

    def __init__(self, details: str | None = None) -> None:
        super().__init__(details)
        self.details = details


class SuspendTask(BaseException):
    """Raised in an activity: free the worker, the answer comes later by the task's token."""

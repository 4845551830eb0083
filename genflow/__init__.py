"""Durable workflows as Python generators, on Amazon SWF and on an embedded service."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .core.activity import Activity, ActivityInfo
from .core.combinators import all_of, any_of, first_success
from .core.errors import (
    ActivityCanceled,
    ActivityFailed,
    ActivityTimedOut,
    ChildCanceled,
    ChildFailed,
    ChildTerminated,
    ChildTimedOut,
    CompensationFailed,
    DefinitionError,
    GenflowError,
    HistoryError,
    LambdaFailed,
    LambdaTimedOut,
    NondeterminismError,
    PayloadTooLarge,
    RegistrationError,
    ScheduleFailed,
    SignalFailed,
    StopActivity,
    SuspendTask,
    TaskCanceled,
    TaskFailed,
    TaskTimeout,
    WorkflowCanceled,
    WorkflowStalled,
    YieldError,
)
from .core.proxies import ActivityProxy, LambdaProxy, WorkflowProxy
from .core.queries import query
from .core.retry import Retry
from .core.saga import Saga
from .core.signals import Signal
from .core.slots import as_completed
from .core.tasks import Steps, Task
from .core.workflow import Workflow

if TYPE_CHECKING:
    from .swf.client import Client, Execution
    from .swf.scanner import activity, workflow
    from .tools.runner import run

__all__ = [
    'Activity',
    'ActivityCanceled',
    'ActivityFailed',
    'ActivityInfo',
    'ActivityProxy',
    'ActivityTimedOut',
    'ChildCanceled',
    'ChildFailed',
    'ChildTerminated',
    'ChildTimedOut',
    'Client',
    'CompensationFailed',
    'DefinitionError',
    'Execution',
    'GenflowError',
    'HistoryError',
    'LambdaFailed',
    'LambdaProxy',
    'LambdaTimedOut',
    'NondeterminismError',
    'PayloadTooLarge',
    'RegistrationError',
    'Retry',
    'Saga',
    'ScheduleFailed',
    'Signal',
    'SignalFailed',
    'Steps',
    'StopActivity',
    'SuspendTask',
    'Task',
    'TaskCanceled',
    'TaskFailed',
    'TaskTimeout',
    'Workflow',
    'WorkflowCanceled',
    'WorkflowProxy',
    'WorkflowStalled',
    'YieldError',
    'activity',
    'all_of',
    'any_of',
    'as_completed',
    'first_success',
    'query',
    'run',
    'workflow',
]

_LAZY = {
    'Client': 'genflow.swf.client',
    'Execution': 'genflow.swf.client',
    'activity': 'genflow.swf.scanner',
    'run': 'genflow.tools.runner',
    'workflow': 'genflow.swf.scanner',
}


def __getattr__(name: str) -> Any:
    """Loads what needs more than the core when it is asked for."""
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

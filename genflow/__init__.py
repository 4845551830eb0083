"""Durable workflows as Python generators, on Amazon SWF and on an embedded service."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from genflow.core.authoring.activity import Activity, ActivityInfo
from genflow.core.authoring.proxies import ActivityProxy, LambdaProxy, WorkflowProxy
from genflow.core.authoring.queries import query
from genflow.core.authoring.workflow import Workflow
from genflow.core.errors import (
    ActivityCanceled,
    ActivityFailed,
    ActivityTimedOut,
    AlreadyStarted,
    BranchCanceled,
    Canceled,
    CancelFailed,
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
    NotDecidedYet,
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
from genflow.core.model.retry import Retry
from genflow.core.tasks.as_completed import as_completed
from genflow.core.tasks.combinators import all_of, any_of, first_success
from genflow.core.tasks.first_of import first_of
from genflow.core.tasks.future import Future
from genflow.core.tasks.saga import Saga
from genflow.core.tasks.signals import Signal
from genflow.core.tasks.task import Steps, Task

if TYPE_CHECKING:
    from genflow.core.model.cron import cron
    from genflow.swf.client.async_client import AsyncClient, AsyncExecution
    from genflow.swf.client.handles import Client, Execution
    from genflow.swf.scanner import activity, workflow
    from genflow.tools.run.runner import run

__all__ = [
    'Activity',
    'ActivityCanceled',
    'ActivityFailed',
    'ActivityInfo',
    'ActivityProxy',
    'ActivityTimedOut',
    'AlreadyStarted',
    'AsyncClient',
    'AsyncExecution',
    'BranchCanceled',
    'CancelFailed',
    'Canceled',
    'ChildCanceled',
    'ChildFailed',
    'ChildTerminated',
    'ChildTimedOut',
    'Client',
    'CompensationFailed',
    'DefinitionError',
    'Execution',
    'Future',
    'GenflowError',
    'HistoryError',
    'LambdaFailed',
    'LambdaProxy',
    'LambdaTimedOut',
    'NondeterminismError',
    'NotDecidedYet',
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
    'cron',
    'first_of',
    'first_success',
    'query',
    'run',
    'workflow',
]

_LAZY = {
    'AsyncClient': 'genflow.swf.client.async_client',
    'AsyncExecution': 'genflow.swf.client.async_client',
    'Client': 'genflow.swf.client.handles',
    'Execution': 'genflow.swf.client.handles',
    'activity': 'genflow.swf.scanner',
    'cron': 'genflow.core.model.cron',
    'run': 'genflow.tools.run.runner',
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

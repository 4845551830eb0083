"""Durable workflows as Python generators, on Amazon SWF and on an embedded service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genflow.lazy_names import lazy_names

if TYPE_CHECKING:
    from genflow.core.authoring.activity import Activity, ActivityInfo, current_activity
    from genflow.core.authoring.middleware import Middleware
    from genflow.core.authoring.proxies import ActivityProxy, LambdaProxy, WorkflowProxy
    from genflow.core.authoring.queries import query
    from genflow.core.authoring.updates import update
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
        GiveUp,
        HistoryError,
        LambdaFailed,
        LambdaTimedOut,
        NondeterminismError,
        NotDecidedYet,
        PayloadTooLarge,
        RegistrationError,
        RetryLater,
        ScheduleFailed,
        SignalFailed,
        StopActivity,
        SuspendTask,
        TaskCanceled,
        TaskFailed,
        TaskTimeout,
        UpdateFailed,
        UpdateRefused,
        WorkflowCanceled,
        WorkflowStalled,
        YieldError,
    )
    from genflow.core.model.cron import cron
    from genflow.core.model.retry import Retry
    from genflow.core.tasks.as_completed import as_completed
    from genflow.core.tasks.combinators import all_of, any_of, first_success
    from genflow.core.tasks.first_of import first_of
    from genflow.core.tasks.future import Future
    from genflow.core.tasks.saga import Saga
    from genflow.core.tasks.signals import Signal
    from genflow.core.tasks.task import Steps, Task
    from genflow.swf.client.async_client import AsyncClient, AsyncExecution
    from genflow.swf.client.execution import Execution
    from genflow.swf.client.handles import Client
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
    'GiveUp',
    'HistoryError',
    'LambdaFailed',
    'LambdaProxy',
    'LambdaTimedOut',
    'Middleware',
    'NondeterminismError',
    'NotDecidedYet',
    'PayloadTooLarge',
    'RegistrationError',
    'Retry',
    'RetryLater',
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
    'UpdateFailed',
    'UpdateRefused',
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
    'current_activity',
    'first_of',
    'first_success',
    'query',
    'run',
    'update',
    'workflow',
]

_LAZY = {
    'Activity': 'genflow.core.authoring.activity',
    'ActivityCanceled': 'genflow.core.errors',
    'ActivityFailed': 'genflow.core.errors',
    'ActivityInfo': 'genflow.core.authoring.activity',
    'ActivityProxy': 'genflow.core.authoring.proxies',
    'ActivityTimedOut': 'genflow.core.errors',
    'AlreadyStarted': 'genflow.core.errors',
    'AsyncClient': 'genflow.swf.client.async_client',
    'AsyncExecution': 'genflow.swf.client.async_client',
    'BranchCanceled': 'genflow.core.errors',
    'CancelFailed': 'genflow.core.errors',
    'Canceled': 'genflow.core.errors',
    'ChildCanceled': 'genflow.core.errors',
    'ChildFailed': 'genflow.core.errors',
    'ChildTerminated': 'genflow.core.errors',
    'ChildTimedOut': 'genflow.core.errors',
    'Client': 'genflow.swf.client.handles',
    'CompensationFailed': 'genflow.core.errors',
    'DefinitionError': 'genflow.core.errors',
    'Execution': 'genflow.swf.client.execution',
    'Future': 'genflow.core.tasks.future',
    'GenflowError': 'genflow.core.errors',
    'GiveUp': 'genflow.core.errors',
    'HistoryError': 'genflow.core.errors',
    'LambdaFailed': 'genflow.core.errors',
    'LambdaProxy': 'genflow.core.authoring.proxies',
    'LambdaTimedOut': 'genflow.core.errors',
    'Middleware': 'genflow.core.authoring.middleware',
    'NondeterminismError': 'genflow.core.errors',
    'NotDecidedYet': 'genflow.core.errors',
    'PayloadTooLarge': 'genflow.core.errors',
    'RegistrationError': 'genflow.core.errors',
    'Retry': 'genflow.core.model.retry',
    'RetryLater': 'genflow.core.errors',
    'Saga': 'genflow.core.tasks.saga',
    'ScheduleFailed': 'genflow.core.errors',
    'Signal': 'genflow.core.tasks.signals',
    'SignalFailed': 'genflow.core.errors',
    'Steps': 'genflow.core.tasks.task',
    'StopActivity': 'genflow.core.errors',
    'SuspendTask': 'genflow.core.errors',
    'Task': 'genflow.core.tasks.task',
    'TaskCanceled': 'genflow.core.errors',
    'TaskFailed': 'genflow.core.errors',
    'TaskTimeout': 'genflow.core.errors',
    'UpdateFailed': 'genflow.core.errors',
    'UpdateRefused': 'genflow.core.errors',
    'Workflow': 'genflow.core.authoring.workflow',
    'WorkflowCanceled': 'genflow.core.errors',
    'WorkflowProxy': 'genflow.core.authoring.proxies',
    'WorkflowStalled': 'genflow.core.errors',
    'YieldError': 'genflow.core.errors',
    'activity': 'genflow.swf.scanner',
    'all_of': 'genflow.core.tasks.combinators',
    'any_of': 'genflow.core.tasks.combinators',
    'as_completed': 'genflow.core.tasks.as_completed',
    'cron': 'genflow.core.model.cron',
    'current_activity': 'genflow.core.authoring.activity',
    'first_of': 'genflow.core.tasks.first_of',
    'first_success': 'genflow.core.tasks.combinators',
    'query': 'genflow.core.authoring.queries',
    'update': 'genflow.core.authoring.updates',
    'run': 'genflow.tools.run.runner',
    'workflow': 'genflow.swf.scanner',
}
"""Where each name is; its module is imported when the name is asked for."""

__getattr__, __dir__ = lazy_names(__name__, _LAZY)

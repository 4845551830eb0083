"""The options that proxies, calls and starters take, for type checkers: a name that there is not is found by them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict

from genflow.core.durations import Duration
from genflow.core.model.retry import Retry

__all__ = ['ActivityProxyOptions', 'CallOptions', 'ChildProxyOptions', 'NextRunOptions', 'StartOptions']


class _Common(TypedDict, total=False):
    task_list: str | None
    retry: int | Retry | Sequence[Retry] | None
    delay: Duration
    error_handling: bool
    raises: type[BaseException] | Iterable[type[BaseException]]
    priority: int | None


class _Activity(TypedDict, total=False):
    heartbeat: Duration | None
    schedule_to_close: Duration | None
    schedule_to_start: Duration | None
    start_to_close: Duration | None


class StartOptions(TypedDict, total=False):
    """What a starter takes besides the class."""

    workflow_id: str | None
    task_list: str | None
    decision_duration: Duration | None
    workflow_duration: Duration | None
    child_policy: str | None
    priority: int | None
    tags: str | Iterable[str] | None
    lambda_role: str | None
    transport: Any


class NextRunOptions(TypedDict, total=False):
    """What a restart may say of the next run."""

    version: str | int | None
    task_list: str | None
    decision_duration: Duration | None
    workflow_duration: Duration | None
    child_policy: str | None
    priority: int | None
    tags: str | Iterable[str] | None
    lambda_role: str | None


class _Child(TypedDict, total=False):
    decision_duration: Duration | None
    workflow_duration: Duration | None
    workflow_id: str | None
    tags: str | Iterable[str] | None
    child_policy: str | None
    lambda_role: str | None


class CallOptions(_Common, _Activity, _Child, total=False):
    """What a block of options, or ``with_options``, may override."""


class ActivityProxyOptions(_Common, _Activity, total=False):
    """What a proxy of an activity takes besides name and version."""

    transport: Any


class ChildProxyOptions(_Common, _Child, total=False):
    """What a proxy of a workflow takes besides name and version."""

    transport: Any

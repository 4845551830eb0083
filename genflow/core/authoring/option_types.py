"""The options of proxies, calls and starters as typed dicts, so that type checkers report unknown names."""

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


class _Run(TypedDict, total=False):
    task_list: str | None
    decision_duration: Duration | None
    workflow_duration: Duration | None
    child_policy: str | None
    priority: int | None
    tags: str | Iterable[str] | None
    lambda_role: str | None


class StartOptions(_Run, total=False):
    """The options of a starter."""

    workflow_id: str | None
    transport: Any


class NextRunOptions(_Run, total=False):
    """The options of a restart."""

    version: str | int | None


class _Child(TypedDict, total=False):
    decision_duration: Duration | None
    workflow_duration: Duration | None
    workflow_id: str | None
    tags: str | Iterable[str] | None
    child_policy: str | None
    lambda_role: str | None


class CallOptions(_Common, _Activity, _Child, total=False):
    """The options that ``with self.options(...)`` and ``with_options`` can override."""


class ActivityProxyOptions(_Common, _Activity, total=False):
    """The options of an activity proxy besides name and version."""

    transport: Any


class ChildProxyOptions(_Common, _Child, total=False):
    """The options of a workflow proxy besides name and version."""

    transport: Any

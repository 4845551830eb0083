"""Adds the ids of the task (workflow id, run id, activity id, attempt) to log records of a worker's threads.

While a thread of a worker handles a task, `add_task`, a filter for any handler, sets these attributes of the records
that the thread makes, in whichever logger: ``workflow_id``, ``run_id``, ``activity_id`` and ``attempt``. Outside of a
task, or if one does not apply, they are ``None``, so that every format can use them::

    handler.addFilter(genflow.swf.worker.log_context.add_task)
    handler.setFormatter(logging.Formatter('%(workflow_id)s %(activity_id)s %(message)s'))
"""

from __future__ import annotations

import logging
from contextvars import ContextVar, Token

from genflow.swf.tasks.polled_tasks import ActivityTask, DecisionTask

__all__ = ['TASK_ATTRIBUTES', 'about', 'add_task', 'begin_task']

TASK_ATTRIBUTES = ('workflow_id', 'run_id', 'activity_id', 'attempt')

_task: ContextVar[DecisionTask | ActivityTask | None] = ContextVar('task', default=None)


class about:  # noqa: N801 - used like a function, as contextlib's are
    """A context manager in which the log records of this thread have the ids of a task."""

    __slots__ = ('_before', '_subject')

    def __init__(self, task: DecisionTask | ActivityTask) -> None:
        self._subject = task

    def __enter__(self) -> None:
        self._before: Token[DecisionTask | ActivityTask | None] = _task.set(self._subject)

    def __exit__(self, *exception: object) -> None:
        _task.reset(self._before)


def begin_task(task: DecisionTask | ActivityTask) -> None:
    """As :class:`about`, for a context that is of this task alone and ends with it."""
    _task.set(task)


def add_task(record: logging.LogRecord) -> bool:
    """A logging filter that passes every record and adds the ids of its task."""
    task = _task.get()
    activity_id = task.activity_id if isinstance(task, ActivityTask) else None
    attempt = (activity_id or '').rpartition('.')[2]
    record.workflow_id = None if task is None else task.workflow_id
    record.run_id = None if task is None else task.run_id
    record.activity_id = activity_id
    record.attempt = int(attempt) if attempt.isdecimal() and activity_id != attempt else None
    return True

"""Which task a log record is about: workflow id, run id, activity id and attempt, in every record of a worker's thread.

While a thread of a worker handles a task, `add_task`, a filter for any handler, sets these attributes of the records
that the thread makes, in whichever logger: ``workflow_id``, ``run_id``, ``activity_id`` and ``attempt``. Outside of a
task, and for what does not apply, they are ``None``, so that a format may name them always::

    handler.addFilter(genflow.swf.worker.log_context.add_task)
    handler.setFormatter(logging.Formatter('%(workflow_id)s %(activity_id)s %(message)s'))
"""

from __future__ import annotations

import logging
from contextvars import ContextVar, Token

from genflow.swf.tasks.polled_tasks import ActivityTask, DecisionTask

__all__ = ['TASK_ATTRIBUTES', 'about', 'add_task']

TASK_ATTRIBUTES = ('workflow_id', 'run_id', 'activity_id', 'attempt')

_task: ContextVar[DecisionTask | ActivityTask | None] = ContextVar('task', default=None)


class about:  # noqa: N801 - used like a function, as contextlib's are
    """Has the records that this thread makes be about a task; a context manager for one ``with``."""

    __slots__ = ('_before', '_subject')

    def __init__(self, task: DecisionTask | ActivityTask) -> None:
        self._subject = task
        self._before: Token[DecisionTask | ActivityTask | None] | None = None

    def __enter__(self) -> None:
        self._before = _task.set(self._subject)

    def __exit__(self, *exception: object) -> None:
        if self._before is not None:
            _task.reset(self._before)


def add_task(record: logging.LogRecord) -> bool:
    """A filter that lets everything pass, and says of each record which task it is about."""
    task = _task.get()
    activity_id = task.activity_id if isinstance(task, ActivityTask) else None
    attempt = (activity_id or '').rpartition('.')[2]
    record.workflow_id = None if task is None else task.workflow_id
    record.run_id = None if task is None else task.run_id
    record.activity_id = activity_id
    record.attempt = int(attempt) if attempt.isdecimal() and activity_id != attempt else None
    return True

"""The log of ``genflow worker``: one record on a line, as text or as JSON, with the ids of its task."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timezone
from typing import Any

from genflow.swf.worker.log_context import TASK_ATTRIBUTES, add_task
from genflow.tools.text.terminal_text import escape_controls

__all__ = ['FORMATS', 'LEVELS', 'set_up']

LEVELS = ('debug', 'info', 'warning', 'error')


class TextFormatter(logging.Formatter):
    """A record for people; control characters in it are escaped."""

    def __init__(self) -> None:
        super().__init__('%(asctime)s %(levelname)s %(name)s: %(message)s')

    def format(self, record: logging.LogRecord) -> str:
        return escape_controls(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - as logging calls it
        return super().formatMessage(record) + _task_text(record)


def _task_text(record: logging.LogRecord) -> str:
    known = {name: getattr(record, name, None) for name in TASK_ATTRIBUTES}
    shown = ' '.join(f'{name}={value}' for name, value in known.items() if value is not None)
    return f' [{shown}]' if shown else ''


class JsonFormatter(logging.Formatter):
    """A record for programs: an object with time, level, logger, message, the task, and the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec='milliseconds')
        found: dict[str, Any] = {
            'time': when,
            'level': record.levelname.lower(),
            'logger': record.name,
            'message': record.getMessage(),
        }
        found.update({name: getattr(record, name, None) for name in TASK_ATTRIBUTES})
        if record.exc_info:
            found['traceback'] = self.formatException(record.exc_info)
        return json.dumps({name: value for name, value in found.items() if value is not None})


FORMATS: dict[str, type[logging.Formatter]] = {'text': TextFormatter, 'json': JsonFormatter}


def set_up(log_format: str, level: str) -> None:
    """Writes the log to stderr, unless the loaded program has set up logging itself."""
    handler = logging.StreamHandler()
    handler.setFormatter(FORMATS[log_format]())
    handler.addFilter(add_task)
    logging.basicConfig(level=level.upper(), handlers=[handler])
    logging.getLogger('botocore').setLevel(logging.WARNING)  # the source of credentials is not of interest

"""Logging of a worker in a program of your own: JSON lines, each with the task that it is about."""

from __future__ import annotations

import json
import logging
import logging.config

from genflow.swf.worker.log_context import TASK_ATTRIBUTES, add_task


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {'time': self.formatTime(record), 'level': record.levelname, 'logger': record.name}
        line['message'] = record.getMessage()
        if record.exc_info:
            line['traceback'] = self.formatException(record.exc_info)
        line.update({name: value for name in TASK_ATTRIBUTES if (value := getattr(record, name, None)) is not None})
        return json.dumps(line)


CONFIG = {
    'version': 1,
    'disable_existing_loggers': False,
    'filters': {'task': {'()': lambda: add_task}},
    'formatters': {'json': {'()': JsonLines}},
    'handlers': {
        'stderr': {'class': 'logging.StreamHandler', 'filters': ['task'], 'formatter': 'json'},
    },
    'root': {'level': 'INFO', 'handlers': ['stderr']},
    'loggers': {
        'genflow.workflow': {'level': 'INFO'},  # what self.logger of workflows writes
        'genflow.activity': {'level': 'INFO'},  # what Activity.logger writes
        'botocore': {'level': 'WARNING'},
    },
}


def set_up() -> None:
    logging.config.dictConfig(CONFIG)

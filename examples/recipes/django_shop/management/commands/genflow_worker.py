"""``python manage.py genflow_worker``: deciders and activities, with Django set up."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from django_shop.workflows import Buy, write_receipt
from genflow.swf.worker import Worker


class Command(BaseCommand):
    help = 'Works for the task list django until SIGTERM or Ctrl-C.'

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument('--max-tasks', type=int, help='end after so many tasks')

    def handle(self, *args: Any, **options: Any) -> None:
        worker = Worker(
            settings.GENFLOW_DOMAIN,
            'django',
            settings.GENFLOW_SERVICE,
            registry=[Buy, write_receipt],
            max_tasks=options['max_tasks'],
        )
        worker.stop_on_signals(drain=25)  # less than the patience of whoever stops it
        worker.run()

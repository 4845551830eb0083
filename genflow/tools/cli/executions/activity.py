"""``genflow activity``: answers an activity task from a shell, by the token of the task."""

from __future__ import annotations

import json

import click

from genflow.tools.cli.inputs import TAKES_NEGATIVES, value_input
from genflow.tools.cli.services import client_of, layer1_options

__all__ = ['command']


@click.group('activity')
def command() -> None:
    """Answer a task whose activity left its worker (SuspendTask), by its token."""


@command.command('complete', context_settings=TAKES_NEGATIVES)
@click.argument('token')
@click.argument('result', required=False, type=click.UNPROCESSED)
@layer1_options
def complete(*, token: str, result: str | None, endpoint: str | None, db: str | None) -> None:
    """Complete the task with RESULT: JSON, or plain text."""
    request = {'taskToken': token, 'result': json.dumps(value_input(result))}
    with client_of(endpoint, db, **request) as client:
        client.respond_activity_task_completed(**request)


@command.command('fail')
@click.argument('token')
@click.argument('reason')
@click.option('--details', help='Details of the failure, at most 32,768 characters.')
@layer1_options
def fail(*, token: str, reason: str, details: str | None, endpoint: str | None, db: str | None) -> None:
    """Fail the task for REASON, at most 256 characters."""
    request = {'taskToken': token, 'reason': reason} | ({'details': details} if details else {})
    with client_of(endpoint, db, **request) as client:
        client.respond_activity_task_failed(**request)


@command.command('heartbeat')
@click.argument('token')
@click.argument('details', required=False)
@layer1_options
def heartbeat(*, token: str, details: str | None, endpoint: str | None, db: str | None) -> None:
    """Record a heartbeat, and print whether the cancellation of the task was requested."""
    request = {'taskToken': token} | ({'details': details} if details else {})
    with client_of(endpoint, db, **request) as client:
        requested = client.record_activity_task_heartbeat(**request)['cancelRequested']
    click.echo('cancel requested' if requested else 'go on')

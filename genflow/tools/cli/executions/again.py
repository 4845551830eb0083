"""``genflow rerun`` and ``genflow debug``: start an execution again, or step through one of its decisions."""

from __future__ import annotations

from typing import Any

import click

from genflow.tools.cli.completing import complete_ids
from genflow.tools.cli.executions.actions import run_of
from genflow.tools.cli.services import client_of, service_options

__all__ = ['debug', 'rerun']


@click.command('rerun')
@click.argument('workflow_id', metavar='ID', shell_complete=complete_ids)
@click.option('--run-id', help='The run id. Default: the open run, or else the latest.')
@click.option('--id', 'new_id', help='The workflow id of the new execution. Default: the same id.')
@service_options
def rerun(
    *, workflow_id: str, run_id: str | None, new_id: str | None, domain: str, endpoint: str | None, db: str | None
) -> None:
    """Start a new execution with the input and the settings of the execution ID, and print its ids.

    The tag rerun-of:RUN names the run whose input it has. Without --id, the old execution has to be closed.
    """
    from genflow.tools.executions.rerun import MAX_TAGS, request_of

    with client_of(endpoint, db, domain=domain) as client:
        run = run_of(client, domain, workflow_id, run_id)
        begun = run.first()
        request = request_of(begun, run.run_id) | {'domain': domain, 'workflowId': new_id or workflow_id}
    with client_of(endpoint, db, **request) as client:
        new_run_id = client.start_workflow_execution(**request)['runId']
    if len(request['tagList']) == len(begun.get('tagList') or ()):
        click.echo(f'genflow: it already has {MAX_TAGS} tags, so no tag names the execution that it reruns', err=True)
    click.echo(f'{request["workflowId"]} {new_run_id}')


@click.command('debug')
@click.argument('workflow_id', required=False, metavar='ID', shell_complete=complete_ids)
@click.argument('target', required=False)
@click.option(
    '--at',
    'event_id',
    type=int,
    help='Step through the decision that this event belongs to. Default: the one to be made, or else the last.',
)
@click.option('--run-id', help='The run id. Default: the open run, or else the latest.')
@click.option(
    '--file',
    'path',
    type=click.Path(dir_okay=False, exists=True),
    help='Read the history from a JSON file instead of a service.',
)
@service_options
@click.pass_context
def debug(ctx: click.Context, /, **options: Any) -> None:
    """Replay the execution ID up to an event, and stop in the code of TARGET with the Python debugger.

    Calls return their recorded results. No side effect is repeated, and nothing is sent.
    """
    from genflow.tools.cli.executions.debugging import debug_decision

    debug_decision(ctx, **options)

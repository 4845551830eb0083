"""``genflow why``: explains what an execution does, where its code stands, and why it makes no progress."""

from __future__ import annotations

from typing import Any

import click

from genflow.tools.cli.completing import complete_ids
from genflow.tools.cli.services import read_only_option, service_options

__all__ = ['command']


@click.command('why')
@click.argument('workflow_id', required=False, metavar='ID', shell_complete=complete_ids)
@click.argument('target', required=False)
@click.option('--run-id', help='The run id. Default: the open run, or else the latest.')
@click.option(
    '--file',
    'path',
    type=click.Path(dir_okay=False, exists=True),
    help='Read the history from a JSON file instead of a service.',
)
@click.option('--at', help='With --file: the present time, ISO 8601. Default: the time of the last event.')
@click.option(
    '--if',
    'supposed',
    multiple=True,
    metavar='WHAT',
    help="Show what the code would do next if this happened: 'fail Ship', 'fire 3'.",
)
@click.option(
    '--all', 'everything', is_flag=True, help='Explain every open execution of the domain, one line per cause.'
)
@click.option('--json', 'as_json', is_flag=True, help='Print the findings as JSON.')
@read_only_option
@service_options
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    """Explain what the execution ID does, what happens next, and why it makes no progress.

    With TARGET, the file or module of its code, the command replays the history and shows each branch with its line.
    Exit code 0 if nothing is wrong, 7 if something is.
    """
    from genflow.tools.cli.executions.explaining import explain

    explain(ctx, **options)

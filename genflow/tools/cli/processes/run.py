"""``genflow run``: runs a workflow to its end on the embedded service.

Only the result goes to stdout, so that another program can read it. Progress goes to stderr: in place on a terminal,
line by line in a pipe.

Theory of operation of ``--processes``. The supervisor has the file and imports no user code. It starts this command
anew for each process, with a *part*: ``shows`` repairs or starts the execution, follows it and prints the result;
``helps`` only works. Both run activities and decide.
"""

from __future__ import annotations

from typing import Any

import click

from genflow.tools.cli.inputs import TAKES_NEGATIVES, input_options
from genflow.tools.cli.parameters import MAX_THREADS, MOMENT, PROCESSES, SECONDS, WORKFLOW_ID
from genflow.tools.cli.settings import setting_options

__all__ = ['command']


@click.command('run', context_settings=TAKES_NEGATIVES)
@click.argument('target')
@input_options
@setting_options('db', help='Keep the executions in this file. Default: in memory.')
@click.option(
    '--id', 'workflow_id', type=WORKFLOW_ID, help='The workflow id. An open execution with this id is continued.'
)
@click.option(
    '--activities',
    default=8,
    show_default=True,
    type=click.IntRange(1, MAX_THREADS),
    help='Activities that run at a time.',
)
@click.option(
    '--processes',
    type=PROCESSES,
    help='Run in so many processes, for activities that compute; each then runs one activity at a time.',
)
@click.option(
    '--drain', default=30.0, show_default=True, type=SECONDS, help='With --processes: seconds to finish in at Ctrl-C.'
)
@click.option('--part', type=click.Choice(['shows', 'helps']), hidden=True)
@click.option('--since', type=MOMENT, hidden=True, help='Start time of the supervisor, in seconds since the epoch.')
@click.option('--kept/--unkept', 'is_kept', default=True, hidden=True, help='Whether the file stays.')
@click.option(
    '--repair/--anew',
    default=None,
    help='If the execution --id has failed: continue where it failed, or start again. '
    'Default: continue if that is safe.',
)
@setting_options('middleware', 'verbose', 'quiet')
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    """Run a workflow to its end on the embedded service, in this process or in several.

    TARGET is file.py, file.py:Class or module:Class. ARGS, and the values of --kwarg, are JSON, or plain text. The
    result is printed as JSON.

    Exit codes: 0 completed, 1 internal error, 2 wrong usage, 3 did not complete or cannot continue, 130 Ctrl-C.
    """
    from genflow.tools.cli.processes.running import run

    run(ctx, **options)

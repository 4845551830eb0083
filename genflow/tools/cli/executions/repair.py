"""``genflow repair``: continues a failed execution of the embedded service from where it failed."""

from __future__ import annotations

from typing import Any

import click

from genflow.tools.cli.completing import complete_ids, complete_types
from genflow.tools.cli.parameters import MOMENT
from genflow.tools.cli.services import service_options

__all__ = ['command']


@click.command('repair')
@click.argument('workflow_id', required=False, metavar='ID', shell_complete=complete_ids)
@click.argument('target', required=False)
@click.option('--run-id', help='The run id. Default: the latest run.')
@click.option(
    '--from', 'before', type=int, metavar='EVENT', help='Trust only decisions that completed before this event.'
)
@click.option('--force', is_flag=True, help='Continue although calls were made after the last trusted event.')
@click.option('--dry-run', is_flag=True, help='Show what would be done, without doing it.')
@click.option(
    '--all',
    'everything',
    is_flag=True,
    help='Repair all executions that the options below select. Without --yes, only list them.',
)
@click.option('--yes', is_flag=True, help='With --all: carry out the repairs.')
@click.option(
    '--type', 'type_name', shell_complete=complete_types, help='With --all: only executions of this workflow type.'
)
@click.option('--failed', 'failed_only', is_flag=True, help='With --all: only failed executions.')
@click.option('--since', type=MOMENT, help='With --all: only executions closed since then: 2h (ago), 7d, or ISO 8601.')
@click.option('--reason-like', help='With --all: only if the failure reason contains this text; ignores case.')
@service_options
def command(**options: Any) -> None:
    """Continue the failed execution ID as a new run of the same workflow id, and print its ids.

    The new run begins with the history up to the decision before the failure took effect. Completed calls keep their
    results; calls that were open or failed are made again. With TARGET, the command first checks that the code follows
    that history.

    --all continues the latest run of each workflow id that the options select. Without --yes it only shows what it
    would do.
    """
    from genflow.tools.cli.executions.repairing import repair

    repair(**options)

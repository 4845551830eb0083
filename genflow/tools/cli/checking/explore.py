"""``genflow explore``: tries the possible orders of events to find one that breaks a workflow."""

from __future__ import annotations

from typing import Any

import click

from genflow.testing.explorer.settings import BUDGET, JUDGE_NAMES, MAX_FAULTS
from genflow.tools.cli.inputs import TAKES_NEGATIVES, input_options
from genflow.tools.cli.parameters import PROCESSES

__all__ = ['command']


@click.command('explore', context_settings=TAKES_NEGATIVES)
@click.argument('target')
@input_options
@click.option(
    '--stub', 'stubs', multiple=True, metavar='NAME=VALUE', help='The result of an activity or child, as JSON.'
)
@click.option(
    '--signal',
    'signals',
    multiple=True,
    metavar='NAME=VALUES',
    help='A signal that arrives: a JSON list of its values.',
)
@click.option(
    '--check', metavar='MODULE:NAME', help='A function that is called at the end of each run; false means a bug.'
)
@click.option(
    '--always',
    metavar='MODULE:NAME',
    help='A function that is called with the workflow after every decision; false means a bug.',
)
@click.option(
    '--faults', default=MAX_FAULTS, show_default=True, type=click.IntRange(0), help='The most faults in one run.'
)
@click.option('--budget', default=BUDGET, show_default=True, type=click.IntRange(1), help='Runs to try.')
@click.option('--seconds', type=click.FloatRange(0), help='Seconds to spend on the exploration.')
@click.option('--seed', default=0, show_default=True, help='Seed of the random orders.')
@click.option(
    '--jobs',
    default=1,
    show_default=True,
    type=PROCESSES,
    help='Number of processes: the first tries orders in turn, the others random ones.',
)
@click.option(
    '--without', multiple=True, type=click.Choice(sorted(JUDGE_NAMES)), help='Skip this judge; may be repeated.'
)
@click.option('--schedule', help='Replay this schedule.')
@click.option('--svg', type=click.Path(dir_okay=False), help='Draw what was found into this SVG file.')
@click.option('--json', 'as_json', is_flag=True, help='Print the report as JSON.')
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    """Try the orders in which SWF may deliver events to a workflow, and check each of them.

    TARGET is file.py, file.py:Class or module:Class. ARGS are JSON, or plain text.

    Exit codes: 0 no check failed, 8 a check failed in some order, 2 wrong usage, 130 Ctrl-C before a check failed.
    """
    from genflow.tools.cli.checking.exploring import explore

    explore(ctx, **options)

"""``genflow show``, ``timeline`` and ``graph``: pictures of an execution, of any SWF or of a file of JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from genflow.tools.cli.completing import complete_ids
from genflow.tools.cli.services import read_only_option, service_options

__all__ = ['graph', 'show', 'timeline_command']

F = TypeVar('F', bound=Callable[..., Any])


def picture_options(function: F) -> F:
    """Add what names an execution to a command, and how deep to look."""
    depth = click.option('--depth', default=0, help='How many levels of child workflows to include.')
    path = click.option(
        '--file',
        'path',
        type=click.Path(dir_okay=False, exists=True),
        help='Read the history from a JSON file instead of a service.',
    )
    run_id = click.option('--run-id', help='The run id. Default: the open run, or else the latest.')
    name = click.argument('workflow_id', required=False, metavar='ID', shell_complete=complete_ids)
    return name(run_id(path(depth(read_only_option(service_options(function))))))


@click.command('show')
@picture_options
def show(**options: Any) -> None:
    """Show the execution ID as a page: what it is, and its operations with attempts and times.

    The two times of an operation are how long it waited for a worker, and how long it ran.
    """
    from genflow.tools.cli.executions.drawing import chosen_picture, draw_page

    draw_page(chosen_picture(**options))


@click.command('timeline')
@picture_options
def timeline_command(**options: Any) -> None:
    """Draw the execution ID as bars over time, as wide as the terminal. Idle time is shortened."""
    from genflow.tools.cli.executions.drawing import chosen_picture, draw_timeline

    draw_timeline(chosen_picture(**options))


@click.command('graph')
@picture_options
@click.option(
    '--format', 'form', type=click.Choice(['svg', 'html', 'mermaid', 'dot']), default='svg', show_default=True
)
@click.option('--output', '-o', type=click.Path(dir_okay=False), help='The file to write. Default: stdout.')
@click.pass_context
def graph(ctx: click.Context, /, form: str, output: str | None, **options: Any) -> None:
    """Draw the execution ID as an image (svg), a page that opens anywhere (html), or text for other tools.

    The page contains every event with its payloads, so send it only to people who may see them.
    """
    from genflow.tools.cli.executions.drawing import chosen_picture, draw_graph

    draw_graph(ctx, chosen_picture(**options), form, output)

"""``genflow show``, ``timeline`` and ``graph``: pictures of an execution, of any SWF or of a file of JSON."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from genflow.core.errors import HistoryError
from genflow.insight import ExecutionView, Operation
from genflow.tools.cli.completing import complete_ids
from genflow.tools.cli.executions import run_of, service_options
from genflow.tools.cli.exits import Exit, Refused
from genflow.tools.cli.services import client_of, read_only_option
from genflow.tools.cli.settings import current_settings, in_zone
from genflow.tools.gathering import Gathered, from_file, now
from genflow.tools.pictures.terminal import Line, page, plain, timeline
from genflow.tools.pictures.tree import Picture, picture_of
from genflow.tools.printable import printable
from genflow.tools.run.follow import HistoryTail

__all__ = ['graph', 'show', 'timeline_command']

F = TypeVar('F', bound=Callable[..., Any])

PIPE_WIDTH = 110
"""Columns where nobody says how wide the terminal is."""


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


def _picture(
    workflow_id: str | None,
    run_id: str | None,
    path: str | None,
    depth: int,
    domain: str,
    endpoint: str | None,
    db: str | None,
) -> Picture:
    """The execution that a command was given, laid out."""
    if path is not None:
        try:
            gathered: Gathered = from_file(path)
        except HistoryError as error:
            raise Refused(str(error)) from error
        return picture_of(gathered.view, in_zone(gathered.now))
    if workflow_id is None:
        raise Refused('Which execution? Give its ID, or --file FILE.')
    with client_of(endpoint, db, domain=domain) as client:
        run = run_of(client, domain, workflow_id, run_id)

        def child_of(operation: Operation) -> ExecutionView | None:
            last = operation.last
            return None if last.run_id is None else _view(HistoryTail(client, domain, last.key, last.run_id))

        return picture_of(_view(run), in_zone(now()), depth, child_of)


def _view(run: HistoryTail) -> ExecutionView:
    return ExecutionView(run.workflow_id, run.run_id).apply_all(run.since(0))


def _draw(lines: Callable[[int], Iterable[Line]]) -> None:
    """Draws lines: by rich on a terminal, as plain text in a pipe."""
    if not (sys.stdout.isatty() or current_settings().value('color') == 'always'):
        click.echo(printable(plain(lines(shutil.get_terminal_size((PIPE_WIDTH, 0)).columns))))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, markup=False)
    for line in lines(console.width):
        text = Text(no_wrap=True, overflow='crop')
        for piece, style in line:
            text.append(printable(piece), style or None)
        console.print(text, crop=True)


@click.command('show')
@picture_options
def show(
    *,
    workflow_id: str | None,
    run_id: str | None,
    path: str | None,
    depth: int,
    domain: str,
    endpoint: str | None,
    db: str | None,
) -> None:
    """Show the execution ID as a page: what it is, and its operations with attempts and times.

    The two times of an operation are how long it waited for a worker, and how long it ran.
    """
    picture = _picture(workflow_id, run_id, path, depth, domain, endpoint, db)
    _draw(lambda width: page(picture, width))


@click.command('timeline')
@picture_options
def timeline_command(
    *,
    workflow_id: str | None,
    run_id: str | None,
    path: str | None,
    depth: int,
    domain: str,
    endpoint: str | None,
    db: str | None,
) -> None:
    """Draw the execution ID as bars over time, as wide as the terminal; idle time is drawn short."""
    picture = _picture(workflow_id, run_id, path, depth, domain, endpoint, db)
    _draw(lambda width: timeline(picture, width))


@click.command('graph')
@picture_options
@click.option(
    '--format', 'form', type=click.Choice(['svg', 'html', 'mermaid', 'dot']), default='svg', show_default=True
)
@click.option('--output', '-o', type=click.Path(dir_okay=False), help='The file to write. Default: stdout.')
@click.pass_context
def graph(
    ctx: click.Context,
    *,
    workflow_id: str | None,
    run_id: str | None,
    path: str | None,
    depth: int,
    form: str,
    output: str | None,
    domain: str,
    endpoint: str | None,
    db: str | None,
) -> None:
    """Draw the execution ID as an image (svg), a page that opens anywhere (html), or text for other tools.

    The page holds every event with its payloads: send it only to those who may see them.
    """
    picture = _picture(workflow_id, run_id, path, depth, domain, endpoint, db)
    text = FORMS[form](picture)
    if output is None:
        click.echo(text, nl=False)
    else:
        Path(output).write_text(text, encoding='utf-8')
    ctx.exit(Exit.COMPLETED)


def _svg(picture: Picture) -> str:
    from genflow.tools.pictures.svg import svg

    return svg(picture)


def _html(picture: Picture) -> str:
    from genflow.insight import diagnose
    from genflow.tools.pictures.html import html

    return html(picture, diagnose(picture.view, picture.now))


def _mermaid(picture: Picture) -> str:
    from genflow.tools.pictures.graphs import mermaid

    return mermaid(picture.view)


def _dot(picture: Picture) -> str:
    from genflow.tools.pictures.graphs import dot

    return dot(picture.view)


FORMS: dict[str, Callable[[Picture], str]] = {'svg': _svg, 'html': _html, 'mermaid': _mermaid, 'dot': _dot}
"""How a picture is written, by the name of its format."""

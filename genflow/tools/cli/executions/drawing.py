"""The drawings of ``genflow show``, ``timeline`` and ``graph``."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable

import click

from genflow.insight import ExecutionView, Operation
from genflow.tools.cli.executions.actions import run_of
from genflow.tools.cli.executions.files import gathered_of
from genflow.tools.cli.exits import Exit, Refused
from genflow.tools.cli.services import client_of
from genflow.tools.cli.settings import current_settings, in_zone
from genflow.tools.cli.streams import write_file
from genflow.tools.executions.follow import HistoryTail
from genflow.tools.executions.gathering import now
from genflow.tools.pictures.terminal import Line, page, plain, timeline
from genflow.tools.pictures.tree import Picture, picture_of
from genflow.tools.text.printable import printable

__all__ = ['chosen_picture', 'draw_graph', 'draw_page', 'draw_timeline']

PIPE_WIDTH = 110
"""Columns of a drawing that does not go to a terminal."""


def chosen_picture(
    *,
    workflow_id: str | None,
    run_id: str | None,
    path: str | None,
    depth: int,
    domain: str,
    endpoint: str | None,
    db: str | None,
) -> Picture:
    """The execution that a command names, laid out."""
    if path is not None:
        gathered = gathered_of(path)
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


def draw_page(picture: Picture) -> None:
    """Carry out ``genflow show``."""
    _draw(lambda width: page(picture, width))


def draw_timeline(picture: Picture) -> None:
    """Carry out ``genflow timeline``."""
    _draw(lambda width: timeline(picture, width))


def draw_graph(ctx: click.Context, picture: Picture, form: str, output: str | None) -> None:
    """Carry out ``genflow graph``."""
    text = FORMS[form](picture)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_file(output, [text])
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

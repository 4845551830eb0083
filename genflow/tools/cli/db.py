"""``genflow db``: inspects, copies and maintains a file of the embedded service."""

from __future__ import annotations

import codecs
import contextlib
import io
import tempfile
from collections.abc import Iterator
from typing import TextIO

import click

from genflow.core.errors import HistoryError
from genflow.core.text import counted
from genflow.local.errors import StoreError
from genflow.tools.cli.exits import Exit, Refused
from genflow.tools.cli.parameters import FILE
from genflow.tools.cli.services import refused_store
from genflow.tools.cli.settings import setting_options
from genflow.tools.cli.streams import print_lines, say, write_file
from genflow.tools.run.defaults import DOMAIN

__all__ = ['command']

START = 200
"""Bytes that are read to distinguish an export from a history."""


@click.group('db')
def command() -> None:
    """Inspect, copy and maintain a file of the embedded service. Only vacuum needs the file to be unused."""


@command.command('info')
@click.argument('file', type=FILE)
def info(*, file: str) -> None:
    """Count what FILE contains."""
    from genflow.local.engine import archive

    with _refusing():
        lines = [f'{name} {value}' for name, value in archive.info(file).items()]
    print_lines(lines)


@command.command('export')
@click.argument('file', type=FILE)
@click.option('--output', '-o', type=FILE, help='The file to write. Default: stdout.')
@click.pass_context
def export(ctx: click.Context, *, file: str, output: str | None) -> None:
    """Write everything in FILE as text: one JSON object on each line.

    Of a damaged file, whatever can be read is written. The rest is named on stderr, and the exit code is 1.
    """
    from genflow.local.engine import archive

    with _refusing(), _written(output) as out:
        report = archive.export(file, out)
    for problem in report.lost:
        say(f'genflow: not exported: {problem}')
    say(f'genflow: exported {counted(report.executions, "execution")}')
    ctx.exit(Exit.INTERNAL if report.lost else Exit.COMPLETED)


@command.command('import')
@click.argument('file', type=FILE)
@click.argument('source', type=click.File('rb'))
@click.option('--id', 'workflow_id', help='With a history: its workflow id, which the AWS CLI does not write.')
@click.option('--run-id', help='With a history: its run id. Default: made of the workflow id.')
@setting_options('domain', default=DOMAIN, show_default=True)
def import_(*, file: str, source: io.BufferedReader, workflow_id: str | None, run_id: str | None, domain: str) -> None:
    """Create FILE from an export, or from the history of one closed execution. SOURCE may be - for stdin.

    A history is JSON, as `aws swf get-workflow-execution-history` or `genflow history --json` print it. It goes into
    --domain, and `genflow repair` can then continue the execution in FILE.
    """
    from genflow.local.engine import archive

    with _refusing(), _reading(source.name):
        if _is_history(source.peek(START)):
            report = archive.import_(file, _of_history(source.read(), source.name, domain, workflow_id, run_id))
        else:
            text = io.TextIOWrapper(source, encoding='utf-8-sig')
            try:
                report = archive.import_(file, text)
            finally:
                text.detach()  # click closes the file
    say(f'genflow: imported {counted(report.executions, "execution")}')


def _is_history(content: bytes) -> bool:
    """Whether a text is JSON without the heading of an export; one in UTF-16 or compressed is no export either."""
    start = content[:START].removeprefix(codecs.BOM_UTF8).lstrip()
    return start[:1] in (b'{', b'[', b'\xff', b'\xfe', b'\x1f') and not start.startswith(b'{"genflow"')


def _of_history(content: bytes, name: str, domain: str, workflow_id: str | None, run_id: str | None) -> list[str]:
    """The lines of an export with the execution of one history."""
    from genflow.testing.histories.exports import load
    from genflow.tools.executions.gathering import now
    from genflow.tools.executions.imported_history import export_lines

    loaded = load(content, name=name)
    own_id = workflow_id or loaded.workflow_id
    if own_id is None:
        raise Refused(f'{name} does not say its workflow id; give it with --id ID.')
    return list(export_lines(loaded, domain, own_id, run_id or loaded.run_id or f'imported-{own_id}', now()))


@command.command('backup')
@click.argument('file', type=FILE)
@click.argument('copy', type=FILE)
def backup(*, file: str, copy: str) -> None:
    """Copy FILE to the new file COPY. FILE may be in use meanwhile."""
    from genflow.local.engine import archive

    with _refusing():
        size = archive.backup(file, copy)
    click.echo(f'genflow: copied to {copy}, {size} bytes', err=True)


@command.command('vacuum')
@click.argument('file', type=FILE)
def vacuum(*, file: str) -> None:
    """Remove executions past their retention, and shrink FILE."""
    from genflow.local.engine import archive

    with _refusing():
        before, after = archive.vacuum(file)
    say(f'genflow: {before} bytes before, {after} after')


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    """Shows an error about a file, or a text, as one message."""
    try:
        yield
    except StoreError as error:
        raise refused_store(error) from error
    except (ValueError, HistoryError) as error:
        raise Refused(str(error)) from error


@contextlib.contextmanager
def _reading(name: str) -> Iterator[None]:
    """Shows a read error as one message."""
    try:
        yield
    except OSError as error:
        raise Refused(f'{name!r} cannot be read: {error.strerror or error}.') from error


@contextlib.contextmanager
def _written(output: str | None) -> Iterator[TextIO]:
    """The destination of an export; only a complete export appears there, since an export may be restarted."""
    with tempfile.TemporaryFile('w+', encoding='utf-8') as text:
        yield text
        text.seek(0)
        if output is None:
            print_lines(line.rstrip('\n') for line in text)
            return
        write_file(output, text)

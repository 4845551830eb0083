"""Rows for people and for programs: a table whose columns line up, JSON, one JSON object a line, or CSV."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import click

from genflow.tools.cli.streams import print_lines
from genflow.tools.text.terminal_text import columns_of, escape_line

__all__ = ['FORMATS', 'aligned', 'output_option', 'print_records']

F = TypeVar('F', bound=Callable[..., Any])

GAP = '  '


def output_option(function: F) -> F:
    """Add ``-o`` to a command, as ``output``."""
    return click.option(
        '--output', '-o', type=click.Choice(['table', *FORMATS]), default='table', show_default=True, help='The format.'
    )(function)


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]], droppable: Sequence[str] = ()) -> list[str]:
    """Lines of a table, each column as wide as its widest cell.

    Args:
        header: The names of the columns.
        rows: The cells.
        droppable: Columns that are left out, the first one first, until a terminal is wide enough.
    """
    columns = list(range(len(header)))
    rows = [[escape_line(cell) for cell in row] for row in rows]
    widths = [max(map(columns_of, column)) for column in zip(header, *rows, strict=True)]
    for name in droppable:
        if _fits([widths[column] for column in columns]):
            break
        columns.remove(header.index(name))
    return [GAP.join(_padded(row[column], widths[column]) for column in columns).rstrip() for row in [header, *rows]]


def _padded(cell: str, width: int) -> str:
    return cell + ' ' * (width - columns_of(cell))


def _fits(widths: Sequence[int]) -> bool:
    """Whether columns have room; a pipe has room for all of them."""
    if not sys.stdout.isatty():
        return True
    return sum(widths) + len(GAP) * (len(widths) - 1) <= shutil.get_terminal_size().columns


def print_records(records: Iterable[Mapping[str, Any]], form: str, names: Sequence[str]) -> None:
    """Print records for programs.

    Args:
        records: Each with the same keys.
        form: One of :data:`FORMATS`.
        names: The keys.
    """
    print_lines(FORMATS[form](records, names))


def _json(records: Iterable[Mapping[str, Any]], names: Sequence[str]) -> Iterable[str]:
    return json.dumps(list(records), ensure_ascii=False, indent=2).splitlines()


def _jsonl(records: Iterable[Mapping[str, Any]], names: Sequence[str]) -> Iterable[str]:
    return (json.dumps(record, ensure_ascii=False) for record in records)


def _csv(records: Iterable[Mapping[str, Any]], names: Sequence[str]) -> Iterable[str]:
    yield ','.join(names)
    for record in records:
        line = io.StringIO()
        csv.writer(line, lineterminator='').writerow([_cell(record[name]) for name in names])
        yield line.getvalue()


def _cell(value: Any) -> Any:
    return ' '.join(value) if isinstance(value, list) else value


FORMATS: dict[str, Callable[[Iterable[Mapping[str, Any]], Sequence[str]], Iterable[str]]] = {
    'json': _json,
    'jsonl': _jsonl,
    'csv': _csv,
}
"""How records are written for programs, by the name of the format."""

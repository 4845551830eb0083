"""Tables of the command line: columns that line up, in a terminal as narrow as it is."""

from __future__ import annotations

import sys

import pytest

from genflow.tools.cli.tables import aligned
from genflow.tools.text.terminal_text import columns_of

HEADER = ('STARTED', 'STATUS', 'TYPE', 'ID')
ROWS = [
    ('2026-01-02 03:04:05', 'completed', 'Order 1', 'an-id-that-is-copied'),
    ('2026-01-02 03:04:05', 'open', '注文 1', '└ 注文-5'),
    ('2026-01-02 03:04:05', 'failed', 'Órden 1', '└ e\u0301'),
]
DROPPABLE = ('STARTED', 'TYPE')


@pytest.fixture
def terminal(monkeypatch):
    def of(columns):
        monkeypatch.setattr(sys.stdout, 'isatty', lambda: True)
        monkeypatch.setenv('COLUMNS', str(columns))

    return of


@pytest.mark.parametrize(
    ('columns', 'first'), [(80, 'STARTED'), (59, 'STATUS'), (45, 'STATUS'), (31, 'STATUS'), (10, 'STATUS')]
)
def test_a_narrow_terminal_loses_columns_and_no_part_of_an_id(terminal, columns, first):
    terminal(columns)
    lines = aligned(HEADER, ROWS, DROPPABLE)
    assert lines[0].split()[0] == first
    assert all(row[-1] in line for row, line in zip(ROWS, lines[1:], strict=True))
    assert columns < 31 or max(map(columns_of, lines)) <= columns


def test_columns_line_up_with_wide_letters_and_accents():
    lines = aligned(HEADER, ROWS)
    starts = {columns_of(line[: line.index(row[-1])]) for row, line in zip(ROWS, lines[1:], strict=True)}
    assert starts == {columns_of(lines[0][: lines[0].index('ID')])}


@pytest.mark.parametrize(('text', 'columns'), [('abc', 3), ('注文', 4), ('e\u0301', 1), ('└ a', 3), ('', 0)])
def test_the_columns_of_a_text(text, columns):
    assert columns_of(text) == columns

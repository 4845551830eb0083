"""Paragraphs on a terminal are never wider than it, and nothing in them is broken."""

from __future__ import annotations

import pytest

from genflow.tools.text.paragraphs import terminal_width, wrapped

TEXT = 'The decision task of order-7 waits on the list a-list-with-a-long-name, and nobody has polled it for 4 min.'


@pytest.mark.parametrize('width', [30, 60, 100, 200])
def test_lines_are_as_wide_as_requested_and_words_stay_whole(width):
    lines = wrapped(TEXT, '  ', width=width)
    assert ' '.join(line.strip() for line in lines) == TEXT
    assert max(map(len, lines)) <= width
    assert [len(line) - len(line.lstrip()) for line in lines] == [2] + [4] * (len(lines) - 1)


def test_an_id_that_is_wider_than_the_terminal_is_not_broken():
    assert 'x' * 80 in wrapped('the run ' + 'x' * 80, width=40)[-1]


def test_a_pipe_has_no_width():
    assert terminal_width() is None  # pytest takes stdout

"""Text from elsewhere, made safe to print: signal names, reasons and results are written by whoever can call SWF.

A control character can move the cursor, change colors, or hide what was printed before. Format characters such as the
right-to-left override change the order in which a line is read.
"""

from __future__ import annotations

import unicodedata

__all__ = ['columns_of', 'escape_controls', 'escape_line']

UNSAFE = frozenset({'Cc', 'Cf', 'Cs', 'Zl', 'Zp'})
"""Unicode categories that are escaped: controls, formats, lone surrogates, line and paragraph separators."""

JOINERS = frozenset('\u200c\u200d')
"""Format characters that words in several scripts, and emoji, are spelled with."""


def escape_controls(text: str) -> str:
    r"""Text of several lines with its control characters as ``\u001b``; line ends and tabs stay.

    JSON stays the same JSON: within its strings this is JSON's own notation.
    """
    return _escape(text, keep='\n\t')


def escape_line(text: str) -> str:
    """As `escape_controls`, for what has to stay on one line: line ends and tabs are escaped, too."""
    return _escape(text, keep='')


def _escape(text: str, keep: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return ''.join(_escaped(letter) if _is_unsafe(letter) and letter not in keep else letter for letter in text)


def _is_unsafe(letter: str) -> bool:
    return unicodedata.category(letter) in UNSAFE and letter not in JOINERS


def _escaped(letter: str) -> str:
    """JSON's notation; characters beyond the first 65,536 take two."""
    units = letter.encode('utf-16-be', 'surrogatepass')
    return ''.join(f'\\u{units[place]:02x}{units[place + 1]:02x}' for place in range(0, len(units), 2))


def columns_of(text: str) -> int:
    """How many columns of a terminal a line takes: East Asian wide letters two, marks on other letters none."""
    if text.isascii():
        return len(text)
    return sum(_columns(letter) for letter in text)


def _columns(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ('Mn', 'Me', 'Cf'):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in ('W', 'F') else 1

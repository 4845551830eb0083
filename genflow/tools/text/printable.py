"""Text that is safe to print: what a payload or a failure says may hold escapes that a terminal would obey."""

from __future__ import annotations

__all__ = ['printable']

_KEPT = '\n\t'
_BIDI = (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)

_TABLE = {code: '\ufffd' for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in _KEPT}
_TABLE |= dict.fromkeys((*_BIDI, *range(0xD800, 0xE000)), '\ufffd')


def printable(text: str) -> str:
    """The text with a replacement character for each control character, change of direction and lone surrogate."""
    return text.translate(_TABLE)

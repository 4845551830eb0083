"""Free text as SWF takes it: encodable, and counted as SWF counts.

Python's strings may hold half of a surrogate pair: ``os.fsdecode`` gives one for each byte of a file name that is not
UTF-8. No client can send such a string. :func:`sendable` escapes them, as the error handler ``backslashreplace`` does.

SWF documents its limits in characters. It is written in Java, whose strings count UTF-16 code units, so a character
outside of the basic plane counts twice here: a text within these limits is accepted whichever way SWF counts.
"""

from __future__ import annotations

import re

__all__ = ['is_sendable', 'plain', 'sendable', 'shortened', 'units']

_SURROGATES = re.compile('[\ud800-\udfff]')
_UNPRINTABLE = re.compile('[^ -~]')


def units(text: str) -> int:
    """The length of a text in UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode('utf-16-le', 'surrogatepass')) // 2


def is_sendable(text: str) -> bool:
    """Whether a client can send the text as it is."""
    return text.isascii() or _SURROGATES.search(text) is None


def sendable(text: str) -> str:
    r"""The text with each half of a surrogate pair written as ``\udcXX``."""
    if text.isascii():
        return text
    return _SURROGATES.sub(lambda found: f'\\u{ord(found[0]):04x}', text)


def shortened(text: str, length: int) -> str:
    """The sendable form of a text, cut to ``length`` units; an ellipsis says that something is missing."""
    text = sendable(text)
    if units(text) <= length:
        return text
    kept = text[:length].encode('utf-16-le')[: 2 * (length - 1)]
    return kept.decode('utf-16-le', 'ignore') + '…'  # ignores half of a pair at the cut


def plain(text: str, length: int) -> str:
    """The text in printable ASCII, cut to ``length``: the form to send where a service refuses the text itself."""
    escaped = text.encode('ascii', 'backslashreplace').decode('ascii')
    return _UNPRINTABLE.sub(' ', escaped)[:length]

"""Errors of SQLite and the system about a file, worded anew: with the file's name and a remedy."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from genflow.local.errors import CorruptFile, DiskFull, ForeignFile, ReadOnlyFile, StoreError

__all__ = ['clear_errors']

TROUBLES: tuple[tuple[str, type[StoreError], str], ...] = (
    ('not a database', ForeignFile, 'It is not an SQLite file: name another file.'),
    ('malformed', CorruptFile, 'Save what can be read with `genflow db export`, and import it into a new file.'),
    ('could not decode', CorruptFile, 'Save what can be read with `genflow db export`, and import it into a new file.'),
    (
        'disk is full',
        DiskFull,
        'The last calls were refused; everything before them is saved. Free some space and continue.',
    ),
    ('readonly', ReadOnlyFile, 'Allow this user to write to the file and its folder.'),
    ('unable to open', ReadOnlyFile, 'Create the folder, or allow this user to write to it.'),
    ('locked', StoreError, 'Another program uses the file: close it.'),
)
"""SQLite's words -> (our error, what to do)."""


@contextmanager
def clear_errors(path: str, *, salvaging: bool = False) -> Iterator[None]:
    """Turns errors of SQLite or the system in the block into errors that name the file and a remedy.

    Args:
        path: The name of the file in the message.
        salvaging: Whether the caller already saves what can be read, so that the advice to do that is left out.

    Raises:
        StoreError: Or a subclass that says more.
    """
    try:
        yield
    except sqlite3.Error as error:
        words = str(error).lower()
        kind, advice = next(
            ((kind, advice) for text, kind, advice in TROUBLES if text in words), (StoreError, 'Check the disk.')
        )
        text = f'{path}: {error}.'
        raise kind(text if salvaging and kind is CorruptFile else f'{text} {advice}') from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise CorruptFile(f'{path}: a row cannot be read ({error}). Restore the file from a copy.') from error
    except PermissionError as error:
        raise ReadOnlyFile(f'{path}: {error.strerror}. Allow this user to write to it and its folder.') from error
    except OSError as error:
        raise StoreError(f'{path}: {error.strerror}') from error

"""Errors of SQLite and the system about a file, worded anew: with the file's name and a remedy."""

from __future__ import annotations

import errno
import json
import sqlite3

from genflow.local.errors import CorruptFile, DiskFull, ForeignFile, ReadOnlyFile, StoreError

__all__ = ['ClearErrors']

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

ALLOW_WRITES = 'Allow this user to write to it and its folder.'
FREE_SPACE = 'Free some space and try again.'

SYSTEM_TROUBLES: dict[int, tuple[type[StoreError], str]] = {
    errno.EACCES: (ReadOnlyFile, ALLOW_WRITES),
    errno.EPERM: (ReadOnlyFile, ALLOW_WRITES),
    errno.EROFS: (ReadOnlyFile, 'Name a file on a disk that can be written to.'),
    errno.ENOSPC: (DiskFull, FREE_SPACE),
    errno.EDQUOT: (DiskFull, FREE_SPACE),
    errno.ENOENT: (StoreError, 'Create the folder, or name a file in another one.'),
    errno.EISDIR: (StoreError, 'It is a folder: name a file.'),
    errno.EMFILE: (StoreError, 'Close other files, or raise the limit of open files (ulimit -n).'),
    errno.ENAMETOOLONG: (StoreError, 'Use a shorter name.'),
}
"""The system's number of an error -> (our error, what to do)."""


class ClearErrors:
    """A context that turns errors of SQLite or the system into errors that name the file and a remedy; reusable.

    Args:
        path: The name of the file in the message.
        salvaging: Whether the caller already saves what can be read, so that the advice to do that is left out.
    """

    def __init__(self, path: str, *, salvaging: bool = False) -> None:
        self._path = path
        self._salvaging = salvaging

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """Ends the context.

        Raises:
            StoreError: Or the one below it that says more.
        """
        if error is not None:
            self._raise(error)

    def _raise(self, error: BaseException) -> None:
        """Raise what the error means; nothing where it has nothing to do with the file."""
        path = self._path
        if isinstance(error, sqlite3.Error):
            raise self._of_sqlite(error) from error
        if isinstance(error, (UnicodeDecodeError, json.JSONDecodeError, RecursionError)):
            raise CorruptFile(f'{path}: a row cannot be read ({error}). Restore the file from a copy.') from error
        if isinstance(error, OSError):
            system, advice = SYSTEM_TROUBLES.get(error.errno or 0, (StoreError, 'Check the file and its folder.'))
            raise system(f'{path}: {error.strerror or error}. {advice}') from error

    def _of_sqlite(self, error: sqlite3.Error) -> StoreError:
        words = str(error).lower()
        kind, advice = next(
            ((kind, advice) for text, kind, advice in TROUBLES if text in words), (StoreError, 'Check the disk.')
        )
        text = f'{self._path}: {error}.'
        return kind(text if self._salvaging and kind is CorruptFile else f'{text} {advice}')

"""One writer for one file, whatever name it is opened by: advisory locks, which the system gives up with the process.

Two locks say who has a file. One is on a file beside it, which also tells the process id of the owner. The other is on
the database itself, so that a hard link in another folder, or a lock file that somebody has removed, lets nobody in.
Other kinds of lock than SQLite's are used for it (``flock``), and only on Linux, where the two kinds do not see each
other. Within a process the files that it has open are known by device and inode.

A file must never be opened and closed beside SQLite: closing any descriptor of it gives up the locks that SQLite
has on it. So the descriptor that holds the lock is the one that everything is read through before SQLite comes, and it
is closed after SQLite's own.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from genflow.local.errors import FileGone, FileInUse
from genflow.steady_time import monotonic

__all__ = ['FileLock', 'read_notice', 'shared_lock']

PRIVATE = 0o600
"""Files are their owner's: they hold everything that workflows were given."""

LOCK_TIMEOUT = 1.0
"""Seconds in which a child that was forked just before its parent died closes its descriptors."""

RETRY = 0.01

if sys.platform == 'win32':  # pragma: no cover - held by the type checker
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)  # a byte beyond the text, which others may then read
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        """Closing the descriptor is enough: no fork shares it."""

    def _lock_for_reading(descriptor: int) -> None:
        _lock(descriptor)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)

    def _lock_for_reading(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)


def _locked(descriptor: int) -> bool:
    try:
        _lock(descriptor)
    except OSError:
        return False
    return True


def _locked_for_reading(descriptor: int) -> bool:
    try:
        _lock_for_reading(descriptor)
    except OSError:
        return False
    return True


def _is_dead(owner: str) -> bool:
    """Whether the owner was a process that has ended."""
    if sys.platform == 'win32' or not owner.isdecimal():
        return False
    try:
        os.kill(int(owner), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:
        return False
    return False


def read_notice(name: str) -> tuple[str, str]:
    """Reads a lock file: the process id of the owner, and its notice."""
    try:
        text = Path(name).read_text(encoding='utf-8', errors='replace')
    except FileNotFoundError:
        return '', ''
    owner, _, notice = text.partition('\n')
    return owner.strip(), notice.partition('\n')[0]


@contextlib.contextmanager
def shared_lock(name: str) -> Iterator[bool]:
    """Keeps other processes from writing a file during the block, by its lock file; gives whether that was possible.

    A lock file that is not there, or may not be read, is nobody's of this user's processes.
    """
    try:
        descriptor = os.open(name, os.O_RDONLY)
    except OSError:
        yield True
        return
    try:
        yield _locked_for_reading(descriptor)
    finally:
        os.close(descriptor)


Identity = tuple[int, int]

_OWNED: weakref.WeakValueDictionary[Identity, FileLock] = weakref.WeakValueDictionary()
"""The files that this process has open."""


def identity_of(path: str) -> Identity | None:
    """The device and inode of a path, links followed; ``None`` if there is no file."""
    try:
        found = os.stat(path)  # noqa: PTH116 - half the time of Path.stat, before every call
    except OSError:
        return None
    return found.st_dev, found.st_ino


class FileLock:
    """The right to write a file, held from now until :meth:`release` or the end of the process.

    Args:
        path: The file as its user names it. It is created, readable by its owner only, if it does not exist.
        notice: The text in the lock file about this owner, after the process id.

    Attributes:
        path: Without symbolic links; what SQLite should open.
        descriptor: Of the file, to read it through.
        previous: The notice of who had the file before.

    Raises:
        FileInUse: Another process has it; the message names the process and a remedy.
        OSError: It can be neither opened nor made.
    """

    _open: list[int]
    _identity: Identity | None = None

    def __init__(self, path: str, notice: str = '') -> None:
        self._open = []
        self._shown = path
        self._notice = notice
        self.previous = ''
        self.path = os.path.realpath(path)
        self._identity = identity_of(self.path)
        if self._owner() is not None:
            gc.collect()  # a service that was dropped without being closed may still have it
            owner = self._owner()
            if owner is not None:  # under another name there is another lock file, and that says nothing of the owner
                same = owner.path == self.path
                self._refuse(str(os.getpid()), read_notice(f'{self.path}-lock')[1] if same else '')
        try:
            self._take_name()
            self.descriptor = self._descriptor(self.path)
            self._take_file()
        except BaseException:
            self.release()
            raise
        status = os.fstat(self.descriptor)
        self._identity = status.st_dev, status.st_ino
        _OWNED[self._identity] = self

    def __del__(self) -> None:
        if not hasattr(self, '_open'):  # a signal handler interrupted the constructor
            return
        try:
            self.release()
        finally:
            self.release()  # where a signal handler interrupted the first

    def _owner(self) -> FileLock | None:
        """Who has the file open in this process."""
        return None if self._identity is None else _OWNED.get(self._identity)

    def _descriptor(self, path: str) -> int:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, 'O_BINARY', 0), PRIVATE)
        self._open.append(descriptor)
        return descriptor

    def _take_name(self) -> None:
        """Lock the file beside it. It is left in place: removing it could take it from under somebody."""
        name = f'{self.path}-lock'
        descriptor = self._descriptor(name)
        ends = monotonic() + LOCK_TIMEOUT
        while not _locked(descriptor):
            owner, notice = read_notice(name)
            if not _is_dead(owner) or monotonic() > ends:
                self._refuse(owner or 'unknown', notice)
            time.sleep(RETRY)
        self.previous = read_notice(name)[1]
        self.announce(self._notice)

    def announce(self, notice: str) -> None:
        """Writes a notice into the lock file, after the process id, for other processes."""
        text = f'{os.getpid()}\n{notice}\n'.encode()
        descriptor = self._open[0]
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, text)
        os.ftruncate(descriptor, len(text))

    def _take_file(self) -> None:
        """Lock the database itself."""
        if sys.platform == 'linux':
            try:
                _lock(self.descriptor)
            except BlockingIOError:
                self.announce('')
                self._refuse('unknown, which opened it under another name')

    def _refuse(self, owner: str, notice: str = '') -> NoReturn:
        raise FileInUse(
            f'{self._shown} is in use by process {owner}, and this operation needs exclusive access. Close the file '
            'there, and try again.',
            notice,
        )

    def check(self) -> None:
        """Checks that the path still leads to the file that was locked.

        Raises:
            FileGone: The file was removed or replaced.
        """
        if identity_of(self.path) != self._identity:
            raise FileGone(
                f'{self._shown} was deleted or replaced while it was in use: nothing more can be written to it. '
                'Close the service, restore the file, and open it again.'
            )

    def release(self) -> None:
        """Gives up the lock, even if a child that was just forked has not closed its descriptors yet."""
        for descriptor in self._open:
            with contextlib.suppress(OSError):
                _unlock(descriptor)
        self.abandon()

    def abandon(self) -> None:
        """In a forked child: leaves the lock to the parent. A second call does nothing."""
        if self._identity is not None and _OWNED.get(self._identity) is self:
            del _OWNED[self._identity]
        while self._open:
            with contextlib.suppress(OSError):
                os.close(self._open.pop())

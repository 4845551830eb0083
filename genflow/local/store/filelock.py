"""One writer for one file: an advisory lock next to it, which the system gives up when the process dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from genflow.local.errors import FileInUse

if sys.platform == 'win32':  # pragma: no cover - held by the type checker
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)  # a byte beyond the text, which others may then read
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FileLock:
    """The right to write ``path``, held from now until :meth:`release` or the end of the process.

    The lock is on ``path`` with ``-lock`` appended, which also holds the process id of its owner and is left in place
    (removing it could take it from under somebody who is just opening it).

    Raises:
        FileInUse: somebody else has it; the message says who and what to do.
    """

    def __init__(self, path: str) -> None:
        self._descriptor: int | None = os.open(f'{path}-lock', os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(self._descriptor)
        except OSError as error:
            owner = Path(f'{path}-lock').read_text(encoding='ascii', errors='replace').strip() or 'unknown'
            self.release()
            raise FileInUse(
                f'{path} is in use by process {owner}. Only one process at a time can write an SWF file: close the '
                f'other one, or have it shared: run `genflow server --db {path}` and give every program the '
                "server's address (AWS_ENDPOINT_URL_SWF)."
            ) from error
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, str(os.getpid()).encode())

    def release(self) -> None:
        """Give the right away; nothing happens the second time."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

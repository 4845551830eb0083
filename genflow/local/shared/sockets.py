"""Where the processes of one user meet: a Unix socket beside the file, or what there is instead of one.

An address is text: ``unix:PATH``, or ``tcp:PORT`` on the loopback interface where the system has no Unix sockets. A
path may be longer than a socket's address can be; then the folder is named by a descriptor, where the system can do
that, and otherwise the socket is in a folder that nobody else can enter.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import struct
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

__all__ = ['connect', 'discard', 'is_same_user', 'listen']

LONGEST = 107 if sys.platform == 'linux' else 103
"""Bytes of a socket's path."""

BACKLOG = 1024
PRIVATE_FOLDER = 0o700
PRIVATE = 0o600
SHOWN = 40
"""Characters of the file's name in that of its socket."""

_HAS_UNIX = hasattr(socket, 'AF_UNIX')


def listen(file: str) -> tuple[socket.socket, str]:
    """A listening socket for a file, and its address.

    Raises:
        OSError: No socket can be made.
    """
    if not _HAS_UNIX:
        listener = socket.create_server(('127.0.0.1', 0), backlog=BACKLOG)
        return listener, f'tcp:{listener.getsockname()[1]}'
    name = f'{Path(file).name[:SHOWN]}-{uuid.uuid4().hex[:8]}.sock'
    try:
        return _listen(str(Path(file).parent / name))
    except OSError:  # a file system without sockets, or a path that is too long for this system
        return _listen(str(_private_folder() / name))


def _listen(path: str) -> tuple[socket.socket, str]:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _short(path) as short:
            listener.bind(short)
        Path(path).chmod(PRIVATE)
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener, f'unix:{path}'


def connect(address: str) -> socket.socket:
    """A connection to whoever listens there.

    Raises:
        OSError: Nobody does, or another user.
    """
    kind, _, place = address.partition(':')
    if kind == 'tcp':
        return socket.create_connection(('127.0.0.1', int(place)))
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _short(place) as short:
            connection.connect(short)
        _check_user(connection, place)
    except BaseException:
        connection.close()
        raise
    return connection


def discard(address: str) -> None:
    """Remove the socket of an address that nobody listens on any more."""
    kind, _, place = address.partition(':')
    if kind == 'unix' and place.endswith('.sock'):
        with contextlib.suppress(OSError):
            Path(place).unlink()


def _check_user(connection: socket.socket, place: str) -> None:
    if not is_same_user(connection):
        raise PermissionError(f'{place} is the socket of another user')


def is_same_user(connection: socket.socket) -> bool:
    """Whether the process at the other end is one of this user."""
    if connection.family != getattr(socket, 'AF_UNIX', None):
        return True  # then the secret of the lock file is what counts
    option = getattr(socket, 'SO_PEERCRED', None)
    if option is not None:
        credentials = connection.getsockopt(socket.SOL_SOCKET, option, struct.calcsize('3i'))
        return bool(struct.unpack('3i', credentials)[1] == os.geteuid())
    option = getattr(socket, 'LOCAL_PEERCRED', None)
    if option is not None:
        return bool(struct.unpack_from('=II', connection.getsockopt(0, option, 76))[1] == os.geteuid())
    return True  # the folder and the mode of the socket keep others away


@contextlib.contextmanager
def _short(path: str) -> Iterator[str]:
    """A name of the path that fits into a socket's address."""
    if len(os.fsencode(path)) <= LONGEST or sys.platform != 'linux':
        yield path
        return
    folder = os.open(Path(path).parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f'/proc/self/fd/{folder}/{Path(path).name}'
    finally:
        os.close(folder)


def _private_folder() -> Path:
    """A folder that nobody else can enter.

    Raises:
        OSError: There is none, and none can be made.
    """
    base = os.environ.get('XDG_RUNTIME_DIR') or tempfile.gettempdir()
    folder = Path(base) / f'genflow-{os.geteuid()}'
    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise PermissionError(f'{folder} can be entered by others: make it a folder of your own with mode 0700')
    return folder

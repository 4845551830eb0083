"""Stdout and stderr of the command line, also if they are closed, full, or in a legacy encoding.

Two kinds of text are written. *Messages* (progress, warnings, logs) must never stop or block the work: if they cannot
be written at once, they are dropped. *Results* are the output of a command: if one cannot be written, the command
reports it and ends with exit code 1.

A write to a full pipe would block until it is read. So each message is written in pieces that a pipe takes
as a whole, after asking whether there is room. A terminal that has room may still not take a whole piece, after Ctrl-S
for example, so a terminal is opened anew without blocking. Text that the encoding of a stream does not have is escaped.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import select
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

import click

from genflow.tools.cli.exits import Exit, Refused
from genflow.tools.cli.settings import current_settings
from genflow.tools.text.terminal_text import escape_controls, escape_line

__all__ = [
    'LostOutput',
    'MessageFile',
    'ResultLost',
    'keep_database',
    'message_stream',
    'messages_on_stdout',
    'note',
    'own_streams',
    'print_lines',
    'print_result',
    'say',
    'write_file',
]

PIECE = getattr(select, 'PIPE_BUF', 512)
"""Bytes that a pipe which has room takes without blocking."""

STALL = 1.0
"""Seconds to wait for room before messages are dropped; after that, further messages do not wait."""

SQLITE = b'SQLite format 3\0'
"""The first bytes of a database."""

DROPPED = b'\ngenflow: messages were dropped here because nobody read them\n'


class MessageFile(io.RawIOBase):
    """Writes bytes to a file descriptor if that is possible, and drops them if not. It never raises or blocks for long.

    Args:
        fd: The file descriptor; ``None`` drops everything.
        stall: Seconds to wait for room the first time that there is none.
    """

    def __init__(self, fd: int | None, stall: float = STALL) -> None:
        super().__init__()
        self._fd = fd
        self._terminal = _reopened_terminal(fd)
        self._out = fd if self._terminal is None else self._terminal
        self._stall = stall
        self._is_dropping = False

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._fd is not None and os.isatty(self._fd)

    def fileno(self) -> int:
        if self._fd is None:
            raise io.UnsupportedOperation('fileno')
        return self._fd

    def write(self, data: Any) -> int:
        """Writes as much as possible; returns as if everything was written."""
        view = memoryview(data).cast('B')
        if self._out is not None:
            with contextlib.suppress(OSError, ValueError):
                self._write(self._out, view)
        return len(view)

    def close(self) -> None:
        """Closes what it has opened itself, and leaves the file descriptor that it was made with open."""
        terminal, self._terminal, self._out = self._terminal, None, None
        if terminal is not None:
            os.close(terminal)
        super().close()

    def _write(self, out: int, rest: memoryview) -> None:
        try:
            while rest and self._has_room(out):
                rest = rest[os.write(out, rest[:PIECE]) :]
        except BlockingIOError:  # a terminal that has room, but not for the next character
            self._is_dropping = True

    def _has_room(self, out: int) -> bool:
        has_room = _is_writable(out, 0 if self._is_dropping else self._stall)
        if has_room and self._is_dropping:
            os.write(out, DROPPED)
            has_room = _is_writable(out, 0)
        self._is_dropping = not has_room
        return has_room


def _reopened_terminal(fd: int | None) -> int | None:
    """A descriptor of the terminal that does not block; ``None`` if ``fd`` is no terminal, or one of another user.

    The terminal is opened anew, because other programs share the open file of ``fd`` and expect it to block.
    """
    if fd is None or not hasattr(os, 'ttyname'):
        return None
    try:
        return os.open(os.ttyname(fd), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return None


def _is_writable(fd: int, seconds: float) -> bool:
    """Whether a descriptor takes a piece; true where the platform cannot tell, as Windows cannot of pipes."""
    if not hasattr(select, 'poll'):
        return True
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return bool(poll.poll(seconds * 1000))


def message_stream(stream: TextIO | None) -> TextIO:
    """A stream for messages that writes where `stream` does; to nowhere without one."""
    fd = _fd_of(stream)
    encoding = getattr(stream, 'encoding', None) or 'utf-8'
    file: Any = MessageFile(fd)
    return io.TextIOWrapper(file, encoding=encoding, errors='backslashreplace', line_buffering=True)


def _fd_of(stream: TextIO | None) -> int | None:
    try:
        return None if stream is None else stream.fileno()
    except (OSError, ValueError):
        return None


class LostOutput(OSError):
    """The result of a command could not be written to stdout."""


class _ResultFile(io.FileIO):
    """Stdout, with errors of its own class."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise LostOutput(error.errno, error.strerror) from error


class _ClosedStream(io.TextIOBase):
    """Replaces a stdout that was closed before the command began."""

    encoding = 'utf-8'

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        raise LostOutput(errno.EBADF, os.strerror(errno.EBADF))


@contextlib.contextmanager
def own_streams() -> Iterator[None]:
    """Replaces the process's streams: stderr drops messages rather than block, and stdout takes any character.

    At the end, nothing is left in buffers, because the interpreter would report that it cannot be written.
    """
    _keep_standard_descriptors()
    stdout, stderr = sys.stdout, sys.stderr
    sys.stderr = message_stream(stderr)
    if stdout is None:
        sys.stdout = _ClosedStream()
    elif isinstance(stdout, io.TextIOWrapper):
        sys.stdout = _result_stream(stdout)
    try:
        yield
    finally:
        _flush_or_drop(sys.stdout)
        sys.stderr.flush()


def _result_stream(stdout: io.TextIOWrapper) -> io.TextIOWrapper:
    """Replaces an open stdout: escapes characters that its encoding does not have."""
    raw = getattr(stdout.buffer, 'raw', stdout.buffer)
    if type(raw) is not io.FileIO:  # a console of Windows
        stdout.reconfigure(errors='backslashreplace')
        return stdout
    return io.TextIOWrapper(
        io.BufferedWriter(_ResultFile(raw.fileno(), 'w', closefd=False)),
        encoding=stdout.encoding,
        errors='backslashreplace',
        line_buffering=stdout.line_buffering,
        write_through=stdout.write_through,
    )


def _keep_standard_descriptors() -> None:
    """Opens closed standard descriptors, so that no database becomes number 2 and gets messages written into it."""
    null = os.open(os.devnull, os.O_RDWR)
    while null <= 2:  # noqa: PLR2004 - stdin, stdout, stderr
        os.set_inheritable(null, True)
        null = os.open(os.devnull, os.O_RDWR)
    os.close(null)


def _flush_or_drop(stream: Any) -> None:
    try:
        stream.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError), open(os.devnull, 'wb') as null:  # noqa: PTH123 - no path
            os.dup2(null.fileno(), stream.fileno())


@contextlib.contextmanager
def messages_on_stdout() -> Iterator[None]:
    """Treat what goes to stdout as messages, for a command that has no result: activities print there, too."""
    before = sys.stdout
    if _fd_of(before) is None and not isinstance(before, _ClosedStream):
        yield
        return
    _flush_or_drop(before)
    sys.stdout = message_stream(before)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stdout = before


class ResultLost(click.ClickException):
    """The result of a command could not be written to stdout."""

    exit_code = Exit.INTERNAL


def print_result(text: str, again: str) -> None:
    """Write a result to stdout.

    Args:
        text: The result; its control characters are escaped.
        again: How to get it once more, a sentence.

    Raises:
        ResultLost: It cannot be written.
    """
    try:
        click.echo(escape_controls(text))
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        _flush_or_drop(sys.stdout)
        raise ResultLost(f'the result cannot be written to stdout ({_reason(error)}). {again}') from error


def print_lines(lines: Iterable[str]) -> None:
    """Write lines to stdout, each with its control characters escaped; whoever reads may stop, as `head` does.

    Raises:
        ResultLost: They cannot be written.
    """
    try:
        for line in lines:
            click.echo(escape_line(line))
        sys.stdout.flush()
    except BrokenPipeError:
        _flush_or_drop(sys.stdout)
        raise click.exceptions.Exit(Exit.INTERNAL) from None
    except OSError as error:
        _flush_or_drop(sys.stdout)
        raise ResultLost(f'the output cannot be written to stdout ({_reason(error)}).') from error


def write_file(path: str, pieces: Iterable[str]) -> None:
    """Write a text, in pieces, to a file that the user has named.

    Raises:
        Refused: It cannot be written, or has a database.
    """
    keep_database(path)
    try:
        with Path(path).open('w', encoding='utf-8') as file:
            file.writelines(pieces)
    except (OSError, ValueError) as error:
        raise Refused(f'{path!r} cannot be written: {_reason(error)}. Name another file.') from error


def keep_database(path: str) -> None:
    """Refuses to overwrite a database with text, such as the file whose executions are exported.

    To be called while this process does not have it open: closing any descriptor of a file drops SQLite's locks on it.

    Raises:
        Refused: There is one.
    """
    if not os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises for names that no file can have
        return
    with contextlib.suppress(OSError), Path(path).open('rb') as file:
        if file.read(len(SQLITE)) == SQLITE:
            raise Refused(f'{path!r} is a database, and would be overwritten. Name another file.')


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def note(text: str) -> None:
    """Writes a message that is not an error to stderr, unless ``--quiet`` is set."""
    if not current_settings().value('quiet'):
        say(text)


def say(text: str) -> None:
    """Write a message to stderr; its control characters are escaped. If user code has closed stderr, it is dropped."""
    with contextlib.suppress(OSError, ValueError):
        click.echo(escape_controls(text), err=True)

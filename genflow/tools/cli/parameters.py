"""Parameter types that click does not have, each with an error message of one sentence."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta, timezone
from ipaddress import IPv6Address
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

import click

from genflow.tools.targets.arguments import path_of

__all__ = [
    'ENDPOINT',
    'EXISTING_PATH',
    'FILE',
    'MAX_SECONDS',
    'MAX_THREADS',
    'MOMENT',
    'PROCESSES',
    'SECONDS',
    'THREADS',
    'WORKFLOW_ID',
]

MAX_ID = 256  # characters of a workflow id (API reference of StartWorkflowExecution)
MAX_SECONDS = 31_536_000  # a year, the longest that SWF knows

if TYPE_CHECKING:  # generic since click 8.2
    ParamType: TypeAlias = click.ParamType[Any]
else:
    ParamType = click.ParamType

MAX_THREADS = 1000

THREADS = click.IntRange(0, MAX_THREADS)
PROCESSES = click.IntRange(1, 64)
"""How many things run at a time."""


class FilePath(ParamType):
    """The path of a file, which need not exist, in a folder that does.

    Args:
        exists: Whether the file, or a folder, has to exist.
    """

    name = 'file'

    def __init__(self, *, exists: bool = False) -> None:
        self._exists = exists

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        path = path_of(value)
        if not path:
            self.fail('the path is empty; name a file.', param, ctx)
        if '\0' in path:
            self.fail(f'{value!r} has a NUL character, which no path can have.', param, ctx)
        if path == ':memory:' and not self._exists:
            return path
        problem = self._problem(Path(path))
        if problem is not None:
            self.fail(f'{value!r} {problem}', param, ctx)
        return path

    def _problem(self, path: Path) -> str | None:
        """The error for a path."""
        try:
            if path.is_dir():
                return None if self._exists else 'is a folder; name a file.'
            needed = path if self._exists or path.is_symlink() else path.parent
            if not needed.exists():
                return f'cannot be used: {str(needed)!r} does not exist.'
            path.exists()  # raises where the file has a name that the system refuses
        except (OSError, ValueError) as error:
            return f'cannot be used: {getattr(error, "strerror", None) or error}.'
        return None


class Endpoint(ParamType):
    """The address of a service: ``http://HOST:PORT`` or ``https://…``."""

    name = 'url'

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not _is_url(value):
            shown = re.sub('//.*@', '//…@', value)  # what may be a password stays out of messages
            self.fail(f'{shown!r} is not the address of a service; {self._hint(value)}', param, ctx)
        return str(value)

    @staticmethod
    def _hint(value: str) -> str:
        if '@' in value:
            return (
                "write 'http://HOST:PORT': credentials are configured for boto3, and an address is shown in messages."
            )
        guess = f'http://{value}'
        return f'write {guess!r}.' if '://' not in value and _is_url(guess) else "write 'http://HOST:PORT'."


_LABEL = '(?!-)[A-Za-z0-9-]{1,63}(?<!-)'
_HOST = re.compile(rf'(?=.{{1,255}}\Z)({_LABEL}\.)*{_LABEL}\.?')
"""The names of hosts that botocore takes."""


def _is_url(text: str) -> bool:
    if not (text.isascii() and text.isprintable()) or ' ' in text:
        return False
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:  # the port is no number that a port can have
        return False
    return (
        parts.scheme in {'http', 'https'} and '@' not in parts.netloc and _is_host(parts.hostname or '') and port != 0
    )


def _is_host(text: str) -> bool:
    if ':' not in text:
        return bool(_HOST.fullmatch(text))
    try:
        return bool(IPv6Address(text))
    except ValueError:
        return False


class Seconds(ParamType):
    """A duration: 0 seconds to a year."""

    name = 'seconds'

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not 0 <= seconds <= MAX_SECONDS:
            self.fail(f'{value!r} is not a number of seconds from 0 to {MAX_SECONDS}.', param, ctx)
        return seconds


class Moment(ParamType):
    """A moment: so long ago, as ``2h``, or a date and time of ISO 8601, in UTC unless it says otherwise."""

    name = 'time'

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        match = _AGO.fullmatch(value)
        try:
            if match is not None:
                return datetime.now(timezone.utc) - timedelta(**{_UNITS[match[2]]: int(match[1])})
            moment = datetime.fromisoformat(value.replace('Z', '+00:00'))
        except (ValueError, OverflowError):
            self.fail(f'{value!r} is not a time: write 90s, 30m, 2h, 7d or 2w (ago), or 2026-05-01T12:00.', param, ctx)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)


_AGO = re.compile(r'(\d+)([smhdw])', re.ASCII)
_UNITS = {'s': 'seconds', 'm': 'minutes', 'h': 'hours', 'd': 'days', 'w': 'weeks'}


class WorkflowId(ParamType):
    """The id of an execution."""

    name = 'id'

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not 1 <= len(value) <= MAX_ID:
            self.fail(f'a workflow id has 1 to {MAX_ID} characters; this one has {len(value)}.', param, ctx)
        return str(value)


ENDPOINT = Endpoint()
EXISTING_PATH = FilePath(exists=True)
FILE = FilePath()
MOMENT = Moment()
SECONDS = Seconds()
WORKFLOW_ID = WorkflowId()

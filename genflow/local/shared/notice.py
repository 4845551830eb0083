"""What the process that has a file writes about itself into the lock file, and what others make of it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Literal

from attrs import asdict, field, fields, frozen

from genflow.local import forks
from genflow.local.engine.locked_state import Options
from genflow.local.errors import FileInUse
from genflow.local.shared.names import machine
from genflow.local.state.limits import Limits
from genflow.local.store.schema import VERSION

__all__ = ['PROTOCOL', 'Notice', 'RequiredOptions', 'options_of', 'read_notice']

PROTOCOL = 1
"""Of what leader and followers say to each other; they understand each other only if it is the same."""


@cache
def genflow_version() -> str:
    """The version of this genflow."""
    with forks.importing('importlib.metadata'):
        from importlib import metadata  # noqa: PLC0415 - a tenth of the time that opening a file takes

        try:
            return metadata.version('genflow')
        except metadata.PackageNotFoundError:
            return 'unknown'


@frozen(kw_only=True)
class RequiredOptions:
    """What the user of a file insists on, beside what everybody has who says nothing.

    Attributes:
        synchronous: SQLite's setting; None leaves it to the leader.
        limits: Those that are not the usual ones must be the leader's too. The size of a page is no matter of the
            file: it is at most what the leader gives.
        denied: What the leader must deny too.
    """

    synchronous: str | None = None
    limits: Limits = field(factory=Limits)
    denied: tuple[str, ...] = ()

    def differences(self, options: dict[str, Any]) -> list[str]:
        """What the leader does otherwise, as it is written in a call."""
        wanted = {name: value for name, value in _limits(self.limits).items() if value != _USUAL[name]}
        there = options.get('limits', {})
        found = [f'limits.{name}={value!r}' for name, value in wanted.items() if there.get(name) != value]
        if self.synchronous not in (None, options.get('synchronous')):
            found.append(f'synchronous={self.synchronous!r}')
        missing = sorted(set(self.denied) - set(options.get('denied', ())))
        return [*found, *([f'denied={missing!r}'] if missing else [])]


def _limits(limits: Limits) -> dict[str, Any]:
    """As the notice has them."""
    values: dict[str, Any] = json.loads(json.dumps({**asdict(limits), 'rates': dict(limits.rates)}))
    values.pop('history_page_size')
    return values


_USUAL = _limits(Limits())


@frozen(kw_only=True)
class Notice:
    """About the process that has the file.

    Attributes:
        state: ``opening`` it, ``leading``, or ``alone``: it does not share the file.
        why: It does not.
        address: Where it serves.
        secret: What its followers say to show that they may read the lock file.
        process: Its name.
        host, boot: its machine.
        version, protocol, schema: of its genflow.
        options: How it has the file open.
    """

    state: Literal['opening', 'leading', 'alone']
    why: str = ''
    address: str = ''
    secret: str = ''
    process: str = ''
    host: str = field(factory=lambda: machine()[0])
    boot: str = field(factory=lambda: machine()[1])
    version: str = field(factory=genflow_version)
    protocol: int = PROTOCOL
    schema: int = VERSION
    options: dict[str, Any] = field(factory=dict)

    def text(self) -> str:
        """One line for the lock file."""
        return json.dumps(asdict(self))

    def check(self, path: str, required: RequiredOptions) -> None:
        """See that this process can follow that one.

        Raises:
            FileInUse: It cannot; the message says why.
        """
        problem = self._problem(path, required)
        if problem:
            raise FileInUse(f'{path} is in use by process {self.process.partition(".")[0]}{problem}', self.text())

    def of_another_user(self, path: str) -> FileInUse:
        """What to raise where the process that has the file is another user's."""
        return FileInUse(
            f'{path} is in use by process {self.process.partition(".")[0]} of another user. A file is shared by the '
            'processes of one user; `genflow server` serves those of others.',
            self.text(),
        )

    def _problem(self, path: str, required: RequiredOptions) -> str:
        if self.host != machine()[0] or (self.boot and machine()[1] and self.boot != machine()[1]):
            return (
                f' of the machine {self.host}, and this is {machine()[0]}. A file is shared by the processes of one '
                'machine; for more than one, run `genflow server` on one of them, or use Amazon SWF.'
            )
        here = (genflow_version(), PROTOCOL, VERSION)
        if (self.version, self.protocol, self.schema) != here:
            return (
                f' with genflow {self.version} (protocol {self.protocol}, schema {self.schema}), and this is genflow '
                f'{here[0]} (protocol {here[1]}, schema {here[2]}). Use one version at a time.'
            )
        if self.state == 'alone':
            return f', which does not share it: {self.why}'
        differences = required.differences(self.options)
        if differences:
            return (
                f', which opened it without these options: {", ".join(differences)}. Leave the options out, or close '
                'the file there and open it here first.'
            )
        return ''


def read_notice(text: str) -> Notice | None:
    """The notice, if it is one that this genflow can read."""
    try:
        data = json.loads(text)
        known = {each.name for each in fields(Notice)}
        return Notice(**{name: value for name, value in data.items() if name in known})
    except (ValueError, TypeError, AttributeError):
        return None


def options_of(options: Options) -> dict[str, Any]:
    """How the file is open, as :class:`RequiredOptions` compare it."""
    return {
        'synchronous': options.synchronous,
        'limits': _limits(options.limits),
        'denied': sorted(options.denied),
    }

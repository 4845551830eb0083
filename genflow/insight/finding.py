"""What a finding is, and what the rules that find are given.

A *rule* is a small function from a :class:`Case` to what it found: a sentence, evidence and a remedy. The rules stand
in one table, ordered by how much of the trouble each explains (:mod:`genflow.insight.rules`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

from attrs import field, frozen

from genflow.insight.code import CodeView
from genflow.insight.command_line import PROGRAM, command_line
from genflow.insight.times import clock_time, duration
from genflow.insight.view import ExecutionView

__all__ = ['CAUSE', 'NOTE', 'SETTING', 'Case', 'Evidence', 'Facts', 'Finding', 'Found', 'Poller', 'Rule', 'remedy']

CAUSE, NOTE, SETTING = 'cause', 'note', 'setting'
"""How much a finding matters: something is wrong; it explains a state that is as it should be; a setting that would
hide trouble later."""


@frozen
class Evidence:
    """What a finding rests on.

    Attributes:
        event_id: The event that shows it; 0 where no event does.
        at: When.
        text: What it shows.
    """

    text: str
    event_id: int = 0
    at: datetime | None = None


@frozen
class Found:
    """What a rule found."""

    text: str
    remedy: str = ''
    evidence: tuple[Evidence, ...] = ()


@frozen
class Finding:
    """A cause, note or setting.

    Attributes:
        code: Stable, for scripts: ``activity-not-polled``.
        level: ``cause``, ``note`` or ``setting``.
        text: One sentence for people.
        remedy: What to do. A command to type is a line of its own, quoted for a POSIX shell.
        evidence: What it rests on.
    """

    code: str
    level: str
    text: str
    remedy: str = ''
    evidence: tuple[Evidence, ...] = ()

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands of the remedy, as they are typed."""
        return tuple(line for line in self.remedy.splitlines() if line.startswith(PROGRAM))


@frozen
class Poller:
    """A worker that took tasks from a task list.

    Attributes:
        identity: What it calls itself.
        at: When it last took one.
    """

    identity: str
    at: datetime


class ChildDiagnosis(Protocol):
    """What is wrong with a child."""

    @property
    def first_cause(self) -> Finding | None: ...


@frozen
class Facts:
    """What is known beside the events of the execution; whatever is not known is left out.

    Attributes:
        live: A service was asked, so that what is due has happened; else the events come from a file.
        options: What a command needs to reach the same service: ``--db orders.db``; quoted for a shell.
        domain: The SWF domain.
        target: The code that was named, as a command takes it.
        file: The file that the events come from, if they come from one.
        pending: How many tasks wait, by ``decision`` or ``activity`` and the name of the list.
        pollers: Workers that took tasks, by ``decision`` or ``activity`` and the name of the list.
        types: ``REGISTERED``, ``DEPRECATED`` or ``MISSING``, by ``workflow`` or ``activity``, name and version.
        parent: Whether the parent is ``open``, or how it closed.
        children: What is wrong with children that were started, by workflow id.
        unknown: What could not be found out, for people.
    """

    live: bool = False
    options: str = ''
    domain: str | None = None
    target: str | None = None
    file: str | None = None
    pending: Mapping[tuple[str, str], int] = field(factory=dict)
    pollers: Mapping[tuple[str, str], tuple[Poller, ...]] = field(factory=dict)
    types: Mapping[tuple[str, str, str], str] = field(factory=dict)
    parent: str | None = None
    children: Mapping[str, ChildDiagnosis] = field(factory=dict)
    unknown: tuple[str, ...] = ()


@frozen
class Case:
    """What a rule looks at.

    Attributes:
        view: The execution.
        now: The present; of a history from a file its end.
        facts: What is known beside it.
        code: What its code makes of it; ``None`` where the class is not at hand.
    """

    view: ExecutionView
    now: datetime
    facts: Facts = Facts()
    code: CodeView | None = None

    @property
    def target(self) -> str:
        """The code to name in a command; a placeholder where it is not known."""
        return self.facts.target or 'TARGET'

    def command(self, verb: str, *arguments: str, **options: str | int | None) -> str:
        """A genflow command on the same service, as it is typed.

        Args:
            verb: The command.
            *arguments: Its arguments; they may begin with a dash.
            **options: Its own options by name; those that are ``None`` are left out.
        """
        own = [word for name, value in options.items() if value is not None for word in (_flag(name), str(value))]
        return command_line(verb, arguments, own, self.facts.options)

    def on_this(self, verb: str, *arguments: str, **options: str | int | None) -> str:
        """A genflow command about this execution."""
        if self.facts.file is not None and verb in OF_FILES:
            return self.command(verb, *arguments, file=self.facts.file, **options)
        return self.command(verb, self.view.workflow_id or 'ID', *arguments, **options)

    def worker(self, task_list: str | None = None) -> str:
        """The command that starts a worker with the code."""
        is_said = '--domain ' in self.facts.options
        domain = None if is_said else self.facts.domain or 'DOMAIN'
        return self.command('worker', self.target, task_list=task_list or 'TASK_LIST', domain=domain)

    def since(self, when: datetime) -> float:
        """Seconds from a moment until now."""
        return (self.now - when).total_seconds()

    def ago(self, when: datetime) -> str:
        seconds = self.since(when)
        return 'just now' if seconds < 1 else f'{duration(seconds)} ago'

    def clock(self, when: datetime) -> str:
        return clock_time(when, self.now)


OF_FILES = frozenset({'debug', 'graph', 'history', 'show', 'timeline', 'why'})
"""The commands that read a history from a file."""


def _flag(name: str) -> str:
    return f'--{name.replace("_", "-")}'


def remedy(advice: str, *commands: str) -> str:
    """What to do, and the commands that do it, each on a line of its own."""
    return '\n'.join((advice, *commands))


@frozen
class Rule:
    """One row of the table of findings.

    Attributes:
        code: Of its findings.
        level: Of its findings.
        find: The function.
        closed: Whether it concerns executions that have closed; otherwise those that are open.
    """

    code: str
    level: str
    find: Callable[[Case], Iterator[Found]]
    closed: bool = False

    def findings(self, case: Case) -> Iterator[Finding]:
        for found in self.find(case) if self.closed is not case.view.is_open else ():
            yield Finding(self.code, self.level, found.text, found.remedy, found.evidence)

    @property
    def meaning(self) -> str:
        """The first line of the function's docstring."""
        return (self.find.__doc__ or '').partition('\n')[0]


def plain(value: Any) -> Any:
    """Evidence as JSON can hold it."""
    return value.isoformat() if isinstance(value, datetime) else value

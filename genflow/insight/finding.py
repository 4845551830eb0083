"""The types of findings and of the rules that make them.

A *rule* is a small function that takes a :class:`Case` and yields what it found: a sentence, evidence and a remedy. The
rules are in one table, in the order of how much each explains (:mod:`genflow.insight.rules`).
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

__all__ = [
    'CAUSE',
    'NOTE',
    'SETTING',
    'Case',
    'Evidence',
    'Facts',
    'Finding',
    'Found',
    'Poller',
    'Rule',
    'plain',
    'remedy',
]

CAUSE, NOTE, SETTING = 'cause', 'note', 'setting'
"""The levels of findings: something is wrong; a normal state is explained; a setting would hide trouble later."""


@frozen
class Evidence:
    """A fact that supports a finding.

    Attributes:
        event_id: The event that shows it; 0 if no event does.
        at: The time of it.
        text: A description.
    """

    text: str
    event_id: int = 0
    at: datetime | None = None


@frozen
class Found:
    """The text, remedy and evidence that a rule found."""

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
        evidence: The facts that support it.
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
        identity: The identity that it gave when it polled.
        at: The time at which it last took a task.
    """

    identity: str
    at: datetime


class ChildDiagnosis(Protocol):
    """What is wrong with a child."""

    @property
    def first_cause(self) -> Finding | None: ...


@frozen
class Facts:
    """What is known besides the events of the execution; unknown facts are left out.

    Attributes:
        live: Whether the facts come from a service, so that deadlines that have passed have struck; else from a file.
        options: What a command needs to reach the same service: ``--db orders.db``; quoted for a shell.
        domain: The SWF domain.
        target: The TARGET that a command was given.
        file: The file that the events come from, if any.
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
    """The input of a rule.

    Attributes:
        view: The execution.
        now: The current time; for a file, the time of the last event.
        facts: What is known besides its events.
        code: The result of the replay; ``None`` if the class is not available.
    """

    view: ExecutionView
    now: datetime
    facts: Facts = Facts()
    code: CodeView | None = None

    @property
    def target(self) -> str:
        """The TARGET of a command; a placeholder if it is not known."""
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
        has_domain = '--domain ' in self.facts.options
        domain = None if has_domain else self.facts.domain or 'DOMAIN'
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
    """Joins an advice and the commands that carry it out, each on a line of its own."""
    return '\n'.join((advice, *commands))


@frozen
class Rule:
    """One row of the table of findings.

    Attributes:
        code: The code of its findings.
        level: The level of its findings.
        find: The function.
        closed: Whether it applies to closed executions; otherwise it applies to open ones.
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

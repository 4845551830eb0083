"""The checks of ``genflow doctor``, from Python to workers."""

from __future__ import annotations

import contextlib
import platform
import sqlite3
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click
from attrs import field, frozen

from genflow.core.model.registry import Spec
from genflow.insight.command_line import quoted
from genflow.steady_time import monotonic
from genflow.swf.aws import error_hints, faults
from genflow.swf.aws.connections import POLL_SECONDS, Connection, connect
from genflow.tools.cli.checking.types import specs_of
from genflow.tools.cli.exits import Exit
from genflow.tools.cli.services import opened, refusing
from genflow.tools.cli.settings import current_settings
from genflow.tools.cli.streams import print_lines
from genflow.tools.executions.gathering import Gatherer
from genflow.tools.executions.types import DIFFERS, UNREGISTERED, registered_types, verdicts
from genflow.tools.text.paragraphs import terminal_width, wrapped

__all__ = ['check_everything']

OLDEST_PYTHON = (3, 10)
OLDEST = {'boto3': (1, 28), 'attrs': (23, 1), 'venusian': (3, 1), 'click': (8, 1), 'rich': (13,)}
"""The first releases that genflow works with; setup.cfg says why."""

SKEW = 60
"""Seconds that clocks may differ; AWS refuses signatures that are 5 minutes off."""

SLOW = 2.0
"""Seconds after which an answer is called slow."""


@frozen
class Check:
    """The result of one check.

    Attributes:
        subject: Such as ``Python`` or ``domain``.
        state: ``ok``, ``note`` or ``wrong``.
        text: What was found.
        remedy: What to do if it is not ``ok``.
    """

    subject: str
    state: str
    text: str
    remedy: str = ''

    def lines(self) -> Iterator[str]:
        text = f'{MARKS[self.state]} {self.subject}: {self.text}'
        width = terminal_width()
        yield from [text] if width is None else wrapped(text, hanging='    ', width=width)
        if self.remedy:
            yield from [f'    {self.remedy}'] if width is None else wrapped(self.remedy, '    ', '', width)


MARKS = {'ok': '✓', 'note': '·', 'wrong': '✗'}


@frozen
class Patient:
    """The things to check.

    Attributes:
        domain: The domain.
        endpoint: The address of a service, if one was named.
        db: A file, if one was named.
        specs: The types of the code, if it was named.
        connection: To the service, once it is reached.
    """

    domain: str
    endpoint: str | None
    db: str | None
    specs: list[Spec]
    connection: Connection | None = field(default=None, repr=False)

    @property
    def client(self) -> Any:
        return self.connection.client if self.connection is not None else None


def check_everything(
    ctx: click.Context, *, target: str | None, domain: str, endpoint: str | None, db: str | None
) -> None:
    """Carry out ``genflow doctor``."""
    patient = Patient(domain, endpoint, db, specs_of(target))
    is_healthy = True
    for check in _checks(patient):
        is_healthy = is_healthy and check.state != 'wrong'
        print_lines(check.lines())
    ctx.exit(Exit.COMPLETED if is_healthy else Exit.TROUBLE)


def _checks(patient: Patient) -> Iterator[Check]:
    for examine in HERE:
        yield from examine(patient)
    if patient.db is not None and not Path(patient.db).exists():
        yield Check(
            'file', 'wrong', f'{patient.db} does not exist', f'`genflow run --db {quoted(patient.db)}` makes it.'
        )
        return
    try:
        with opened(patient.endpoint, patient.db) as layer1, refusing(domain=patient.domain):
            connection = connect(layer1)
            with contextlib.closing(connection):
                found = Patient(patient.domain, patient.endpoint, patient.db, patient.specs, connection)
                for examine in THERE:
                    yield from examine(found)
    except click.ClickException as error:
        yield Check('service', 'wrong', 'it does not work', error.format_message())


# local checks


def _python(patient: Patient) -> Iterator[Check]:
    state = 'ok' if sys.version_info >= OLDEST_PYTHON else 'wrong'
    text = f'{platform.python_version()} ({platform.python_implementation()}, {platform.system()})'
    yield Check('Python', state, text, '' if state == 'ok' else 'genflow needs Python 3.10 or newer.')


def _packages(patient: Patient) -> Iterator[Check]:
    found = {name: _version(name) for name in ('genflow', *OLDEST, 'cattrs')}
    old = [name for name, oldest in OLDEST.items() if _parts(found[name]) < oldest]
    text = ', '.join(f'{name} {text or "missing"}' for name, text in found.items())
    remedy = ' '.join(f'"{name}>={".".join(map(str, OLDEST[name]))}"' for name in old)
    yield Check('packages', 'wrong' if old else 'ok', text, f'pip install {remedy}' if old else '')


def _version(name: str) -> str | None:
    with contextlib.suppress(PackageNotFoundError):
        return version(name)
    return None


def _parts(text: str | None) -> tuple[int, ...]:
    return tuple(int(part) for part in (text or '').split('.') if part.isdecimal())


def _back_end(patient: Patient) -> Iterator[Check]:
    kind, value = ('db', patient.db) if patient.db is not None else ('endpoint', patient.endpoint)
    if value is None:
        text = 'Amazon SWF, as boto3 is configured: neither db nor endpoint is set'
    else:
        text = f'{value}, by {current_settings().place(kind) or f"--{kind}"}'
    yield Check('service', 'ok', text)


def _file(patient: Patient) -> Iterator[Check]:
    if patient.db is None or not Path(patient.db).exists():
        return
    try:
        with contextlib.closing(sqlite3.connect(f'{Path(patient.db).resolve().as_uri()}?mode=ro', uri=True)) as file:
            found = [row[0] for row in file.execute('PRAGMA quick_check(3)')]
    except sqlite3.Error as error:
        found = [str(error)]
    if found == ['ok']:
        yield Check('file', 'ok', f'{patient.db} is whole, {Path(patient.db).stat().st_size:,} bytes')
        return
    remedy = (
        f'`genflow db export {patient.db} -o saved.jsonl` saves what can be read; `genflow db import` makes a file.'
    )
    yield Check('file', 'wrong', f'{patient.db}: {"; ".join(found)}', remedy)


HERE: tuple[Callable[[Patient], Iterator[Check]], ...] = (_python, _packages, _back_end, _file)


# checks of the service


def _reached(patient: Patient) -> Iterator[Check]:
    began = monotonic()
    answer = patient.client.list_domains(registrationStatus='REGISTERED', maximumPageSize=1)
    seconds = monotonic() - began
    where = patient.connection.backend if patient.connection is not None else ''
    remedy = 'Such slow calls slow down every decision: check the network.' if seconds > SLOW else ''
    yield Check('reached', 'note' if remedy else 'ok', f'{where} answers after {seconds * 1000:.0f} ms', remedy)
    yield from _clock(answer)


def _clock(answer: Any) -> Iterator[Check]:
    """Compares the clocks, by the ``Date`` header of the service's HTTP responses."""
    date = answer.get('ResponseMetadata', {}).get('HTTPHeaders', {}).get('date')
    if date is None:
        return
    skew = (datetime.now(timezone.utc) - parsedate_to_datetime(date)).total_seconds()
    if abs(skew) < SKEW:
        yield Check('clock', 'ok', 'as on the service')
    else:
        remedy = 'Set the clock (NTP): requests with a signature more than 5 minutes off are refused.'
        yield Check('clock', 'wrong', f'{abs(skew):.0f} s {"ahead of" if skew > 0 else "behind"} the service', remedy)


def _credentials(patient: Patient) -> Iterator[Check]:
    """Reports which kind of credentials is used, without showing them."""
    if patient.db is not None or patient.endpoint is not None:
        return
    import boto3

    session = boto3.session.Session()
    credentials = session.get_credentials()
    text = 'none' if credentials is None else f'found, from {credentials.method}'
    yield Check('credentials', 'ok' if credentials else 'wrong', f'{text}; region {session.region_name}')


def _timeouts(patient: Patient) -> Iterator[Check]:
    polling = patient.connection.polling if patient.connection is not None else None
    config = getattr(getattr(polling, 'meta', None), 'config', None)
    if config is None:
        return
    state = 'ok' if config.read_timeout > POLL_SECONDS else 'wrong'
    remedy = '' if state == 'ok' else f'SWF holds a poll for {POLL_SECONDS} s: give polls a longer read time-out.'
    yield Check('read time-out', state, f'{config.read_timeout} s for polls', remedy)


def _domain(patient: Patient) -> Iterator[Check]:
    try:
        found = patient.client.describe_domain(name=patient.domain)
    except Exception as error:
        if faults.code_of(error) != 'UnknownResourceFault':
            raise
        yield Check('domain', 'wrong', f'{patient.domain} is not registered', error_hints.explained(error))
        return
    if found['domainInfo']['status'] != 'REGISTERED':
        remedy = f'`aws swf undeprecate-domain --name {patient.domain}` undeprecates it.'
        yield Check('domain', 'wrong', f'{patient.domain} is deprecated: nothing new starts in it', remedy)
        return
    days = found['configuration']['workflowExecutionRetentionPeriodInDays']
    yield Check('domain', 'ok', f'{patient.domain} is registered, and keeps closed executions for {days} days')
    for examine in (_types, _workers):
        yield from examine(patient)


def _types(patient: Patient) -> Iterator[Check]:
    types = registered_types(patient.client, patient.domain)
    kinds = [one.kind for one in types]
    text = f'{kinds.count("workflow")} of workflows and {kinds.count("activity")} of activities are registered'
    yield Check('types', 'ok', text)
    for key, (word, details) in verdicts(
        patient.client, patient.domain, patient.specs, [one.key for one in types]
    ).items():
        if word == DIFFERS:
            remedy = 'The registered defaults apply unless a decision overrides them; a new version can change them.'
            yield Check(' '.join(key), 'wrong', f'registered with other defaults: {details}', remedy)
        elif word == UNREGISTERED:
            yield Check(' '.join(key), 'note', word, f'{details[0].upper()}{details[1:]}.')


def _workers(patient: Patient) -> Iterator[Check]:
    """Reports from which task lists workers have taken tasks lately, and which lists have waiting tasks."""
    found = Gatherer(patient.client, patient.domain).pollers()
    lists = {(kind, name) for kind, name in found} | {
        ('decision' if hasattr(spec, 'decision_duration') else 'activity', spec.task_list)
        for spec in patient.specs
        if spec.task_list is not None
    }
    for kind, name in sorted(lists):
        method = getattr(patient.client, f'count_pending_{kind}_tasks')
        waiting = method(domain=patient.domain, taskList={'name': name})['count']
        names = ', '.join(poller.identity for poller in found.get((kind, name), ())[:3]) or 'nobody'
        remedy = (
            f'`genflow worker TARGET --domain {quoted(patient.domain)} --task-list {quoted(name)}` works for it.'
            if waiting
            else ''
        )
        text = f'{waiting} {kind} tasks wait; recently taken by {names}'
        yield Check(f'task list {name}', 'note' if waiting else 'ok', text, remedy)


THERE: tuple[Callable[[Patient], Iterator[Check]], ...] = (_credentials, _reached, _timeouts, _domain)

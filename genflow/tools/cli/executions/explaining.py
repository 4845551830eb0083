"""Carries out ``genflow why``: gathers facts, diagnoses and prints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import tzinfo
from typing import TYPE_CHECKING

import click
from attrs import evolve

from genflow.core.errors import GenflowError
from genflow.core.model.registry import WorkflowSpec
from genflow.insight import Finding, clock_time, duration
from genflow.tools.cli.executions.actions import run_of
from genflow.tools.cli.executions.files import gathered_of
from genflow.tools.cli.exits import Exit, Refused
from genflow.tools.cli.services import client_of, options_of
from genflow.tools.cli.settings import in_zone
from genflow.tools.current_folder import shown_place
from genflow.tools.executions.causes import causes_of
from genflow.tools.executions.follow import listed
from genflow.tools.executions.gathering import Gathered, Gatherer, known_spec
from genflow.tools.targets.target import TargetError, load, module_of, parse
from genflow.tools.text.paragraphs import wrapped
from genflow.tools.text.printable import printable

if TYPE_CHECKING:
    from genflow.insight import BranchState, BranchView, Diagnosis

__all__ = ['explain']


def explain(
    ctx: click.Context,
    *,
    workflow_id: str | None,
    target: str | None,
    run_id: str | None,
    path: str | None,
    at: str | None,
    supposed: tuple[str, ...],
    everything: bool,
    as_json: bool,
    domain: str,
    endpoint: str | None,
    db: str | None,
) -> None:
    """Carry out ``genflow why``."""
    if everything:
        _import(target or workflow_id)
        ctx.exit(_show_all(target or workflow_id, domain, endpoint, db, as_json=as_json))
    if path is not None:
        target = target or workflow_id
        gathered = gathered_of(path, at, target=target)
    elif workflow_id is None:
        raise Refused('Which execution? Give its ID, or --file FILE, or --all.')
    else:
        gathered = _gathered(workflow_id, target, run_id, domain, endpoint, db)
    gathered = evolve(gathered, now=in_zone(gathered.now))
    spec = _spec(target, gathered)
    if supposed:
        ctx.exit(_suppose(gathered, spec, supposed, as_json=as_json))
    diagnosis = gathered.diagnosis(spec)
    click.echo(json.dumps(diagnosis.to_dict(), indent=2) if as_json else printable('\n'.join(lines_of(diagnosis))))
    ctx.exit(Exit.COMPLETED if diagnosis.is_healthy else Exit.TROUBLE)


def _gathered(
    workflow_id: str, target: str | None, run_id: str | None, domain: str, endpoint: str | None, db: str | None
) -> Gathered:
    with client_of(endpoint, db, domain=domain) as client:
        run = run_of(client, domain, workflow_id, run_id)
        return Gatherer(client, domain, options_of(domain, endpoint, db), target=target).gather(run)


def _import(target: str | None) -> None:
    if target is not None:
        try:
            module_of(parse(target))
        except TargetError as error:
            raise Refused(str(error)) from error


def _spec(target: str | None, gathered: Gathered) -> WorkflowSpec | None:
    """The class of an execution: that of its type if the target has it, else the class that the target names."""
    if target is None:
        return known_spec(gathered.view)
    _import(target)
    found = known_spec(gathered.view)
    if found is not None and parse(target).cls is None:
        return found
    try:
        spec = load(target)
    except TargetError as error:
        raise Refused(str(error)) from error
    view = gathered.view
    if (spec.name, spec.version) != (view.name, view.version):
        raise Refused(
            f'{target} is the workflow type {spec.name} {spec.version}; the execution is of {view.name} {view.version}.'
        )
    return spec


# suppositions


def _suppose(gathered: Gathered, spec: WorkflowSpec | None, supposed: tuple[str, ...], *, as_json: bool) -> int:
    if spec is None:
        raise Refused('What the code would do needs the code: name it as TARGET.')
    if not gathered.view.is_open:
        raise Refused(f'The execution is {gathered.view.status}: nothing more will happen to it.')
    answers = {text: _answer(gathered, spec, text) for text in supposed}
    if as_json:
        click.echo(json.dumps({'schema': 1, 'if': {text: list(found) for text, found in answers.items()}}, indent=2))
        return Exit.COMPLETED
    for text, found in answers.items():
        click.echo(f'if {text}: the code')
        for line in found:
            click.echo(f'  {line}')
    return Exit.COMPLETED


def _answer(gathered: Gathered, spec: WorkflowSpec, text: str) -> tuple[str, ...]:
    from genflow.insight import parsed, suppose

    try:
        return (*suppose(gathered.view, spec, parsed(text, gathered.view)), *_undeclared(text, spec))
    except ValueError as error:
        raise Refused(str(error)) from error
    except GenflowError as error:
        return (f'cannot go on: {type(error).__name__}: {error}',)


def _undeclared(text: str, spec: WorkflowSpec) -> Iterator[str]:
    """A hint if a signal was supposed that the class does not declare."""
    from genflow.core.tasks.signals import signals_of

    verb, name = (*text.split()[:2], '', '')[:2]
    declared = signals_of(spec.cls)
    if verb == 'signal' and name not in declared:
        yield f'(the class declares no signal {name!r}; it declares: {", ".join(declared) or "none"})'


# a whole domain


def _show_all(target: str | None, domain: str, endpoint: str | None, db: str | None, *, as_json: bool) -> int:
    with client_of(endpoint, db, domain=domain) as client:
        gatherer = Gatherer(client, domain, options_of(domain, endpoint, db), target=target)
        causes = causes_of(gatherer, listed(client, domain, 'open'))
    if as_json:
        click.echo(json.dumps({'schema': 1, **causes.to_dict()}, indent=2))
    else:
        click.echo('\n'.join(causes.lines()))
    return Exit.TROUBLE if causes.groups else Exit.COMPLETED


# output


def lines_of(diagnosis: Diagnosis) -> Iterator[str]:
    """A diagnosis for the terminal."""
    yield from _head(diagnosis)
    for state in diagnosis.branches:
        yield ''
        yield from _branch(state, diagnosis)
    for level, title in (('cause', 'Cause'), ('note', 'Note'), ('setting', 'Setting')):
        for finding in diagnosis.of_level(level):
            yield ''
            yield from _finding(title, finding, diagnosis.now.tzinfo)
    if diagnosis.is_healthy:
        yield ''
        yield 'Nothing is wrong.'
    if diagnosis.unknown:
        yield ''
        yield from wrapped('Not known: ' + '; '.join(diagnosis.unknown) + '.')


def _head(diagnosis: Diagnosis) -> Iterator[str]:
    """The title, the state, and the next time-out or timer."""
    view = diagnosis.view
    run = f' (run {view.run_id})' if view.run_id else ''
    yield from wrapped(f'{view.title}{run}, {view.name} {view.version}, {view.last_event_id:,} events')
    yield from wrapped(f'It {_sentence(diagnosis.state)}')
    if diagnosis.next:
        yield from wrapped(f'Next by itself: {diagnosis.next}.')
    if diagnosis.code is not None and diagnosis.code.decides:
        yield from wrapped(f'When its decision is taken, the code {", ".join(diagnosis.code.decides)}.')
    if view.status_text:
        yield from wrapped(f'Status: {view.status_text}')


def _sentence(text: str) -> str:
    return text if text.endswith('.') else f'{text}.'


WHEN = {'fires': 'When it fires', 'attempt': 'When the next attempt begins'}


def _branch(state: BranchState, diagnosis: Diagnosis) -> Iterator[str]:
    branch = state.branch
    since = '' if state.since is None else f' for {duration(max(0.0, (diagnosis.now - state.since).total_seconds()))}'
    yield from wrapped(f'Branch {branch.name}, {shown_place(branch.place)}, waits for {_elsewhere(branch)}{since}')
    for number, text in branch.place.lines if branch.place else ():
        mark = '>' if branch.place is not None and number == branch.place.line else ' '
        yield f'  {mark} {number:>4} | {text}'
    if state.deadline is not None:
        what = WHEN.get(state.deadline.kind, f'At its {state.deadline.kind} time-out')
        at = clock_time(state.deadline.at, diagnosis.now)
        yield from wrapped(f'{what} ({at}) the code {", ".join(state.then)}.' if state.then else f'{what}: {at}.', '  ')


def _elsewhere(branch: BranchView) -> str:
    """The operation that a branch waits for, without the position of the branch."""
    return branch.awaits.removesuffix(f' at {branch.place}')


def _finding(title: str, finding: Finding, zone: tzinfo | None) -> Iterator[str]:
    first, *rest = finding.text.splitlines() or ['']
    yield from wrapped(f'{title}: {first} [{finding.code}]')
    yield from (f'  {line}' for line in rest)
    for one in finding.evidence:
        where = f'event {one.event_id}' if one.event_id else 'so far'
        when = f', {one.at.astimezone(zone):%Y-%m-%d %H:%M:%S}' if one.at else ''
        yield from wrapped(f'{where}{when}: {one.text}', '  ')
    for number, line in enumerate(finding.remedy.splitlines()):
        first = '' if number else '-> '
        if line in finding.commands:
            yield f'  {first or "   "}{line}'  # not wrapped: it is to be copied
        else:
            yield from wrapped(f'{first}{line}', '  ')

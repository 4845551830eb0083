"""The pages of actions on executions: a preview, and the results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from attrs import frozen
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from genflow.core.text import counted
from genflow.insight.repair import RepairError
from genflow.tools.dashboard.data.actions import ACTIONS, NO_REPAIR, Action, Refusal, Target, Task, plan_of
from genflow.tools.dashboard.data.executions import Query
from genflow.tools.dashboard.pages.lists import domains_of, listing_for
from genflow.tools.dashboard.site import NotFound, Site, explained, is_expected

__all__ = ['MOST', 'act', 'preview']

MOST = 1000
"""Executions that something is done to at once."""

PLANNED = 50
"""Repairs that are planned for a preview: each reads a history."""

READ_ONLY = 'This dashboard is read-only: start it with --write to allow actions, or copy the command line.'


@frozen
class Outcome:
    """What would happen to one execution, or did."""

    target: Target
    state: str
    text: str
    is_good: bool
    command: str


def action_of(name: str) -> Action:
    """An action by its name.

    Raises:
        NotFound: There is none.
    """
    if name not in ACTIONS:
        raise NotFound(f'There is no action {name!r}; there are {", ".join(ACTIONS)}.')
    return ACTIONS[name]


def preview(site: Site, request: Request) -> Response:
    """What an action would do, with the form that does it; changes nothing."""
    params = request.query_params
    action = action_of(params.get('action', ''))
    targets, left_out = chosen(site, request)
    values = {one.name: params.get(one.name, '') for one in action.fields if one.name in params}
    return page(site, request, action, targets, values, left_out)


def chosen(site: Site, request: Request) -> tuple[list[Target], int]:
    """The executions that were ticked, or all that a filter has; and how many are beyond the limit."""
    params = request.query_params
    if params.get('all'):
        found = [Target(row.workflow_id, row.run_id) for row in matching(site, request)]
    else:
        found = [Target.of(text) for text in params.getlist('on')]
    return found[:MOST], max(0, len(found) - MOST)


def matching(site: Site, request: Request) -> Iterator[Any]:
    yield from listing_for(site, request, Query.of(request.query_params)).matching


def page(
    site: Site,
    request: Request,
    action: Action,
    targets: list[Target],
    values: Mapping[str, str],
    left_out: int = 0,
    problem: str = '',
    status: int = HTTPStatus.OK,
) -> Response:
    """The page of an action, before it is taken."""
    domain = site.links(request).domain
    states = {row.key: row.status for row in site.index(domain).rows()}
    tasks = [Task(site.source, domain, target, values) for target in targets]
    outcomes = [
        foreseen(action, task, states.get((task.target.workflow_id, task.target.run_id), 'unknown'), i)
        for i, task in enumerate(tasks)
    ]
    return site.render(
        request,
        'act.html',
        status,
        action=action,
        fields=action.filled(values),
        outcomes=outcomes,
        possible=sum(one.is_good for one in outcomes),
        left_out=left_out,
        problem=problem,
        domains=domains_of(site),
    )


def foreseen(action: Action, task: Task, state: str, place: int) -> Outcome:
    """What would happen to one execution."""
    command = action.command(task)
    if state != 'unknown' and not action.suits(state):
        return Outcome(task.target, state, f'Nothing: it is {state}.', is_good=False, command=command)
    if action.name == 'repair' and task.source.fork is None:
        return Outcome(task.target, state, f'Nothing. {NO_REPAIR}', is_good=False, command=command)
    if action.name != 'repair' or place >= PLANNED:
        return Outcome(task.target, state, action.does, is_good=True, command=command)
    try:
        plan = plan_of(task)
    except RepairError as error:
        return Outcome(task.target, state, f'Nothing: {error}.', is_good=False, command=command)
    kept = f'{counted(len(plan.kept), "operation")} {"stays" if len(plan.kept) == 1 else "stay"}'
    words = [f'Events 1 to {plan.trusted} are trusted; {kept} completed.']
    if plan.anew:
        words.append(f'Scheduled again: {", ".join(one.label for one in plan.anew[:10])}.')
    if plan.forgotten:
        words.append(f'Forgotten: {", ".join(one.label for one in plan.forgotten[:10])}.')
    return Outcome(task.target, state, ' '.join(words), is_good=True, command=command)


def act(site: Site, request: Request, form: FormData) -> Response:
    """Does it, to each execution; what cannot be done to one does not stop the others."""
    if not site.policy.may_write:
        return site.render(request, 'error.html', HTTPStatus.FORBIDDEN, text=READ_ONLY)
    action = action_of(str(form.get('action', '')))
    values = {one.name: str(form.get(one.name, '')) for one in action.fields}
    targets = [Target.of(str(text)) for text in form.getlist('on')][:MOST]
    domain = site.links(request).domain
    try:
        action.check(values, len(targets))
    except Refusal as error:
        return page(site, request, action, targets, values, problem=str(error), status=HTTPStatus.CONFLICT)
    outcomes = [done(action, Task(site.source, domain, target, values, site.spec_of)) for target in targets]
    site.index(domain).stale()
    for target in targets:
        site.runs.stale(domain, target.workflow_id, target.run_id)
    if len(outcomes) == 1 and outcomes[0].is_good:
        target = outcomes[0].target
        where = site.links(request).execution(target.workflow_id, target.run_id, did=action.name)
        return RedirectResponse(where, HTTPStatus.SEE_OTHER)
    failed = sum(not one.is_good for one in outcomes)
    status = HTTPStatus.CONFLICT if failed == len(outcomes) else HTTPStatus.OK
    domains = domains_of(site)
    return site.render(request, 'done.html', status, action=action, outcomes=outcomes, failed=failed, domains=domains)


def done(action: Action, task: Task) -> Outcome:
    """What came of an action on one execution."""
    command = action.command(task)
    try:
        return Outcome(task.target, '', action.perform(task), is_good=True, command=command)
    except Exception as error:
        if not is_expected(error):
            raise
        return Outcome(task.target, '', explained(error, **task.named), is_good=False, command=command)

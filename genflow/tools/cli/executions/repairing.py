"""How ``genflow repair`` plans and carries out repairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from attrs import frozen

from genflow.core.payloads.hooks import same_payload
from genflow.core.text import counted
from genflow.insight import ExecutionView, replayed
from genflow.insight.command_line import quoted
from genflow.insight.operations import Operation
from genflow.insight.repair import Repair, RepairError, plan_repair
from genflow.tools.cli.executions.actions import run_of
from genflow.tools.cli.exits import Refused
from genflow.tools.cli.services import again_of, client_of, refusing
from genflow.tools.cli.streams import note, print_lines, say
from genflow.tools.executions.follow import HistoryTail, listed
from genflow.tools.executions.gathering import known_spec, now, source_lines
from genflow.tools.executions.listing import Wanted
from genflow.tools.executions.start import Request, first_input
from genflow.tools.targets.target import TargetError, load, module_of, parse

__all__ = ['offer', 'repair', 'take_up']

SHOWN = 10


def repair(
    *,
    workflow_id: str | None,
    target: str | None,
    run_id: str | None,
    before: int | None,
    force: bool,
    dry_run: bool,
    everything: bool,
    yes: bool,
    type_name: str | None,
    failed_only: bool,
    since: datetime | None,
    reason_like: str | None,
    domain: str,
    endpoint: str | None,
    db: str | None,
) -> None:
    """Carry out ``genflow repair``."""
    if db is None:
        raise Refused(_needs_file(workflow_id or 'ID', endpoint))
    if everything:
        chosen = Chosen(type_name, since, reason_like, failed_only)
        with client_of(endpoint, db, domain=domain) as client:
            _repair_all(client, domain, chosen, target or workflow_id, force=force, is_meant=yes and not dry_run)
        return
    if workflow_id is None:
        raise Refused('Which execution? Give its ID, or --all.')
    with client_of(endpoint, db, domain=domain, workflowId=workflow_id) as client:
        run = run_of(client, domain, workflow_id, run_id)
        view = ExecutionView(run.workflow_id, run.run_id).apply_all(run.since(0))
        try:
            plan = plan_repair(view, now(), before)
        except RepairError as error:
            raise Refused(str(error)) from error
        refusal = refusal_of(plan, view, target, force=force)
        if refusal is not None:
            raise Refused(refusal)
        _show(plan, is_meant=not dry_run)
        if not dry_run:
            print_lines([f'{run.workflow_id} {_forked(client, domain, view, plan)}'])
            note(f'genflow: a worker, or `genflow run` with --id {quoted(run.workflow_id)}, continues it')


def _needs_file(workflow_id: str, endpoint: str | None) -> str:
    """The error for a repair on a service that is not given as a file."""
    where = '' if endpoint is None else f', and {endpoint} is given'
    beside = '' if endpoint is None else ' Where a `genflow server` answers there, give its --db FILE: it goes on.'
    return (
        f'A repair copies a history, so it needs a file of the embedded service (--db FILE){where}.{beside} '
        f'`genflow rerun {workflow_id}` starts an execution of any service again with the same input. Or bring it into '
        f'a file, and repair it there: `genflow history {workflow_id} --json > history.json`, then `genflow db import '
        'NEW.db history.json`.'
    )


def refusal_of(plan: Repair, view: ExecutionView, target: str | None, *, force: bool) -> str | None:
    """The reason why a plan is refused, if there is one."""
    mismatch = None if target is None else _mismatch(plan, view, target)
    if mismatch is not None:
        return f'The code does not follow what would be copied: {mismatch}'
    if plan.forgotten and not force:
        return (
            f'{_listed(plan.forgotten)} {"were" if len(plan.forgotten) > 1 else "was"} asked for after event '
            f'{plan.trusted}, the last that is trusted, and may have undone what came before it. To trust less of the '
            'history, give --from EVENT; to continue anyway, --force.'
        )
    return None


def _forked(client: Any, domain: str, view: ExecutionView, plan: Repair) -> str:
    found: str = client.fork_run(domain, str(view.workflow_id), str(view.run_id), plan.events)
    return found


def take_up(
    db: str, domain: str, request: Request, target: str, *, asked_for: bool, began: datetime | None = None
) -> None:
    """Repair the latest run of a request's workflow id, if it failed; one that is open or has completed is left alone.

    If no repair was requested, an execution that was started with other arguments, or that cannot be repaired, is left
    alone too; in the latter case the reason is printed.

    Args:
        db: The file; it need not exist.
        domain: Of the execution.
        request: The run that was requested.
        target: The code of the workflow.
        asked_for: Whether the user requested a repair.
        began: Start time of the ``genflow run`` that this process is a part of. An execution that failed after it is
            the result of that run.

    Raises:
        Refused: A repair was requested, and the execution cannot be repaired.
    """
    workflow_id = str(request.workflow_id)
    found = _latest(db, domain, workflow_id)
    if found is None or found[1].status in ('open', 'completed'):
        return
    started_with, view = found
    if began is not None and view.close is not None and view.close.at >= began:
        return
    if not asked_for and not _asks_for_the_same(request, started_with, view):
        return
    try:
        plan = plan_repair(view, now())
        refusal = refusal_of(plan, view, target, force=False)
    except RepairError as error:
        refusal = str(error)
    if refusal is None:
        if not asked_for:
            note(f'genflow: {workflow_id} closed before ({view.status}), and continues; --anew begins it again')
        _show(plan, is_meant=True)
        with client_of(None, db, domain=domain, workflowId=workflow_id) as client:
            _forked(client, domain, view, plan)
    elif asked_for:
        raise Refused(f'{refusal} {again_of("repair", workflow_id, domain, None, db)} has both options.')
    else:
        say(f'genflow: {workflow_id} {view.status} before and starts again: {refusal}')


def _asks_for_the_same(request: Request, started_with: str | None, view: ExecutionView) -> bool:
    same_type = (view.name, view.version) == (request.spec.name, request.spec.version)
    return same_type and same_payload(started_with, request.input)


def offer(db: str, domain: str, workflow_id: str) -> str | None:
    """A hint for an execution that has just failed; ``None`` if it cannot be repaired."""
    found = _latest(db, domain, workflow_id)
    try:
        plan = None if found is None else plan_repair(found[1], now())
    except RepairError:
        return None
    if plan is None or plan.forgotten or not plan.kept:
        return None
    number = f'{counted(len(plan.kept), "operation")} that completed'
    return f'fix the cause and run the same command again: --repair continues with the {number}, --anew starts over'


def _latest(db: str, domain: str, workflow_id: str) -> tuple[str | None, ExecutionView] | None:
    """The first input and the open run of a workflow id, or else its latest run; ``None`` where there is none."""
    if not Path(db).exists():
        return None
    with client_of(None, db, domain=domain) as client, suppress(client.exceptions.UnknownResourceFault):
        for kind in ('open', 'closed'):  # a file that something else was made with has no such domain
            for info in listed(client, domain, kind, executionFilter={'workflowId': workflow_id}, maximumPageSize=1):
                run = HistoryTail(client, domain, workflow_id, info['execution']['runId'])
                return first_input(run), ExecutionView(run.workflow_id, run.run_id).apply_all(run.since(0))
    return None


# in bulk


@frozen
class Chosen:
    """Which executions are repaired.

    Attributes:
        type_name: Of their workflow type.
        since: They closed then or later.
        reason: A part of the reason, in any case.
        failed_only: They failed; none that timed out, or was terminated or canceled.
    """

    type_name: str | None
    since: datetime | None
    reason: str | None
    failed_only: bool

    def wanted(self) -> Wanted:
        failed = frozenset({'failed'})
        statuses = failed if self.failed_only else failed | {'timed-out', 'terminated', 'canceled'}
        return Wanted(statuses, self.type_name)

    def includes(self, info: Mapping[str, Any], view: ExecutionView) -> bool:
        """Whether an execution that SWF lists among those of the type and status is chosen."""
        reason = '' if view.close is None else view.close.reason or ''
        is_late = self.since is None or info['closeTimestamp'] >= self.since
        return is_late and (self.reason is None or self.reason.casefold() in reason.casefold())


def _repair_all(client: Any, domain: str, chosen: Chosen, target: str | None, *, force: bool, is_meant: bool) -> None:
    """Repairs the selected executions, or prints what would be done; names and skips those that cannot be repaired."""
    views = list(_views(client, domain, chosen))
    done = 0
    for view in views:
        try:
            plan = plan_repair(view, now())
            refusal = refusal_of(plan, view, target, force=force)
            if refusal is None and is_meant:
                with refusing(domain=domain, workflowId=view.workflow_id):
                    run_id = _forked(client, domain, view, plan)
        except (RepairError, Refused) as error:
            refusal = str(error)
        if refusal is not None:
            say(f'genflow: {view.workflow_id} is not repaired: {refusal}')
            continue
        done += 1
        text = f'{view.workflow_id} {run_id if is_meant else view.run_id}'
        anew = _listed(plan.anew) or 'nothing'
        print_lines([f'{text}  {len(plan.kept)} stay completed, scheduled again: {anew}'])
    if not views:
        note('genflow: no execution that can be repaired fits these options')
    elif is_meant:
        note(f'genflow: {done} of {len(views)} are repaired; a worker, or `genflow run`, continues them')
    else:
        note(f'genflow: {done} of {len(views)} would be repaired; give --yes to repair them')


def _views(client: Any, domain: str, chosen: Chosen) -> Iterator[ExecutionView]:
    """The latest run of each workflow id that is chosen and has no open run."""
    seen = {info['execution']['workflowId'] for info in listed(client, domain, 'open')}
    wanted = chosen.wanted()
    for info in listed(client, domain, 'closed'):
        execution = info['execution']
        if execution['workflowId'] in seen:
            continue
        seen.add(execution['workflowId'])
        if wanted.includes(info):
            run = HistoryTail(client, domain, execution['workflowId'], execution['runId'])
            view = ExecutionView(run.workflow_id, run.run_id).apply_all(run.since(0))
            if chosen.includes(info, view):
                yield view


def _show(plan: Repair, *, is_meant: bool) -> None:
    kept = f'{counted(len(plan.kept), "operation")} {"stays" if len(plan.kept) == 1 else "stay"}'
    note(f'genflow: events 1 to {plan.trusted} are trusted; {kept} completed')
    if not plan.is_linked:
        note(
            'genflow: it already has five tags, so no tag names the run that it continues, and idempotency keys are new'
        )
    if plan.anew:
        note(f'genflow: {"" if is_meant else "would be "}scheduled again: {_listed(plan.anew)}')


def _listed(operations: tuple[Operation, ...]) -> str:
    more = f' and {len(operations) - SHOWN} more' if len(operations) > SHOWN else ''
    return ', '.join(one.label for one in operations[:SHOWN]) + more


def _mismatch(plan: Repair, view: ExecutionView, target: str) -> object:
    """The mismatch between the code and the history that would be copied; ``None`` if there is none."""
    try:
        module_of(parse(target))
        spec = known_spec(view) or load(target)
    except TargetError as error:
        raise Refused(str(error)) from error
    fresh = ExecutionView(view.workflow_id, view.run_id).apply_all(plan.events)
    return replayed(fresh, spec, source_lines).error

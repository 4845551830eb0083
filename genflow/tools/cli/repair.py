"""``genflow repair``: an execution of the embedded service that failed goes on where it failed."""

from __future__ import annotations

import click

from genflow.insight import ExecutionView, replayed
from genflow.insight.operations import Operation
from genflow.insight.repair import Repair, RepairError, plan_repair
from genflow.local import forking
from genflow.local.errors import StoreError
from genflow.tools.cli.executions import run_of, service_options
from genflow.tools.cli.exits import Refused
from genflow.tools.cli.services import client_of
from genflow.tools.gathering import known_spec, now, source_lines
from genflow.tools.run.target import TargetError, load

__all__ = ['command']

SHOWN = 10


@click.command('repair')
@click.argument('workflow_id', metavar='ID')
@click.argument('target', required=False)
@click.option('--run-id', help='Which run; the latest one without it.')
@click.option('--from', 'before', type=int, metavar='EVENT', help='Trust only decisions that completed before it.')
@click.option('--force', is_flag=True, help='Go on although calls were made after what is trusted.')
@click.option('--dry-run', is_flag=True, help='Say what would be done, and do nothing.')
@service_options
def command(
    *,
    workflow_id: str,
    target: str | None,
    run_id: str | None,
    before: int | None,
    force: bool,
    dry_run: bool,
    domain: str,
    endpoint: str | None,
    db: str | None,
) -> None:
    """Take up the execution ID, which has failed, as a new run of the same workflow id, and print its ids.

    The new run begins with the history up to the decision before the failure took effect; what completed stays, what
    was open or failed is asked for anew. With TARGET, the code is held against it first.
    """
    if db is None:
        raise Refused(
            'Only a file of the embedded service can be repaired: no other service can copy a history. '
            f'`genflow rerun {workflow_id}` starts it again with the same input.'
        )
    with client_of(endpoint, db, domain=domain) as client:
        run = run_of(client, domain, workflow_id, run_id)
        view = ExecutionView(run.workflow_id, run.run_id).apply_all(run.since(0))
    try:
        plan = plan_repair(view, now(), before)
    except RepairError as error:
        raise Refused(str(error)) from error
    _show(plan)
    if target is not None:
        _compare(plan, view, target)
    if plan.forgotten and not force:
        raise Refused(
            f'{_listed(plan.forgotten)} {"were" if len(plan.forgotten) > 1 else "was"} asked for after event '
            f'{plan.trusted}, the last that is trusted, and may have undone what is. --force goes on without; '
            '--from EVENT trusts less.'
        )
    if dry_run:
        return
    try:
        new_run_id = forking.fork(db, domain, run.workflow_id, run.run_id, plan.events, now())
    except StoreError as error:
        raise Refused(str(error)) from error
    click.echo(f'{run.workflow_id} {new_run_id}')


def _show(plan: Repair) -> None:
    click.echo(f'genflow: events 1 to {plan.trusted} are trusted; {len(plan.kept)} operations stay completed', err=True)
    if plan.anew:
        click.echo(f'genflow: asked for anew: {_listed(plan.anew)}', err=True)


def _listed(operations: tuple[Operation, ...]) -> str:
    more = f' and {len(operations) - SHOWN} more' if len(operations) > SHOWN else ''
    return ', '.join(one.label for one in operations[:SHOWN]) + more


def _compare(plan: Repair, view: ExecutionView, target: str) -> None:
    """Refuses where the code does not follow what would be copied."""
    try:
        spec = load(target)
    except TargetError as error:
        raise Refused(str(error)) from error
    spec = known_spec(view) or spec
    fresh = ExecutionView(view.workflow_id, view.run_id).apply_all(plan.events)
    mismatch = replayed(fresh, spec, source_lines).error
    if mismatch is not None:
        raise Refused(f'The code does not follow what would be copied: {mismatch}')

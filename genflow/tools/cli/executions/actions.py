"""Commands that act on executions: start, query, signal, cancel, terminate, wait for the result.

Each command makes one or a few calls of a SWF client. It works with Amazon SWF, an endpoint or a file.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click
from attrs import evolve

from genflow import insight
from genflow.core.errors import GenflowError, UpdateFailed
from genflow.core.model.registry import WorkflowSpec, declared
from genflow.steady_time import monotonic
from genflow.swf.aws import faults
from genflow.tools.cli.completing import complete_ids, complete_types, complete_versions
from genflow.tools.cli.exits import Exit, Refused
from genflow.tools.cli.inputs import TAKES_NEGATIVES, input_options, inputs, shown_value, value_input
from genflow.tools.cli.parameters import MAX_SECONDS, SECONDS, WORKFLOW_ID
from genflow.tools.cli.services import again_of, client_of, read_only_option, service_options
from genflow.tools.cli.settings import setting_options, shown_time
from genflow.tools.cli.streams import print_lines, print_result, say
from genflow.tools.executions.follow import HistoryTail, listed
from genflow.tools.targets.target import TargetError, module_of, parse
from genflow.tools.text.terminal_text import escape_line

if TYPE_CHECKING:
    from genflow.core.authoring.workflow import Workflow
    from genflow.tools.executions.outcome import Outcome

__all__ = ['cancel', 'history', 'query', 'result', 'run_of', 'signal', 'start', 'terminate', 'update']

POLL_INTERVALS = 0.5  # seconds between two polls of an execution


def run_of(client: Any, domain: str, workflow_id: str, run_id: str | None) -> HistoryTail:
    """The named run; without a run id the open one, or the one that started last.

    Raises:
        Refused: There is none.
    """
    if run_id is not None:
        return HistoryTail(client, domain, workflow_id, run_id)
    for kind in ('open', 'closed'):
        infos = listed(client, domain, kind, executionFilter={'workflowId': workflow_id}, maximumPageSize=1)
        for info in infos:
            return HistoryTail(client, domain, workflow_id, info['execution']['runId'])
    raise Refused(
        f'the domain {domain!r} has no execution with the id {workflow_id!r}; `genflow list` shows what it has.'
    )


@click.command('start', context_settings=TAKES_NEGATIVES)
@click.argument('name', shell_complete=complete_types)
@click.argument('version', shell_complete=complete_versions)
@input_options
@click.option('--id', 'workflow_id', type=WORKFLOW_ID, help='The workflow id. Default: a new random id.')
@click.option('--task-list', help='The task list for its decision tasks. Default: that of the type.')
@click.option('--tag', 'tags', multiple=True, help='A tag of the execution; may be repeated up to five times.')
@click.option('--wait', is_flag=True, help='Wait until the execution closes, and print its result instead of its ids.')
@click.option(
    '--timeout', default=MAX_SECONDS, type=SECONDS, help='With --wait: the most seconds to wait. Default: a year.'
)
@setting_options('verbose')
@service_options
@click.pass_context
def start(
    ctx: click.Context,
    *,
    name: str,
    version: str,
    arguments: tuple[str, ...],
    keywords: tuple[str, ...],
    workflow_id: str | None,
    task_list: str | None,
    tags: tuple[str, ...],
    wait: bool,
    timeout: float,
    verbose: bool,
    domain: str,
    endpoint: str | None,
    db: str | None,
) -> None:
    """Start an execution of the workflow type NAME VERSION, and print its workflow id and run id.

    ARGS, and the values of --kwarg, are JSON, or plain text. With --wait, the exit code is 3 if the execution
    did not complete, or is open at the --timeout.
    """
    request: dict[str, Any] = {
        'domain': domain,
        'workflowId': f'{name}-{uuid4().hex[:12]}' if workflow_id is None else workflow_id,
        'workflowType': {'name': name, 'version': version},
        'input': json.dumps(inputs(arguments, keywords)),
    }
    if task_list is not None:
        request['taskList'] = {'name': task_list}
    if tags:
        request['tagList'] = list(tags)
    with client_of(endpoint, db, **request) as client:
        run_id = client.start_workflow_execution(**request)['runId']
        ids = f'{escape_line(request["workflowId"])} {run_id}'
        if wait:
            say(f'genflow: {ids} has started')
            run = HistoryTail(client, domain, request['workflowId'], run_id)
            ctx.exit(_show_end(_closed(run, monotonic() + timeout), run, (endpoint, db), verbose=verbose))
    print_result(ids, f'The execution has started; its id is {ids}.')


@click.command('history')
@click.argument('workflow_id', required=False, metavar='ID', type=WORKFLOW_ID, shell_complete=complete_ids)
@click.option('--run-id', help='The run id. Default: the open run, or else the latest.')
@click.option(
    '--file',
    'path',
    type=click.Path(dir_okay=False, exists=True),
    help='Read the history from a JSON file instead of a service.',
)
@click.option('--json', 'as_json', is_flag=True, help='Print the events as the AWS CLI prints them.')
@read_only_option
@service_options
def history(
    *,
    workflow_id: str | None,
    run_id: str | None,
    path: str | None,
    as_json: bool,
    domain: str,
    endpoint: str | None,
    db: str | None,
) -> None:
    """Show what happened in an execution, one line for each significant event."""
    if path is not None:
        from genflow.tools.cli.executions.files import gathered_of

        view = gathered_of(path).view
        events, ids = view.events, (view.workflow_id, view.run_id)
    elif workflow_id is None:
        raise Refused('Which execution? Give its ID, or --file FILE.')
    else:
        with client_of(endpoint, db, domain=domain) as client:
            run = run_of(client, domain, workflow_id, run_id)
            events, ids = run.since(0), (run.workflow_id, run.run_id)
    if as_json:
        from genflow.testing.histories.exports import written

        print_lines(written(events, *ids, indent=2).splitlines())
        return
    from genflow.tools.executions.steps import ExecutionSteps

    print_lines(f'{shown_time(step.when)} {step.text}' for step in ExecutionSteps().apply_all(events))


@click.command('signal', context_settings=TAKES_NEGATIVES)
@click.argument('workflow_id', metavar='ID', type=WORKFLOW_ID, shell_complete=complete_ids)
@click.argument('name')
@click.argument('value', required=False, type=click.UNPROCESSED)
@click.option('--run-id', help='The run id. Default: the open run.')
@click.option(
    '--target', help='A file or module with the workflow class, against which the signal and its value are checked.'
)
@click.option(
    '--start',
    'started_type',
    nargs=2,
    metavar='NAME VERSION',
    help='If no execution ID is open, start one of this workflow type first.',
)
@click.option(
    '--input',
    'given',
    multiple=True,
    metavar='VALUE',
    help='With --start: an argument of the workflow; may be repeated.',
)
@click.option('--task-list', help='With --start: the task list for its decision tasks. Default: that of the type.')
@service_options
def signal(
    *,
    workflow_id: str,
    name: str,
    value: str | None,
    run_id: str | None,
    target: str | None,
    started_type: tuple[str, str] | None,
    given: tuple[str, ...],
    task_list: str | None,
    domain: str,
    endpoint: str | None,
    db: str | None,
) -> None:
    """Send the signal NAME to an open execution, with VALUE, which is JSON or plain text."""
    request = _named(domain, workflow_id, run_id) | {'signalName': name}
    request['input'] = json.dumps(value_input(value))
    with client_of(endpoint, db, **request) as client:
        if started_type is not None:
            begun: dict[str, Any] = {
                'domain': domain,
                'workflowId': workflow_id,
                'input': json.dumps(inputs(given, ())),
            }
            begun['workflowType'] = dict(zip(('name', 'version'), started_type, strict=True))
            _started(client, begun | ({'taskList': {'name': task_list}} if task_list else {}))
        if target is not None:
            _check_signal(target, run_of(client, domain, workflow_id, run_id), name, request['input'])
        client.signal_workflow_execution(**request)


def _started(client: Any, request: dict[str, Any]) -> None:
    """Start an execution; one that is open is left as it is."""
    try:
        run_id = client.start_workflow_execution(**request)['runId']
    except Exception as error:
        if faults.code_of(error) != 'WorkflowExecutionAlreadyStartedFault':
            raise
    else:
        print_lines([f'{request["workflowId"]} {run_id}'])


def _check_signal(target: str, run: HistoryTail, name: str, text: str) -> None:
    """Checks a signal against the class of an execution, if the target has it; warns if the class does not declare it.

    Raises:
        Refused: The value is not of the type that the class declares.
    """
    from genflow.core.tasks.signals import Misfit, declared_signals, nearest_signal

    try:
        module = module_of(parse(target))
    except TargetError as error:
        raise Refused(str(error)) from error
    kind = run.first()['workflowType']
    specs = [spec for spec in declared() if isinstance(spec, WorkflowSpec)]
    classes = [spec.cls for spec in specs if (spec.name, spec.version) == (kind['name'], kind['version'])]
    own = [cls for cls in classes if cls.__module__ == module.__name__]
    for cls in own or classes:
        declared_one = declared_signals(cls).get(name)
        if declared_one is None:
            say(
                f'genflow: {cls.__qualname__} declares no signal {name!r}, so nothing will read what is sent; '
                f'{nearest_signal(cls, name)}'
            )
            continue
        try:
            declared_one.reader()(text)
        except Misfit as error:
            raise Refused(
                f'the value of signal {name!r} {error.kind}, as {cls.__qualname__} declares it, so it is not sent: '
                f'{error.__cause__}'
            ) from error


@click.command('query', context_settings=TAKES_NEGATIVES)
@click.argument('workflow_id', metavar='ID', type=WORKFLOW_ID, shell_complete=complete_ids)
@click.argument('name')
@input_options
@click.argument('target')
@click.option('--run-id', help='The run id. Default: the open run, or else the latest.')
@read_only_option
@service_options
def query(
    *,
    workflow_id: str,
    name: str,
    arguments: tuple[str, ...],
    keywords: tuple[str, ...],
    target: str,
    run_id: str | None,
    domain: str,
    endpoint: str | None,
    db: str | None,
) -> None:
    """Call the query NAME of an execution, and print its result as JSON.

    TARGET is the file or module of the workflow. The command replays the history up to the last decision itself, so it
    needs no worker. ARGS, and the values of --kwarg, are
    JSON, or plain text.
    """
    from genflow.swf.client.handles import Client

    args, kwargs = inputs(arguments, keywords)
    with client_of(endpoint, db, domain=domain) as client:
        run = run_of(client, domain, workflow_id, run_id)
        handle = Client(domain, client).execution(workflow_id, run.run_id, workflow=_class(target, run))
        try:
            answer = handle.query(name, *args, **kwargs)
        except (GenflowError, AttributeError, TypeError) as error:
            raise Refused(str(error)) from error
    print_result(shown_value(answer), 'Ask again.')


@click.command('update', context_settings=TAKES_NEGATIVES)
@click.argument('workflow_id', type=WORKFLOW_ID)
@click.argument('name')
@input_options
@click.option('--id', 'update_id', help='The id of the update, so that it is sent only once. Default: a new random id.')
@click.option('--run-id', help='The run id. Default: the open run.')
@click.option('--timeout', default=MAX_SECONDS, type=SECONDS, help='Seconds to wait for the reply. Default: a year.')
@service_options
@click.pass_context
def update(
    ctx: click.Context,
    *,
    workflow_id: str,
    name: str,
    arguments: tuple[str, ...],
    keywords: tuple[str, ...],
    update_id: str | None,
    run_id: str | None,
    timeout: float,
    domain: str,
    endpoint: str | None,
    db: str | None,
) -> None:
    """Call the method NAME of an execution, which is marked with @update, and print its result as JSON.

    A worker has to run. ARGS, and the values of --kwarg, are JSON, or plain text. Exit code 3 if the method failed or
    the update was refused, or if there is no reply within --timeout.
    """
    from genflow.swf.client.handles import Client

    args, kwargs = inputs(arguments, keywords)
    with client_of(endpoint, db, domain=domain) as client:
        handle = Client(domain, client).execution(workflow_id, run_id)
        try:
            answer = handle.update_watch(name, *args, timeout=timeout, update_id=update_id, **kwargs).run()
        except (UpdateFailed, TimeoutError) as error:
            first, *others = str(error).splitlines()
            say(f'genflow: {escape_line(first)}')
            for line in others:
                say(escape_line(line))
            ctx.exit(Exit.CLOSED_OTHERWISE)
        except (GenflowError, LookupError) as error:
            raise Refused(str(error)) from error
    print_result(shown_value(answer), 'Call it again with the same --id.')


def _class(target: str, run: HistoryTail) -> type[Workflow]:
    """The class of an execution's type, of those that importing a target loads."""
    try:
        module_of(parse(target))
    except TargetError as error:
        raise Refused(str(error)) from error
    from genflow.tools.executions.gathering import spec_of_type

    kind = run.first()['workflowType']
    spec = spec_of_type(kind['name'], kind['version'])
    if spec is None:
        raise Refused(f'{target} has no class for the workflow type {kind["name"]} {kind["version"]}.')
    return spec.cls


@click.command('cancel')
@click.argument('workflow_id', metavar='ID', type=WORKFLOW_ID, shell_complete=complete_ids)
@click.option('--run-id', help='The run id. Default: the open run.')
@service_options
def cancel(*, workflow_id: str, run_id: str | None, domain: str, endpoint: str | None, db: str | None) -> None:
    """Request the cancellation of an open execution. The workflow decides how it reacts."""
    request = _named(domain, workflow_id, run_id)
    with client_of(endpoint, db, **request) as client:
        client.request_cancel_workflow_execution(**request)


@click.command('terminate')
@click.argument('workflow_id', metavar='ID', type=WORKFLOW_ID, shell_complete=complete_ids)
@click.option('--run-id', help='The run id. Default: the open run.')
@click.option('--reason', help='The reason, at most 256 characters, kept in the history.')
@service_options
def terminate(
    *, workflow_id: str, run_id: str | None, reason: str | None, domain: str, endpoint: str | None, db: str | None
) -> None:
    """End an open execution at once. No code of the workflow runs."""
    request = _named(domain, workflow_id, run_id) | ({'reason': reason} if reason else {})
    with client_of(endpoint, db, **request) as client:
        client.terminate_workflow_execution(**request)


@click.command('result')
@click.argument('workflow_id', metavar='ID', type=WORKFLOW_ID, shell_complete=complete_ids)
@click.option('--run-id', help='The run id. Default: the open run, or else the latest.')
@click.option('--timeout', default=0.0, show_default=True, type=SECONDS, help='Seconds to wait for the result.')
@setting_options('verbose')
@read_only_option
@service_options
@click.pass_context
def result(
    ctx: click.Context,
    *,
    workflow_id: str,
    run_id: str | None,
    timeout: float,
    verbose: bool,
    domain: str,
    endpoint: str | None,
    db: str | None,
) -> None:
    """Print the recorded result of an execution. Exit code 3 if it is open or did not complete."""
    with client_of(endpoint, db, domain=domain) as client:
        run = run_of(client, domain, workflow_id, run_id)
        outcome = _closed(run, monotonic() + timeout)
    ctx.exit(_show_end(outcome, run, (endpoint, db), verbose=verbose))


def _show_end(
    outcome: Outcome | None, run: HistoryTail, service: tuple[str | None, str | None], *, verbose: bool
) -> Exit:
    """Prints the result of an execution, or the reason why there is none."""
    if outcome is None:
        say(f'genflow: the execution {run.workflow_id} is open')
        return Exit.CLOSED_OTHERWISE
    if not outcome.completed:
        say(f'genflow: {outcome.text(verbose=verbose)}')
        return Exit.CLOSED_OTHERWISE
    again = again_of('result', run.workflow_id, run.domain, *service)
    print_result('null' if outcome.recorded_result is None else outcome.recorded_result, f'{again} prints it.')
    return Exit.COMPLETED


def _closed(run: HistoryTail, deadline: float) -> Outcome | None:
    """The close of an execution, through all of its restarts; ``None`` if it is open at the deadline."""
    from genflow.tools.executions.outcome import Outcome

    while True:
        close = run.close()
        if close is not None and close['eventType'] == 'WorkflowExecutionContinuedAsNew':
            run = evolve(run, run_id=insight.attributes_of(close)['newExecutionRunId'])
        elif close is not None:
            return Outcome(run.workflow_id, run.run_id, close)
        elif monotonic() >= deadline:
            return None
        else:
            threading.Event().wait(POLL_INTERVALS)


def _named(domain: str, workflow_id: str, run_id: str | None) -> dict[str, Any]:
    request = {'domain': domain, 'workflowId': workflow_id}
    return request if run_id is None else request | {'runId': run_id}

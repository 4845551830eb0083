"""The start of a run: starts an execution, continues an open one, or recalls one that has completed.

A user repeats an interrupted run with the same workflow id and the same arguments, perhaps after it has completed and
before its result was shown. Nothing may be done twice, so a completed execution with the same arguments gives its
result again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from attrs import frozen

from genflow.core.authoring.checks import check_arguments
from genflow.core.authoring.middleware import ClientCall, Middleware, around_call
from genflow.core.errors import DefinitionError, HistoryError
from genflow.core.model.options import workflow_id as checked_id
from genflow.core.model.registry import WorkflowSpec
from genflow.core.payloads.envelopes import input_of, wrapped
from genflow.core.payloads.hooks import excerpt, same_payload
from genflow.core.payloads.writing import check_length, written_arguments
from genflow.tools.executions.follow import HistoryTail, listed

__all__ = ['TASK_LIST', 'Begun', 'Request', 'begin', 'first_input', 'request_of']

TASK_LIST = 'default'  # of a workflow that names none
SHOWN = 200  # characters of arguments in a message


@frozen
class Request:
    """The run that was requested.

    Attributes:
        spec: The workflow type.
        input: The arguments, serialized.
        workflow_id: The name of the execution, ``None`` for a new one of its own.
    """

    spec: WorkflowSpec
    input: str
    workflow_id: str | None = None

    @property
    def type(self) -> dict[str, str]:
        """The workflow type as SWF names it."""
        return {'name': self.spec.name, 'version': self.spec.version}


@frozen
class Begun:
    """The execution of a run, and whether it existed before."""

    run: HistoryTail
    is_new: bool


def request_of(
    spec: WorkflowSpec, args: Iterable[Any], kwargs: Mapping[str, Any], workflow_id: str | None = None
) -> Request:
    """A request with these arguments, in the words of the workflow's own transport.

    Raises:
        DefinitionError: They do not fit the workflow's ``run``, or cannot be serialized; or the id is empty.
        PayloadTooLarge: Serialized, they have more than 32,768 characters.
    """
    args, kwargs = list(args), dict(kwargs)
    workflow = spec.cls()
    name = f'{spec.cls.__qualname__}.run'
    check_arguments(spec.cls, args, kwargs)
    try:
        text = written_arguments(name, workflow._serialize_arguments, args, kwargs)
    except (TypeError, ValueError) as error:
        raise DefinitionError(str(error)) from error
    check_length(text, f'the input of {name}', 'store large data elsewhere, and pass its key or path')
    return Request(spec, text, checked_id(workflow_id))


def begin(
    client: Any,
    domain: str,
    request: Request,
    since: datetime | None = None,
    *,
    middleware: Sequence[Middleware] = (),
) -> Begun:
    """Start, continue or recall the execution of a request.

    Args:
        client: Has the methods of boto3's SWF client.
        domain: The domain of the execution.
        request: The run that was requested.
        since: When the run began that this process is a part of: an execution that has closed since then, in whatever
            way, is its own, and is recalled.
        middleware: Surrounds a start.

    Raises:
        HistoryError: An execution of that id is open, and was started for something else.
    """
    known = _known(client, domain, request, since)
    if known is not None:
        return Begun(known, is_new=False)
    workflow_id = request.workflow_id
    if workflow_id is None:
        workflow_id = f'{request.spec.name}-{uuid4().hex[:12]}'
    call = ClientCall('start', domain, workflow_id, name=request.spec.name, version=request.spec.version)
    with around_call(middleware, call):
        answer = client.start_workflow_execution(
            domain=domain,
            workflowId=workflow_id,
            workflowType=request.type,
            taskList={'name': request.spec.task_list or TASK_LIST},
            input=wrapped(request.input, call.headers),
        )
        call.run_id = answer['runId']
    return Begun(HistoryTail(client, domain, workflow_id, answer['runId']), is_new=True)


def _known(client: Any, domain: str, request: Request, since: datetime | None) -> HistoryTail | None:
    """The execution that is to be continued or recalled, if there is one."""
    if request.workflow_id is None:
        return None
    same_id = {'workflowId': request.workflow_id}
    for info in listed(client, domain, 'open', executionFilter=same_id):
        run = _follower(client, domain, info)
        _check_same(request, run, info)
        return run
    for info in listed(client, domain, 'closed', executionFilter=same_id):
        run = _follower(client, domain, info)
        counts = info['closeStatus'] == 'COMPLETED' or (since is not None and info['closeTimestamp'] >= since)
        same = counts and info['workflowType'] == request.type
        return run if same and same_payload(first_input(run), request.input) else None
    return None


def _follower(client: Any, domain: str, info: Mapping[str, Any]) -> HistoryTail:
    return HistoryTail(client, domain, info['execution']['workflowId'], info['execution']['runId'])


def _check_same(request: Request, run: HistoryTail, info: Mapping[str, Any]) -> None:
    there = info['workflowType']
    if there != request.type:
        raise HistoryError(
            f'an execution {run.workflow_id!r} is open, of the workflow {there["name"]} {there["version"]}, not '
            f'{request.spec.name} {request.spec.version}. Give another id, or run that workflow.'
        )
    started_with = first_input(run)
    if not same_payload(started_with, request.input):
        raise HistoryError(
            f'an execution {run.workflow_id!r} is open, and was started with other arguments: '
            f'{excerpt(started_with or "", SHOWN)} instead of {excerpt(request.input, SHOWN)}. Give the same arguments '
            'to continue it, or another id to start another one.'
        )


def first_input(run: HistoryTail) -> str | None:
    """The input of the first run: each restart has one of its own."""
    attributes = run.first()
    while attributes.get('continuedExecutionRunId'):
        run = HistoryTail(run.client, run.domain, run.workflow_id, attributes['continuedExecutionRunId'])
        attributes = run.first()
    return input_of(attributes.get('input'))

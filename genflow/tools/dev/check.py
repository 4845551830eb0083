"""Checks saved code against the open executions, in a separate process, so that it is imported anew.

``python -m genflow.tools.dev.check TARGET URL DOMAIN MIDDLEWARE`` prints one JSON object: ``error``, the report of code
that cannot be used; or ``taskLists`` to work for, and ``departures``, open executions that the code does not follow.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Container, Iterator
from contextlib import redirect_stdout
from typing import Any

from genflow.core.errors import RegistrationError
from genflow.core.model.registry import Registry, declared
from genflow.insight import ExecutionView, attributes_of, replayed
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.connections import connect
from genflow.swf.aws.registration import register
from genflow.tools.executions.follow import open_runs
from genflow.tools.executions.gathering import source_lines, spec_of_type
from genflow.tools.executions.start import TASK_LIST
from genflow.tools.targets.imports import lists_in_use
from genflow.tools.targets.middleware import middleware_of
from genflow.tools.targets.target import TargetError, module_of, parse

__all__ = ['check', 'main']


def check(target: str, url: str, domain: str, middleware: str = '') -> dict[str, Any]:
    """Checks saved code; returns the object that `main` prints."""
    registry = Registry()
    try:
        module_of(parse(target))
        middleware_of(middleware)
        for spec in declared():
            registry.add(spec)
    except (TargetError, RegistrationError) as error:
        return {'error': str(error)}
    connection = connect(url)
    unnamed = {TASK_LIST for spec in registry.workflows if spec.task_list is None}
    task_lists = lists_in_use(registry) | unnamed
    departures = list(_departures(connection.client, domain, task_lists))
    if not departures:
        try:
            register(RetryingClient(connection), domain, (*registry.workflows, *registry.activities))
        except RegistrationError as error:
            return {'error': str(error)}
    return {'taskLists': sorted(task_lists), 'departures': departures}


def _departures(client: Any, domain: str, task_lists: Container[str]) -> Iterator[dict[str, Any]]:
    for run in open_runs(client, domain):
        view = ExecutionView(run.workflow_id, run.run_id).apply_all(run.since(0))
        spec = spec_of_type(view.name, view.version)
        if spec is None:
            if view.task_list in task_lists:
                text = f'{run.workflow_id}: the code has no workflow type {view.name} {view.version}'
                yield {'workflowId': run.workflow_id, 'runId': run.run_id, 'before': None, 'text': text, 'gone': True}
            continue
        error = replayed(view, spec, source_lines).error
        if error is not None:
            event_id = getattr(error, 'event_id', None)
            before = _decided_by(view, event_id)
            yield {'workflowId': run.workflow_id, 'runId': run.run_id, 'before': before, 'text': str(error)}


def _decided_by(view: ExecutionView, event_id: int | None) -> int | None:
    """The decision that recorded an event: it is the first that is not trusted."""
    if event_id is None or not 0 < event_id <= len(view.events):
        return event_id
    decided: int | None = attributes_of(view.events[event_id - 1]).get('decisionTaskCompletedEventId')
    return decided or event_id


def main(arguments: list[str]) -> None:
    """Prints what `check` finds; what user code prints goes to stderr."""
    with redirect_stdout(sys.stderr):
        found = check(*arguments)
    print(json.dumps(found))


if __name__ == '__main__':
    main(sys.argv[1:])

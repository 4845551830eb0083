"""The first events of an execution: event 1, with the options of type, starter and test, and a decision task."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from genflow.core.errors import DefinitionError
from genflow.core.model.options import ChildOptions
from genflow.core.model.registry import WorkflowSpec
from genflow.swf.wire.decisions import seconds_text
from genflow.testing.histories.open_items import OpenItems
from genflow.testing.histories.writer import EventWriter

__all__ = ['begun', 'overridden', 'started_attributes']

OPTIONS: dict[str, tuple[str, Any]] = {
    'task_list': ('taskList', lambda name: {'name': name}),
    'priority': ('taskPriority', str),
    'workflow_duration': ('executionStartToCloseTimeout', seconds_text),
    'decision_duration': ('taskStartToCloseTimeout', seconds_text),
    'child_policy': ('childPolicy', str),
    'tags': ('tagList', list),
    'lambda_role': ('lambdaRole', str),
}
"""Options that a starter may say: the attribute of event 1, and how it is written."""


def started_attributes(spec: WorkflowSpec, input: str) -> dict[str, Any]:
    """The attributes of event 1 where the starter says nothing."""
    attributes = {
        'childPolicy': spec.child_policy or 'TERMINATE',
        'executionStartToCloseTimeout': seconds_text(spec.workflow_duration) or '3600',
        'input': input,
        'lambdaRole': spec.lambda_role,
        'parentInitiatedEventId': 0,
        'taskList': {'name': spec.task_list or 'default'},
        'taskPriority': None if spec.priority is None else str(spec.priority),
        'taskStartToCloseTimeout': seconds_text(spec.decision_duration) or '60',
        'workflowType': {'name': spec.name, 'version': spec.version},
    }
    return {name: value for name, value in attributes.items() if value is not None}


def overridden(
    attributes: Mapping[str, Any], input: str | None, parent: tuple[str, str] | None, options: Mapping[str, Any]
) -> dict[str, Any]:
    """Those attributes with what a test gives instead.

    Raises:
        DefinitionError: An option is unknown or wrong.
    """
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown:
        raise DefinitionError(f'there is no option {unknown[0]!r} of an execution; there are {", ".join(OPTIONS)}')
    checked = ChildOptions(**options)
    other = dict(attributes)
    for name in options:
        attribute, write = OPTIONS[name]
        other[attribute] = write(getattr(checked, name))
    if input is not None:
        other['input'] = input
    if parent is not None:
        workflow_id, run_id = parent
        other['parentWorkflowExecution'] = {'workflowId': workflow_id, 'runId': run_id}
        other['parentInitiatedEventId'] = 5  # of a parent's history: its first decision initiated this child
    return other


def begun(attributes: Mapping[str, Any], now: datetime) -> EventWriter:
    """The first two events of every execution."""
    draft = EventWriter((), OpenItems(), now)
    draft.add('WorkflowExecutionStarted', **attributes)
    draft.wake()
    return draft

"""Starts an execution again with the options of an earlier run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genflow.core.payloads.envelopes import input_of

__all__ = ['MAX_TAGS', 'request_of']

MAX_TAGS = 5
"""Tags of an execution (API reference of StartWorkflowExecution)."""

SAID_AGAIN = (
    'input',
    'taskList',
    'taskPriority',
    'executionStartToCloseTimeout',
    'taskStartToCloseTimeout',
    'childPolicy',
    'lambdaRole',
)
"""The attributes of event 1 that a start accepts."""


def request_of(begun: Mapping[str, Any], run_id: str) -> dict[str, Any]:
    """Makes the request that starts an execution as a run was started, from its event 1."""
    tags = list(begun.get('tagList') or ())
    if len(tags) < MAX_TAGS:
        tags.append(f'rerun-of:{run_id}')
    attributes = {name: begun[name] for name in SAID_AGAIN if begun.get(name) is not None}
    if (own := input_of(attributes.get('input'))) is not None:
        attributes['input'] = own  # without the headers of the earlier start
    return {'workflowType': dict(begun['workflowType']), 'tagList': tags, **attributes}

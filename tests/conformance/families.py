"""A parent execution and its children."""

from __future__ import annotations

from typing import Any

from .decisions import start_child
from .domain import Domain, Run

OWN_LIST = {'name': 'children'}


def child_of(swf: Domain, run: Run, nth: int = 0) -> Run:
    """The run that the nth ChildWorkflowExecutionStarted names."""
    execution = run.all('ChildWorkflowExecutionStarted')[nth]['workflowExecution']
    return swf.run(execution['workflowId'], execution['runId'])


def with_child(swf: Domain, policy: str = 'ABANDON', **attributes: Any) -> tuple[Run, Run]:
    """A parent that has heard of the start of its child, and the child, which waits on a list of its own."""
    run = swf.start('parent', childPolicy=policy)
    swf.decide(start_child('child', taskList=OWN_LIST, **attributes))
    swf.settle()
    swf.decide()
    return run, child_of(swf, run)

"""How an execution begins: the workflow object is made, its input is read, its ``run`` is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genflow.core.authoring.workflow import Workflow, bind
from genflow.core.engine.closing import opened_input
from genflow.core.model import events
from genflow.core.payloads.hooks import excerpt
from genflow.core.tasks.branch import Root, begin_run

if TYPE_CHECKING:
    from genflow.core.engine.execution import Execution

__all__ = ['begin']


def begin(execution: Execution, event: events.WorkflowStarted) -> None:
    """Applies event 1."""
    execution.base = execution.base.begun(event)
    workflow = execution.workflow = execution.spec.cls()
    bind(workflow, execution)
    root = execution.root = Root(execution)
    try:
        args, kwargs = _arguments(execution, workflow, event.input)
    except Exception as error:  # noqa: BLE001 - an input that cannot be read fails the workflow
        root.raised(error)
        return
    begin_run(root, workflow.run, args, kwargs)


def _arguments(execution: Execution, workflow: Workflow, text: str | None) -> tuple[Any, Any]:
    try:
        own, signals = opened_input(text)
        for name, value in signals:
            execution.mailbox(name).push(value)
        return ((), {}) if own is None else workflow._deserialize_arguments(own)
    except Exception as error:
        raise ValueError(
            f'the input of {execution.spec.name} cannot be read: {excerpt(text or "")} ({error})'
        ) from error

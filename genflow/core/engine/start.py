"""How an execution begins: the workflow object is made, its input is read, its ``run`` is called."""

from __future__ import annotations

from typing import Any

from genflow.core.authoring.workflow import Workflow, bind
from genflow.core.engine.pending_close import opened_input
from genflow.core.engine.state import State
from genflow.core.model import events
from genflow.core.payloads.headers import opened
from genflow.core.payloads.hooks import excerpt
from genflow.core.tasks.branch import Root, begin_run

__all__ = ['begin']


def begin(state: State, event: events.WorkflowStarted) -> None:
    """Applies event 1."""
    state.base = state.base.begun(event)
    workflow = state.workflow = state.spec.cls()
    bind(workflow, state)
    root = state.root = Root(state)
    try:
        args, kwargs = _arguments(state, workflow, event.input)
    except Exception as error:  # noqa: BLE001 - an input that cannot be read fails the workflow
        root.raised(error)
        return
    begin_run(root, workflow.run, args, kwargs)


def _arguments(state: State, workflow: Workflow, text: str | None) -> tuple[Any, Any]:
    try:
        state.headers, text = opened(text)
        own, signals = opened_input(text)
        for name, value in signals:
            state.mailbox(name).push(value)
        return ((), {}) if own is None else workflow._deserialize_arguments(own)
    except Exception as error:
        raise ValueError(f'the input of {state.spec.name} cannot be read: {excerpt(text or "")} ({error})') from error

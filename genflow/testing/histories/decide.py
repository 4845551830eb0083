"""Computes the decisions of a workflow for a history: drives the engine with SWF's event dicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from genflow.core.authoring.workflow import Workflow
from genflow.core.engine.execution import Execution
from genflow.core.errors import HistoryError
from genflow.core.model.decisions import Decision, Decisions
from genflow.core.model.registry import WorkflowSpec, declared
from genflow.swf.wire.events import translate

__all__ = ['answer', 'decisions', 'spec_for', 'specs_of', 'type_of']


class DecidableHistory(Protocol):
    """A history on which a workflow can decide."""

    @property
    def workflow_id(self) -> str: ...

    @property
    def run_id(self) -> str: ...

    def seen(self) -> Sequence[Mapping[str, Any]]:
        """The events that the decider sees."""

    def deciding(self) -> DecidableHistory:
        """The history with its decision task started."""


def decisions(workflow: type[Workflow] | WorkflowSpec, history: DecidableHistory) -> list[Decision]:
    """Returns the decisions of a workflow at the end of a history, as values of ``genflow.core.model.decisions``.

    Raises:
        HistoryError: The history is of another workflow type, or no decision task is open at its end.
        NondeterminismError: The code does not follow the history.
        WorkflowStalled: The execution waits for nothing.
    """
    return list(answer(workflow, history.deciding()).all)


def answer(workflow: type[Workflow] | WorkflowSpec, history: DecidableHistory) -> Decisions:
    """The answer to the decision task with which a history ends.

    Raises:
        HistoryError: As :func:`decisions`.
        NondeterminismError: As :func:`decisions`.
        WorkflowStalled: As :func:`decisions`.
    """
    events = history.seen()
    spec = spec_for(workflow, *type_of(events))
    execution = Execution(spec, workflow_id=history.workflow_id, run_id=history.run_id, seed=history.run_id)
    try:
        found = execution.advance(translate(events))
    finally:
        execution.close()
    if found is None:
        raise HistoryError(f'no decision task is open after event {len(events)} of {history!r}')
    return found


def type_of(events: Any) -> tuple[str, str]:
    """Name and version of the workflow type that event 1 shows."""
    attributes = events[0]['workflowExecutionStartedEventAttributes']['workflowType']
    return attributes['name'], attributes['version']


def spec_for(workflow: type[Workflow] | WorkflowSpec, name: str, version: str) -> WorkflowSpec:
    """The type of a workflow class that a history is of; a class that is not decorated is version 1 of its name.

    Raises:
        HistoryError: The history is of a type that the class does not implement.
    """
    specs = specs_of(workflow)
    for spec in specs:
        if (spec.name, spec.version) == (name, version):
            return spec
    known = ' or '.join(f'{spec.name!r} version {spec.version!r}' for spec in specs)
    raise HistoryError(
        f'the history is of the workflow type {name!r} version {version!r}; {specs[0].cls.__qualname__} is {known}'
    )


def specs_of(workflow: type[Workflow] | WorkflowSpec) -> list[WorkflowSpec]:
    """The types that a workflow class implements, the outermost decorator's first.

    Raises:
        TypeError: It is no workflow class.
    """
    if isinstance(workflow, WorkflowSpec):
        return [workflow]
    cls: Any = workflow
    if not (isinstance(cls, type) and issubclass(cls, Workflow)):
        raise TypeError(f'{workflow!r} is not a workflow; give a subclass of genflow.Workflow')
    found = [spec for spec in declared(workflow) if isinstance(spec, WorkflowSpec)]
    return found[::-1] or [WorkflowSpec(workflow, workflow.__name__, '1')]

"""The keyword arguments of ``explore``, each taken for what its name means to the workflow."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from attrs import define, field

from genflow.core.authoring.proxies import Proxy
from genflow.core.authoring.updates import updates_of
from genflow.core.authoring.workflow import Workflow
from genflow.core.model.registry import WorkflowSpec
from genflow.core.tasks.signals import Signal

__all__ = ['Named']


@define
class Named:
    """Keyword arguments of :func:`explore`, by what their names mean to a workflow class."""

    stubs: dict[str, Any] = field(factory=dict)
    signals: dict[str, Any] = field(factory=dict)
    arguments: dict[str, Any] = field(factory=dict)
    updates: dict[str, Any] = field(factory=dict)

    @classmethod
    def of(cls, workflow: type[Workflow] | WorkflowSpec, given: Mapping[str, Any]) -> Named:
        """Sorts them. A name that means nothing counts as a stub, which :class:`Doubles` refuses with a hint."""
        owner: Any = workflow.cls if isinstance(workflow, WorkflowSpec) else workflow
        is_workflow = isinstance(owner, type) and issubclass(owner, Workflow)
        if not is_workflow:
            raise TypeError(f'{owner!r} is not a workflow; give a subclass of genflow.Workflow')
        parameters = set(inspect.signature(owner.run).parameters)
        known_updates = updates_of(owner)
        found = cls()
        for name, value in given.items():
            member = getattr(owner, name, None)
            if name in known_updates:
                found.updates[name] = value
            elif isinstance(member, Signal):
                found.signals[name] = value
            elif name in parameters and not isinstance(member, Proxy):
                found.arguments[name] = value
            else:
                found.stubs[name] = value
        return found

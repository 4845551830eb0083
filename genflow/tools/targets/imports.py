"""Collects the classes of a run: every imported class that is decorated and that its name still refers to.

A process may have imported other classes, such as all the tests of a project. Two classes for one type are an error
only if the run may call that type and no rule selects one of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from genflow.core.authoring.class_choice import TypeKey, ambiguous, by_type, called_by, chosen, key_of
from genflow.core.authoring.workflow import proxies_of
from genflow.core.model.registry import Registry, Spec, WorkflowSpec, declared

__all__ = ['collect', 'lists_in_use']


def collect(root: WorkflowSpec) -> Registry:
    """The types to work with.

    Where several classes stand for one type, `genflow.core.authoring.class_choice` says which counts; where it does
    not, the one of the root's own module.

    Raises:
        RegistrationError: It is not clear which class stands for a type that the root or a child of it calls.
    """
    found = by_type(declared())
    called = _called(root, found)
    registry = Registry()
    for key, candidates in found.items():
        spec = chosen(candidates, called.get(key, ())) or _own(candidates, root)
        if spec is not None:
            registry.add(spec)
        elif key in called:
            raise ambiguous(key, candidates)
    return registry


def lists_in_use(registry: Registry) -> set[str]:
    """The task lists that types name, and the proxies of workflows."""
    specs: tuple[Spec, ...] = (*registry.workflows, *registry.activities)
    found = {spec.task_list for spec in specs}
    for spec in registry.workflows:
        found |= {getattr(proxy.options, 'task_list', None) for proxy in proxies_of(spec.cls).values()}
    return {task_list for task_list in found if task_list is not None}


def _called(root: WorkflowSpec, found: Mapping[TypeKey, list[Spec]]) -> dict[TypeKey, set[type]]:
    """The types that the root and its children call, with the classes that the proxies were made from."""
    called: dict[TypeKey, set[type]] = {key_of(root): {root.cls}}
    classes, seen = [root.cls], {root.cls}
    while classes:
        for key, named in called_by([classes.pop()]).items():
            called.setdefault(key, set()).update(named)
            children = {spec.cls for spec in found.get(key, ()) if isinstance(spec, WorkflowSpec)} - seen
            seen |= children
            classes += children
    return called


def _own(candidates: list[Spec], root: WorkflowSpec) -> Spec | None:
    """The class of the root's own module, if it has just one for the type."""
    return chosen([spec for spec in candidates if spec.cls.__module__ == root.cls.__module__])

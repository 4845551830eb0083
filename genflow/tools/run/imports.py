"""Which classes a run works with: every decorated one that has been imported and is still what its name means.

A process may have imported more than one run is about, such as all the tests of a project. So two classes for one type
are an error only where the run may call that type, and nothing says which of them is meant.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from genflow.core.authoring.proxies import Proxy
from genflow.core.errors import RegistrationError
from genflow.core.model.registry import Registry, Spec, WorkflowSpec, declared
from genflow.testing.histories.matchers import proxies_of

__all__ = ['collect', 'lists_in_use']

Key = tuple[str, str, str]
"""``workflow`` or ``activity``, name and version of a type."""


def collect(root: WorkflowSpec) -> Registry:
    """The types to work with.

    A class that was defined again (a notebook's cell run twice, a module reloaded) gives way to its successor. Where
    two classes stand for one type, the one of the root's own module counts, or else the one that a proxy was made
    from.

    Raises:
        RegistrationError: Two classes stand for one type that the root or a child of it calls, and neither counts.
    """
    found = _by_type()
    called = _called(root, found)
    registry = Registry()
    for key, candidates in found.items():
        spec = _chosen(key, candidates, root, called)
        if spec is not None:
            registry.add(spec)
    return registry


def lists_in_use(registry: Registry) -> set[str]:
    """The task lists that types name, and the proxies of workflows."""
    specs: tuple[Spec, ...] = (*registry.workflows, *registry.activities)
    found = {spec.task_list for spec in specs}
    for spec in registry.workflows:
        found |= {getattr(proxy.options, 'task_list', None) for _, proxy in proxies_of(spec.cls)}
    return {task_list for task_list in found if task_list is not None}


def _by_type() -> dict[Key, list[Spec]]:
    found: dict[Key, list[Spec]] = {}
    for spec in declared():
        if _is_current(spec.cls):
            kind = 'workflow' if isinstance(spec, WorkflowSpec) else 'activity'
            found.setdefault((kind, spec.name, spec.version), []).append(spec)
    return found


def _called(root: WorkflowSpec, found: Mapping[Key, list[Spec]]) -> dict[Key, list[Proxy]]:
    """The types that the root and its children call, with the proxies that do."""
    called: dict[Key, list[Proxy]] = {}
    classes, seen = [root.cls], {root.cls}
    while classes:
        for _, proxy in proxies_of(classes.pop()):
            kind = 'workflow' if proxy.call.kind == 'child' else proxy.call.kind
            key = (kind, proxy.name, str(proxy.version))
            called.setdefault(key, []).append(proxy)
            children = {spec.cls for spec in found.get(key, ()) if isinstance(spec, WorkflowSpec)} - seen
            seen |= children
            classes += children
    return called


def _chosen(key: Key, candidates: list[Spec], root: WorkflowSpec, called: Mapping[Key, list[Proxy]]) -> Spec | None:
    if len({spec.cls for spec in candidates}) == 1:
        return candidates[-1]
    own = [spec for spec in candidates if spec.cls.__module__ == root.cls.__module__]
    meant = {proxy.hinted for proxy in called.get(key, ())}
    for preferred in (own, [spec for spec in candidates if spec.cls in meant]):
        classes = {spec.cls for spec in preferred}
        if len(classes) > 1:
            raise _ambiguous(key, preferred)
        if classes:
            return preferred[-1]
    if key in called:
        raise _ambiguous(key, candidates)
    return None


def _ambiguous(key: Key, candidates: list[Spec]) -> RegistrationError:
    names = ' and '.join(sorted({f'{spec.cls.__module__}.{spec.cls.__qualname__}' for spec in candidates}))
    kind, name, version = key
    return RegistrationError(
        f'{names} both stand for the {kind} type {name} {version}: give one of them another name or version, import '
        'only one of them, or make the proxy from the class that is meant (its .proxy())'
    )


def _is_current(cls: type) -> bool:
    """Whether the name of a class has not come to mean another class."""
    found: object = sys.modules.get(cls.__module__)
    for part in cls.__qualname__.split('.'):
        found = getattr(found, part, None)
    return found is None or found is cls

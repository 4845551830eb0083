"""Which classes a run works with: every decorated one that has been imported and is still what its name means."""

from __future__ import annotations

import logging
import sys

from genflow.core.errors import RegistrationError
from genflow.core.registry import Registry, Spec, WorkflowSpec, declared

__all__ = ['collect']

log = logging.getLogger('genflow.run')

Key = tuple[bool, str, str]


def collect(root: WorkflowSpec) -> Registry:
    """The types to work with.

    A class that was defined again (a notebook's cell run twice, a module reloaded) gives way to its successor. Where
    two classes stand for one type, the one of the root's own module counts; if there is none, neither does, and a
    warning says so: which one was meant cannot be known.
    """
    registry = Registry()
    for candidates in _by_type().values():
        spec = _chosen(candidates, root)
        if spec is not None:
            registry.add(spec)
    return registry


def _by_type() -> dict[Key, list[Spec]]:
    found: dict[Key, list[Spec]] = {}
    for spec in declared():
        if _is_current(spec.cls):
            found.setdefault((isinstance(spec, WorkflowSpec), spec.name, spec.version), []).append(spec)
    return found


def _chosen(candidates: list[Spec], root: WorkflowSpec) -> Spec | None:
    classes = {spec.cls for spec in candidates}
    if len(classes) == 1:
        return candidates[-1]
    own = [spec for spec in candidates if spec.cls is root.cls or spec.cls.__module__ == root.cls.__module__]
    others = {spec.cls for spec in own}
    if len(others) > 1:
        names = ' and '.join(sorted(cls.__qualname__ for cls in others))
        kind = 'workflow' if isinstance(own[0], WorkflowSpec) else 'activity'
        raise RegistrationError(
            f'{names} of {root.cls.__module__} both stand for the {kind} type {own[0].name} {own[0].version}; give one '
            'of them another name or version'
        )
    if own:
        return next((spec for spec in own if spec.cls is root.cls), own[-1])
    names = ' and '.join(sorted(f'{cls.__module__}.{cls.__qualname__}' for cls in classes))
    log.warning('%s both stand for %s %s; neither is used', names, candidates[0].name, candidates[0].version)
    return None


def _is_current(cls: type) -> bool:
    """Whether the name of a class has not come to mean another class."""
    found: object = sys.modules.get(cls.__module__)
    for part in cls.__qualname__.split('.'):
        found = getattr(found, part, None)
    return found is None or found is cls

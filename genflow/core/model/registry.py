"""The classes of types: the settings that a decorator gives a class, and the tables in which a worker looks it up.

``genflow.swf.scanner`` makes a spec when a class is decorated and hangs it on venusian; :func:`declared` gives every
spec that any import so far has made, for those who run without scanning.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from attrs import Factory, define, frozen

from genflow.core.errors import RegistrationError

__all__ = ['ActivitySpec', 'Registry', 'Spec', 'WorkflowSpec', 'declare', 'declared', 'decorated', 'place_of']


@frozen
class WorkflowSpec:
    """A workflow type and the class behind it.

    Durations are seconds; ``math.inf`` is SWF's ``NONE``, ``None`` registers no default.
    """

    cls: type
    name: str
    version: str
    task_list: str | None = None
    workflow_duration: float | None = None
    decision_duration: float | None = None
    child_policy: str | None = 'TERMINATE'
    priority: int | None = None
    lambda_role: str | None = None
    description: str | None = None


@frozen
class ActivitySpec:
    """An activity type and the class behind it; durations as in :class:`WorkflowSpec`."""

    cls: type
    name: str
    version: str
    task_list: str | None = None
    heartbeat: float | None = None
    schedule_to_close: float | None = None
    schedule_to_start: float | None = None
    start_to_close: float | None = None
    priority: int | None = None
    description: str | None = None


Spec = WorkflowSpec | ActivitySpec

decorated: list[type] = []
"""Every decorated class, in the order of decoration. A class that nothing else refers to stays: decorating it is what
registers it."""

_places = itertools.count()
"""The next place in that order."""


def declare(spec: Spec) -> None:
    """Remembers that ``spec.cls`` was decorated; a class may carry several specs."""
    cls = spec.cls
    if '__genflow_specs__' not in vars(cls):
        cls.__genflow_specs__ = []  # type: ignore[attr-defined]
        cls.__genflow_place__ = next(_places)  # type: ignore[attr-defined]
        decorated.append(cls)
    vars(cls)['__genflow_specs__'].append(spec)


def place_of(cls: type) -> int:
    """The place of a decorated class in the order in which classes were decorated."""
    place: int = vars(cls)['__genflow_place__']
    return place


def declared(cls: Any = None) -> Iterator[Spec]:
    """The specs of one class (not those of its bases) or activity function, or of every class decorated so far.

    They come by module and qualified name; of classes with the same, the one decorated last comes last.
    """
    every = sorted(decorated, key=lambda item: (item.__module__, item.__qualname__)) if cls is None else [cls]
    for item in every:
        yield from vars(item).get('__genflow_specs__', ())


@define
class Registry:
    """The types that one worker knows, by name and version."""

    _workflows: dict[tuple[str, str], WorkflowSpec] = Factory(dict)
    _activities: dict[tuple[str, str], ActivitySpec] = Factory(dict)

    def add(self, spec: Spec) -> None:
        """Adds a type; adding the same class under the same type again changes nothing.

        Raises:
            RegistrationError: Another class already stands for this name and version.
        """
        table: dict[tuple[str, str], Any] = self._workflows if isinstance(spec, WorkflowSpec) else self._activities
        key = (spec.name, spec.version)
        known = table.setdefault(key, spec)
        if known.cls is not spec.cls:
            kind = 'workflow' if isinstance(spec, WorkflowSpec) else 'activity'
            raise RegistrationError(
                f'two classes declare the {kind} type {spec.name!r} version {spec.version!r}: '
                f'{known.cls.__module__}.{known.cls.__qualname__} and {spec.cls.__module__}.{spec.cls.__qualname__}; '
                'give one of them another name or version'
            )

    def workflow(self, name: str, version: str) -> WorkflowSpec | None:
        return self._workflows.get((name, version))

    def activity(self, name: str, version: str) -> ActivitySpec | None:
        return self._activities.get((name, version))

    @property
    def workflows(self) -> tuple[WorkflowSpec, ...]:
        return tuple(self._workflows.values())

    @property
    def activities(self) -> tuple[ActivitySpec, ...]:
        return tuple(self._activities.values())

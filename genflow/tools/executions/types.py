"""Compares the types of a domain with the classes that implement them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from attrs import frozen

from genflow.core.model.registry import ActivitySpec, Spec, WorkflowSpec
from genflow.swf.aws.pagination import pages
from genflow.swf.aws.registration import differences

__all__ = ['DIFFERS', 'UNREGISTERED', 'Key', 'RegisteredType', 'registered_types', 'verdicts']

Key = tuple[str, str, str]

UNREGISTERED = 'not registered'
DIFFERS = 'differs'


@frozen(order=True)
class RegisteredType:
    """A type as the service has it.

    Attributes:
        kind: ``workflow`` or ``activity``.
        status: ``registered`` or ``deprecated``.
        created: When it was registered.
    """

    kind: str
    name: str
    version: str
    status: str
    created: datetime | None = None
    description: str = ''

    @property
    def key(self) -> Key:
        return self.kind, self.name, self.version


def registered_types(client: Any, domain: str, *, deprecated: bool = False) -> list[RegisteredType]:
    """The types of a domain by kind, name and version: those in use, or the deprecated ones."""
    status = 'DEPRECATED' if deprecated else 'REGISTERED'
    return sorted(found for kind in ('workflow', 'activity') for found in _of_kind(client, domain, kind, status))


def _of_kind(client: Any, domain: str, kind: str, status: str) -> Iterator[RegisteredType]:
    method = getattr(client, f'list_{kind}_types')
    for page in pages(method, domain=domain, registrationStatus=status):
        for info in page['typeInfos']:
            named = info[f'{kind}Type']
            yield RegisteredType(
                kind,
                named['name'],
                named['version'],
                info['status'].lower(),
                info.get('creationDate'),
                info.get('description', ''),
            )


def verdicts(client: Any, domain: str, specs: Iterable[Spec], known: Iterable[Key]) -> dict[Key, tuple[str, str]]:
    """For each class, how its type is registered (``same``, :data:`DIFFERS`, :data:`UNREGISTERED`), and details."""
    registered = set(known)
    return {key: _verdict(client, domain, spec, key in registered) for spec in specs for key in [key_of(spec)]}


def key_of(spec: Spec) -> Key:
    return ('workflow' if isinstance(spec, WorkflowSpec) else 'activity'), spec.name, spec.version


def _verdict(client: Any, domain: str, spec: ActivitySpec | WorkflowSpec, is_known: bool) -> tuple[str, str]:
    if not is_known:
        return UNREGISTERED, 'a worker registers it when it starts'
    kind, name, version = key_of(spec)
    request: Mapping[str, Any] = {'domain': domain, f'{kind}Type': {'name': name, 'version': version}}
    answer = getattr(client, f'describe_{kind}_type')(**request)
    different = differences(spec, answer.get('configuration', {}))
    return (DIFFERS, '; '.join(different)) if different else ('same', '')

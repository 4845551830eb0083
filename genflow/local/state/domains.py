"""Domains, and the types registered in them."""

from __future__ import annotations

from typing import Any

from attrs import define, field

__all__ = ['DAY', 'DEPRECATED', 'REGISTERED', 'Domain', 'TypeRecord']

REGISTERED = 'REGISTERED'
DEPRECATED = 'DEPRECATED'
DAY = 86_400_000


@define(eq=False, kw_only=True)
class TypeRecord:
    """A registered type.

    Attributes:
        kind: ``'activity'`` or ``'workflow'``.
        defaults: SWF's configuration: the defaults that were given.
        created, deprecated: milliseconds.
    """

    kind: str
    name: str
    version: str
    description: str | None
    defaults: dict[str, Any]
    created: int
    deprecated: int | None = None

    @property
    def status(self) -> str:
        return REGISTERED if self.deprecated is None else DEPRECATED

    def default(self, member: str) -> str | None:
        """A default as given to Register…Type; the name where it is a task list."""
        value = self.defaults.get(member)
        return value['name'] if isinstance(value, dict) else value

    def info(self) -> dict[str, Any]:
        """SWF's ActivityTypeInfo or WorkflowTypeInfo."""
        optional = {
            'description': self.description,
            'deprecationDate': None if self.deprecated is None else self.deprecated / 1000,
        }
        return {
            f'{self.kind}Type': {'name': self.name, 'version': self.version},
            'status': self.status,
            'creationDate': self.created / 1000,
            **{name: value for name, value in optional.items() if value is not None},
        }

    def data(self) -> dict[str, Any]:
        """The type's row, without what names it."""
        return {
            'description': self.description,
            'defaults': self.defaults,
            'created': self.created,
            'deprecated': self.deprecated,
        }


@define(eq=False, kw_only=True)
class Domain:
    """A domain with its types, each by (name, version).

    Attributes:
        retention: Days as SWF writes them, or ``NONE``.
    """

    name: str
    status: str = REGISTERED
    description: str | None = None
    retention: str
    tags: dict[str, str | None] = field(factory=dict)
    types: dict[str, dict[tuple[str, str], TypeRecord]] = field(factory=lambda: {'activity': {}, 'workflow': {}})

    def expiry(self, closed: int) -> int:
        """When an execution that closed at that moment is forgotten."""
        return closed if self.retention == 'NONE' else closed + int(self.retention) * DAY

    def row(self) -> dict[str, Any]:
        """The domain as it is kept in the file."""
        return {
            'name': self.name,
            'status': self.status,
            'description': self.description,
            'retention': self.retention,
            'tags': self.tags,
        }

"""Which class implements a type that several classes were decorated as.

A process may hold several: a notebook's cell was run twice, a module was reloaded, a factory was called twice, a script
was imported by its own helper, a project's tests each define their own. In this order:

1. the class that a proxy was made from: ``Order.proxy()`` names it;
2. of classes with the same name in the same source, the one that was decorated last;
3. none: the type is ambiguous, and using it is an error.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping

from genflow.core.authoring.workflow import proxies_of
from genflow.core.errors import RegistrationError
from genflow.core.model.registry import Registry, Spec, WorkflowSpec, place_of

__all__ = ['TypeKey', 'ambiguous', 'by_type', 'called_by', 'chosen', 'key_of', 'latest', 'registry_of', 'types_of']

TypeKey = tuple[str, str, str]
"""``workflow`` or ``activity``, name and version of a type."""


def key_of(spec: Spec) -> TypeKey:
    return ('workflow' if isinstance(spec, WorkflowSpec) else 'activity', spec.name, spec.version)


def by_type(specs: Iterable[Spec]) -> dict[TypeKey, list[Spec]]:
    """The specs of each type, in the order in which their classes were decorated."""
    found: dict[TypeKey, list[Spec]] = {}
    for spec in sorted(specs, key=lambda spec: place_of(spec.cls)):
        found.setdefault(key_of(spec), []).append(spec)
    return found


def called_by(classes: Iterable[type]) -> dict[TypeKey, set[type]]:
    """The types that the proxies of workflow classes call, each with the classes that such proxies were made from."""
    called: dict[TypeKey, set[type]] = {}
    for cls in classes:
        for proxy in proxies_of(cls).values():
            kind = 'workflow' if proxy.call.kind == 'child' else proxy.call.kind
            named = called.setdefault((kind, proxy.name, str(proxy.version)), set())
            if proxy.hinted is not None:
                named.add(proxy.hinted)
    return called


def latest(specs: Iterable[Spec]) -> list[Spec]:
    """Of classes with the same name in the same source, the one that comes last."""
    found: dict[tuple[str, str], Spec] = {}
    for spec in specs:
        found[_source(spec.cls), spec.cls.__qualname__] = spec
    return list(found.values())


def _source(cls: type) -> str:
    """The file that a class is from, or else its module: a script is ``__main__``, and has its own name for others."""
    return getattr(sys.modules.get(cls.__module__), '__file__', None) or cls.__module__


def chosen(candidates: Collection[Spec], named: Collection[type] = ()) -> Spec | None:
    """The spec that stands for the type, ``None`` if that is not clear.

    Args:
        candidates: The specs of one type, in the order of their decoration.
        named: The classes that proxies of that type were made from.
    """
    for group in ([spec for spec in candidates if spec.cls in named], candidates):
        left = latest(group)
        if left:
            return left[0] if len(left) == 1 else None
    return None


def ambiguous(key: TypeKey, candidates: Iterable[Spec]) -> RegistrationError:
    """The error for a type that several classes implement."""
    kind, name, version = key
    names = ' and '.join(sorted({f'{spec.cls.__module__}.{spec.cls.__qualname__}' for spec in latest(candidates)}))
    return RegistrationError(
        f'{names} both declare the {kind} type {name} {version}: give one of them another name or version, import '
        'only one of them, create the proxy from the intended class (its .proxy()), or give the worker its classes '
        '(registry=[…])'
    )


def registry_of(specs: Iterable[Spec]) -> Registry:
    """Every type that classes were decorated as.

    Raises:
        RegistrationError: It is not clear which of several classes stands for a type.
    """
    found = by_type(specs)
    called = called_by(spec.cls for key, specs in found.items() if key[0] == 'workflow' for spec in latest(specs))
    return _filled(found, called)


def _filled(found: Mapping[TypeKey, list[Spec]], called: Mapping[TypeKey, set[type]]) -> Registry:
    registry = Registry()
    for key, candidates in found.items():
        spec = chosen(candidates, called.get(key, ()))
        if spec is None:
            raise ambiguous(key, candidates)
        registry.add(spec)
    return registry


def types_of(classes: Iterable[type]) -> Registry:
    """The types of these classes, and no others.

    Raises:
        RegistrationError: One is not decorated, or two stand for one type.
    """
    registry = Registry()
    for cls in classes:
        specs = getattr(cls, '__dict__', {}).get('__genflow_specs__', ())
        if not specs:
            raise RegistrationError(
                f'registry contains {cls!r}, which is not a decorated class: decorate it with @genflow.workflow(…) or '
                '@genflow.activity(…)'
            )
        for spec in specs:
            registry.add(spec)
    return registry

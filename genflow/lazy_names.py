"""Public names of a package that are imported when they are asked for, so that importing the package is cheap."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ['lazy_names']


def lazy_names(package: str, modules: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """What a package assigns to its ``__getattr__`` and ``__dir__``.

    Type checkers do not see these names: the package imports them under ``TYPE_CHECKING`` as well.

    Args:
        package: The package's ``__name__``.
        modules: The module that has each public name.
    """
    members = vars(sys.modules[package])

    def load(name: str) -> Any:
        module = modules.get(name)
        if module is None:
            raise AttributeError(f'module {package!r} has no attribute {name!r}')
        found = members[name] = getattr(import_module(module), name)
        return found

    def names() -> list[str]:
        return sorted({*members, *members['__all__']})

    return load, names

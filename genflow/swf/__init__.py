"""The worker side of Amazon SWF: poll, translate, decide or perform, respond.

Importing this package loads nothing, so that ``genflow.swf.scanner`` brings venusian and no boto3.
"""

from __future__ import annotations

from typing import Any

_LAZY = {
    'Client': 'client.handles',
    'Execution': 'client.handles',
    'Starter': 'client.starter',
    'Worker': 'worker.worker',
    'fast': 'aws.fast_reading',
}

__all__ = ['Client', 'Execution', 'Starter', 'Worker', 'fast']


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from importlib import import_module

    return getattr(import_module(f'{__name__}.{_LAZY[name]}'), name)

"""What users test workflows and activities with: by hand, with made-up histories, on a virtual clock, by replay.

Importing this package loads nothing; each name brings what it needs when it is asked for, so that a test by hand
needs no service and no boto3.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .answering import decisions
    from .hands import by_hand
    from .histories import History
    from .ledger import ImpossibleStory
    from .replayer import Replayed, Report, replay, replay_files

__all__ = [
    'History',
    'ImpossibleStory',
    'Replayed',
    'Report',
    'by_hand',
    'decisions',
    'replay',
    'replay_files',
]

_LAZY = {
    'History': 'histories',
    'ImpossibleStory': 'ledger',
    'Replayed': 'replayer',
    'Report': 'replayer',
    'by_hand': 'hands',
    'decisions': 'answering',
    'replay': 'replayer',
    'replay_files': 'replayer',
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(f'{__name__}.{_LAZY[name]}'), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""What users test workflows and activities with: by hand, with made-up histories, on a virtual clock, by replay.

Importing this package loads nothing; each name brings what it needs when it is asked for, so that a test by hand
needs no service and no boto3.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .activities import ActivityRun, run_activity
    from .answering import decisions
    from .hands import by_hand
    from .histories import History
    from .ledger import ImpossibleStory
    from .replayer import Replayed, Report, replay, replay_files
    from .stubs import Fail, Never, Script, TesterError, TimeOut
    from .tester import Stuck, Tester

__all__ = [
    'ActivityRun',
    'Fail',
    'History',
    'ImpossibleStory',
    'Never',
    'Replayed',
    'Report',
    'Script',
    'Stuck',
    'Tester',
    'TesterError',
    'TimeOut',
    'by_hand',
    'decisions',
    'replay',
    'replay_files',
    'run_activity',
]

_LAZY = {
    'ActivityRun': 'activities',
    'Fail': 'stubs',
    'History': 'histories',
    'ImpossibleStory': 'ledger',
    'Never': 'stubs',
    'Replayed': 'replayer',
    'Report': 'replayer',
    'Script': 'stubs',
    'Stuck': 'tester',
    'Tester': 'tester',
    'TesterError': 'stubs',
    'TimeOut': 'stubs',
    'by_hand': 'hands',
    'decisions': 'answering',
    'replay': 'replayer',
    'replay_files': 'replayer',
    'run_activity': 'activities',
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(f'{__name__}.{_LAZY[name]}'), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

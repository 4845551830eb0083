"""What users test workflows and activities with: by hand, with made-up histories, on a virtual clock, by replay.

Importing this package loads nothing; each name brings what it needs when it is asked for, so that a test by hand
needs no service and no boto3.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genflow.testing.activity_runs import ActivityRun, run_activity
    from genflow.testing.explorer import ExplorationFailed, explore
    from genflow.testing.histories.decide import decisions
    from genflow.testing.histories.history import History
    from genflow.testing.histories.open_items import ImpossibleStory
    from genflow.testing.manual import by_hand
    from genflow.testing.replayer import Replayed, Report, replay, replay_files
    from genflow.testing.tester.stubs import Fail, Never, Script, TesterError, TimeOut
    from genflow.testing.tester.tester import Stuck, Tester

__all__ = [
    'ActivityRun',
    'ExplorationFailed',
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
    'explore',
    'replay',
    'replay_files',
    'run_activity',
]

_LAZY = {
    'ActivityRun': 'activity_runs',
    'ExplorationFailed': 'explorer',
    'Fail': 'tester.stubs',
    'History': 'histories.history',
    'ImpossibleStory': 'histories.open_items',
    'Never': 'tester.stubs',
    'Replayed': 'replayer',
    'Report': 'replayer',
    'Script': 'tester.stubs',
    'Stuck': 'tester.tester',
    'Tester': 'tester.tester',
    'TesterError': 'tester.stubs',
    'TimeOut': 'tester.stubs',
    'by_hand': 'manual',
    'decisions': 'histories.decide',
    'explore': 'explorer',
    'replay': 'replayer',
    'replay_files': 'replayer',
    'run_activity': 'activity_runs',
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(f'{__name__}.{_LAZY[name]}'), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Tools to test workflows and activities: by hand, with made-up histories, on a virtual clock, by replay.

Importing this package loads nothing. Each name is imported at its first use, so that a test by hand needs no service
and no boto3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genflow.lazy_names import lazy_names

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
    'ActivityRun': 'genflow.testing.activity_runs',
    'ExplorationFailed': 'genflow.testing.explorer',
    'Fail': 'genflow.testing.tester.stubs',
    'History': 'genflow.testing.histories.history',
    'ImpossibleStory': 'genflow.testing.histories.open_items',
    'Never': 'genflow.testing.tester.stubs',
    'Replayed': 'genflow.testing.replayer',
    'Report': 'genflow.testing.replayer',
    'Script': 'genflow.testing.tester.stubs',
    'Stuck': 'genflow.testing.tester.tester',
    'Tester': 'genflow.testing.tester.tester',
    'TesterError': 'genflow.testing.tester.stubs',
    'TimeOut': 'genflow.testing.tester.stubs',
    'by_hand': 'genflow.testing.manual',
    'decisions': 'genflow.testing.histories.decide',
    'explore': 'genflow.testing.explorer',
    'replay': 'genflow.testing.replayer',
    'replay_files': 'genflow.testing.replayer',
    'run_activity': 'genflow.testing.activity_runs',
}
"""Where each name is; its module is imported when the name is asked for."""

__getattr__, __dir__ = lazy_names(__name__, _LAZY)

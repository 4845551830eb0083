"""Another process, ten years on: decides recorded decision tasks anew, and says what it decided.

Run with the file that `test_elsewhere` writes. The clocks are moved before anything else is imported.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

YEARS = dt.timedelta(days=3653)
SECOND = 1_000_000_000


class Later(dt.datetime):
    """What `datetime` is in ten years."""

    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + YEARS

    @classmethod
    def utcnow(cls):
        return cls.now(dt.timezone.utc).replace(tzinfo=None)

    @classmethod
    def today(cls):
        return cls.now()


def later(clock: Callable[[], float], ticks: int) -> Callable[[], float]:
    return lambda: clock() + YEARS // dt.timedelta(seconds=1) * ticks


def move_clocks() -> None:
    for name in ('time', 'monotonic', 'perf_counter'):
        setattr(time, name, later(getattr(time, name), 1))
        setattr(time, f'{name}_ns', later(getattr(time, f'{name}_ns'), SECOND))
    dt.datetime = Later


def decided(recorded):
    """What the engine says to each decision task of a recorded run, from nothing."""
    from genflow.core.model.registry import WorkflowSpec
    from tests.swf.laws import cold
    from tests.swf.runs import Asked, Run, Watched

    asked = [Asked(started_id, '', None, True) for started_id in recorded['asked']]
    spec = WorkflowSpec(Watched, 'Interpreter', '1')
    return list(cold(Run(spec, recorded['run_id'], recorded['seed'], 0, asked, recorded['history'])))


if __name__ == '__main__':
    move_clocks()
    runs = json.loads(Path(sys.argv[1]).read_text())
    said = {'year': dt.datetime.now(dt.timezone.utc).year, 'decided': [decided(run) for run in runs]}
    json.dump(said, sys.stdout)

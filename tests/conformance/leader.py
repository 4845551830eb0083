"""A process that leads files on clocks that the tests move: ``python -m tests.conformance.leader``.

It reads a request of JSON a line and answers each with a line. A file is opened with ``{"open": PATH, "options": …}``,
its clock is moved with ``{"advance": SECONDS, "of": PATH}``, and it is closed with ``{"close": PATH}``.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from genflow.local import Limits, ManualClock
from genflow.local.engine.locked_state import Options
from genflow.local.shared.leading import Leading
from genflow.local.shared.names import new_name


def opened(path: str, *, long_poll: float, denied: list[str], limits: dict[str, Any]) -> tuple[ManualClock, Leading]:
    clock = ManualClock()
    options = Options(
        path=path,
        clock=clock,
        region='us-east-1',
        account_id='123456789012',
        long_poll=long_poll,
        limits=Limits(**limits),
        synchronous='NORMAL',
        denied=denied,
        abandon_started=False,
    )
    return clock, Leading(options, new_name())


def main() -> None:
    files: dict[str, tuple[ManualClock, Leading]] = {}
    for line in sys.stdin:
        request = json.loads(line)
        if 'open' in request:
            files[request['open']] = opened(request['open'], **request['options'])
        elif 'advance' in request:
            files[request['of']][0].advance(request['advance'])
        else:
            files.pop(request['close'])[1].close(ends_tasks=False)
        sys.stdout.write('done\n')
        sys.stdout.flush()


if __name__ == '__main__':
    main()

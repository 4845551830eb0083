"""A process that leads a file on a clock that the tests move: ``python -m tests.conformance.leader FILE``."""

from __future__ import annotations

import sys

from genflow.local import Limits, ManualClock
from genflow.local.engine.service import Options
from genflow.local.shared.leading import Leading
from genflow.local.shared.names import new_name


def main(path: str) -> None:
    clock = ManualClock()
    options = Options(
        path=path,
        clock=clock,
        region='us-east-1',
        account_id='123456789012',
        long_poll=0,
        limits=Limits(),
        synchronous='NORMAL',
        denied=(),
        abandon_started=False,
    )
    leading = Leading(options, new_name())
    say('leading')
    for line in sys.stdin:
        clock.advance(float(line))
        say('moved')
    leading.close(ends_tasks=False)


def say(word: str) -> None:
    sys.stdout.write(f'{word}\n')
    sys.stdout.flush()


if __name__ == '__main__':
    main(sys.argv[1])

"""A peer's side of the comparison: answers one job a line, on standard input and output, until the input ends.

Each peer lives in a process of its own, with the Python and the packages that it needs, and is asked in turn, so that
whatever else the machine does meets all of them alike. Runs on every Python that a peer needs: nothing newer than 3.7.

A job is ``{"job": name, ...}``, its answer one JSON object:

    replay    shape, count   one cold replay of a finished run: ``events``, ``seconds``
    decision  steps, number  one decision of a sequential run, the first having number 0: ``events``, ``seconds``
    life      steps          all decisions of a sequential run: ``seconds``

All times are seconds of this process's CPU. What is timed begins with the history in the form in which the transport
delivers it (boto3's dicts, protobuf's messages) and ends with the decisions; that they are the right ones is checked.

A peer has ``replay(shape, count)`` and ``decision(steps, number)``. Both give the number of events and the function to
time, which returns a function that checks the outcome. It may have a ``life(steps)``; one without makes each decision
from the whole history.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from typing import Any


def timed(action: Callable[[], Any]) -> float:
    """Seconds of CPU that an action takes; its check is not part of it."""
    begun = time.process_time()
    check = action()
    seconds = time.process_time() - begun
    check()
    return seconds


def replay(peer: Any, shape: str, count: int) -> dict[str, Any]:
    events, action = peer.replay(shape, count)
    return {'events': events, 'seconds': timed(action)}


def decision(peer: Any, steps: int, number: int) -> dict[str, Any]:
    events, action = peer.decision(steps, number)
    return {'events': events, 'seconds': timed(action)}


def life(peer: Any, steps: int) -> dict[str, Any]:
    if hasattr(peer, 'life'):
        return {'seconds': peer.life(steps)}
    return {'seconds': sum(timed(peer.decision(steps, number)[1]) for number in range(steps + 1))}


JOBS = {'replay': replay, 'decision': decision, 'life': life}


def serve(peer: Any) -> None:
    """Say that the peer could be loaded, then answer jobs."""
    reply({'python': '{}.{}.{}'.format(*sys.version_info[:3])})
    for line in sys.stdin:
        job = json.loads(line)
        gc.collect()
        reply(JOBS[job.pop('job')](peer, **job))


def reply(value: dict[str, Any]) -> None:
    print(json.dumps(value), flush=True)

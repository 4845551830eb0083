"""A process that evicts executions, thousands of them, and says nothing else than how many.

Run with that number. The executions are parked in the generators of `tests/core/test_rule_12_suspension` and in
programs that are full of `finally`; they stand in a worker's cache, which has room for one. Whatever is logged goes to
stderr, as does what the interpreter has to say of generators.
"""

from __future__ import annotations

import gc
import itertools
import logging
import sys
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from attrs import frozen

from genflow.core.engine.execution import Execution
from genflow.core.model.registry import WorkflowSpec
from genflow.local import LocalSWF, ManualClock
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.connections import connect
from genflow.swf.tasks.poller import Poller
from genflow.swf.worker.sticky_cache import CachedExecution, StickyCache
from tests.core.story import made
from tests.core.test_rule_12_suspension import GENERATORS

from .runs import Environment, Run, advanced, wire
from .scheduled_service import DEFAULT, WORKFLOW_DEFAULTS
from .scheduled_workers import DOMAIN

_ECHO = ('call', ('echo', 1))
_LOGGED = ('finally', _ECHO, ('finally', ('value', 'status'), _ECHO))

PROGRAMS = (
    ('finally', ('finally', _ECHO, _ECHO), ('finally', _ECHO, ('finally', _ECHO, ('finally', _ECHO, _ECHO)))),
    ('all', (_LOGGED, ('undo', _LOGGED, _ECHO), ('shield', _LOGGED), ('limit', _LOGGED, 9, True)), 'wait'),
    ('finally', ('mixed', (_LOGGED, _LOGGED), (('get', 1), ('child', 1), ('shrink', 1))), ('kid', 1, True)),
)


@frozen
class Parked:
    """A decision after which the code stands somewhere.

    Attributes:
        execution: Makes an execution that has seen nothing yet.
        events: What it is to see.
        said: What it then says.
    """

    execution: Callable[[], Execution]
    events: list[Any]
    said: str

    def stand(self) -> Execution:
        """An execution that stands there."""
        execution = self.execution()
        assert wire(advanced(execution, self.events)) == self.said
        return execution


def parked_generators() -> Iterator[Parked]:
    with LocalSWF(clock=ManualClock()) as swf:
        swf.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='9')
        said = {DEFAULT[name]: value for name, value in WORKFLOW_DEFAULTS.items()}
        poller = Poller(RetryingClient(connect(swf)), DOMAIN, 'children')
        for generator in GENERATORS:
            kind = {'name': generator.__name__, 'version': '1'}
            swf.register_workflow_type(domain=DOMAIN, **kind, **said)
            swf.start_workflow_execution(domain=DOMAIN, workflowId='main', workflowType=kind, input='[[],{}]')
            task = poller.decision_task()
            spec = WorkflowSpec(made(generator), **kind)
            run = Run(spec, task.run_id, 'seed', 0)
            execution = run.execution()
            yield Parked(run.execution, task.events, wire(advanced(execution, task.events)))
            execution.close()
            swf.terminate_workflow_execution(domain=DOMAIN, workflowId='main')


def parked_programs() -> Iterator[Parked]:
    chance = Random(0)
    for program, number in itertools.product(PROGRAMS, range(4)):
        run = Environment(program, b'\x00' * 12 + chance.randbytes(400) if number else b'').play()
        for asked in run.asked:
            yield Parked(run.execution, run.history[: asked.started_id], asked.said)


def asks(execution: Execution) -> Any:
    """All that an execution would still have SWF do."""
    return list(execution.outbox.all()), execution.close_decision, execution.closed


def main(count: int) -> None:
    logging.disable(logging.CRITICAL)  # some answers of the recorded runs come too late, which is logged
    every = [*parked_generators(), *parked_programs()]
    logging.disable(logging.NOTSET)
    logging.basicConfig(level=logging.DEBUG)
    cache = StickyCache(max_executions=1)
    before = asked = None
    for number, parked in zip(range(count + 1), itertools.cycle(every), strict=False):
        logging.disable(logging.WARNING)  # an execution that ends says which signals nobody has read
        execution = parked.stand()
        logging.disable(logging.NOTSET)
        now = asks(execution)
        cache.put(str(number), CachedExecution(execution, 'main', len(parked.events)))
        assert before is None or asks(before) == asked
        before, asked = execution, now
    del execution, before
    cache.close_all()
    gc.collect()
    sys.stdout.write(f'{count} evicted')


if __name__ == '__main__':
    main(int(sys.argv[1]))

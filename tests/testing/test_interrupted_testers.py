"""An exception of a signal handler, wherever a test is: the test ends, and the next one is as ever."""

from __future__ import annotations

import pytest

from genflow import Activity, Workflow, activity
from genflow.local import LocalSWF
from genflow.local.errors import ServiceClosed
from genflow.testing import Tester, TesterError
from tests.interrupting import Interrupted, Lines

STRIDE = 31
"""The lines of the service in a test are many; every thirty-first has to do."""


@activity(name='InterruptedStep', version=1, task_list='tl')
class Step(Activity):
    def run(self, number):
        return number


class Hello(Workflow):
    step = Step.proxy()

    def run(self):
        yield self.sleep(60)
        return (yield self.step(1))


def test_a_test_that_is_interrupted_anywhere_can_be_closed():
    assert Tester(Hello).run() == 1
    number, refusals, interrupted = 0, [], True
    while interrupted:
        number += STRIDE
        interrupted, tester = False, None
        try:
            with Lines(number):
                tester = Tester(Hello)
                assert tester.run() == 1
        except Interrupted:
            interrupted = True
        if tester is not None:
            assert repr(tester).startswith('<Tester of Hello')
            try:
                assert tester.history.events
            except TesterError:
                pass  # not started yet
            except ServiceClosed as error:
                refusals.append(str(error))
            tester.close()
            tester.close()
    assert number > 50 * STRIDE
    assert refusals
    assert all('an exception (Interrupted) interrupted a call of this service' in refusal for refusal in refusals)
    assert Tester(Hello).run() == 1


def test_only_a_service_in_memory_may_be_interruptible(tmp_path):
    with pytest.raises(ValueError, match='interruptible=True is for a service in memory'):
        LocalSWF(tmp_path / 'swf.db', interruptible=True)

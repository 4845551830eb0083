"""An exception of a signal handler, wherever a test is: the test ends, and the next one is as ever."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import genflow.local
from genflow import Activity, Workflow, activity
from genflow.local import LocalSWF
from genflow.local.errors import ServiceClosed
from genflow.testing import Tester, TesterError

OURS = str(Path(genflow.local.__file__).parent)
STRIDE = 31
"""The lines of the service in a test are many; every thirty-first has to do."""


class Interrupted(BaseException):
    """What the signal handler raises."""


class Lines:
    """Raises :class:`Interrupted` at a line of the service; not in finalizers, which swallow exceptions."""

    def __init__(self, number):
        self.left = number

    def __enter__(self):
        sys.settrace(self._enter)

    def __exit__(self, *exception):
        sys.settrace(None)

    def _enter(self, frame, event, arg):
        finalizes = '__del__' in (frame.f_code.co_name, frame.f_back.f_code.co_name)
        return self._line if frame.f_code.co_filename.startswith(OURS) and not finalizes else None

    def _line(self, frame, event, arg):
        if event == 'line':
            self.left -= 1
            if self.left == 0:
                raise Interrupted
        return self._line


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

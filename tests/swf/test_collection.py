"""The collector is off while a long history is read and replayed, and never left off."""

from __future__ import annotations

import gc
import os
import threading

import pytest

from genflow.swf.tasks.collection import COLLECTION, LONG, HeldCollection
from genflow.swf.tasks.poller import Poller, whole_history
from tests.swf.scripted import Scripted, service
from tests.swf.test_poller import answer


@pytest.fixture(autouse=True)
def _on_before_and_after():
    assert gc.isenabled()
    yield
    assert gc.isenabled()


def test_it_is_off_in_the_block_and_on_after_it():
    collection = HeldCollection()
    with collection.held():
        assert not gc.isenabled()
        with collection.held():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_error_switches_it_on():
    with pytest.raises(ZeroDivisionError), HeldCollection().held():
        1 / 0  # noqa: B018 - raises


def test_it_is_off_until_the_last_thread_is_done():
    collection = HeldCollection()
    inside, leave = threading.Event(), threading.Event()

    def other():
        with collection.held():
            inside.set()
            leave.wait()

    thread = threading.Thread(target=other)
    with collection.held():
        thread.start()
        inside.wait()
    assert not gc.isenabled()
    leave.set()
    thread.join()


def test_a_program_that_has_it_off_keeps_it_off():
    gc.disable()
    try:
        with HeldCollection().held():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_who_takes_too_long_has_it_on_again():
    collection = HeldCollection(longest=0.01)
    with collection.held():
        before = set(threading.enumerate())
        for thread in before - {threading.current_thread()}:
            if isinstance(thread, threading.Timer):
                thread.join()
        assert gc.isenabled()
        with collection.held():
            assert gc.isenabled(), 'who comes while somebody takes too long does not hold it off either'


def test_no_timer_is_left_behind():
    with HeldCollection().held():
        timers = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
        assert timers
    for timer in timers:
        timer.join(60)
        assert not timer.is_alive()


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs fork')
@pytest.mark.filterwarnings('ignore:.*fork.*:DeprecationWarning')
def test_a_forked_child_has_it_on():
    with COLLECTION.held():
        child = os.fork()
        if not child:
            os._exit(0 if gc.isenabled() else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert not gc.isenabled()


class Looking(Scripted):
    """Answers, and notes of each call whether the collector was on."""

    def __init__(self, *script):
        super().__init__(*script)
        self.states = []

    def __getattr__(self, name):
        call = super().__getattr__(name)

        def looking(**request):
            self.states.append(gc.isenabled())
            return call(**request)

        return looking


def test_the_pages_of_a_long_history_are_read_without_it():
    long = {'startedEventId': LONG}
    client = Looking({**answer([1, 2], 'p2'), **long}, {**answer([3], 'p3'), **long}, {**answer([4]), **long})
    Poller(service(client), 'd', 'tl').decision_task()
    assert client.states == [True, False, False]


def test_the_pages_of_a_short_history_are_read_with_it():
    client = Looking(answer([1, 2], 'p2'), answer([3, 4, 5]))
    Poller(service(client), 'd', 'tl').decision_task()
    assert client.states == [True, True]


def test_a_whole_history_is_read_without_it():
    trimmed = Poller(service(Scripted({**answer([3], previous=3), 'startedEventId': LONG})), 'd', 'tl').decision_task()
    events = [{'eventId': number, 'eventType': 'MarkerRecorded'} for number in range(1, LONG + 1)]
    client = Looking({'events': events})
    assert whole_history(service(client), 'd', trimmed).events[0]['eventId'] == 1
    assert client.states == [False]


def test_a_short_whole_history_is_read_with_it():
    trimmed = Poller(service(Scripted(answer([3], previous=3))), 'd', 'tl').decision_task()
    events = [{'eventId': number, 'eventType': 'MarkerRecorded'} for number in range(1, 4)]
    client = Looking({'events': events})
    assert whole_history(service(client), 'd', trimmed).events[0]['eventId'] == 1
    assert client.states == [True]

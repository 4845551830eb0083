"""The collector is off while a long history is read and replayed, and never left off."""

from __future__ import annotations

import gc
import os
import threading

import pytest

from genflow.swf.tasks.collection import COLLECTION, HeldCollection


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


def test_it_is_off_to_the_end_of_the_block_in_which_pauses_last():
    collection = HeldCollection()
    with collection.lasting():
        assert gc.isenabled()
        for _ in range(2):
            with collection.held():
                assert not gc.isenabled()
            assert not gc.isenabled()
    assert gc.isenabled()
    with collection.held():
        assert not gc.isenabled()
    assert gc.isenabled(), 'a pause after the block lasts no longer than itself'


def test_an_error_ends_the_block_in_which_pauses_last():
    collection = HeldCollection()
    with pytest.raises(ZeroDivisionError), collection.lasting(), collection.held():
        1 / 0  # noqa: B018 - raises
    assert gc.isenabled()


def test_a_block_in_another_one_ends_the_pauses_that_began_in_it():
    """An activity may run a worker on its thread."""
    collection = HeldCollection()
    with collection.lasting():
        with collection.lasting(), collection.held():
            pass
        assert gc.isenabled()
        with collection.held():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_pauses_of_other_threads_do_not_last():
    collection = HeldCollection()
    states = []

    def other():
        with collection.held():
            states.append(gc.isenabled())
        states.append(gc.isenabled())

    with collection.lasting():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert states == [False, True]


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

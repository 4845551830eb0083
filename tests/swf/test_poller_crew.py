"""Threads that poll come while there is work for them, and go when there is none."""

from __future__ import annotations

import gc
import queue
import threading

import pytest

from genflow.swf.tasks.collection import COLLECTION
from genflow.swf.tasks.poller_crew import PollerCrew

PATIENCE = 90
NOTHING = object()


class Domain:
    """A crew, the tasks that it takes, and doors that keep them from ending."""

    def __init__(self, limit):
        self.tasks = queue.Queue()
        self.polling = threading.Semaphore(0)
        self.begun = threading.Semaphore(0)
        self.let = threading.Semaphore(0)
        self.over = threading.Event()
        self.threads = []
        self.crew = PollerCrew(limit, self.spawn)

    def spawn(self):
        thread = threading.Thread(target=self.crew.work, args=(self.poll, self.perform, self.over.is_set))
        self.threads.append(thread)
        thread.start()

    def poll(self):
        self.polling.release()
        task = self.tasks.get(timeout=PATIENCE)
        return None if task is NOTHING else task

    def perform(self, task):
        self.begun.release()
        assert self.let.acquire(timeout=PATIENCE)

    def begin(self, count):
        for number in range(count):
            self.tasks.put(number)
        for _ in range(count):
            assert self.begun.acquire(timeout=PATIENCE)

    def polls(self, count):
        for _ in range(count):
            assert self.polling.acquire(timeout=PATIENCE)

    @property
    def alive(self):
        return sum(thread.is_alive() for thread in self.threads)


class Task:
    """Tells whether the garbage collector is on when nobody has it any more."""

    def __init__(self, states):
        self.states = states

    def __del__(self):
        self.states.append(gc.isenabled())


def test_the_collector_stays_off_until_a_task_is_gone():
    """It would look through all events of a long history that are there for no reason any more."""
    states = []
    tasks = [Task(states)]

    def perform(task):
        with COLLECTION.held():
            assert isinstance(task, Task)

    PollerCrew(1, bool).work(lambda: tasks.pop() if tasks else None, perform, lambda: bool(states))
    assert (states, gc.isenabled()) == ([False], True)


@pytest.fixture
def domain(request):
    found = Domain(getattr(request, 'param', 3))
    found.crew.start()
    yield found
    found.over.set()
    for _ in found.threads:
        found.tasks.put(NOTHING)
        found.let.release()
    for thread in found.threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_it_begins_with_one(domain):
    domain.polls(1)
    assert len(domain.threads) == 1


def test_there_is_always_one_that_polls_up_to_the_limit(domain):
    domain.begin(1)
    domain.polls(2)
    assert len(domain.threads) == 2
    domain.begin(2)
    domain.polls(1)
    assert len(domain.threads) == 3
    assert not domain.polling.acquire(blocking=False)


def test_who_finds_nothing_while_another_polls_goes(domain):
    domain.begin(2)
    domain.polls(3)
    for _ in range(2):
        domain.let.release()
    domain.polls(2)
    for _ in range(2):
        domain.tasks.put(NOTHING)
    while domain.alive > 1:
        next(thread for thread in domain.threads if thread.is_alive()).join(0.01)
    assert domain.alive == 1


@pytest.mark.parametrize('domain', [1], indirect=True)
def test_one_that_is_alone_stays(domain):
    domain.tasks.put(NOTHING)
    domain.polls(2)
    assert domain.alive == 1
    domain.begin(1)
    assert len(domain.threads) == 1

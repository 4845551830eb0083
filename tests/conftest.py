"""What holds for all tests: properties are tried on the same examples each time, unless others are looked for."""

from __future__ import annotations

import gc
import signal
import sys
import threading
import time
import weakref

import botocore.handlers
import pytest
from hypothesis import settings

from genflow.core.model import registry
from tests import processes
from tests.profile import FEW, PROFILE

settings.register_profile('same', derandomize=True, database=None, deadline=None, print_blob=True)
settings.register_profile('search', database=None, deadline=None, print_blob=True)
settings.register_profile('quick', settings.get_profile('same'), max_examples=FEW)
settings.load_profile({'search': 'search', 'quick': 'quick'}.get(PROFILE, 'same'))


STARTED: weakref.WeakKeyDictionary[threading.Thread, str] = weakref.WeakKeyDictionary()
"""Which test each thread was first seen after."""

MOMENT = 60
"""Seconds that threads have to end, at the end of all tests: some wait a little for more work."""


@pytest.fixture(autouse=True, scope='session')
def no_thread_outlives_the_tests(request):
    """A thread of genflow ends with what it works for, and every test ends what it has begun."""
    before = set(threading.enumerate())
    yield
    if request.session.testsfailed:
        return  # the tracebacks of failures keep services alive
    gc.unfreeze()
    for thing in gc.get_objects():
        if issubclass(type(thing), BaseException):
            thing.__traceback__ = None  # tests are made of exceptions, too, which keep where they were raised
    gc.collect()
    over = time.monotonic() + MOMENT
    ours = [thread for thread in threading.enumerate() if thread.name.startswith('genflow-') and thread not in before]
    for thread in ours:
        thread.join(max(over - time.monotonic(), 0))
    left = [f'{thread.name} since {STARTED.get(thread)}' for thread in ours if thread.is_alive()]
    assert not left, 'these tests have left services open or workers running:\n' + '\n'.join(left)


@pytest.fixture(autouse=True, scope='session')
def signals_are_heard():
    """`nohup` has all processes ignore SIGHUP, and a script's background job SIGINT; tests wait for their effects."""
    for name, handler in (('SIGHUP', signal.SIG_DFL), ('SIGINT', signal.default_int_handler)):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection():
    """No garbage is looked for while thousands of tests are made that stay."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish():
    """Leave thousands of tests out of every collection of garbage: it would take a second each time."""
    gc.collect()
    gc.freeze()


def services_of_broken_executions():
    breaking = sys.modules.get('tests.insight.breaking')
    return [] if breaking is None else breaking.OPEN


@pytest.fixture(autouse=True)
def all_is_as_before(request):
    """What a test has begun ends with it, also where it fails; one fixture, since thousands of tests ask for it.

    The services of broken executions are closed, the processes are killed, the classes that it has decorated are
    forgotten (those of modules that are still imported stay), and its threads are known by its name.
    """
    classes = len(registry.decorated)
    yield from what_is_ended()
    registry.decorated[classes:] = [cls for cls in registry.decorated[classes:] if is_of_a_module(cls)]
    for thread in threading.enumerate():
        STARTED.setdefault(thread, request.node.nodeid)


@pytest.fixture(autouse=True, scope='module')
def all_is_as_before_a_file():
    """What a fixture has begun for all tests of a file ends after the last one."""
    yield from what_is_ended()


def what_is_ended():
    services, running = len(services_of_broken_executions()), len(processes.STARTED)
    yield
    processes.end_since(running)
    while len(services_of_broken_executions()) > services:
        services_of_broken_executions().pop().close()


@pytest.fixture(autouse=True, scope='module')
def no_classes_of_other_tests(request):
    """Tests of other files have decorated classes as the same types; what they share with this one stays."""
    known, own = list(registry.decorated), request.module.__name__
    registry.decorated[:] = [cls for cls in known if cls.__module__ == own or not is_of_a_test(cls)]
    hidden = [cls for cls in known if is_of_a_test(cls) and cls.__module__ != own]
    yield
    registry.decorated[:] = sorted([*registry.decorated, *hidden], key=registry.place_of)


def is_of_a_test(cls):
    return cls.__module__.rpartition('.')[2].startswith('test_')


def is_of_a_module(cls):
    return '<locals>' not in cls.__qualname__ and cls.__module__ in sys.modules


@pytest.fixture
def no_hooks_of_moto(monkeypatch):
    """Importing moto, as other tests do, hooks into every client that is made from then on."""
    own = [spec for spec in botocore.handlers.BUILTIN_HANDLERS if not type(spec[1]).__module__.startswith('moto.')]
    monkeypatch.setattr(botocore.handlers, 'BUILTIN_HANDLERS', own)

"""Finds the task that a test names: by description, by the attribute of its proxy, by the proxy, or by its id.

``Order.charge.task(1)`` names the activity of that type with that input, ``'charge'`` and ``Order.charge`` any activity
of the type, and ``'1.1'`` the activity with that id. If several open items match, the oldest is taken: of equal calls
the code waits for the first one first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from genflow.core.authoring.proxies import Proxy
from genflow.core.authoring.workflow import Workflow, proxies_of
from genflow.core.calls.call import Call
from genflow.core.payloads.envelopes import input_of
from genflow.core.payloads.hooks import same_payload
from genflow.core.tasks.nested import find_tasks
from genflow.core.tasks.task import Task
from genflow.testing.histories.open_items import ImpossibleStory, Item, OpenItems

__all__ = ['Fits', 'find', 'fits', 'proxy_of', 'shown']

Fits = Callable[[Item], bool]


def find(ledger: OpenItems, workflow: type[Workflow] | None, named: Any, verb: str) -> Item:
    """The open item that a test means.

    Raises:
        ImpossibleStory: There is none; the text lists what is open.
    """
    fit = fits(workflow, named)
    for item in ledger:
        if fit(item):
            return item
    known = '; '.join(map(str, ledger)) or 'nothing'
    raise ImpossibleStory(f'{shown(named)} cannot be {verb}: it is not open in this history. Open are: {known}')


def shown(named: Any) -> str:
    """What a test named, for a message."""
    return named if isinstance(named, str) else repr(named)


def fits(workflow: type[Workflow] | None, named: Any) -> Fits:
    """Whether an item is meant by ``named``.

    Raises:
        ImpossibleStory: ``named`` names no task at all.
    """
    if isinstance(named, Task):
        return _asks_for(named)
    if isinstance(named, Proxy):
        return lambda item: _is_of(item, named)
    if isinstance(named, str):
        proxy = _proxies(workflow).get(named)
        if proxy is not None:
            return lambda item: _is_of(item, proxy) or item.key == named
        return lambda item: item.key == named
    raise ImpossibleStory(
        f'{named!r} names no task; give a description such as Order.charge.task(1), the name of a proxy or an id'
    )


def _proxies(workflow: type[Workflow] | None) -> dict[str, Proxy]:
    return {} if workflow is None else proxies_of(workflow)


def proxy_of(workflow: type[Workflow] | None, item: Item) -> Proxy | None:
    """The first proxy of a workflow class for the type of an item."""
    return next((proxy for proxy in _proxies(workflow).values() if _is_of(item, proxy)), None)


def _is_of(item: Item, proxy: Proxy) -> bool:
    return item.kind == proxy.call.kind and (item.name, item.version) == (proxy.name, proxy.version)


def _asks_for(task: Any) -> Fits:
    """The test for what a description asks."""
    while task.kind == 'timeout':
        (task,) = task.described or task.members
    make = _TESTS.get(task.kind) if isinstance(task, Call) else None
    if make is None:
        raise ImpossibleStory(
            f'{task!r} is not a task that SWF knows; name an activity, child, timer, function or signal'
        )
    _refuse_open_arguments(task)
    task.prepare()
    test: Fits = make(task)
    return test


def _refuse_open_arguments(task: Any) -> None:
    inner: Iterable[Task[Any]] = find_tasks(task.arguments())
    for argument in inner:
        raise ImpossibleStory(
            f'{task!r} is named with the task {argument!r} as an argument; name it with the value that the task gave'
        )


def _call_test(task: Any) -> Fits:
    return lambda item: (
        item.kind == task.kind
        and _is_of(item, task.proxy)
        and same_payload(input_of(item.attributes.get('input')), task.input)
    )


def _timer_test(task: Any) -> Fits:
    return lambda item: item.kind == 'timer' and item.attributes['startToFireTimeout'] == str(task.seconds)


def _signal_test(task: Any) -> Fits:
    return lambda item: (
        item.kind == 'signal'
        and item.name == task.signal
        and item.attributes['workflowId'] == task.workflow_id
        and same_payload(item.attributes.get('input'), task.input)
    )


def _cancel_test(task: Any) -> Fits:
    return lambda item: item.kind == 'cancel request' and item.attributes['workflowId'] == task.workflow_id


_TESTS: dict[str, Callable[[Any], Fits]] = {
    'activity': _call_test,
    'child': _call_test,
    'lambda': _call_test,
    'timer': _timer_test,
    'signal': _signal_test,
    'cancel request': _cancel_test,
}

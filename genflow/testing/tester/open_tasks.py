"""Open items as descriptions, so that a test can say ``tester.open_tasks == [Order.charge.task(1)]``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from genflow.core.authoring.workflow import Workflow, bind
from genflow.core.payloads.envelopes import input_of
from genflow.core.payloads.hooks import decode
from genflow.core.tasks.loop import DescribingLoop
from genflow.testing.histories.open_items import Item
from genflow.testing.tester.doubles import Doubles

__all__ = ['described']


def described(doubles: Doubles, item: Item) -> Any:
    """What the code asked for; the item itself where it is none of the workflow's calls."""
    part = doubles.parts.get((item.kind, item.name or '', item.version))
    if part is not None:
        if item.kind == 'lambda':
            return part.proxy.task(decode(item.attributes['input']))
        args, kwargs = part.proxy._deserialize_arguments(input_of(item.attributes['input']))
        return part.proxy.task(*args, **kwargs)
    make = _OTHERS.get(item.kind)
    return item if make is None else make(item)


def _undriven() -> Workflow:
    workflow = Workflow()
    bind(workflow, DescribingLoop())
    return workflow


def _timer(item: Item) -> Any:
    # A timer of the engine itself (a wait before a retry) is no call of the workflow's.
    return _undriven().sleep(int(item.attributes['startToFireTimeout'])) if item.key.isdecimal() else item


def _signal(item: Item) -> Any:
    attributes = item.attributes
    value = None if attributes.get('input') is None else decode(attributes['input'])
    return (
        _undriven().external(attributes['workflowId'], attributes.get('runId')).signal(attributes['signalName'], value)
    )


def _cancel(item: Item) -> Any:
    return _undriven().external(item.attributes['workflowId'], item.attributes.get('runId')).cancel()


_OTHERS: dict[str, Callable[[Item], Any]] = {'timer': _timer, 'signal': _signal, 'cancel request': _cancel}

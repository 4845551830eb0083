"""Simple workers, a starter and answers by token, in one function each.

The two workers are plain loops on the calling thread: poll, handle, poll again.
:class:`genflow.swf.worker.worker.Worker` is the one with threads, sticky executions and draining.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, Literal

from genflow.core.authoring.proxies import ActivityProxy, Proxy, WorkflowProxy
from genflow.core.model.registry import Registry, Spec, WorkflowSpec
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.connections import connect
from genflow.swf.aws.registration import register
from genflow.swf.client.async_completion import AsyncCompletion
from genflow.swf.client.starter import Starter
from genflow.swf.scanner import Package, scan
from genflow.swf.tasks.collection import COLLECTION
from genflow.swf.tasks.poller import Poller
from genflow.swf.worker.activity_runner import ActivityRunner
from genflow.swf.worker.decider import Decider, Mismatch
from genflow.swf.worker.failure_log import FailureLog
from genflow.swf.worker.performing import Create
from genflow.swf.worker.worker import default_identity, handle_safely, log, log_startup

__all__ = ['async_scheduler', 'start_activity_worker', 'start_workflow_worker', 'workflow_starter']


def start_workflow_worker(
    domain: str,
    task_list: str,
    layer1: Any = None,
    reg_remote: bool = True,
    loop: int = -1,
    package: Package = None,
    ignore: Any = None,
    *,
    identity: str | None = None,
    mismatch: Mismatch = 'hold',
    input_mismatch: Literal['warn', 'error'] = 'warn',
    config: Any = None,
) -> None:
    """Decides the executions of a task list, one decision after the other, on this thread.

    Live executions are kept between decisions, but their decision tasks stay on ``task_list``, so that any number of
    these loops may share it.

    Args:
        domain: The SWF domain; it has to exist.
        task_list: The task list to poll.
        layer1: The application's SWF client, session, URL or service; see :mod:`genflow.swf.aws.connections`.
        reg_remote: Whether to register the types found; if false, no call is made and nothing is compared.
        loop: How many polls to make, -1 for ever.
        package: Where to look for decorated workflows: a module, a dotted name, or several of them; the calling module
            unless given.
        ignore: What venusian's ``scan`` ignores: dotted names or predicates.
        identity: The identity that SWF records for this poller.
        mismatch: ``hold`` executions that cannot be decided, or ``fail`` them.
        input_mismatch: ``warn`` logs an input that differs from the recorded one; ``error`` raises.
        config: A botocore ``Config`` for a client that is made here.

    Raises:
        RegistrationError: Two classes stand for one type, or SWF refuses a type.
        Exception: The client's error, if polling again is pointless.
    """
    registry = scan(package, ignore, depth=2)
    service, poller = _set_up(domain, task_list, layer1, config, identity)
    if reg_remote:
        register(service, domain, registry.workflows)
    _warn_of_unscanned(registry)
    decider = Decider(service, domain, registry, mismatch=mismatch, input_mismatch=input_mismatch)
    trimmed, failures = True, FailureLog()
    with decider.watch.watching():
        try:
            for _ in _turns(loop):
                task = poller.decision_task(trimmed=trimmed)
                if task is not None:
                    with COLLECTION.lasting():
                        trimmed = bool(handle_safely(decider.handle, task, failures)) or not task.previous_id
                        del task
        finally:
            decider.cache.close_all()
            service.connection.close()


def start_activity_worker(
    domain: str,
    task_list: str,
    layer1: Any = None,
    reg_remote: bool = True,
    loop: int = -1,
    package: Package = None,
    ignore: Any = None,
    *,
    create: Create = lambda cls: cls(),
    identity: str | None = None,
    config: Any = None,
) -> None:
    """Runs the activities of a task list, one after the other, on this thread.

    Args:
        domain: As for :func:`start_workflow_worker`, like the other arguments that are not listed here.
        task_list: The task list to poll.
        layer1: The application's SWF client, session, URL or service.
        reg_remote: Whether to register the types found.
        loop: How many polls to make, -1 for ever.
        package: Where to look for decorated activities.
        ignore: What venusian's ``scan`` ignores: dotted names or predicates.
        create: Creates an instance of an activity class, for classes whose constructor takes arguments.
        identity: The identity that SWF records for this poller.
        config: A botocore ``Config`` for a client that is made here.

    Raises:
        RegistrationError: Two classes stand for one type, or SWF refuses a type.
        Exception: The client's error, if polling again is pointless.
    """
    registry = scan(package, ignore, depth=2)
    service, poller = _set_up(domain, task_list, layer1, config, identity)
    if reg_remote:
        register(service, domain, registry.activities)
    performer, failures = ActivityRunner(service, domain, registry, create), FailureLog()
    try:
        for _ in _turns(loop):
            task = poller.activity_task()
            if task is not None:
                handle_safely(performer.handle, task, failures)
    finally:
        service.connection.close()


def workflow_starter(
    domain: str,
    name: str,
    version: Any,
    task_list: str | None = None,
    decision_duration: float | None = None,
    workflow_duration: float | None = None,
    layer1: Any = None,
    **options: Any,
) -> Starter:
    """A callable that starts executions of a workflow type: ``starter(1, 2)``.

    ``with starter.id('order-7'): starter(7)`` names the execution, ``with starter.tags('gold'): …`` tags it.

    Args:
        domain: The SWF domain.
        name: Of the workflow type.
        version: Of the workflow type.
        task_list: ``None`` for the type's own; likewise the next two.
        decision_duration: Seconds that one decision may take.
        workflow_duration: Seconds that the execution may take.
        layer1: The application's SWF client, session, URL or service.
        **options: What :class:`~genflow.swf.client.starter.Starter` takes besides.
    """
    return Starter(
        RetryingClient(connect(layer1)),
        domain,
        name,
        version,
        task_list=task_list,
        decision_duration=decision_duration,
        workflow_duration=workflow_duration,
        **options,
    )


def async_scheduler(domain: str, layer1: Any = None) -> AsyncCompletion:
    """Answers activities that left their worker with ``SuspendTask``, by their task tokens.

    Args:
        domain: The SWF domain of the activities; a token names its task by itself.
        layer1: The application's SWF client, session, URL or service.
    """
    return AsyncCompletion(RetryingClient(connect(layer1)), domain)


def _set_up(
    domain: str, task_list: str, layer1: Any, config: Any, identity: str | None
) -> tuple[RetryingClient, Poller]:
    connection = connect(layer1, config=config)
    poller = Poller(RetryingClient(connection), domain, task_list, identity or default_identity())
    log_startup(connection, domain, task_list, poller.identity)
    return poller.service, poller


def _turns(loop: int) -> Iterator[int]:
    return count() if loop < 0 else iter(range(loop))


def _warn_of_unscanned(registry: Registry) -> None:
    """Warns, once for each type, of the types that workflows call although no scanned class implements them.

    venusian finds only what a scanned module itself defines, so an activity that a module merely imports is missing.
    Another worker may have it, so this is not an error.
    """
    for (kind, name, version), caller in _unscanned(registry).items():
        log.warning(
            '%s calls the %s type %s %s, for which no scanned class stands: scan the module that defines it, unless '
            'another worker has it',
            caller,
            kind,
            name,
            version,
        )


def _unscanned(registry: Registry) -> dict[tuple[str, str, str], str]:
    """The types without a scanned class, each with the first proxy that calls it."""
    kinds: tuple[tuple[type[Proxy], str, Callable[[str, str], Spec | None]], ...] = (
        (ActivityProxy, 'activity', registry.activity),
        (WorkflowProxy, 'workflow', registry.workflow),
    )
    found: dict[tuple[str, str, str], str] = {}
    for spec in registry.workflows:
        for attribute, proxy in _attributes(spec):
            for cls, kind, find in kinds:
                if isinstance(proxy, cls) and find(proxy.name, str(proxy.version)) is None:
                    key = (kind, proxy.name, str(proxy.version))
                    found.setdefault(key, f'{spec.cls.__qualname__}.{attribute}')
    return found


def _attributes(spec: WorkflowSpec) -> Iterator[tuple[str, Any]]:
    seen: set[str] = set()
    for cls in spec.cls.__mro__:
        for name, value in vars(cls).items():
            if name not in seen:
                seen.add(name)
                yield name, value

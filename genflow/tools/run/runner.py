"""Runs a workflow to its end, in this process, on the embedded service: ``genflow.run`` and ``genflow run``."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, overload

from genflow.core.authoring.middleware import Middlewares, stack_of
from genflow.core.authoring.typed_proxies import Runs
from genflow.core.authoring.workflow import Workflow
from genflow.core.errors import DefinitionError
from genflow.core.model.registry import WorkflowSpec
from genflow.tools.executions.follow import HistoryTail
from genflow.tools.executions.outcome import Outcome
from genflow.tools.executions.start import Request, request_of
from genflow.tools.run.defaults import DOMAIN
from genflow.tools.run.one_run import CannotGoOn, Run, Shared
from genflow.tools.run.views import Silent, View
from genflow.tools.targets.imports import collect
from genflow.tools.targets.target import spec_of

__all__ = ['execute', 'help_run', 'run']

P = ParamSpec('P')
R = TypeVar('R')

ACTIVITIES = 8
"""How many activities of a task list run at a time, unless a caller says otherwise."""

SHARED_POLL = 0.5
"""Seconds of an empty poll where a run is shared: draining waits for it."""


@overload
def run(workflow: type[Runs[P, Generator[Any, Any, R]]], *args: P.args, **kwargs: P.kwargs) -> R: ...
@overload
def run(workflow: type[Runs[P, R]], *args: P.args, **kwargs: P.kwargs) -> R: ...
@overload
def run(
    workflow: type[Workflow],
    *args: Any,
    db: str | os.PathLike[str] | None,
    workflow_id: str | None = None,
    kwargs: Mapping[str, Any] | None = None,
    middleware: Middlewares = (),
) -> Any: ...
@overload
def run(
    workflow: type[Workflow],
    *args: Any,
    workflow_id: str | None,
    kwargs: Mapping[str, Any] | None = None,
    middleware: Middlewares = (),
) -> Any: ...
@overload
def run(
    workflow: type[Workflow], *args: Any, kwargs: Mapping[str, Any] | None, middleware: Middlewares = ()
) -> Any: ...
@overload
def run(workflow: type[Workflow], *args: Any, middleware: Middlewares) -> Any: ...
def run(  # type: ignore[misc]  # keywords of `run` that have the names of its own options go into kwargs=
    workflow: type[Any],
    *args: Any,
    db: str | os.PathLike[str] | None = None,
    workflow_id: str | None = None,
    kwargs: Mapping[str, Any] | None = None,
    middleware: Middlewares = (),
    **keywords: Any,
) -> Any:
    """Runs a workflow to its end on the embedded service, in this process, and returns its result.

    The workflow and its activities are decorated classes that have been imported.

    Args:
        workflow: The workflow class.
        *args: Arguments of its ``run``.
        db: A file that keeps the execution; without one, the execution is in memory and lost when this returns.
        workflow_id: The workflow id. An open execution of that id in the file is continued; one that has completed with
            the same arguments gives its result again.
        kwargs: Keyword arguments of its ``run``, for those that are named as this function's own.
        middleware: A `genflow.Middleware`, or several, for the start and for the workers.
        **keywords: Keyword arguments of its ``run``.

    Raises:
        TaskFailed: The execution closed otherwise; a subclass that says how, such as `ChildFailed`.
        DefinitionError: The class is not decorated, or the arguments do not fit its ``run``.
        PayloadTooLarge: Serialized, the arguments have more than 32,768 characters.
        HistoryError: An execution of that id is open, and was started for something else; or its history cannot be
            read.
        NondeterminismError: The code does not follow the history; ``WorkflowStalled`` and the other errors of the
            engine likewise. In a file the execution stays open, and goes on when the code is mended.
        RegistrationError: Two classes stand for one type, or a type that the execution needs was not imported.
        genflow.local.errors.StoreError: The file cannot be used.
    """
    spec = spec_of(workflow)
    if spec is None:
        raise DefinitionError(f'{workflow!r} is not a workflow type: decorate it with @genflow.workflow(...)')
    request = request_of(spec, args, {**keywords, **(kwargs or {})}, workflow_id)
    try:
        outcome = execute(request, db=db, middleware=middleware)
    except CannotGoOn as stop:
        raise stop.error from None
    return outcome.result(spec.cls())


def execute(
    request: Request,
    *,
    db: str | os.PathLike[str] | None = None,
    view: View | None = None,
    activities: int = ACTIVITIES,
    shared: Shared | None = None,
    middleware: Middlewares = (),
) -> Outcome:
    """Runs a workflow to its end.

    Args:
        request: What to run.
        db: The file that keeps the execution; in memory if there is none.
        view: Shows the progress.
        activities: How many activities of a task list run at a time.
        shared: If this is one of several processes that run it.
        middleware: For the start and for the workers.

    Raises:
        HistoryError: An execution of that id is open, and was started for something else.
        CannotGoOn: The execution cannot continue with the imported code.
        RegistrationError: Two classes stand for one type.
        Interrupted: A signal came, and the run is shared.
        genflow.local.errors.StoreError: The file cannot be used.
    """
    stack = stack_of(middleware)
    with _opened(db, shared) as service:
        running = Run(service, collect(request.spec), activities, db, shared, middleware=stack)
        with running.stopping_on_signals():
            return running.execute(request, view or Silent())


def help_run(
    spec: WorkflowSpec,
    workflow_id: str,
    *,
    db: str | os.PathLike[str],
    activities: int,
    shared: Shared,
    middleware: Middlewares = (),
) -> None:
    """Works for a run that another process began, or is about to begin, until a signal ends this process.

    Raises:
        CannotGoOn: The execution cannot continue with the imported code.
        RegistrationError: Two classes stand for one type.
        Interrupted: A signal came.
        genflow.local.errors.StoreError: The file cannot be used.
    """
    with _opened(db, shared) as service:
        running = Run(service, collect(spec), activities, db, shared, middleware=stack_of(middleware))
        with running.stopping_on_signals():
            running.help(spec, HistoryTail(service, DOMAIN, workflow_id, ''))


@contextmanager
def _opened(db: str | os.PathLike[str] | None, shared: Shared | None) -> Iterator[Any]:
    """The service of a run; a worker that drains waits for polls in flight, so these are short then."""
    from genflow.local import LocalSWF
    from genflow.local.state.limits import LARGE_PAGES

    service = LocalSWF(
        os.fspath(db) if db is not None else ':memory:',
        limits=LARGE_PAGES,
        abandon_started=True,
        long_poll=None if shared is None else SHARED_POLL,
    )
    try:
        yield service
    finally:
        service.close()

"""``genflow worker``: runs deciders and activities for task lists, until a signal stops it.

The first SIGTERM, SIGHUP or Ctrl-C drains the worker: it polls no more, and running tasks may finish. A second one
stops it at once.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import define, field

from genflow.core.errors import GenflowError
from genflow.core.model.registry import Registry, WorkflowSpec, declared
from genflow.core.text import counted
from genflow.swf.tasks.polled_tasks import ActivityTask, DecisionTask
from genflow.tools.cli.exits import Exit, Refused
from genflow.tools.cli.parameters import PROCESSES, SECONDS, THREADS
from genflow.tools.cli.processes.logs import FORMATS, LEVELS, set_up
from genflow.tools.cli.processes.supervisor import (
    Program,
    Supervisor,
    end_with_supervisor,
    metrics_socket,
    repeated_options,
)
from genflow.tools.cli.services import layer1_options, opened, refusing
from genflow.tools.cli.settings import setting_options
from genflow.tools.cli.streams import keep_database, messages_on_stdout, say
from genflow.tools.targets.middleware import middleware_of
from genflow.tools.targets.target import TargetError, module_of, parse
from genflow.tools.text.terminal_text import escape_line

if TYPE_CHECKING:
    from genflow.core.authoring.middleware import Middleware
    from genflow.swf.worker.worker import Worker
    from genflow.telemetry.metrics import PrometheusMetrics

__all__ = ['command']

log = logging.getLogger('genflow.worker')


@click.command('worker')
@click.argument('target')
@setting_options('domain', required=True)
@click.option('--task-list', 'task_lists', required=True, multiple=True, help='The task list to poll; may be repeated.')
@click.option(
    '--deciders', default=4, show_default=True, type=THREADS, help='Decision tasks handled at a time at most.'
)
@click.option('--activities', default=16, show_default=True, type=THREADS, help='Activity tasks run at a time at most.')
@click.option(
    '--processes',
    type=PROCESSES,
    help='Number of worker processes, each with one activity thread.',
)
@click.option('--supervised', is_flag=True, hidden=True, help='Drain when stdin ends.')
@click.option('--max-tasks', type=click.IntRange(1), help='Stop after this many tasks.')
@click.option(
    '--drain',
    default=30.0,
    show_default=True,
    type=SECONDS,
    help='Seconds that running tasks have to finish after a stop signal.',
)
@click.option('--identity', help='The identity that SWF records for this poller. Default: host and process id.')
@click.option('--register/--no-register', default=True, show_default=True, help='Register the types before polling.')
@click.option('--shadow-first', is_flag=True, help='Poll only if no open execution would be held by this code.')
@click.option('--sticky/--no-sticky', default=True, show_default=True, help='Cache executions between decisions.')
@click.option('--log-format', default='text', show_default=True, type=click.Choice(list(FORMATS)), help='On stderr.')
@click.option(
    '--log-level', default='info', show_default=True, type=click.Choice(LEVELS), help='The lowest level to show.'
)
@click.option(
    '--metrics', type=click.IntRange(0, 65535), metavar='PORT', help='Serve /metrics for Prometheus on 127.0.0.1.'
)
@click.option(
    '--records',
    type=click.Path(dir_okay=False),
    metavar='FILE',
    help='Append a line of JSON for each closed execution.',
)
@setting_options('middleware')
@click.option('--otel', is_flag=True, help='OpenTelemetry traces and metrics, of the SDK that the program sets up.')
@click.option('--metrics-socket', type=click.Path(path_type=Path), hidden=True, help='Serve /metrics at this socket.')
@click.option('--log-tasks', is_flag=True, help='Log each task when it starts.')
@layer1_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    target: str,
    task_lists: tuple[str, ...],
    drain: float,
    shadow_first: bool,
    endpoint: str | None,
    db: str | None,
    log_format: str,
    log_level: str,
    log_tasks: bool,
    metrics: int | None,
    metrics_socket: Path | None,
    records: str | None,
    middleware: str | None,
    otel: bool,
    processes: int | None,
    supervised: bool,
    **settings: Any,
) -> None:
    """Run deciders and activities of TARGET, a file or module, for one task list or several.

    --task-list may be given several times; each list has deciders and activities of its own.

    The worker has the types of every decorated class that importing TARGET loads. Credentials and region come from
    boto3's configuration, unless --endpoint or --db is given. SIGUSR1 prints the counts of tasks so far.

    --processes N runs N such workers under one process that restarts those that die; use it for activities that
    compute.
    """
    from genflow.swf.aws.client import RetryingClient
    from genflow.swf.aws.connections import connect
    from genflow.swf.aws.registration import register_domain
    from genflow.swf.worker.worker import Worker

    if records is not None:
        keep_database(records)
    if processes is not None:
        ctx.exit(_supervise(ctx, processes, drain, endpoint, db, metrics))
    if supervised:
        end_with_supervisor()
    with messages_on_stdout():
        try:
            module_of(parse(target))
            own = middleware_of(middleware)
        except TargetError as error:
            raise Refused(str(error)) from error
        set_up(log_format, log_level)
        with opened(endpoint, db) as layer1, refusing(domain=settings['domain']), _shown():
            if db is not None:
                register_domain(
                    RetryingClient(connect(layer1)), settings['domain']
                )  # in a file of our own nobody else does
            if shadow_first and not _may_poll(layer1, settings['domain']):
                ctx.exit(Exit.MISMATCH)
            telemetry = _telemetry(records, otel=otel, metrics=metrics is not None or metrics_socket is not None)
            worker = Worker(
                task_list=task_lists,
                layer1=layer1,
                on_task=_log_task if log_tasks else None,
                middleware=[*telemetry.middleware, *own],
                **settings,
            )
            telemetry.watch(worker)
            _warn_of_unused(worker.registry, task_lists)
            signals = worker.stop_on_signals(drain, on_signal=partial(_tell, drain))
            with _counts_on_signal(worker), _metrics_at(metrics, metrics_socket, telemetry.text):
                worker.run()
    ctx.exit(Exit.INTERRUPTED if len(signals.received) > 1 else Exit.COMPLETED)


def _supervise(
    ctx: click.Context, processes: int, drain: float, endpoint: str | None, db: str | None, metrics: int | None
) -> int:
    """Runs several workers. This process leads the file, and serves their metrics."""
    given = ['--supervised', *repeated_options(ctx, without=['processes', 'supervised', 'metrics'])]
    if ctx.get_parameter_source('activities') is click.core.ParameterSource.DEFAULT:
        given = ['--activities', '1', *given]
    command = [sys.executable, '-m', 'genflow', 'worker']
    if metrics is None:
        with opened(endpoint, db):
            return Supervisor([Program([*command, *given])] * processes, drain).run()
    set_up(ctx.params['log_format'], ctx.params['log_level'])
    with tempfile.TemporaryDirectory(prefix='genflow-') as name, opened(endpoint, db):
        folder = Path(name)
        sockets = [str(metrics_socket(folder, slot)) for slot in range(1, processes + 1)]
        programs = [Program([*command, '--metrics-socket', path, *given]) for path in sockets]
        supervisor = Supervisor(programs, drain, folder)
        with _metrics_at(metrics, None, supervisor.metrics_text):
            return supervisor.run()


def _tell(seconds: float, number: int, is_first: bool) -> None:
    if is_first:
        say(f'draining: running tasks and polls in flight have {seconds:g} s to finish')


NAMED = 20
"""Executions that are named where many would be held."""


def _may_poll(layer1: Any, domain: str) -> bool:
    """Whether the code follows every open execution of its types; prints those that it does not follow."""
    from genflow.swf.aws.client import RetryingClient
    from genflow.swf.aws.connections import connect
    from genflow.tools.shadow import Fetcher, Forbidden, Wanted, shadow_executions

    specs = [spec for spec in declared() if isinstance(spec, WorkflowSpec)]
    try:
        shadow = shadow_executions(Fetcher(RetryingClient(connect(layer1))), Wanted(domain, open_only=True), specs)
    except Forbidden as error:
        raise Refused(str(error)) from error
    say(str(shadow))
    for outcome in shadow.held[:NAMED]:
        say(f'would be held: {outcome}')
    if len(shadow.held) > NAMED:
        say(f'would be held: {len(shadow.held) - NAMED} more')
    if shadow.held:
        say(f'genflow: {counted(len(shadow.held), "open execution")} would be held, so this worker does not poll')
    return not shadow.held


def _warn_of_unused(registry: Registry, task_lists: tuple[str, ...]) -> None:
    """Warns of lists that no loaded type uses: a misspelt list never has a task."""
    from genflow.tools.targets.imports import lists_in_use

    used = lists_in_use(registry)
    for task_list in task_lists:
        if task_list not in used:
            known = ', '.join(sorted(used)) or 'none'
            log.warning('no loaded type uses the task list %s; the loaded types use: %s', task_list, known)


def _log_task(task: DecisionTask | ActivityTask) -> None:
    log.info('%s task: %s', 'decision' if isinstance(task, DecisionTask) else 'activity', task)


@contextlib.contextmanager
def _counts_on_signal(worker: Worker) -> Iterator[None]:
    """Print `Worker.counts`, and the executions that are held, at each SIGUSR1."""
    if not hasattr(signal, 'SIGUSR1'):
        yield
        return

    def show(number: int, frame: object) -> None:
        say(_counts(worker))

    before = signal.signal(signal.SIGUSR1, show)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)


@define
class _Telemetry:
    """The telemetry options of a worker.

    Attributes:
        middleware: For the worker.
        meters: Those that include the worker's own counts.
    """

    middleware: list[Middleware] = field(factory=list)
    meters: list[Any] = field(factory=list)
    prometheus: PrometheusMetrics | None = None

    def watch(self, worker: Worker) -> None:
        for meter in self.meters:
            meter.watch(worker)

    def text(self) -> str:
        return '' if self.prometheus is None else self.prometheus.text()


def _telemetry(records: str | None, *, otel: bool, metrics: bool) -> _Telemetry:
    found = _Telemetry()
    if otel:
        try:
            from genflow.telemetry import Meters, Tracing
        except ImportError as error:
            raise Refused("--otel needs the extra otel: pip install 'genflow[otel]'") from error
        meters = Meters()
        found.middleware += [Tracing(), meters]
        found.meters.append(meters)
    if metrics:
        from genflow.telemetry.metrics import PrometheusMetrics

        found.prometheus = PrometheusMetrics()
        found.middleware.append(found.prometheus)
        found.meters.append(found.prometheus)
    if records is not None:
        from genflow.telemetry.records import Records

        try:
            found.middleware.append(Records(records))
        except OSError as error:
            raise Refused(f'--records {records}: {error.strerror or error}. Give another file.') from error
    return found


@contextlib.contextmanager
def _metrics_at(port: int | None, path: Path | None, text: Callable[[], str]) -> Iterator[None]:
    """Serve metrics for Prometheus, if a port was given, or for the supervisor of this process."""
    from genflow.tools.run.metrics import serving_at_socket, serving_metrics

    with contextlib.ExitStack() as serving:
        if path is not None:
            serving.enter_context(serving_at_socket(path, text))
        if port is not None:
            try:
                taken = serving.enter_context(serving_metrics(port, text))
            except OSError as error:
                raise Refused(
                    f'--metrics {port}: {error.strerror or error}. Give another port, or 0 for a free one.'
                ) from error
            log.info('metrics are served at http://127.0.0.1:%d/metrics', taken)
        yield


def _counts(worker: Worker) -> str:
    lines = [f'{what}: {number}' for what, number in sorted(worker.counts.items())]
    lines += [f'held: run {run_id}: {escape_line(str(error))}' for run_id, error in list(worker.held.items())]
    return '\n'.join(lines) or 'no task so far'


@contextlib.contextmanager
def _shown() -> Iterator[None]:
    """Shows an error of the classes or their registration as one message."""
    try:
        yield
    except GenflowError as error:
        raise Refused(str(error)) from error

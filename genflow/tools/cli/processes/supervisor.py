"""Supervises several processes, and runs no user code itself: ``genflow worker --processes N``, and ``genflow run``.

Theory of operation. Each process has a thread here, which starts it, forwards its stderr, and waits for it. A process
that dies is restarted after a pause that grows with each early death. The processes are in sessions of their own, so
Ctrl-C reaches only the supervisor, which forwards it. The stdin of each is a pipe from the supervisor: when it is
closed, the supervisor has ended for whatever reason, and the process drains.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
from attrs import define, field, frozen

from genflow.exposition import Instrument, Measurements, joined
from genflow.steady_time import monotonic
from genflow.swf.worker.stop_signals import SignalStop
from genflow.tools.cli.exits import Exit
from genflow.tools.cli.settings import exported_settings
from genflow.tools.cli.streams import say

__all__ = ['Program', 'Supervisor', 'end_with_supervisor', 'metrics_socket', 'repeated_options']

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
HEALTHY = 60.0
"""If a process lived for this many seconds, its restart counts as the first one, with the shortest pause."""

SHUTDOWN_GRACE = 5.0
"""Seconds beyond the drain before a process is killed."""

LOOK = 0.1
UP = Instrument(
    'genflow_worker_process_up', 'gauge', '1 while a worker process reports its metrics, else 0.', ('process',)
)
RESTARTS = Instrument(
    'genflow_worker_process_restarts_total',
    'counter',
    'Restarts of worker processes that died.',
    ('process',),
)
INSTRUMENTS = (UP, RESTARTS)
"""The metrics of a supervisor."""

FINAL = frozenset({Exit.COMPLETED, Exit.USAGE, Exit.MISMATCH})
"""Exit codes after which a restart is pointless."""


def repeated_options(ctx: click.Context, *, without: Sequence[str]) -> list[str]:
    """The options and arguments of this command that were given, to be given to another process; arguments come last.

    An argument that looks like an option stays one: ``--`` stands before the arguments.
    """
    options: list[str] = []
    arguments: list[str] = []
    for parameter in ctx.command.params:
        name = parameter.name or ''
        if name in without or name not in ctx.params:  # what is not among them is a setting: see `exported_settings`
            continue
        if ctx.get_parameter_source(name) is not click.core.ParameterSource.COMMANDLINE:
            continue
        value = ctx.params[name]
        if isinstance(parameter, click.Option):
            options += _written(parameter, value)
        else:
            arguments += map(str, value if parameter.nargs != 1 else [value])
    return [*options, '--', *arguments]


def _written(option: click.Option, value: object) -> list[str]:
    if option.is_flag:
        return [option.opts[0] if value else option.secondary_opts[0]]
    values = value if option.multiple and isinstance(value, (list, tuple)) else [value]
    return [word for one in values for word in (option.opts[0], str(one))]


def end_with_supervisor() -> None:
    """In a worker process: drains when the supervisor has ended."""

    def watch() -> None:
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name='genflow-supervised', daemon=True).start()


@frozen
class Program:
    """The command of one process.

    Attributes:
        command: Its arguments, the program first.
        final: Exit codes after which a restart is pointless.
        decides: When it has ended for good, the others are stopped, and its exit code is the supervisor's.
    """

    command: Sequence[str]
    final: frozenset[int] = FINAL
    decides: bool = False


@define(eq=False)
class Supervisor:
    """Keeps processes running.

    Attributes:
        programs: What each runs.
        drain: Seconds to finish in when they are stopped.
        metrics: The directory in which each process serves its metrics at its :func:`metrics_socket`, if it does.
    """

    programs: Sequence[Program]
    drain: float
    metrics: Path | None = None
    _restarts: Counter[int] = field(factory=Counter, init=False)
    _processes: dict[int, subprocess.Popen[bytes]] = field(factory=dict, init=False)
    _stopping: threading.Event = field(factory=threading.Event, init=False)
    _verdict: int = field(default=Exit.COMPLETED, init=False)
    _settings: dict[str, str] = field(factory=exported_settings, init=False)

    def run(self) -> int:
        """Runs the processes until they are stopped or have ended by themselves; returns the exit code."""
        signals = SignalStop(self._stop, self._stop)
        signals.install()
        slots = [
            threading.Thread(target=self._keep, args=(slot, program), name=f'genflow-process-{slot}', daemon=True)
            for slot, program in enumerate(self.programs, start=1)
        ]
        try:
            for slot in slots:
                slot.start()
            self._join(slots)
        finally:
            signals.remove()
        return Exit.INTERRUPTED if len(signals.received) > 1 else self._verdict

    def metrics_text(self) -> str:
        """The metrics of every process that answers, and how many there are."""
        folder = self.metrics
        if folder is None:
            return ''
        from genflow.tools.run.metrics import read_metrics

        texts = {str(slot): read_metrics(metrics_socket(folder, slot)) for slot in list(self._processes)}
        own = Measurements(INSTRUMENTS)
        for slot, text in texts.items():
            own.set(UP, int(text is not None), slot)
            own.set(RESTARTS, self._restarts[int(slot)], slot)
        return own.text() + joined({slot: text for slot, text in texts.items() if text is not None}, 'process')

    def _join(self, slots: Sequence[threading.Thread]) -> None:
        """Wait; a process that does not end in time is killed."""
        ends = None
        while any(slot.is_alive() for slot in slots):
            for slot in slots:
                slot.join(LOOK / len(slots))  # short, because the handlers of signals run in between
            if self._stopping.is_set():
                ends = ends or monotonic() + self.drain + SHUTDOWN_GRACE
                if monotonic() > ends:
                    self._signal(signal.SIGKILL)

    def _stop(self) -> None:
        """Drains the processes; those that are draining already stop at once."""
        self._stopping.set()
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        for process in list(self._processes.values()):
            if process.poll() is None:
                process.send_signal(number)

    # The thread of one process.

    def _keep(self, slot: int, program: Program) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            began = monotonic()
            code, last = self._run_once(slot, program.command)
            if code in program.final or self._stopping.is_set():
                self._end(program, code)
                return
            if monotonic() - began > HEALTHY:
                pause = FIRST_PAUSE
            say(f'genflow: worker process {slot} {_how(code)}{last}; it will be restarted in {pause:g} s')
            self._restarts[slot] += 1
            self._stopping.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        if program.decides:
            self._verdict = Exit.INTERRUPTED  # it has not been started again, so there is no result

    def _end(self, program: Program, code: int) -> None:
        """A process has ended for good; if its command is wrong, so is that of the others."""
        if program.decides:
            self._verdict = code if code in program.final else Exit.INTERRUPTED
            if not self._stopping.is_set():  # else they drain, and finish what they run
                self._stop()
                self._signal(signal.SIGINT)  # the second signal: nothing waits for running tasks any more
        elif code in {Exit.USAGE, Exit.MISMATCH} and not any(one.decides for one in self.programs):
            self._verdict = code
            self._stop()

    def _run_once(self, slot: int, command: Sequence[str]) -> tuple[int, str]:
        """Runs the process to its end; returns its exit code and its last line on stderr."""
        process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, **self._settings},
        )
        self._processes[slot] = process
        if self._stopping.is_set():
            process.send_signal(signal.SIGTERM)
        last = ''
        with process:
            for line in process.stderr or ():
                sys.stderr.write(line.decode(errors='replace'))
                sys.stderr.flush()
                last = line.decode(errors='replace').strip() or last
        return process.returncode, f' ({last})' if last else ''


def metrics_socket(folder: Path, slot: int) -> Path:
    """Where the process of a slot, from 1, serves its metrics."""
    return folder / f'{slot}.sock'


def _how(code: int) -> str:
    if code < 0:
        return f'was ended by {signal.Signals(-code).name}'
    return f'has ended with exit code {code}'

"""Replay: checks that the current code follows recorded histories.

A replay drives the code with the recorded events, and compares the calls that it makes with the recorded ones. It polls
nothing, runs no activity and answers no task. Any difference (another order, another activity, a missing call) ends the
replay with the full report. A corpus of real histories in a repository therefore catches changes that would hold open
executions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import define, evolve, field, frozen

from genflow.core.authoring.workflow import Workflow
from genflow.core.engine.execution import Execution
from genflow.core.errors import GenflowError, HistoryError, NondeterminismError
from genflow.core.model.info import Info
from genflow.core.model.registry import WorkflowSpec
from genflow.core.text import counted
from genflow.steady_time import monotonic
from genflow.swf.wire.events import translate
from genflow.testing.histories.decide import spec_for, specs_of, type_of
from genflow.testing.histories.exports import Loaded, Source, load
from genflow.testing.histories.history import History, MadeUp

__all__ = ['Failure', 'Replayed', 'Report', 'history_files', 'how_many_follow', 'replay', 'replay_files']

SUFFIXES = ('.json', '.jsonl')


@frozen
class Replayed:
    """The result of a successful replay.

    Attributes:
        source: The file, or a description of the history.
        name: Of the workflow type.
        version: Of the workflow type.
        events: The number of events.
        warnings: Payloads that differ from the recorded ones.
        pending: Whether the history ends with a decision that is to be made.
    """

    source: str
    name: str
    version: str
    events: int
    warnings: tuple[str, ...] = ()
    pending: bool = False


@frozen
class Failure:
    """A history that the code does not follow, or that cannot be read."""

    source: str
    error: BaseException

    @property
    def is_mismatch(self) -> bool:
        """Whether code and history disagree; otherwise the history could not be replayed at all."""
        return isinstance(self.error, NondeterminismError)

    def __str__(self) -> str:
        text = str(self.error)
        kind = type(self.error).__name__
        return f'{text if self.source in text else f"{self.source}: {kind}: {text}"}'


@define
class Report:
    """The results for a corpus of histories.

    Attributes:
        replayed: The histories that the code follows.
        failures: Those that it does not follow, and files that could not be read.
        empty: Requested files and folders that contain no history.
        seconds: The duration in seconds.
    """

    replayed: list[Replayed] = field(factory=list)
    failures: list[Failure] = field(factory=list)
    empty: list[str] = field(factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether there was something to replay, and the code follows all of it."""
        return bool(self.replayed) and not self.failures and not self.empty

    @property
    def events(self) -> int:
        return sum(one.events for one in self.replayed)

    def __str__(self) -> str:
        lines = [str(failure) + '\n' for failure in self.failures]
        lines += [f'{place} contains no history, so nothing was checked' for place in self.empty]
        lines += [f'{one.source}: {warning}' for one in self.replayed for warning in one.warnings]
        rate = f', {self.events / self.seconds:,.0f} events/s' if self.seconds else ''
        follow = how_many_follow(len(self.replayed), len(self.replayed) + len(self.failures), 'history', 'histories')
        lines.append(f'{follow} ({counted(self.events, "event")} in {self.seconds:.2f} s{rate})')
        return '\n'.join(lines)


def how_many_follow(number: int, total: int, noun: str, plural: str | None = None) -> str:
    """How many of all histories the code follows, such as ``2 of 3 histories follow the code``."""
    verb = 'follows' if 1 in (number, total) else 'follow'
    return f'{number:,} of {counted(total, noun, plural)} {verb} the code'


_IDS_IN = {
    'workflow_id': ('workflow_id',),
    'run_id': ('run_id',),
    'first_run_id': ('run_id',),
    'root': ('workflow_id', 'run_id'),
}
"""The ids of the execution that a member of its info gives; the last two unless event 1 names another run."""


class Watched:
    """``self.info`` of a replay; records which ids the code reads.

    Attributes:
        read: Their names.
    """

    def __init__(self, info: Info, read: dict[str, None]) -> None:
        self._info = info
        self._read = read
        self._origin_of = {'first_run_id': info.continued_run_id, 'root': info.parent_run_id}

    def __getattr__(self, name: str) -> Any:
        for id_name in _IDS_IN.get(name, ()):
            if self._origin_of.get(name) is None:
                self._read[id_name] = None
        return getattr(self._info, name)

    def __str__(self) -> str:
        return str(self._info)


class Replaying(Execution):
    """An execution that collects its warnings instead of logging them.

    Attributes:
        read: The names of the ids that the code has read; a dict's keys, in order.
    """

    def __init__(self, spec: WorkflowSpec, **options: Any) -> None:
        super().__init__(spec, **options)
        self.warnings: list[str] = []
        self.read: dict[str, None] = {}

    def report(self, message: str) -> None:
        self.warnings.append(message)

    @property
    def told_info(self) -> Any:
        return Watched(self.info, self.read)


def replay(
    history: History | Source,
    workflow: type[Workflow] | WorkflowSpec,
    *,
    input_mismatch: str = 'warn',
    workflow_id: str | None = None,
    run_id: str | None = None,
) -> Replayed:
    """Replays one history against a workflow.

    Args:
        history: A :class:`~genflow.testing.History`, a path, JSON text, an answer of
            ``get_workflow_execution_history``, or a list of answers or events.
        workflow: The class; its type has to be the recorded one.
        input_mismatch: The treatment of an input that differs from the recorded one: ``'warn'`` or ``'error'``.
        workflow_id: Of the execution, if the history does not contain it. Default for a file: its name up to the
            first comma. Only code that reads ``self.info.workflow_id`` needs it.
        run_id: Likewise. Default for a file: the part of its name after the comma (``order-7,22Yb….json``).

    Raises:
        NondeterminismError: The code does not follow the history.
        WorkflowStalled: The history is open, and the code waits for nothing.
        HistoryError: The history cannot be read, is incomplete, is of another workflow type, or lacks an id that the
            code depends on.
        OSError: The file cannot be read.
    """
    loaded = _of_history(history) if isinstance(history, History) else _load_named(history)
    loaded = _with_ids(loaded, workflow_id, run_id)
    return _replayed(loaded, spec_for(workflow, *type_of(loaded.events)), input_mismatch)


def _of_history(history: History) -> Loaded:
    workflow_id, run_id = (
        None if isinstance(found, MadeUp) else found for found in (history.workflow_id, history.run_id)
    )
    return Loaded('the history', list(history.recorded), workflow_id, run_id)


def _load_named(source: Source) -> Loaded:
    """Reads a history; takes ids that it does not contain from the name of its file."""
    loaded = load(source)
    if loaded.workflow_id is not None or not _is_file(source):
        return loaded
    workflow_id, _, run_id = Path(loaded.name).stem.partition(',')
    return evolve(loaded, workflow_id=workflow_id, run_id=loaded.run_id or run_id or None, is_named_by_file=True)


def _with_ids(loaded: Loaded, workflow_id: str | None, run_id: str | None) -> Loaded:
    return evolve(loaded, workflow_id=workflow_id or loaded.workflow_id, run_id=run_id or loaded.run_id)


def _is_file(source: Source) -> bool:
    return isinstance(source, Path) or (isinstance(source, str) and source.lstrip()[:1] not in {'{', '['})


def replay_files(
    paths: Iterable[str | Path],
    workflows: type[Workflow] | WorkflowSpec | Iterable[type[Workflow] | WorkflowSpec],
    *,
    input_mismatch: str = 'warn',
    workflow_id: str | None = None,
    run_id: str | None = None,
) -> Report:
    """Replays every history in some files and folders. A failure does not stop the replay of the others.

    Args:
        paths: Files, and folders, which are searched recursively for ``.json`` and ``.jsonl`` files.
        workflows: The classes, or their types; each history is replayed with the one of its type.
        input_mismatch: As for :func:`replay`.
        workflow_id: As for :func:`replay`; for all of them.
        run_id: Likewise.
    """
    specs = _by_type(workflows)
    report = Report()
    begun = monotonic()
    for path in map(Path, paths):
        files = list(history_files(path))
        if not files:
            report.empty.append(str(path))
        for file in files:
            try:
                report.replayed.append(_replay_file(file, specs, input_mismatch, (workflow_id, run_id)))
            except (GenflowError, OSError) as error:
                report.failures.append(Failure(str(file), error))
    report.seconds = monotonic() - begun
    return report


def history_files(path: Path) -> Iterator[Path]:
    """Yields a file itself, or every history file below a folder, sorted by name."""
    if not path.is_dir():
        yield path
        return
    yield from sorted(found for found in path.rglob('*') if found.suffix in SUFFIXES and found.is_file())


def _by_type(workflows: Any) -> Mapping[tuple[str, str], WorkflowSpec]:
    listed = [workflows] if isinstance(workflows, (type, WorkflowSpec)) else list(workflows)
    return {(spec.name, spec.version): spec for workflow in listed for spec in specs_of(workflow)}


def _replay_file(
    file: Path, specs: Mapping[tuple[str, str], WorkflowSpec], input_mismatch: str, given: tuple[str | None, str | None]
) -> Replayed:
    loaded = _with_ids(_load_named(file), *given)
    kind = type_of(loaded.events)
    spec = specs.get(kind)
    if spec is None:
        known = ', '.join(f'{name!r} version {version!r}' for name, version in specs) or 'none'
        raise HistoryError(
            f'{file} is of the workflow type {kind[0]!r} version {kind[1]!r}, for which no class was given; the '
            f'given classes: {known}'
        )
    return _replayed(loaded, spec, input_mismatch)


def _replayed(loaded: Loaded, spec: WorkflowSpec, input_mismatch: str) -> Replayed:
    ids = {'workflow_id': loaded.workflow_id, 'run_id': loaded.run_id}
    execution = Replaying(spec, **ids, seed=loaded.run_id, input_mismatch=input_mismatch)
    try:
        answer = execution.advance(translate(loaded.events), to_end=True)
    except NondeterminismError as error:
        raise _with_missing_ids(loaded, execution, error) from error
    finally:
        execution.close()
    if execution.warnings:
        execution.warnings[-1] += _about_ids(loaded, execution)
    return Replayed(
        loaded.name, spec.name, spec.version, len(loaded.events), tuple(execution.warnings), answer is not None
    )


def _with_missing_ids(loaded: Loaded, execution: Replaying, error: NondeterminismError) -> GenflowError:
    """The mismatch, with a hint on ids; a ``HistoryError`` if a missing id may have caused it."""
    about = _about_ids(loaded, execution)
    if _missing(loaded, execution):
        return HistoryError(f'{loaded.name} cannot be checked against the code.{about}. As it is:\n{error}')
    return NondeterminismError(f'{error.report}{about}', event_id=error.event_id, execution=error.execution)


def _missing(loaded: Loaded, execution: Replaying) -> list[str]:
    """The ids that the code reads and nobody names."""
    return [name for name in execution.read if getattr(loaded, name) is None]


def _about_ids(loaded: Loaded, execution: Replaying) -> str:
    """What to say of ids that the code reads, where the history itself does not name them."""
    missing = _missing(loaded, execution)
    if missing:
        names = ' and '.join(f'info.{name}' for name in missing)
        options = ' and '.join(f'--{name.replace("_", "-")}' for name in missing)
        return (
            f'\nThe code reads {names}, which this history does not contain: give it ({options}, or {missing[0]}=…), '
            'or name the file WORKFLOW_ID.json or WORKFLOW_ID,RUN_ID.json'
        )
    if loaded.is_named_by_file and execution.read:
        return f'\nThe code reads info.{next(iter(execution.read))}, which was taken from the name of the file'
    return ''

"""Replaying what was fetched, and the report on it: by workflow type and by kind of mismatch, one example of each."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from attrs import Factory, define, evolve, frozen

from genflow.core.errors import GenflowError
from genflow.core.model.registry import WorkflowSpec
from genflow.core.text import counted
from genflow.steady_time import monotonic
from genflow.swf.aws.faults import code_of
from genflow.testing.histories.decide import type_of
from genflow.testing.histories.exports import load
from genflow.testing.replayer import history_files, how_many_follow, replay
from genflow.tools.shadow.fetching import CLOSING, Fetcher, Recorded, Wanted, sweep

_VALUE = r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^,]*)"""
"""A value in a report: quoted, or up to the next comma."""

__all__ = ['Outcome', 'Shadow', 'replayed', 'shadow_executions', 'shadow_files']


@frozen
class Outcome:
    """What became of one execution.

    Attributes:
        name: Of the workflow type.
        version: Of the workflow type.
        workflow_id: Of the execution, or the file where that does not say it.
        run_id: Likewise.
        is_open: Whether it is open.
        events: How many.
        seconds: CPU time of the replay.
        error: Why the code does not follow it; ``None`` where it does.
    """

    name: str
    version: str
    workflow_id: str
    run_id: str
    is_open: bool
    events: int
    seconds: float
    error: BaseException | None = None

    @property
    def mutation(self) -> str:
        """The kind of the mismatch: its report without what differs from execution to execution."""
        report = getattr(self.error, 'report', str(self.error))
        lines = [line for line in report.splitlines() if not line.startswith(('  agreed', 'If the code'))][:4]
        text = f'{type(self.error).__name__}: ' + ' / '.join(line.strip() for line in lines)
        text = re.sub(rf'\b(input|result|details|reason|control)={_VALUE}', r'\1=…', text)
        return re.sub(r'event \d+', 'event …', text)

    def __str__(self) -> str:
        state = 'open' if self.is_open else 'closed'
        return f'{self.name} {self.version} {self.workflow_id} {self.run_id} ({state}, {counted(self.events, "event")})'


@define
class Shadow:
    """What became of all of them.

    Attributes:
        outcomes: In the order in which they were replayed.
        unknown: By type, how many executions have a type that the code does not have.
        gone: How many executions were listed, and their histories deleted before they were read.
        calls: Calls of SWF.
        seconds: Time taken, with what SWF took.
    """

    outcomes: list[Outcome] = Factory(list)
    unknown: dict[tuple[str, str], int] = Factory(dict)
    gone: int = 0
    calls: int = 0
    seconds: float = 0.0

    @property
    def failed(self) -> list[Outcome]:
        """The executions that the code does not follow."""
        return [outcome for outcome in self.outcomes if outcome.error is not None]

    @property
    def held(self) -> list[Outcome]:
        """Those of them that are open: a worker with this code would hold them."""
        return [outcome for outcome in self.failed if outcome.is_open]

    @property
    def ok(self) -> bool:
        return not self.failed

    @property
    def cpu(self) -> float:
        """Seconds of CPU time of all replays."""
        return sum(outcome.seconds for outcome in self.outcomes)

    def by_mutation(self) -> dict[tuple[str, str, str], list[Outcome]]:
        """The failed ones by name and version of the type and by kind of mismatch, the most frequent first."""
        found: dict[tuple[str, str, str], list[Outcome]] = {}
        for outcome in self.failed:
            found.setdefault((outcome.name, outcome.version, outcome.mutation), []).append(outcome)
        return dict(sorted(found.items(), key=lambda item: -len(item[1])))

    def __str__(self) -> str:
        lines: list[str] = []
        for (name, version, _), outcomes in self.by_mutation().items():
            held = sum(outcome.is_open for outcome in outcomes)
            open_ones = f'{held} of them open'
            number = f'{counted(len(outcomes), "execution")} do'
            if len(outcomes) == 1:
                number, open_ones = '1 execution does', f'and is {"open" if held else "closed"}'
            lines.append(f'{name} {version}: {number} not follow the code, {open_ones}')
            lines.append(f'  for example {outcomes[0]}')
            lines += [f'    {line}' for line in str(outcomes[0].error).splitlines()]
            lines.append('')
        lines += [self._type_line(name, version) for name, version in self._types()]
        lines += [
            f'{name} {version}: {counted(count, "execution")}, of a type that the code does not have'
            for (name, version), count in sorted(self.unknown.items())
        ]
        if self.gone:
            verb, whose = ('was', 'its history was') if self.gone == 1 else ('were', 'their histories were')
            lines.append(f'{counted(self.gone, "execution")} {verb} deleted before {whose} read')
        if not (self.outcomes or self.unknown or self.gone):
            lines.append('no executions were found: check the domain, the type and how far back to look')
        events = sum(outcome.events for outcome in self.outcomes)
        follow = how_many_follow(len(self.outcomes) - len(self.failed), len(self.outcomes), 'execution')
        lines.append(
            f'{follow} ({counted(events, "event")}, {self.cpu:.2f} s CPU, {counted(self.calls, "call")}, '
            f'{self.seconds:.1f} s)'
        )
        return '\n'.join(lines)

    def _types(self) -> Sequence[tuple[str, str]]:
        return sorted({(outcome.name, outcome.version) for outcome in self.outcomes})

    def _type_line(self, name: str, version: str) -> str:
        return f'{name} {version}: {how_many_follow(*self._counts(name, version), "execution")}'

    def _counts(self, name: str, version: str) -> tuple[int, int]:
        """How many executions of a type follow the code, and how many there are."""
        own = [outcome for outcome in self.outcomes if (outcome.name, outcome.version) == (name, version)]
        return sum(outcome.error is None for outcome in own), len(own)

    def to_json(self) -> dict[str, Any]:
        """The report as JSON can hold it."""
        return {
            'ok': self.ok,
            'executions': len(self.outcomes),
            'failed': len(self.failed),
            'held': len(self.held),
            'gone': self.gone,
            'calls': self.calls,
            'cpu_seconds': round(self.cpu, 3),
            'types': [
                {'name': name, 'version': version, 'executions': total, 'failed': total - good}
                for name, version in self._types()
                for good, total in (self._counts(name, version),)
            ],
            'unknown': [{'name': name, 'version': version, 'count': n} for (name, version), n in self.unknown.items()],
            'mutations': [
                {
                    'name': name,
                    'version': version,
                    'mutation': mutation,
                    'count': len(outcomes),
                    'open': sum(outcome.is_open for outcome in outcomes),
                    'example': {
                        'workflow_id': outcomes[0].workflow_id,
                        'run_id': outcomes[0].run_id,
                        'report': str(outcomes[0].error),
                    },
                }
                for (name, version, mutation), outcomes in self.by_mutation().items()
            ],
        }

    def to_junit(self) -> str:
        """The report as JUnit XML: a suite for each type, a case for each execution."""
        root = ET.Element('testsuites', name='genflow shadow')
        counts = {'tests': str(len(self.outcomes)), 'failures': str(len(self.failed)), 'errors': '0'}
        root.attrib.update(counts | {'time': f'{self.cpu:.4f}'})
        for name, version in self._types():
            own = [outcome for outcome in self.outcomes if (outcome.name, outcome.version) == (name, version)]
            failed = sum(outcome.error is not None for outcome in own)
            suite = ET.SubElement(root, 'testsuite', name=_printable(f'{name} {version}'))
            seconds = sum(outcome.seconds for outcome in own)
            counts = {'tests': str(len(own)), 'failures': str(failed), 'errors': '0', 'time': f'{seconds:.4f}'}
            suite.attrib.update(counts)
            for outcome in own:
                _case(suite, outcome)
        ET.indent(root)
        return ET.tostring(root, encoding='unicode', xml_declaration=True)


def _case(suite: ET.Element, outcome: Outcome) -> None:
    case = ET.SubElement(suite, 'testcase', classname=_printable(outcome.name), time=f'{outcome.seconds:.4f}')
    case.set('name', _printable(f'{outcome.workflow_id} {outcome.run_id}'))
    if outcome.error is not None:
        failure = ET.SubElement(case, 'failure', type=type(outcome.error).__name__)
        failure.set('message', _printable(outcome.mutation))
        failure.text = _printable(str(outcome.error))


def _printable(text: str) -> str:
    """Text without the characters that XML has no way to write."""
    return re.sub(r'[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]', '?', text)


def shadow_executions(
    fetcher: Fetcher,
    wanted: Wanted,
    specs: Iterable[WorkflowSpec],
    *,
    strict: bool = False,
    tick: Callable[[], None] = lambda: None,
) -> Shadow:
    """Replays the executions of a domain against workflow types.

    Args:
        fetcher: Gets them.
        wanted: Which ones.
        specs: The types of the code that is about to be deployed.
        strict: Also treat an input that differs from the recorded one as a mismatch.
        tick: Called after each execution.

    Raises:
        Exception: The client's error.
    """
    known = {(spec.name, spec.version): spec for spec in specs}
    shadow = Shadow()
    begun = monotonic()
    if fetcher.folder is not None:
        sweep(fetcher.folder)
    for execution in fetcher.executions(evolve(wanted, types=frozenset(known))):
        spec = known.get((execution.name, execution.version))
        if spec is None:
            kind = (execution.name, execution.version)
            shadow.unknown[kind] = shadow.unknown.get(kind, 0) + 1
        else:
            document = _fetched(fetcher, wanted.domain, execution)
            if document is None:
                shadow.gone += 1
            else:
                is_open = document['events'][-1]['eventType'] not in CLOSING  # it may have closed after it was listed
                ids = (execution.workflow_id, execution.run_id, is_open)
                shadow.outcomes.append(replayed(document, spec, ids, strict=strict))
        tick()
    shadow.calls = fetcher.calls
    shadow.seconds = monotonic() - begun
    return shadow


def _fetched(fetcher: Fetcher, domain: str, execution: Recorded) -> Mapping[str, Any] | None:
    """The history of an execution; ``None`` where its retention ended after it was listed."""
    try:
        return fetcher.history(domain, execution)
    except Exception as error:
        if code_of(error) == 'UnknownResourceFault':
            return None
        raise


def shadow_files(
    paths: Iterable[str | Path],
    specs: Iterable[WorkflowSpec],
    *,
    strict: bool = False,
    tick: Callable[[], None] = lambda: None,
) -> Shadow:
    """Replays the histories of files and folders.

    Raises:
        HistoryError: A file is no history, or not a whole one.
        OSError: A file cannot be read.
    """
    known = {(spec.name, spec.version): spec for spec in specs}
    shadow = Shadow()
    begun = monotonic()
    for file in [file for path in map(Path, paths) for file in history_files(path)]:
        loaded = load(file)
        kind = type_of(loaded.events)
        if kind not in known:
            shadow.unknown[kind] = shadow.unknown.get(kind, 0) + 1
            tick()
            continue
        is_open = loaded.events[-1]['eventType'] not in CLOSING
        ids = (loaded.workflow_id or str(file), loaded.run_id or '', is_open)
        document = {'workflowExecution': {'workflowId': ids[0], 'runId': ids[1]}, 'events': loaded.events}
        shadow.outcomes.append(replayed(document, known[kind], ids, strict=strict))
        tick()
    shadow.seconds = monotonic() - begun
    return shadow


def replayed(document: Mapping[str, Any], spec: WorkflowSpec, ids: tuple[str, str, bool], *, strict: bool) -> Outcome:
    """Replays one history, given as the AWS command line prints it."""
    begun = time.process_time()
    error: BaseException | None = None
    try:
        replay(document, spec, input_mismatch='error' if strict else 'warn')
    except GenflowError as found:
        error = found
    return Outcome(spec.name, spec.version, *ids, len(document['events']), time.process_time() - begun, error)

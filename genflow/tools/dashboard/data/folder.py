"""A folder of histories as JSON, with the methods of a SWF client that only read.

Each file is what ``aws swf get-workflow-execution-history`` or ``genflow history --json`` print. A file that says no
ids gives the execution the name of the file. Files that are not histories are left out and named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import define, evolve, field, frozen

from genflow.core.errors import HistoryError
from genflow.insight import ExecutionView, utc
from genflow.testing.histories.exports import load

__all__ = ['FILES', 'FolderClient']

FILES = 'files'
"""The domain of the executions in a folder."""

SUFFIXES = ('.json', '.jsonl')


@frozen
class _Read:
    """A file as it was when it was read."""

    stamp: tuple[int, int]
    info: Mapping[str, Any]
    events: list[Mapping[str, Any]] = field(repr=False)


class NotInFiles(Exception):
    """Something that only a service knows was asked of a folder."""

    def __init__(self, what: str) -> None:
        super().__init__(f'{what}: files do not say that')
        self.response = {'Error': {'Code': 'UnknownResourceFault', 'Message': str(self)}}


@define
class FolderClient:
    """Answers from the files of a folder, which are read again when they change.

    Attributes:
        folder: The folder.
        unreadable: What is wrong with files that are left out, by their name.
    """

    folder: Path
    unreadable: dict[str, str] = field(factory=dict)
    _read: dict[Path, _Read] = field(factory=dict)

    def list_domains(self, **_: Any) -> dict[str, Any]:
        return {'domainInfos': [{'name': FILES, 'status': 'REGISTERED'}]}

    def list_open_workflow_executions(self, **_: Any) -> dict[str, Any]:
        return {'executionInfos': [one.info for one in self._files() if one.info['executionStatus'] == 'OPEN']}

    def list_closed_workflow_executions(self, **_: Any) -> dict[str, Any]:
        return {'executionInfos': [one.info for one in self._files() if one.info['executionStatus'] == 'CLOSED']}

    def get_workflow_execution_history(self, *, execution: Mapping[str, str], **request: Any) -> dict[str, Any]:
        for one in self._files():
            if one.info['execution'] == execution:
                return {'events': one.events[::-1] if request.get('reverseOrder') else one.events}
        raise NotInFiles(f'the execution {execution["workflowId"]!r}')

    def __getattr__(self, name: str) -> Any:
        if name.startswith('_'):
            raise AttributeError(name)

        def refuse(**_: Any) -> Any:
            raise NotInFiles(name)

        return refuse

    def _files(self) -> Iterator[_Read]:
        """The files that are histories, those that have changed read anew."""
        paths = sorted(path for path in self.folder.iterdir() if path.suffix in SUFFIXES)
        names: set[tuple[str, str]] = set()
        for path in paths:
            status = path.stat()
            stamp = status.st_mtime_ns, status.st_size
            known = self._read.get(path)
            if known is None or known.stamp != stamp:
                try:
                    known = self._read[path] = read_file(path, stamp)
                except (HistoryError, OSError) as error:
                    self.unreadable[path.name] = str(error)
                    continue
                self.unreadable.pop(path.name, None)
            yield self._named_apart(known, path, names)

    def _named_apart(self, read: _Read, path: Path, names: set[tuple[str, str]]) -> _Read:
        """A file of a run that another file has, too, is a run of its own, named by the file."""
        execution = read.info['execution']
        if (execution['workflowId'], execution['runId']) in names:
            read = evolve(read, info={**read.info, 'execution': {**execution, 'runId': path.stem}})
            execution = read.info['execution']
        names.add((execution['workflowId'], execution['runId']))
        return read


def read_file(path: Path, stamp: tuple[int, int]) -> _Read:
    """Reads a file, and what a service's list would say of its execution."""
    loaded = load(path)
    workflow_id, run_id = loaded.workflow_id or path.stem, loaded.run_id or path.stem
    view = ExecutionView(workflow_id, run_id).apply_all(loaded.events)
    info: dict[str, Any] = {
        'execution': {'workflowId': workflow_id, 'runId': run_id},
        'workflowType': {'name': view.name, 'version': view.version},
        'startTimestamp': utc(loaded.events[0]['eventTimestamp']),
        'executionStatus': 'OPEN' if view.is_open else 'CLOSED',
        'tagList': list(view.tags),
        'cancelRequested': bool(view.cancel_requests),
    }
    if view.close is not None:
        info |= {'closeStatus': view.close.status.upper().replace(' ', '_'), 'closeTimestamp': view.close.at}
    if view.parent is not None:
        info['parent'] = {'workflowId': view.parent[0], 'runId': view.parent[1]}
    return _Read(stamp, info, loaded.events)

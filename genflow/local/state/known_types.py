"""Which types each process that shares a file can work on, so that tasks go to a process that knows them.

On Amazon SWF, workers that know different types poll different task lists. Where two programs share a file it is easy
to forget that, as each works alone: then each would take tasks that only the other can do, and keep them until they
time out. So a worker declares its types. A process is not given a task of a type that it has not declared, as long as
another process is there that has. Where nobody has declared a type, and for whoever declares nothing, everything is as
on Amazon SWF.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, field

from genflow.local.state.execution import Execution

__all__ = ['KnownTypes', 'TaskType', 'type_of']

TaskType = tuple[str, str, str]
"""``activity`` or ``decision``, then name and version of the activity type or workflow type."""


def type_of(execution: Execution, item_id: int) -> TaskType:
    """The type of a task: of its activity, or of the execution that is to be decided."""
    activity = execution.activities.get(item_id)
    if activity is not None:
        return 'activity', activity.type_name, activity.type_version
    return 'decision', execution.type['name'], execution.type['version']


@define(eq=False)
class KnownTypes:
    """The types that processes have declared.

    Attributes:
        matter: Whether more than one process has declared types; otherwise anybody may take everything.
    """

    _by_process: dict[str, frozenset[TaskType]] = field(factory=dict)
    matter: bool = False

    def declare(self, process: str, types: Iterable[TaskType]) -> None:
        """The process works on these types too."""
        self._by_process[process] = self._by_process.get(process, frozenset()) | frozenset(types)
        self.matter = len(self._by_process) > 1

    def forget(self, process: str) -> None:
        """The process works on nothing any more."""
        self._by_process.pop(process, None)
        self.matter = len(self._by_process) > 1

    def knows(self, process: str, kind: TaskType) -> bool:
        """Whether the process has declared a type, or declares nothing."""
        known = self._by_process.get(process)
        return known is None or kind in known

    def may_take(self, process: str, kind: TaskType) -> bool:
        """Whether a task of a type may go to the process."""
        return self.knows(process, kind) or not any(kind in known for known in self._by_process.values())

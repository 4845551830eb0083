"""The causes of a whole domain: groups executions that have the same one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import define, field

from genflow.insight import Finding
from genflow.tools.executions.follow import HistoryTail
from genflow.tools.executions.gathering import Gatherer

__all__ = ['Causes', 'causes_of']

SHOWN = 5


@define
class Causes:
    """The first causes of some executions.

    Attributes:
        groups: For each code, the workflow ids and the finding of the first of them.
        healthy: The number of executions without a cause.
    """

    groups: dict[str, tuple[Finding, list[str]]] = field(factory=dict)
    healthy: int = 0

    def add(self, workflow_id: str, cause: Finding | None) -> None:
        if cause is None:
            self.healthy += 1
        else:
            self.groups.setdefault(cause.code, (cause, []))[1].append(workflow_id)

    def ordered(self) -> list[tuple[str, Finding, list[str]]]:
        """The groups, the largest first."""
        found = [(code, finding, ids) for code, (finding, ids) in self.groups.items()]
        return sorted(found, key=lambda group: (-len(group[2]), group[0]))

    def lines(self) -> Iterator[str]:
        for code, finding, ids in self.ordered():
            more = f' and {len(ids) - SHOWN} more' if len(ids) > SHOWN else ''
            first = finding.text.partition('\n')[0]
            yield f'{len(ids):>5}  {code}: {", ".join(ids[:SHOWN])}{more}; the first: {first}'
        yield f'{self.healthy:>5}  healthy'

    def to_dict(self) -> dict[str, Any]:
        return {
            'causes': [
                {'code': code, 'count': len(ids), 'workflowIds': ids, 'text': finding.text, 'remedy': finding.remedy}
                for code, finding, ids in self.ordered()
            ],
            'healthy': self.healthy,
        }


def causes_of(gatherer: Gatherer, infos: Iterable[Mapping[str, Any]]) -> Causes:
    """The first cause of each of some executions, as the service lists them."""
    causes = Causes()
    for info in infos:
        execution = info['execution']
        run = HistoryTail(gatherer.client, gatherer.domain, execution['workflowId'], execution['runId'])
        causes.add(run.workflow_id, gatherer.gather(run).diagnosis().first_cause)
    return causes

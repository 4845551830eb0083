"""A graph from data: each step runs as soon as those that it needs are done, and the step's type is data as well.

genflow run examples/pipeline.py '{"sum": ["one", "two"], "one": [], "two": [], "double": ["sum"]}'
"""

from __future__ import annotations

from graphlib import TopologicalSorter

from genflow import Steps, Task, Workflow, activity, workflow


@activity(name='Number', version=1, task_list='pipeline')
def number(name: str, needed: list[int]) -> int:
    return {'one': 1, 'two': 2}[name]


@activity(name='Sum', version=1, task_list='pipeline')
def total(name: str, needed: list[int]) -> int:
    return sum(needed)


@activity(name='Double', version=1, task_list='pipeline')
def double(name: str, needed: list[int]) -> int:
    return 2 * sum(needed)


STEPS = {'one': number.proxy(), 'two': number.proxy(), 'sum': total.proxy(), 'double': double.proxy()}


@workflow(name='Pipeline', version=1, task_list='pipeline')
class Pipeline(Workflow):
    def run(self, graph: dict[str, list[str]]) -> Steps[dict[str, int]]:
        done: dict[str, Task[int]] = {}
        for name in TopologicalSorter(graph).static_order():
            done[name] = self.spawn(self.step(name, [done[other] for other in graph[name]]))
        results: dict[str, int] = yield {name: done[name] for name in sorted(done)}
        return results

    def step(self, name: str, needs: list[Task[int]]) -> Steps[int]:
        needed: list[int] = yield needs
        return (yield from self.bind(STEPS[name])(name, needed))

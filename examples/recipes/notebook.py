"""Cells of a notebook."""

# %% A cell that may be run again after each change
from genflow import Steps, Workflow, activity, run, workflow
from genflow.testing import Tester


@activity(name='Square', version=1, task_list='notebook')
def square(number: int) -> int:
    return number * number


@workflow(name='Squares', version=1, task_list='notebook')
class Squares(Workflow):
    square = square.proxy()

    def run(self, count: int) -> Steps[list[int]]:
        return (yield [self.square(number) for number in range(count)])


# %% Run it: in memory, or with db='squares.db' and workflow_id='squares' in a file
squares = run(Squares, 4)
print(squares)

# %% Look at an execution step by step: the tester needs no worker
tester = Tester(Squares, square=lambda number: number + 100).start(2)
steps = [tester.step() for _ in range(4)]

"""``genflow init``: creates a small project with a workflow, activities and tests that pass."""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path

import click

from genflow.tools.cli.exits import Refused
from genflow.tools.cli.streams import note

__all__ = ['command', 'files_of']

WORKFLOWS = '''"""The workflow: what is done, in which order, and what is waited for."""

from __future__ import annotations

from genflow import Retry, Signal, Steps, TaskTimeout, Workflow, query, workflow

from {package}.activities import Charge, Ship


@workflow(name='Order', version=1, task_list='{package}', workflow_duration=30 * 86400)
class Order(Workflow):
    """Charges an order and ships it; orders above 1,000 wait for an approval first."""

    approve = Signal()
    charge = Charge.proxy(retry=Retry(4))  # four attempts, with growing pauses
    ship = Ship.proxy(retry=Retry(4))
    state = 'new'

    @query
    def where(self) -> str:
        return self.state

    def enter(self, state: str) -> None:
        self.state = state
        self.set_status(state)  # `genflow show` and the dashboard have it

    def run(self, order: int, amount: int = 100) -> Steps[str]:
        if amount > 1000:
            self.enter('waits for an approval')
            try:
                approved = yield self.approve.get().timeout(7 * 86400)
            except TaskTimeout:
                approved = False
            if not approved:
                return f'order {{order}} was not approved'
        self.enter('charges')
        receipt = yield from self.charge(order, amount)
        self.enter('ships')
        parcel = yield from self.ship(order)
        return f'{{receipt}}, {{parcel}}'
'''

ACTIVITIES = '''"""The activities: what calls, computes, reads and writes. Each runs once for an attempt."""

from __future__ import annotations

from genflow import Activity, activity


@activity(name='Charge', version=1, task_list='{package}', start_to_close=60)
class Charge(Activity):
    def run(self, order: int, amount: int) -> str:
        # self.idempotency_key is the same for each attempt: give it to whoever is called.
        return f'receipt {{order}} for {{amount}}'


@activity(name='Ship', version=1, task_list='{package}', start_to_close=60)
class Ship(Activity):
    def run(self, order: int) -> str:
        return f'parcel {{order}}'
'''

TESTS = '''"""A workflow is tested on a virtual clock: a week passes in no time, and nothing is called."""

from __future__ import annotations

from genflow.testing import Fail, Script, Tester, run_activity

from {package}.activities import Charge
from {package}.workflows import Order


def test_a_small_order_is_charged_and_shipped() -> None:
    assert Tester(Order, charge='receipt', ship='parcel').run(7, 100) == 'receipt, parcel'


def test_a_large_order_waits_for_an_approval() -> None:
    tester = Tester(Order, charge='receipt', ship='parcel').start(7, 5000).advance(hours=1)
    assert tester.status == 'waits for an approval'
    assert tester.signal(Order.approve, True).result() == 'receipt, parcel'


def test_an_order_that_nobody_approves_is_given_up_after_a_week() -> None:
    assert Tester(Order).run(7, 5000) == 'order 7 was not approved'


def test_charging_is_tried_again() -> None:
    charge = Script(Fail('the bank is closed'), 'receipt')
    assert Tester(Order, charge=charge, ship='parcel').run(7, 100) == 'receipt, parcel'


def test_the_activity_itself() -> None:
    assert run_activity(Charge, 7, 100).result == 'receipt 7 for 100'
'''

PYPROJECT = """[project]
name = "{name}"
version = "0.1.0"
requires-python = ">=3.10"
dependencies = ["genflow"]

[project.optional-dependencies]
dev = ["genflow[cli]", "pytest"]

[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[tool.setuptools]
packages = ["{package}"]

[tool.genflow]
db = "{package}.db"  # a file of the embedded service; take it out to work with Amazon SWF
domain = "genflow"

[tool.pytest.ini_options]
pythonpath = ["."]
testpaths = ["tests"]
"""

README = """# {name}

```sh
pip install -e ".[dev]"
pytest
genflow run {package}/workflows.py 7
genflow dev {package}/workflows.py
```
"""


FILES = {
    'pyproject.toml': PYPROJECT,
    'README.md': README,
    '.gitignore': '*.db\n*.db-*\n__pycache__/\n',
    '{package}/__init__.py': '',
    '{package}/activities.py': ACTIVITIES,
    '{package}/workflows.py': WORKFLOWS,
    'tests/test_workflows.py': TESTS,
}
"""The files of a project, by their paths in it."""


@click.command('init')
@click.argument('folder', type=click.Path(file_okay=False))
@click.option('--name', help='The name of the project. Default: the name of the folder.')
def command(*, folder: str, name: str | None) -> None:
    """Create a small project in FOLDER: a workflow, two activities, tests and a pyproject.toml.

    FOLDER may exist. If one of the files exists already, nothing is written.
    """
    root = Path(folder)
    try:
        files = files_of(name or root.resolve().name)
        known = [path for path in files if (root / path).exists()]
        if known:
            raise Refused(f'{root / known[0]} is there already; give a folder that has none of the files.')
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding='utf-8')
    except OSError as error:
        raise Refused(f'{error.filename} cannot be written: {error.strerror}.') from error
    package = next(path.partition('/')[0] for path in files if path.endswith('/workflows.py'))
    note(f'genflow: wrote {len(files)} files to {root}. Go on with:\n')
    steps = (f'cd {root}', 'pip install -e ".[dev]"', 'pytest', f'genflow run {package}/workflows.py 7')
    note('\n'.join(f'  {step}' for step in (*steps, f'genflow dev {package}/workflows.py')))


def files_of(name: str) -> dict[str, str]:
    """The files of a project of a name, by their paths.

    Raises:
        Refused: No package can be named so.
    """
    package = re.sub(r'[^a-z0-9]+', '_', name.lower()).strip('_')
    if not package.isidentifier() or package in TAKEN or keyword.iskeyword(package):
        raise Refused(f'{name!r} makes {package!r}, which no package can be named; give another --name.')
    project = re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')
    return {
        path.format(package=package): text.format(package=package, name=project) if '{' in text else text
        for path, text in FILES.items()
    }


TAKEN = {'genflow', 'tests', 'test', *sys.stdlib_module_names}
"""Names that would hide another package."""

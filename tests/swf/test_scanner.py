"""Decorators refuse what SWF or a worker would stumble over; scanning finds what a module itself defines."""

from __future__ import annotations

import math
import subprocess
import sys
from types import ModuleType

import pytest

from genflow import Activity, Workflow
from genflow.core.errors import DefinitionError, RegistrationError
from genflow.core.model.registry import declared
from genflow.swf.scanner import activity, scan, workflow


def spec_of(decorator):
    class Plain(Activity):
        def run(self):
            """Does nothing."""

    (spec,) = declared(decorator(Plain))
    return spec


def limits(**options):
    spec = spec_of(activity('A', 1, 'tl', **options))
    return spec.heartbeat, spec.schedule_to_close, spec.schedule_to_start, spec.start_to_close


def test_the_defaults_of_an_activity():
    assert limits() == (math.inf, 420, 120, 300)


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        ({'start_to_close': 7200}, 7320),
        ({'schedule_to_start': 600}, 900),
        ({'schedule_to_start': 1, 'start_to_close': 2}, 3),
        ({'start_to_close': None}, math.inf),
        ({'schedule_to_close': 420, 'start_to_close': 7200}, 420),
        ({'schedule_to_close': None}, math.inf),
        ({'schedule_to_start': 31_536_000, 'start_to_close': 1}, math.inf),
    ],
)
def test_the_whole_follows_its_parts_unless_it_is_given(options, expected):
    assert limits(**options)[1] == expected


def test_none_is_no_limit_and_seconds_round_up():
    assert limits(heartbeat=1.2, schedule_to_start=None) == (2, math.inf, math.inf, 300)


def test_the_defaults_of_a_workflow():
    @workflow('W', 7, 'tl')
    class W(Workflow):
        def run(self):
            """Does nothing."""

    (spec,) = declared(W)
    assert (spec.name, spec.version, spec.task_list) == ('W', '7', 'tl')
    assert (spec.workflow_duration, spec.decision_duration, spec.child_policy) == (3600, 60, 'TERMINATE')


def test_a_workflow_without_a_limit_has_the_longest_that_swf_allows():
    @workflow('W', 1, 'tl', None, None)
    class W(Workflow):
        def run(self):
            """Does nothing."""

    (spec,) = declared(W)
    assert (spec.workflow_duration, spec.decision_duration) == (31_536_000, math.inf)


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        ({'name': 'a:b'}, "the name of the activity is 'a:b'"),
        ({'name': ''}, "is ''; SWF takes 1 to 256 characters"),
        ({'name': 'arn'}, "not 'arn'"),
        ({'name': 'x' * 257}, '1 to 256'),
        ({'version': 'v' * 65}, '1 to 64'),
        ({'version': 1.5}, 'version is 1.5'),
        ({'task_list': 'a/b'}, "the task list of the activity 'A' is 'a/b'"),
        ({'heartbeat': -1}, 'heartbeat is -1'),
        ({'start_to_close': 40_000_000}, 'start_to_close is 40000000'),
        ({'priority': 'high'}, "priority is 'high'"),
    ],
)
def test_what_swf_refuses_is_refused_at_once(options, words):
    with pytest.raises(DefinitionError, match=words):
        spec_of(activity(**{'name': 'A', 'version': 1, 'task_list': 'tl', **options}))


def test_a_class_without_run_is_refused():
    with pytest.raises(DefinitionError, match=r'Empty is decorated as activity .A., but defines no run\(\)'):

        @activity('A', 1, 'tl')
        class Empty(Activity):
            pass


@pytest.mark.parametrize('thing', [7, Workflow, object], ids=['number', 'workflow', 'class'])
def test_what_is_no_activity_is_refused(thing):
    with pytest.raises(DefinitionError, match=r'is not a subclass of genflow\.Activity'):
        activity('A', 1, 'tl')(thing)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with an activity, and a module that imports it and defines a workflow."""
    root = tmp_path / 'scanned_package'
    (root / 'inner').mkdir(parents=True)
    (root / '__init__.py').write_text('')
    (root / 'inner' / '__init__.py').write_text('')
    (root / 'deeds.py').write_text(
        'from genflow import Activity\n'
        'from genflow.swf.scanner import activity\n'
        "@activity('Deed', 1, 'tl')\n"
        'class Deed(Activity):\n'
        '    def run(self): pass\n'
    )
    (root / 'inner' / 'flows.py').write_text(
        'from genflow import Workflow\n'
        'from genflow.swf.scanner import workflow\n'
        'from scanned_package.deeds import Deed\n'
        "@workflow('Flow', 1, 'tl')\n"
        "@workflow('Flow', 2, 'tl')\n"
        'class Flow(Workflow):\n'
        '    def run(self): pass\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield root
    for name in [name for name in sys.modules if name.startswith('scanned_package')]:
        del sys.modules[name]


def found(registry):
    return sorted((spec.name, spec.version) for spec in (*registry.workflows, *registry.activities))


def test_a_package_is_scanned_to_its_leaves(package):
    assert found(scan('scanned_package')) == [('Deed', '1'), ('Flow', '1'), ('Flow', '2')]


def test_a_module_gives_what_it_defines_not_what_it_imports(package):
    assert found(scan('scanned_package.inner.flows')) == [('Flow', '1'), ('Flow', '2')]
    assert found(scan(['scanned_package.inner.flows', 'scanned_package.deeds'])) == [
        ('Deed', '1'),
        ('Flow', '1'),
        ('Flow', '2'),
    ]


def test_what_is_ignored_is_not_even_imported(package):
    (package / 'broken.py').write_text('raise RuntimeError("imported")')
    assert found(scan('scanned_package', ignore='scanned_package.broken'))


def test_a_module_that_does_not_import_is_an_error_that_names_it(package):
    (package / 'broken.py').write_text('import no_such_module')
    with pytest.raises(ImportError, match='no_such_module'):
        scan('scanned_package')


def test_two_classes_for_one_type_are_refused(package):
    (package / 'twin.py').write_text((package / 'deeds.py').read_text())
    with pytest.raises(RegistrationError, match=r'scanned_package\.deeds\.Deed and scanned_package\.twin\.Deed'):
        scan('scanned_package')


def test_the_caller_is_scanned_where_nothing_is_named():
    module = ModuleType('calls_scan')
    sys.modules['calls_scan'] = module
    try:
        module.scan, module.Activity, module.activity = scan, Activity, activity
        source = "@activity('Mine', 1, 'tl')\nclass Mine(Activity):\n    def run(self): pass\nfound = scan()"
        exec(source, module.__dict__)  # noqa: S102 - a module like any other, made here
        assert found(module.found) == [('Mine', '1')]
    finally:
        del sys.modules['calls_scan']


def test_the_scanner_brings_neither_boto3_nor_sqlite3():
    code = (
        'import sys, genflow.swf, genflow.swf.scanner; '
        'print([name for name in ("boto3", "botocore", "sqlite3", "genflow.local") if name in sys.modules])'
    )
    shown = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == '[]'

from __future__ import annotations

import sys
import textwrap

import pytest

from genflow.tools.targets.target import Target, TargetError, load, parse

HEAD = """
from genflow import Workflow
from genflow.swf.scanner import workflow

"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Writes a Python file with a few lines and gives its path; imports of the test are forgotten after it."""
    monkeypatch.setattr(sys, 'path', list(sys.path))
    before = set(sys.modules)

    def write(text, name='shop.py', head=HEAD):
        path = tmp_path / name
        path.write_text(head + textwrap.dedent(text), encoding='utf-8')
        return str(path)

    yield write
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], '__file__', None) and str(tmp_path) in sys.modules[name].__file__:
            del sys.modules[name]


def workflow_class(name):
    return f"""
@workflow(name='{name}', version=1, task_list='shop')
class {name}(Workflow):
    def run(self):
        return 1
"""


@pytest.mark.parametrize(
    ('text', 'place', 'cls'),
    [
        ('orders.py', 'orders.py', None),
        ('orders.py:Order', 'orders.py', 'Order'),
        ('shop.orders:Order', 'shop.orders', 'Order'),
        ('shop.orders:Order.Nested', 'shop.orders', 'Order.Nested'),
        ('shop.orders', 'shop.orders', None),
        ('C:\\shop\\orders.py', 'C:\\shop\\orders.py', None),
        ('C:\\shop\\orders.py:Order', 'C:\\shop\\orders.py', 'Order'),
    ],
)
def test_a_target_is_a_place_and_perhaps_a_class(text, place, cls):
    assert parse(text) == Target(place, cls)
    assert str(parse(text)) == text


def test_the_only_workflow_of_a_file_is_meant(file):
    spec = load(file(workflow_class('Order')))
    assert (spec.name, spec.version, spec.cls.__module__) == ('Order', '1', 'shop')


def test_a_class_is_named_where_there_are_several(file):
    path = file(workflow_class('Order') + workflow_class('Refund'))
    assert load(f'{path}:Refund').name == 'Refund'


def test_several_workflows_and_no_class_are_listed(file):
    path = file(workflow_class('Refund') + workflow_class('Order'))
    with pytest.raises(TargetError, match=r'defines 2 workflows') as caught:
        load(path)
    assert str(caught.value).splitlines()[1:] == [f'  {path}:Refund', f'  {path}:Order']


def test_workflows_that_a_file_imports_do_not_count(file):
    file(workflow_class('Refund'), 'refunds.py')
    assert load(file('from refunds import Refund\n' + workflow_class('Order'))).name == 'Order'


@pytest.mark.thorough
def test_a_module_on_the_path(file, tmp_path, monkeypatch):
    file(workflow_class('Order'), 'shop_on_path.py')
    monkeypatch.syspath_prepend(tmp_path)
    assert load('shop_on_path:Order').name == 'Order'


def test_a_file_named_like_a_module_of_the_standard_library_hides_nothing(file):
    import queue

    assert load(file(workflow_class('Order'), 'queue.py')).cls.__module__ == 'target_queue'
    assert sys.modules['queue'] is queue


def test_a_file_is_imported_once(file):
    path = file(workflow_class('Order'))
    assert load(path).cls is load(path).cls


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('x = 1', r'shop\.py defines no workflow'),
        ('import no_such_module_anywhere', r'there is no|does not import:\n(.|\n)*no_such_module_anywhere'),
        ('1 / 0', r'shop\.py does not import:\nTraceback(.|\n)*line 5(.|\n)*ZeroDivisionError'),
        ('def broken(:', r'shop\.py does not import:(.|\n)*SyntaxError'),
        ('raise SystemExit(3)', r'shop\.py does not import:(.|\n)*SystemExit: 3'),
    ],
)
def test_a_file_that_does_not_do_says_why(file, text, message):
    with pytest.raises(TargetError, match=message):
        load(file(text))


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        ('Nothing', r"has no class 'Nothing'. Its workflows: Order"),
        ('Bare', r'is an undecorated workflow class, not a workflow'),
        ('Plain', r'is a plain class'),
        ('number', r'is a int'),
    ],
)
def test_a_class_that_is_no_workflow_says_what_it_is(file, name, message):
    path = file(workflow_class('Order') + 'class Bare(Workflow):\n    pass\n\nclass Plain:\n    pass\n\nnumber = 1\n')
    with pytest.raises(TargetError, match=message):
        load(f'{path}:{name}')


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(TargetError, match=r"there is no file '.*nothing\.py'"):
        load(str(tmp_path / 'nothing.py'))


def test_a_module_that_is_not_there():
    with pytest.raises(TargetError, match=r"there is no module 'no_such_module_anywhere'"):
        load('no_such_module_anywhere:Order')


def test_a_file_that_needs_a_module_that_is_not_there_is_not_missing_itself(file):
    with pytest.raises(TargetError, match=r"shop\.py does not import:(.|\n)*No module named 'absent_package'"):
        load(file('import absent_package'))

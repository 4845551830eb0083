"""The design pages are true: every rule has tests, every test file has a rule, and pictures show today's imports."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path

import pytest

from genflow.core.model import wire_names

ROOT = Path(__file__).resolve().parents[2]
DESIGN = ROOT / 'docs' / 'design'
RULES = {
    int(match[1]): match[2]
    for match in re.finditer(
        r'^## (\d+)\. (.*?)(?=^## |\Z)', (DESIGN / 'rules.md').read_text(encoding='utf-8'), re.MULTILINE | re.DOTALL
    )
}
FILES = sorted((ROOT / 'tests' / 'core').glob('test_rule_*.py'))


def load_pictures():
    spec = importlib.util.spec_from_file_location('genflow_docs_pictures', ROOT / 'docs' / 'pictures.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_rules_are_numbered_without_a_gap():
    assert list(RULES) == list(range(1, len(RULES) + 1))
    assert len(RULES) == 17


@pytest.mark.parametrize('number', RULES)
def test_a_rule_links_exactly_its_test_files(number):
    linked = re.findall(r'\]\(\.\./\.\./(tests/core/test_rule_\w+\.py)\)', RULES[number])
    assert sorted(linked) == [
        str(path.relative_to(ROOT)) for path in FILES if path.name.startswith(f'test_rule_{number:02}_')
    ]
    assert linked


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_a_test_file_begins_with_its_rule(path):
    number = int(path.name.split('_')[2])
    assert re.match(rf'"""Rule {number}\b', path.read_text(encoding='utf-8'))


def test_the_pages_name_files_that_exist():
    named = {
        file
        for page in DESIGN.glob('*.md')
        for file in re.findall(r'`((?:genflow|tests|docs)/[\w/.]+)`', page.read_text())
    }
    assert {file for file in named if not (ROOT / file).exists()} == set()


@pytest.mark.parametrize('name', wire_names.__all__)
def test_the_page_of_the_history_shows_every_name_that_genflow_writes(name):
    assert getattr(wire_names, name) in (DESIGN / 'history.md').read_text(encoding='utf-8')


WRITTEN = re.compile(r'genflow\.(?:[a-z_]+|[A-Z]\w+)')
NOT_WRITTEN = {'genflow.activity', 'genflow.driving', 'genflow.local', 'genflow.worker'}
"""A decorator in a message, a context variable, a room, a logger."""


@pytest.mark.parametrize('room', ['core', 'swf'])
def test_a_name_that_genflow_writes_stands_in_one_module(room):
    """Texts such as ``genflow.held`` are constants of :mod:`genflow.core.model.wire_names`, and nowhere else."""
    found = {
        (str(path.relative_to(ROOT)), node.value)
        for path in (ROOT / 'genflow' / room).rglob('*.py')
        if path.name != 'wire_names.py'
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8')))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and WRITTEN.fullmatch(node.value)
    }
    assert {(path, text) for path, text in found if text not in NOT_WRITTEN} == set()


@pytest.mark.thorough
def test_the_pictures_show_the_imports_of_today():
    drawn = load_pictures().pictures()
    assert {file.name for file, text in drawn.items() if file.read_text(encoding='utf-8') != text} == set()

"""Kinds of mistakes for ``genflow lint``, and code that looks like them: ``lint_kinds/wrong.txt`` and ``right.txt``.

Each case begins with ``=== title``. Its text is a file of a package, and ``--- name`` begins another one. A line
``workflow``, with further bases in brackets, stands for the head of a workflow class with a proxy ``a``. A comment
``# finds`` names the codes that a line has.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from genflow.tools.lint import RULES, lint_paths
from genflow.tools.lint.linting import fix

FOLDER = Path(__file__).parent / 'lint_kinds'
HEAD = """from genflow import (
    ActivityProxy, Retry, Signal, Steps, TaskFailed, Workflow, all_of, any_of, workflow
)
@workflow(name='W', version=1, task_list='x')
class W({}):
    a = ActivityProxy('A', 1)
"""


def cases(name):
    """By title: the files of a case."""
    found = {}
    for text in re.split(r'^=== ', (FOLDER / name).read_text(encoding='utf-8'), flags=re.MULTILINE)[1:]:
        title, _, body = text.partition('\n')
        first, *more = re.split(r'^--- (.*)\n', body, flags=re.MULTILINE)
        found[title] = {'flow.py': first, **dict(zip(more[::2], more[1::2], strict=True))}
    return found


def head(match):
    return HEAD.format(f'{match[1]}, Workflow' if match[1] else 'Workflow')


WRONG, RIGHT = cases('wrong.txt'), cases('right.txt')


@pytest.fixture
def write(tmp_path):
    def write(files):
        """The folder of the files, and what their comments say is found: file, line and code."""
        (tmp_path / '__init__.py').touch()
        expected = set()
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(re.sub(r'^workflow(?:\((.*)\))?$', head, text, flags=re.MULTILINE), encoding='utf-8')
            for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), 1):
                marked = re.search(r'# finds ([G\d ]+)', line)
                expected |= {(name, number, code) for code in (marked[1].split() if marked else ())}
        return tmp_path, expected

    return write


def found_in(folder):
    return {
        (Path(finding.path).relative_to(folder).as_posix(), finding.line, finding.code)
        for finding in lint_paths([folder])
    }


@pytest.mark.parametrize('title', WRONG)
def test_a_kind_of_mistake_is_found_in_its_line(title, write):
    folder, expected = write(WRONG[title])
    assert expected
    assert found_in(folder) == expected


@pytest.mark.parametrize('title', RIGHT)
def test_what_looks_like_a_mistake_is_none(title, write):
    folder, _ = write(RIGHT[title])
    assert lint_paths([folder]) == []


@pytest.mark.thorough
@pytest.mark.parametrize('title', WRONG)
def test_a_fix_leaves_python_without_findings_that_can_be_fixed(title, write):
    folder, _ = write(WRONG[title])
    before = lint_paths([folder])
    made = fix([folder])
    after = lint_paths([folder])  # reads the files again, so they are Python
    assert not [finding for finding in after if finding.fix]
    assert len(after) < len(before) if made else after == before
    assert fix([folder]) == 0


def test_every_rule_has_a_kind():
    found = {code for files in WRONG.values() for text in files.values() for code in re.findall(r'G\d{3}', text)}
    assert found >= set(RULES) - {'G900', 'G901', 'G902'}

"""The documentation is true: its Python runs, its commands print what they show, its links lead somewhere."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest
from attrs import frozen

from genflow.local import LocalSWF
from genflow.testing import Tester

pytest_plugins = ['pytester']

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / 'README.md', *(ROOT / 'docs').rglob('*.md')])
FENCE = re.compile(r'^```(\w+)\n(.*?)^```$', re.MULTILINE | re.DOTALL)
SAVED = re.compile(r'Save this as `(\S+)`:\n\n```python\n(.*?)^```$', re.MULTILINE | re.DOTALL)
LINK = re.compile(r'\]\((?!https?:)([^)#\s]+)(?:#([\w-]+))?\)')


@frozen
class Snippet:
    page: Path
    line: int
    language: str
    text: str

    def __str__(self):
        return f'{self.page.name}:{self.line}'


def snippets(language):
    for page in PAGES:
        text = page.read_text(encoding='utf-8')
        for match in FENCE.finditer(text):
            if match[1] == language:
                yield Snippet(page, text.count('\n', 0, match.start()) + 2, match[1], match[2])


def name(value):
    return value.name if isinstance(value, Path) else str(value)


@pytest.mark.thorough
@pytest.mark.parametrize('page', [page for page in PAGES if '```python\n' in page.read_text()], ids=name)
def test_the_python_of_a_page_runs_from_top_to_bottom(page, monkeypatch):
    module = ModuleType(f'docs_{page.stem.replace("-", "_").lower()}')
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for snippet in snippets('python'):
        if snippet.page == page:
            # Line numbers of a traceback are those of the page.
            code = compile('\n' * (snippet.line - 1) + snippet.text, str(page), 'exec')
            exec(code, vars(module))  # noqa: S102 (the documentation's own code)
    for value in vars(module).values():
        if isinstance(value, LocalSWF | Tester):
            value.close()


@pytest.mark.thorough
@pytest.mark.parametrize('page', [page for page in PAGES if '\ndef test_' in page.read_text()], ids=name)
def test_the_tests_of_a_page_pass(page, pytester, monkeypatch):
    monkeypatch.setenv('PYTEST_DISABLE_PLUGIN_AUTOLOAD', '1')
    text = '\n'.join(snippet.text for snippet in snippets('python') if snippet.page == page)
    pytester.makepyfile(test_page=text)
    # What a page replays is the history that it made up before, and called `shipped`.
    record = "from pathlib import Path; from test_page import shipped; Path('x.json').write_text(shipped.to_json())"
    pytester.syspathinsert()
    monkeypatch.setenv('PYTHONPATH', str(ROOT))
    if 'shipped' in text:
        assert pytester.run(sys.executable, '-c', record).ret == 0
    options = ('-p', 'genflow.testing.pytest_plugin', '-p', 'no:cacheprovider', '--genflow-histories', 'x.json')
    # In a process of its own: pytester forgets modules that a run within this one has imported, but their users do not.
    pytester.runpytest_subprocess(*options).assert_outcomes(passed=text.count('\ndef test_'))


@pytest.mark.thorough
@pytest.mark.parametrize('snippet', list(snippets('console')), ids=name)
def test_a_command_prints_what_its_page_shows(snippet, tmp_path):
    """In a folder that has what a reader has: the examples, and the files that the page tells to save."""
    command, _, expected = snippet.text.partition('\n')
    assert command.startswith('$ genflow ')
    (tmp_path / 'examples').symlink_to(ROOT / 'examples')
    for file, text in SAVED.findall(snippet.page.read_text(encoding='utf-8')):
        (tmp_path / file).write_text(text, encoding='utf-8')
    words = [sys.executable, '-m', *shlex.split(command.removeprefix('$ '))]
    variables = {**os.environ, 'PYTHONPATH': str(ROOT)}
    done = subprocess.run(words, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False, timeout=300)
    assert done.stdout == expected, done.stderr


def test_an_order_of_the_readme_may_wait_for_a_month():
    (text,) = [text for file, text in SAVED.findall((ROOT / 'README.md').read_text()) if file == 'orders.py']
    names = {'__name__': 'orders'}
    exec(compile(text, 'orders.py', 'exec'), names)  # noqa: S102 (the documentation's own code)
    with Tester(names['Order']) as tester:
        began = tester.now
        assert tester.run(42, 30 * 86400) == ['receipt 42', 'parcel 42', 'parcel 43']
        assert tester.now - began == timedelta(days=30)


@pytest.mark.parametrize('picture', sorted((ROOT / 'docs' / 'pictures').glob('*.svg')), ids=name)
def test_a_picture_can_be_heard_and_seen_in_the_dark(picture):
    root = ET.parse(picture).getroot()  # noqa: S314 - our own file
    parts = {child.get('id'): child for child in root}
    named = root.get('aria-labelledby').split()
    assert root.get('role') == 'img'
    assert [parts[part].tag.rpartition('}')[2] for part in named] == ['title', 'desc']
    assert all(parts[part].text.strip() for part in named)
    assert '@media (prefers-color-scheme: dark)' in picture.read_text(encoding='utf-8')


@pytest.mark.parametrize('page', PAGES, ids=name)
def test_the_links_between_pages_lead_somewhere(page):
    text = re.sub(r'```.*?```', '', page.read_text(encoding='utf-8'), flags=re.DOTALL)
    for target, heading in LINK.findall(text):
        other = page.parent / target
        assert other.exists(), f'{page.name} links to {target}, which is not there'
        if heading:
            assert heading in anchors(other), f'{target} has no heading {heading}'


def anchors(page):
    """The anchors of a page's headings: lower case, words joined by hyphens."""
    headings = re.findall(r'^#+ (.*)$', page.read_text(encoding='utf-8'), re.MULTILINE)
    return {re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-') for heading in headings}

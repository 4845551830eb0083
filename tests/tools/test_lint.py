"""The rules of ``genflow lint``: a corpus with the findings written beside the lines, and each rule by its page."""

from __future__ import annotations

import ast
import cProfile
import json
import re
import sys
import textwrap
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from attrs import evolve

from genflow.tools.lint import RULES, lint_paths, lint_source
from genflow.tools.lint.flake8 import Plugin
from genflow.tools.lint.linting import fix
from genflow.tools.lint.output import FORMATS
from genflow.tools.lint.rules import page
from genflow.tools.lint.settings import Settings, SettingsError, settings_of
from tests.tools.processes import finish, start

CORPUS = Path(__file__).parent / 'lint_corpus'
ROOT = Path(__file__).resolve().parents[2]


def expected():
    """What the comments of the corpus say: file, line and code."""
    for path in sorted(CORPUS.glob('*.py')):
        for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), 1):
            marked = re.search(r'# finds ([G\d ]+)', line)
            for code in marked[1].split() if marked else ():
                yield path.name, number, code


def found_in(paths):
    return {(Path(finding.path).name, finding.line, finding.code) for finding in lint_paths(paths)}


def test_the_corpus_has_the_findings_that_it_says_and_no_others():
    assert found_in([CORPUS]) == set(expected())


def test_the_corpus_has_every_rule():
    assert {code for _, _, code in expected()} == set(RULES) - {'G900', 'G901'}


@pytest.mark.thorough
def test_the_examples_have_no_findings():
    assert lint_paths([ROOT / 'examples']) == []


def test_a_call_is_followed_through_helpers():
    (finding,) = [finding for finding in lint_paths([CORPUS / 'trips.py']) if finding.code == 'G001']
    assert finding.chain == ('Trip.run', 'deadline', '_grace')
    assert finding.path.endswith('helpers.py')
    assert '(called by Trip.run > deadline > _grace)' in finding.message


HEAD = """
import random, time, uuid
from datetime import datetime
from genflow import ActivityProxy, Saga, Signal, Workflow, all_of, first_of

class Order(Workflow):
    echo = ActivityProxy('Echo', '1')
    typed = Signal[int]()
    go = Signal()
    one, both = {}, {}

    def run(self, x):
"""


def codes_of(body, head=HEAD):
    return [finding.code for finding in lint_source(head + ''.join(f'        {line}\n' for line in body.splitlines()))]


@pytest.mark.parametrize(
    'body',
    [
        'yield self.echo(1)',
        'task = self.echo(1)\nother = yield task\nreturn other + 1',
        'return self.echo(1)',
        'return [self.echo(1), self.echo(self.echo(2))]',
        'self.spawn(self.branch(1))',
        'rng = random.Random(5)\nyield self.sleep(rng.random())',
        'time = self.now()\nreturn time.time()',
        'self.random.shuffle(x)',
        'self.side_effect(lambda: time.time())',
        'names = {1, 2}\nreturn 1 in names, len(names), sorted(names)',
        'names = {1, 2}\nnames = [1]\nfor name in names:\n    yield self.echo(name)',
        'child = self.echo(1)\nchild.cancel()\nreturn child.done() and child.result()',
        'first = self.go.get()\nif (yield all_of(first, self.sleep(1))) is first:\n    return 1',
        'return self.restart(1)',
        'again = self.restart(1)\nreturn again',
        'try:\n    yield self.echo(1)\nexcept BaseException:\n    yield self.echo(2)\n    raise',
        'try:\n    x = int(x)\nexcept:\n    x = 0\nyield self.sleep(x)',
        'return time.gmtime(0), datetime(2020, 1, 1), uuid.UUID(int=0), uuid.uuid5(x, "a")',
        'saga = Saga()\nyield from saga.compensate()',
        'self.unknown = {}\nreturn self.unknown.get("a")',
        'self.names = set(x)\nself.names = [1]\nfor name in self.names:\n    yield self.echo(name)',
        'return self.both.get()',
        'try:\n    yield self.echo(1)\nfinally:\n    with self.shield():\n        yield self.echo(2)',
        'try:\n    yield self.echo(1)\nfinally:\n    self.logger.info("over")',
        'saga = Saga()\ntry:\n    yield self.echo(1)\nfinally:\n    yield from saga.compensate()',
        'task = self.echo(1)\nyield self.echo(2)\nreturn task',
        'task = self.echo(1)\nyield [task for _ in x]',
        'unused = yield self.echo(1)\ncalls = [self.echo(a) for a in x]\nyield calls',
        'pages = (a for a in x)\nyield from self.map(self.echo, pages)',
        'names = {1}\nnames |= {2}\nyield self.echo(sorted(names))',
        'first, *rest = sorted({1, 2})\nyield self.echo(first)',
        'if (found := (yield self.echo(1))):\n    yield self.echo(found)',
        'match (yield self.echo(1)):\n    case 1:\n        yield self.echo(2)',
        'later = self.now\nyield self.echo(later().isoformat())',
        'try:\n    x = int(x)\nfinally:\n    print(x)\nyield self.sleep(x)',
        'try:\n    yield self.sleep(1)\nfinally:\n    for a in x:\n        if a:\n            break',
        'got = self.go.get(match=lambda got: got[0] in x)\nyield got',
        'task = self.echo(1)\nfound = yield self.typed.get(match=lambda task: task > 1)\nreturn found, (yield task)',
    ],
)
def test_what_is_right_has_no_findings(body):
    assert codes_of(body) == []


@pytest.mark.parametrize(
    ('body', 'code'),
    [
        ('import time as clock\nyield self.sleep(clock.time())', 'G001'),
        ('yield self.sleep(datetime.utcnow().second)', 'G001'),
        ('items = sorted(x, key=lambda item: random.random())\nyield self.echo(items)', 'G002'),
        ('rng = random.Random()\nyield self.sleep(1)', 'G002'),
        ('for a in set(x) | {1}:\n    yield self.echo(a)', 'G010'),
        ('yield self.echo(",".join({"a", "b"}))', 'G010'),
        ('self.names = set(x)\nfor name in self.names:\n    yield self.echo(name)', 'G010'),
        ('names: set[str] = x\nfor name in names:\n    yield self.echo(name)', 'G010'),
        ('from os import environ\nyield self.echo(environ["A"])', 'G004'),
        ('import os\nyield self.echo(os.environ.get("A"))', 'G004'),
        ('task = self.echo(1)\nif task:\n    yield task', 'G102'),
        ('yield self.sleep(1)\nreturn self.echo(1)["a"]', 'G102'),
        ('yield self.sleep(1)\nreturn f"{self.echo(1)}"', 'G102'),
        ('a, b = self.echo(1)\nyield a', 'G102'),
        ('yield self.sleep(1)\nreturn sum(self.echo(a) for a in x)', 'G102'),
        ('yield self.sleep(1)\nreturn any([self.echo(a) for a in x])', 'G102'),
        ('yield self.sleep(self.echo(1) + 1)', 'G102'),
        ('all_of(self.echo(1))\nyield self.sleep(1)', 'G101'),
        ('self.go.get()\nyield self.sleep(1)', 'G101'),
        ('self.typed.get(match=bool)\nyield self.sleep(1)', 'G101'),
        ('self.signal("a").get()\nyield self.sleep(1)', 'G101'),
        ('self.until(lambda: x)\nyield self.sleep(1)', 'G101'),
        ('first_of(a=self.echo(1))\nyield self.sleep(1)', 'G101'),
        ('self.echo.with_options(retry=0)(1)\nyield self.sleep(1)', 'G101'),
        ('yield self.sleep(1)\nself.restart.with_options(version=2)(1)', 'G107'),
        ('saga = Saga()\nyield saga.compensate()', 'G109'),
        ('yield self.echo(*{1, 2})', 'G010'),
        ('first, *rest = {1, 2}\nyield self.echo(first)', 'G010'),
        ('names = {1}\nnames |= {2}\nfor a in names:\n    yield self.echo(a)', 'G010'),
        ('yield self.map(self.echo, {1, 2})', 'G010'),
        ('yield self.echo(sorted(x, key=id))', 'G011'),
        ('type(self).last = x\nyield self.echo(1)', 'G013'),
        ('self.__class__.last = x\nyield self.echo(1)', 'G013'),
        ('clock = time.time\nyield self.echo(clock())', 'G001'),
        ('from pathlib import Path\nyield self.echo((Path("a") / "b").read_text())', 'G005'),
        ('from pathlib import Path\npath = Path("a") / "b"\nyield self.echo(path.read_text())', 'G005'),
        ('unused = self.echo(1)\nyield self.echo(2)', 'G101'),
        ('[self.echo(a) for a in x]\nyield self.echo(2)', 'G101'),
        ('self.external("x").signal("go")\nyield self.echo(2)', 'G101'),
        ('if (found := self.echo(1)):\n    yield self.echo(found)', 'G102'),
        ('match self.echo(1):\n    case 1:\n        yield self.echo(2)', 'G102'),
        ('calls = (self.echo(a) for a in x)\nyield calls', 'G103'),
        ('yield from (self.echo(a) for a in x)', 'G103'),
        ('async def inner():\n    pass\nyield self.echo(1)', 'G104'),
        ('from contextlib import suppress\nwith suppress(BaseException):\n    yield self.echo(1)', 'G105'),
        ('try:\n    yield self.echo(1)\nfinally:\n    yield self.echo(2)', 'G106'),
        ('try:\n    yield self.echo(1)\nfinally:\n    found = yield self.echo(2)\n    self.logger.info(found)', 'G106'),
        ('yield self.restart(1)', 'G107'),
        ('again = self.restart(1)\nyield self.echo(1)', 'G107'),
        ('saga = Saga()\nundone = saga.compensate()\nyield self.echo(1)', 'G109'),
        ('try:\n    yield self.echo(1)\nexcept BaseException:\n    return 1', 'G105'),
        ('try:\n    yield self.echo(1)\nfinally:\n    return 1', 'G106'),
        ('for a in x:\n    try:\n        yield self.echo(a)\n    finally:\n        continue', 'G106'),
        ('try:\n    yield self.echo(1)\nfinally:\n    if x:\n        print(x)', 'G106'),
        ('import logging\nlog = 1\ntry:\n    yield self.echo(1)\nfinally:\n    print(log)', 'G106'),
    ],
)
def test_what_is_wrong_is_found(body, code):
    assert codes_of(body) == [code]


AROUND = """
import functools, random, uuid
from dataclasses import dataclass, field
from datetime import datetime

from genflow import ActivityProxy, Canceled, Workflow

{before}

class Flow(Workflow):
    task = ActivityProxy('Task', '1', start_to_close=5)
    shared = []

{members}

    def run(self, x):
{body}
"""
EACH = 'def each(flow, items, more=()):\n    return [flow.task(item) for item in items]'
SORTS = 'def each(flow, items, more=()):\n    return [flow.task(item) for item in sorted(items)]'
COUNTS = 'def each(flow, items, more=()):\n    return flow.task(len(items), 1 in items)'
OWN = 'def own(self, items):\n    for item in items:\n        yield self.task(item)'
MADE = '@dataclass\nclass Made:\n    at: object = field(default_factory={})'
WRAPPED = 'def _rate(x):\n    return x\nrate = functools.lru_cache(maxsize=9)(_rate)'


@pytest.mark.parametrize(
    ('before', 'members', 'body', 'code'),
    [
        (EACH, '', 'yield each(self, {1, x})', 'G010'),
        (EACH, '', 'yield each(self, items=set(x))', 'G010'),
        (EACH, '', 'names = {1, x}\nyield each(self, names)', 'G010'),
        (EACH, '', 'yield each(self, [1], {x})', None),
        (EACH, '', 'yield each(self, sorted({1, x}))', None),
        (SORTS, '', 'yield each(self, {1, x})', None),
        (COUNTS, '', 'yield each(self, {1, x})', None),
        ('', OWN, 'yield self.own({1, x})', 'G010'),
        ('', OWN, 'yield Flow.own(self, {1, x})', 'G010'),
        ('', OWN, 'yield self.own([1, x])', None),
        ('def names(x):\n    return {1, x}', '', 'for one in names(x):\n    yield self.task(one)', 'G010'),
        ('def names(x) -> set[str]:\n    return x()', '', 'for one in names(x):\n    yield self.task(one)', 'G010'),
        ('def names(x):\n    return [x]', '', 'for one in names(x):\n    yield self.task(one)', None),
        ('', '', 'for one in {1} if x else [x]:\n    yield self.task(one)', 'G010'),
        ('', '', 'names = set(x) or {1}\nfor one in names:\n    yield self.task(one)', 'G010'),
        ('', '', 'if names := {1, x}:\n    for one in names:\n        yield self.task(one)', 'G010'),
        ('', '', 'for one in set(x).copy():\n    yield self.task(one)', 'G010'),
        ('', '', 'for one in dict.fromkeys({1, x}):\n    yield self.task(one)', 'G010'),
        ('', '', 'for one in dict.fromkeys([1, x]):\n    yield self.task(one)', None),
        (MADE.format('datetime.now'), '', 'yield self.task(Made().at)', 'G001'),
        (MADE.format('lambda: str(uuid.uuid4())'), '', 'yield self.task(Made().at)', 'G003'),
        (MADE.format('random.random'), '', 'yield self.task(Made().at)', 'G002'),
        (MADE.format('list'), '', 'yield self.task(Made().at)', None),
        (WRAPPED, '', 'yield self.task(rate(x))', 'G014'),
        ('', '', 'Flow.shared.append(x)\nyield self.task(x)', 'G013'),
        ('', '', 'type(self).shared.append(x)\nyield self.task(x)', 'G013'),
        ('', '@classmethod\ndef note(cls, x):\n    cls.count = x', 'self.note(x)\nyield self.task(x)', 'G013'),
        ('', '@classmethod\ndef note(cls, x):\n    return cls.__name__', 'yield self.task(self.note(x))', None),
        ('', '', 'yield self.task(Flow.shared, type(self).__name__)', None),
        ('', '', 'try:\n    yield self.task(x)\nexcept Canceled:\n    pass\nreturn x', 'G105'),
        ('', '', 'try:\n    yield self.task(x)\nexcept Canceled:\n    return x', None),
    ],
)
def test_what_a_method_shares_with_its_surroundings(before, members, body, code):
    source = AROUND.format(
        before=before, members=textwrap.indent(members, ' ' * 4), body=textwrap.indent(body, ' ' * 8)
    )
    assert {finding.code for finding in lint_source(source)} == ({code} if code else set())


def test_a_helper_that_gets_a_set_by_one_way_and_a_list_by_another_is_found_once():
    body = 'yield each(self, [x])\nyield each(self, {1, x})\nyield each(self, {2, x})'
    source = AROUND.format(before=EACH, members='', body=textwrap.indent(body, ' ' * 8))
    assert [finding.code for finding in lint_source(source)] == ['G010']


def test_a_logger_of_the_module_is_no_logger_of_the_workflow():
    head = HEAD.replace('import random', 'import logging, random') + '        log = None\n'
    body = 'try:\n    yield self.echo(1)\nfinally:\n    {}.info("over")'
    assert codes_of(body.format('LOG'), 'import logging\nLOG = logging.getLogger("x")\n' + head) == ['G106']
    assert codes_of(body.format('logging'), 'import logging\n' + HEAD) == ['G106']


@pytest.mark.parametrize(
    ('settings', 'code'),
    [
        ("@activity('Work', 1, start_to_close=None)\nclass Work: ...", 'G111'),
        ("@activity(name='Work', version=1, start_to_close=math.inf)\ndef work(): ...", 'G111'),
        ("@genflow.activity('Work', 1, heartbeat=300)\nclass Work: ...", 'G112'),
        ('work = Work.proxy(heartbeat=60, start_to_close=60)', 'G112'),
        ('call = work.with_options(heartbeat=61, start_to_close=60)', 'G112'),
        ('work = ActivityProxy("Work", "1", start_to_close=math.inf)', 'G111'),
    ],
)
def test_time_outs_that_never_strike(settings, code):
    assert [finding.code for finding in lint_source(settings + '\n')] == [code]


def test_a_comment_with_a_reason_lets_a_finding_pass():
    assert codes_of('yield self.sleep(time.time())  # genflow: ok G001 only a test') == []
    assert codes_of('# genflow: ok G001, G002 only a test\nyield self.sleep(time.time() + random.random())') == []
    assert codes_of('yield self.sleep(time.time())  # genflow: ok G002 another rule') == ['G902', 'G001']


@pytest.mark.parametrize('line', ['return [self.echo(a)["b"] for a in x]', 'return lambda: self.echo(x) + 1'])
def test_where_python_takes_no_yield_none_is_put(tmp_path, line):
    path = tmp_path / 'flow.py'
    path.write_text(f'{HEAD}        yield self.sleep(1)\n        {line}\n', encoding='utf-8')
    assert [finding.code for finding in lint_paths([path])] == ['G102']
    assert fix([path]) == 0


@pytest.mark.parametrize('codes', ['G001, G002', 'G001,G002', 'G001 G002', 'g001, g002'])
def test_a_comment_names_several_rules(codes):
    assert codes_of(f'yield self.sleep(time.time() + random.random())  # genflow: ok {codes} only a test') == []


@pytest.mark.parametrize(
    ('before', 'body'),
    [
        ('', f'yield self.echo(x{".copy()" * 700})'),
        ('NUMBER = 5\nif NUMBER: pass\n' + ''.join(f'elif NUMBER == {n}: pass\n' for n in range(1_100)), 'yield 0'),
    ],
    ids=['method', 'module'],
)
def test_code_that_is_nested_too_deeply_is_a_finding_and_stops_no_other(tmp_path, before, body):
    (tmp_path / 'deep.py').write_text(f'{before}{HEAD}{textwrap.indent(body, " " * 8)}\n', encoding='utf-8')
    (tmp_path / 'flow.py').write_text(f'{HEAD}        yield self.sleep(time.time())\n', encoding='utf-8')
    for wanted in (Settings(), Settings(select=('G001',))):
        deep, plain = lint_paths([tmp_path], wanted)
        assert (Path(deep.path).name, deep.code, plain.code) == ('deep.py', 'G901', 'G001')


@pytest.mark.skipif(sys.version_info < (3, 11), reason='except* came with Python 3.11')
def test_exception_groups_are_caught_by_handlers_as_well():
    assert codes_of('try:\n    yield self.echo(1)\nexcept* BaseException:\n    pass') == ['G105']
    source = 'try:\n    import time\nexcept* ImportError:\n    pass\n'
    body = '        yield self.sleep(time.time())\n'
    assert [one.code for one in lint_source(source + HEAD.replace('time, ', '') + body)] == ['G001']


def test_a_comment_stands_behind_code_or_one_for_another_tool():
    assert codes_of('yield self.sleep(time.time())# genflow: ok G001 only a test') == []
    assert codes_of('yield self.sleep(time.time())  # noqa: S311  # genflow: ok G001 only a test') == []
    assert codes_of('yield self.sleep(5)  # write "# genflow: ok G001 why" to let one pass') == []


def test_comments_above_a_line_are_all_meant_for_it():
    above = '# genflow: ok G001 only a test\n# genflow: ok G002 only a test\n# and more about it\n'
    assert codes_of(f'{above}yield self.sleep(time.time() + random.random())') == []
    assert codes_of(f'{above}yield self.sleep(5)') == ['G902', 'G902']
    assert codes_of('# genflow: ok G001 only a test\n\nyield self.sleep(time.time())') == ['G902', 'G001']


COMMENT = '# genflow: ok G014 only a test'


@pytest.mark.parametrize(
    'head',
    [
        f'{COMMENT}\n@functools.cache\n@other\ndef rate():',
        f'@functools.cache  {COMMENT}\n@other\ndef rate():',
        f'@functools.cache\n@other\ndef rate():  {COMMENT}',
    ],
    ids=['above', 'behind the decorator', 'behind the name'],
)
def test_a_comment_at_a_decorator_is_meant_for_its_function(head):
    source = f'import functools\n{HEAD}        yield self.sleep(rate())\n\n{head}\n    return 5\n'
    assert lint_source(source) == []
    assert [finding.code for finding in lint_source(source.replace(COMMENT, ''))] == ['G014']
    assert [finding.code for finding in lint_source(source.replace('@functools.cache', '@another'))] == ['G902']


def test_a_comment_behind_code_is_meant_for_its_own_line():
    body = 'a = time.time()  # genflow: ok G001 only a test\nb = time.time()\nyield self.sleep(b - a)'
    assert codes_of(body) == ['G001']


def test_a_comment_in_the_body_is_not_meant_for_the_whole_function():
    body = 'yield self.echo(1)\nasync def inner():\n    x = 1  # genflow: ok G104 only a test\n    return x'
    assert codes_of(body) == ['G104']


def test_a_text_is_no_comment():
    assert codes_of('yield self.echo("# genflow: ok G001")\n"""\n# genflow: ok G001\n"""') == []


@pytest.mark.parametrize(
    ('comment', 'text'),
    [
        ('# genflow: ok G001', 'say why G001 may pass'),
        ('# genflow: ok G001:', 'say why G001 may pass'),
        ('# genflow: ok', 'say which rule may pass'),
        ('# genflow: ok only a test', 'say which rule may pass'),
        ('# genflow: ok G777 only a test', 'there is no rule G777'),
    ],
)
def test_what_is_wrong_with_a_comment(comment, text):
    (finding,) = lint_source(f'{HEAD}        yield self.echo(x)  {comment}\n')
    assert finding.code == 'G900'
    assert finding.text.startswith(text)


@pytest.mark.parametrize(
    ('body', 'text'),
    [
        ('yield self.sleep(5)  # genflow: ok G001 only a test', 'G001 finds nothing here: remove the comment'),
        (
            'yield self.sleep(time.time())  # genflow: ok G001, G003 only a test',
            'G003 finds nothing here: remove it from the comment',
        ),
        (
            'yield self.sleep(5)  # genflow: ok G002 G003 only a test',
            'G002 and G003 find nothing here: remove the comment',
        ),
        ('# genflow: ok G001 only a test\nyield self.sleep(5)', 'G001 finds nothing here: remove the comment'),
        ('yield self.sleep(5)  # genflow: ok G102 only a test', 'G102 finds nothing here: remove the comment'),
        (
            'yield self.sleep(later())\n\ndef later():\n    return 5  # genflow: ok G001 only a test',
            'G001 finds nothing here: remove the comment',
        ),
        (
            'yield\n\n@activity(heartbeat=5)  # genflow: ok G112 only a test\ndef later():\n    return 5',
            'G112 finds nothing here: remove the comment',
        ),
    ],
)
def test_a_comment_that_lets_nothing_pass_is_a_finding(body, text):
    inside, _, outside = body.partition('\n\n')
    (finding,) = lint_source(f'{HEAD}{textwrap.indent(inside, " " * 8)}\n\n{outside}\n')
    assert finding.code == 'G902'
    assert finding.text == text


@pytest.mark.parametrize(
    'source',
    [
        'import time\n\ndef later():\n    return time.time()  # genflow: ok G001 workflows elsewhere call it\n',
        'import time\nNOW = time.time()  # genflow: ok G001 it stands in no function\n',
        f'{HEAD}        yield self.echo(x)\n\ndef unknown():\n    return 5  # genflow: ok G001 nobody calls it here\n',
        f'{HEAD}        yield self.echo(plain())\n\ndef plain():\n    return 5  # genflow: ok G102 no method\n',
    ],
    ids=['no workflow', 'no function', 'not called', 'no method'],
)
def test_a_comment_in_code_that_was_not_asked_for_it_is_none(source):
    assert lint_source(source) == []


def test_a_comment_is_used_whatever_the_settings_and_whoever_calls(tmp_path):
    (tmp_path / 'clocks.py').write_text('import time\n\ndef now():\n    return 5  # genflow: ok G001 a test\n')
    flow = f'import clocks\n{HEAD}        yield self.sleep(time.time() + clocks.now())  # genflow: ok G001 a test\n'
    (tmp_path / 'flow.py').write_text(flow)
    assert lint_paths([tmp_path / 'flow.py'], Settings(ignore=('G001',))) == []
    (finding,) = lint_paths([tmp_path])
    assert (Path(finding.path).name, finding.code) == ('clocks.py', 'G902')


def test_a_comment_is_used_whichever_class_of_its_file_is_asked_for(tmp_path):
    path = tmp_path / 'flow.py'
    each = 'def each(items):\n    return [one for one in items]  # genflow: ok G010 a test\n'
    other = HEAD.replace('Order', 'Other')
    one, two = '        yield self.echo(each([x]))\n', '        yield self.echo(each({x}))\n'
    path.write_text(f'{HEAD}{one}\n{other}{two}\n{each}', encoding='utf-8')
    assert lint_paths([path]) == lint_paths([path], classes={path: 'Order'}) == []
    path.write_text(f'{HEAD}{one}\n{each}', encoding='utf-8')
    assert [finding.code for finding in lint_paths([path], classes={path: 'Order'})] == ['G902']


def test_columns_count_characters():
    (finding,) = lint_source(f'{HEAD}        yield self.echo("äöü", time.time())\n')
    assert finding.column == len('        yield self.echo("äöü", ') + 1


def test_a_comment_without_a_reason_is_a_finding():
    assert codes_of('yield self.sleep(time.time())  # genflow: ok G001') == ['G900']


@pytest.mark.parametrize(
    ('wrong', 'right'),
    [
        ('x = datetime.now()', 'x = self.now()'),
        ('x = time.time()', 'x = self.now().timestamp()'),
        ('x = random.randint(1, 6)', 'x = self.random.randint(1, 6)'),
        ('x = uuid.uuid4()', 'x = self.uuid4()'),
        ('time.sleep(5)', 'yield self.sleep(5)'),
        ('self.sleep(5)', 'yield self.sleep(5)'),
        ('x = self.echo(1) + self.echo("é")', 'x = (yield self.echo(1)) + (yield self.echo("é"))'),
        ('if self.echo(x)["a"]: pass', 'if (yield self.echo(x))["a"]: pass'),
        ('yield (self.echo(y) for y in x)', 'yield [self.echo(y) for y in x]'),
        ('self.restart(x)', 'return self.restart(x)'),
        ('Saga().compensate()', 'yield from Saga().compensate()'),
        ('x = self.echo(time.time())\n        yield x', 'x = self.echo(self.now().timestamp())\n        yield x'),
    ],
)
def test_fixes(tmp_path, wrong, right):
    path = tmp_path / 'flow.py'
    path.write_text(f'{HEAD}        {wrong}\n', encoding='utf-8')
    assert fix([path]) >= 1
    assert path.read_text(encoding='utf-8') == f'{HEAD}        {right}\n'
    assert lint_paths([path]) == []


BYTES = {
    'CRLF': lambda text: text.replace('\n', '\r\n').encode(),
    'CR': lambda text: text.replace('\n', '\r').encode(),
    'a byte order mark': lambda text: b'\xef\xbb\xbf' + text.encode(),
    'a coding line': lambda text: f'# coding: latin-1\n{text}'.encode('latin-1'),
    'tabs': lambda text: text.replace('    ', '\t').encode(),
    'no end of the last line': lambda text: text.rstrip('\n').encode(),
    'a form feed': lambda text: text.replace('class Order', '\x0c\nclass Order').encode(),
}


@pytest.mark.parametrize('kind', BYTES)
def test_a_fix_changes_no_other_byte(tmp_path, kind):
    line = 'x = "é", datetime.now(), self.echo(1)["ü"]  # ß, kept'
    mended = 'x = "é", self.now(), (yield self.echo(1))["ü"]  # ß, kept'
    path = tmp_path / 'flow.py'
    path.write_bytes(BYTES[kind](f'{HEAD}        {line}\n'))
    assert fix([path]) == 2
    assert path.read_bytes() == BYTES[kind](f'{HEAD}        {mended}\n')


def test_a_separator_of_unicode_ends_no_line(tmp_path):
    path = tmp_path / 'flow.py'
    path.write_text(f'{HEAD}        text = "a\u2028b\x0cc"  # \x1c\n        x = time.time()\n', encoding='utf-8')
    assert [finding.line for finding in lint_paths([path])] == [14]
    fix([path])
    assert path.read_text(encoding='utf-8').endswith('# \x1c\n        x = self.now().timestamp()\n')


@pytest.mark.parametrize(
    'body',
    [
        'x = datetime.now(\n    # the zone\n)',
        'def inner():\n    return self.echo(1)["a"]\nreturn inner()',
        'return lambda: time.sleep(1)',
    ],
)
def test_nothing_is_fixed_where_a_comment_or_the_kind_of_a_function_would_change(tmp_path, body):
    path = tmp_path / 'flow.py'
    path.write_text(HEAD + textwrap.indent(f'yield self.echo(0)\n{body}\n', ' ' * 8), encoding='utf-8')
    (finding,) = lint_paths([path])
    assert not finding.fix
    assert fix([path]) == 0


def test_a_method_that_is_no_generator_is_made_none(tmp_path):
    path = tmp_path / 'flow.py'
    method = '    def slow(self, x):\n        time.sleep(1)\n        return x\n'
    text = f'{HEAD}        yield self.echo(self.slow(x))\n\n{method}'
    path.write_text(text, encoding='utf-8')
    assert fix([path]) == 0


def test_a_time_in_another_zone_stays_in_it(tmp_path):
    path = tmp_path / 'flow.py'
    path.write_text(f'{HEAD}        return datetime.now(tz=x), datetime.now(timezone.utc)\n', encoding='utf-8')
    assert fix([path]) == 2
    assert path.read_text(encoding='utf-8').endswith('return self.now().astimezone(x), self.now()\n')


@pytest.mark.thorough
def test_the_corpus_can_be_mended_and_stays_python(tmp_path):
    for path in CORPUS.glob('*.py'):
        (tmp_path / path.name).write_text(path.read_text(encoding='utf-8'), encoding='utf-8')
    before = lint_paths([tmp_path])
    mended = fix([tmp_path])
    after = lint_paths([tmp_path])
    assert mended == len([finding for finding in before if finding.fix])
    assert len(after) == len(before) - mended
    for path in tmp_path.glob('*.py'):
        ast.parse(path.read_text(encoding='utf-8'))


def work_of(steps):
    """How many calls the lint makes for a method of so many steps, each with a cache, a name and an attribute."""
    step = (
        '        x{0} = yield self.echo(STATE, self.state)\n        self.state = x{0}\n        one = two[{0}] = {0}\n'
    )
    source = f'STATE = {{}}\n{HEAD}' + ''.join(step.format(number) for number in range(steps))
    profile = cProfile.Profile()
    profile.runcall(lint_source, source)
    return sum(entry.callcount for entry in profile.getstats())


def test_work_grows_with_the_code_and_not_with_its_square():
    assert work_of(80) < 2.5 * work_of(40)


# settings


def test_settings_choose_rules(tmp_path):
    (tmp_path / 'pyproject.toml').write_text(
        '[tool.genflow.lint]\nselect = ["G0"]\nignore = ["G001"]\nexclude = ["*/old/*"]\n'
        '[tool.genflow.lint.per-file-ignores]\n"*/helpers.py" = ["G011"]\n'
    )
    settings = settings_of(tmp_path)
    found = {(Path(finding.path).name, finding.code) for finding in lint_paths([CORPUS], settings)}
    chosen = {(name, code) for name, _, code in expected() if code.startswith('G0') and code != 'G001'}
    assert found == chosen - {('helpers.py', 'G011')}


@pytest.mark.parametrize('pattern', ['old', 'old/', 'old/*', '*/old/*', 'old/flow.py', '*/flow.py'])
def test_a_pattern_means_files_and_folders_as_seen_from_the_settings(tmp_path, monkeypatch, pattern):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'old').mkdir()
    (tmp_path / 'old' / 'flow.py').write_text(f'{HEAD}        time.sleep(1)\n')
    for paths in (['.'], ['old'], ['old/flow.py'], [tmp_path]):
        assert len(lint_paths(paths)) == 1
        assert lint_paths(paths, Settings(exclude=(pattern,), root=tmp_path)) == []
        assert lint_paths(paths, Settings(per_file_ignores={pattern: ('G0',)}, root=tmp_path)) == []


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('[tool.genflow.lint]\nignore = ["G999"]', "ignore names 'G999', but there is no such rule"),
        ('[tool.genflow.lint]\nselect = [""]', "select names '', but there is no such rule"),
        ('[tool.genflow.lint]\nignore = "G001"', "ignore is 'G001'; it must be a list of texts"),
        ('[tool.genflow.lint]\nexclude = [1]', 'exclude is [1]; it must be a list of texts'),
        ('[tool.genflow.lint]\nper-file-ignores = 3', 'per-file-ignores must be a table'),
        ('[tool.genflow.lint]\nfoo = 1', "has no setting 'foo'"),
        ('[tool.genflow]\nlint = 3', 'lint of [tool.genflow] is 3; it must be a table'),
        ('[[', 'pyproject.toml'),
    ],
)
def test_settings_that_cannot_be_used(tmp_path, text, message):
    (tmp_path / 'pyproject.toml').write_text(text)
    with pytest.raises(SettingsError, match=re.escape(message)):
        settings_of(tmp_path)


def test_settings_may_be_dotted_keys(tmp_path):
    (tmp_path / 'pyproject.toml').write_text('[tool.genflow]\nlint.ignore = ["G001"]')
    assert settings_of(tmp_path).ignore == ('G001',)


def test_environments_and_what_tools_put_there_are_not_looked_at(tmp_path):
    for name in ('env', 'env/lib', '.hidden', 'node_modules', '__pycache__', 'site-packages'):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'flow.py').write_text(f'{HEAD}        time.sleep(1)\n')
    (tmp_path / 'env' / 'pyvenv.cfg').touch()
    (tmp_path / 'loop').symlink_to(tmp_path)
    assert lint_paths([tmp_path]) == []


def test_files_of_the_same_name_in_several_folders_are_all_looked_at(tmp_path):
    for name, module in (('a', 'time'), ('b', 'uuid')):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'helpers.py').write_text(f'import {module}\ndef value():\n    return {module}.{module}4()')
        flow = f'{HEAD}        yield self.echo(helpers.value(), time.time())\n'
        (tmp_path / name / 'flow.py').write_text(f'import helpers\n{flow}')
    found = [(Path(one.path).relative_to(tmp_path).as_posix(), one.code) for one in lint_paths([tmp_path])]
    assert found == [('a/flow.py', 'G001'), ('b/flow.py', 'G001'), ('b/helpers.py', 'G003')]


def test_nothing_but_the_named_files_is_fixed(tmp_path):
    (tmp_path / 'helpers.py').write_text(f'{HEAD}        time.sleep(1)\ndef later(flow):\n    return time.time()\n')
    (tmp_path / 'flow.py').write_text(f'from helpers import later\n{HEAD}        yield self.echo(later(self))\n')
    before = (tmp_path / 'helpers.py').read_text()
    assert [Path(one.path).name for one in lint_paths([tmp_path / 'flow.py'])] == ['helpers.py']  # called from there
    assert fix([tmp_path / 'flow.py']) == 0
    assert (tmp_path / 'helpers.py').read_text() == before


@pytest.mark.parametrize(
    ('name', 'content', 'text'),
    [
        ('a.py', b'x = "\xe9"', 'encoding declaration'),
        ('a.py', b'# coding: nothing\n', 'unknown encoding'),
        ('a.py', b'x = 1\0', 'null byte'),
        ('a.py', b'x = (', 'never closed'),
        ('a.ipynb', b'{"cells": []}', 'this is a notebook'),
    ],
)
def test_what_is_no_python_is_named(tmp_path, name, content, text):
    (tmp_path / name).write_bytes(content)
    (finding,) = lint_paths([tmp_path / name])
    assert (finding.path, finding.line, finding.code) == (str(tmp_path / name), 1, 'G901')
    assert re.search(text, finding.text)


def test_a_byte_of_another_encoding_is_named_with_its_line(tmp_path):
    (tmp_path / 'flow.py').write_bytes(HEAD.encode() + b'        x = "\xe9"\n')
    (finding,) = lint_paths([tmp_path])
    assert (finding.line, finding.code) == (13, 'G901')
    assert 'this is not utf-8' in finding.text


@pytest.fixture
def with_broken(tmp_path):
    """A folder with a workflow that reads the clock and imports a broken module, and a link that leads nowhere."""
    (tmp_path / 'flow.py').write_text(f'from broken import x\n{HEAD}        yield self.echo(time.time())\n')
    (tmp_path / 'broken.py').write_text('x = 1\ny = (')
    (tmp_path / 'gone.py').symlink_to(tmp_path / 'nowhere.py')
    return tmp_path


def test_files_that_cannot_be_read_are_findings_among_the_others(with_broken):
    found = [(Path(one.path).name, one.line, one.code) for one in lint_paths([with_broken])]
    assert found == [('broken.py', 2, 'G901'), ('flow.py', 14, 'G001'), ('gone.py', 1, 'G901')]


def test_a_broken_module_that_is_only_imported_is_a_finding(with_broken):
    found = [(Path(one.path).name, one.code) for one in lint_paths([with_broken / 'flow.py'])]
    assert found == [('broken.py', 'G901'), ('flow.py', 'G001')]


def test_only_exclude_lets_a_broken_file_pass(with_broken):
    paths = [with_broken / 'flow.py', with_broken / 'broken.py']
    (finding,) = lint_paths(paths, Settings(select=('G002',), ignore=('G9',)))
    assert finding.code == 'G901'
    assert lint_paths(paths, Settings(select=('G002',), exclude=('*/broken.py',))) == []


def test_a_fix_leaves_defaults_alone_which_are_made_where_there_is_no_self(tmp_path):
    path = tmp_path / 'flow.py'
    method = '    def due(self, x, at=datetime.now(), now=time.time):\n        return now()\n'
    path.write_text(f'{HEAD}        yield self.echo(x)\n\n{method}')
    assert fix([path]) == 1
    assert path.read_text().endswith('at=datetime.now(), now=time.time):\n        return self.now().timestamp()\n')


def test_a_fix_passes_over_broken_files(with_broken):
    assert fix([with_broken]) == 1
    assert 'self.echo(self.now().timestamp())' in (with_broken / 'flow.py').read_text()
    assert (with_broken / 'broken.py').read_text() == 'x = 1\ny = ('


def test_excluded_files_are_not_read(tmp_path):
    (tmp_path / 'old').mkdir()
    (tmp_path / 'old' / 'flow.py').write_text('this is no Python')
    assert lint_paths([tmp_path], Settings(exclude=('*/old/*',))) == []


# output


def test_output_as_json():
    findings = lint_paths([CORPUS / 'polling.py'])
    found = json.loads(FORMATS['json'](findings))
    assert [item['line'] for item in found] == [finding.line for finding in findings]
    assert found[0]['name'] == 'heartbeat too long'


def test_output_as_sarif():
    findings = lint_paths([CORPUS / 'polling.py'])
    run = json.loads(FORMATS['sarif'](findings))['runs'][0]
    assert {rule['id'] for rule in run['tool']['driver']['rules']} == set(RULES)
    assert len(run['results']) == len(findings)
    assert run['results'][0]['locations'][0]['physicalLocation']['region']['startLine'] == findings[0].line


def test_places_in_sarif_are_uris_and_columns_are_characters(tmp_path):
    folder = tmp_path / 'a b,c%é'
    folder.mkdir()
    (folder / 'flow.py').write_text(f'{HEAD}        yield self.echo("é", time.time())\n', encoding='utf-8')
    run = json.loads(FORMATS['sarif'](lint_paths([folder])))['runs'][0]
    place = run['results'][0]['locations'][0]['physicalLocation']
    assert place['artifactLocation']['uri'] == (folder / 'flow.py').as_uri()
    assert (run['columnKind'], place['region']['startColumn']) == ('unicodeCodePoints', 30)


def test_what_github_reads_as_its_own_is_escaped():
    finding = evolve(lint_source(f'{HEAD}        time.sleep(1)\n')[0], path='a,b:c%d.py', text='50 % of\r\nit, a::b')
    assert FORMATS['github']([finding]) == (
        '::error file=a%2Cb%3Ac%25d.py,line=13,col=9,title=G008::50 %25 of%0D%0Ait, a::b'
    )


def test_output_for_github():
    first = FORMATS['github'](lint_paths([CORPUS / 'polling.py'])).splitlines()[0]
    assert re.fullmatch(r'::error file=.*polling\.py,line=\d+,col=\d+,title=G112::.*', first)


HELPERS = {
    'shop/__init__.py': 'from shop.clocks import stamp as passed_on\n',
    'shop/clocks.py': """
import time as t
from random import *

def stamp():
    return t.time()

alias = stamp
short = lambda: t.time()
pick = lambda items: choice(items)

class Base:
    def when(self):
        return t.time()

    @property
    def age(self):
        return t.time()

class Helper(Base):
    def go(self):
        return super().when()

    def __call__(self):
        return self.when()
""",
    'shop/everything.py': 'from shop.clocks import *\n',
}

ROUTES = {
    'an alias': ('from shop.clocks import alias', 'alias()', 'G001'),
    'a lambda': ('from shop.clocks import short', 'short()', 'G001'),
    'what import * brought': ('from shop.clocks import pick', 'pick([1])', 'G002'),
    'import *': ('from shop.clocks import *', 'stamp()', 'G001'),
    'import * of import *': ('from shop.everything import *', 'stamp()', 'G001'),
    'a package that passes it on': ('from shop import passed_on', 'passed_on()', 'G001'),
    'a package': ('import shop', 'shop.passed_on()', 'G001'),
    'a module': ('from shop import clocks as c', 'c.stamp()', 'G001'),
    'a property': ('from shop.clocks import Base', 'Base().age', 'G001'),
    'super()': ('from shop.clocks import Helper', 'Helper().go()', 'G001'),
    '__call__': ('from shop.clocks import Helper', 'Helper()()', 'G001'),
    'partial': ('from functools import partial\nfrom shop.clocks import stamp', '(p := partial(stamp))', 'G001'),
    'a conditional import': (
        'try:\n    from uuid import uuid4\nexcept ImportError:\n    uuid4 = None',
        'str(uuid4())',
        'G003',
    ),
}


@pytest.mark.parametrize('route', ROUTES)
def test_a_call_is_followed_on_every_route(route, tmp_path):
    imports, expression, code = ROUTES[route]
    for name, text in HELPERS.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding='utf-8')
    call = (
        'p = partial(stamp)\n        yield self.echo(p())' if route == 'partial' else f'yield self.echo({expression})'
    )
    source = (
        f"from genflow import *\n{imports}\n\nclass Order(Workflow):\n    echo = ActivityProxy('Echo', '1')\n\n"
        f'    def run(self):\n        {call}\n'
    )
    (tmp_path / 'orders.py').write_text(source, encoding='utf-8')
    assert [finding.code for finding in lint_paths([tmp_path / 'orders.py'])] == [code]


def test_flake8_finds_the_plugin():
    (found,) = [one for one in entry_points(group='flake8.extension') if one.value.startswith('genflow.')]
    assert (found.name, found.load()) == ('G', Plugin)


def test_flake8_gets_the_same():
    path = CORPUS / 'polling.py'
    lines = path.read_text(encoding='utf-8').splitlines(keepends=True)
    found = list(Plugin(ast.parse(''.join(lines)), str(path), lines).run())
    assert {(line, text[:4]) for line, _, text, _ in found} == {
        (line, code) for name, line, code in expected() if name == 'polling.py'
    }


# pages


@pytest.mark.parametrize('rule', RULES.values(), ids=lambda rule: rule.code)
def test_every_rule_has_its_page(rule):
    assert (ROOT / 'docs' / 'lint' / f'{rule.code}.md').read_text(encoding='utf-8') == page(rule)


PAGE = """
import functools, random, subprocess, threading, time, uuid, zlib
from datetime import datetime, timedelta, timezone
from pathlib import Path

import os, requests
from genflow import *
{before}

class Page(Workflow):
    book = charge = convert = count = fetch_price = is_paid = read_file = release = work = ActivityProxy('A', '1')
    notify = ActivityProxy('B', '1')
{members}

    def watch(self):
        yield self.sleep(1)

    def {run}(self, order, saga):
        log = self.logger
        yield self.sleep(1)
{body}
"""
CALLED = {'G014': 'yield self.charge(rate("de"))'}


def page_of(rule, example):
    """A module with an example of a rule's page: statements of ``run``, members of a class, or a whole class."""
    before = members = ''
    body, run = CALLED.get(rule.code, 'yield self.sleep(1)'), 'run'
    if 'class Order' in example or (example.startswith('@') and not body.startswith('yield self.sleep')):
        before = example.replace('...', 'return 1')
    elif example.startswith('@'):
        before = f'{example}\ndef work_hard():\n    return 1'
    elif example.startswith('def rate'):
        before = example.replace('...', 'return 1')
    elif 'def run' in example:
        members, run = example, 'run_too'
    else:
        body = example
    return PAGE.format(
        before=before,
        members=textwrap.indent(members, ' ' * 4),
        body=textwrap.indent(body, ' ' * 8),
        run=run,
    )


@pytest.mark.parametrize('rule', RULES.values(), ids=lambda rule: rule.code)
def test_the_page_of_a_rule_shows_what_the_rule_finds_and_how_that_is_right(rule, tmp_path):
    path = tmp_path / 'page.py'
    path.write_text(page_of(rule, rule.wrong))
    assert rule.code in {finding.code for finding in lint_paths([path])}
    path.write_text(page_of(rule, rule.right))
    assert lint_paths([path]) == []


def test_the_index_lists_every_rule():
    text = (ROOT / 'docs' / 'lint.md').read_text(encoding='utf-8')
    assert re.findall(r'^\| \[(G\d+)\]\(lint/\1\.md\) ', text, re.MULTILINE) == list(RULES)


# the command


def genflow(folder, *arguments):
    done = finish(start(folder, *arguments))
    return done.returncode, done.out, done.err


@pytest.mark.thorough
def test_the_command(tmp_path):
    (tmp_path / 'flow.py').write_text(HEAD + '        time.sleep(5)\n')
    code, out, err = genflow(tmp_path, 'lint', 'flow.py')
    assert (code, err) == (8, '')
    assert 'flow.py:13:9: G008 time.sleep() blocks the decider' in out
    assert genflow(tmp_path, 'lint', '.', '--ignore', 'G008')[0] == 0
    assert genflow(tmp_path, 'lint', 'flow', '--fix')[:2] == (0, '0 findings\n')


@pytest.mark.thorough
def test_settings_of_the_lint_stand_beside_those_of_all_commands(tmp_path):
    (tmp_path / 'flow.py').write_text(HEAD + '        time.sleep(5)\n')
    (tmp_path / 'pyproject.toml').write_text('[tool.genflow]\ndomain = "shop"\n[tool.genflow.lint]\nignore = ["G008"]')
    assert genflow(tmp_path, 'lint', 'flow.py')[:2] == (0, '0 findings\n')
    assert genflow(tmp_path, 'lint', 'flow.py', '--select', 'G008')[0] == 0
    assert genflow(tmp_path, 'list', '--db', 'none.db')[2].startswith('Error: none.db')


@pytest.mark.thorough
def test_a_module_is_found_without_importing_its_package(tmp_path):
    (tmp_path / 'shop' / 'flows').mkdir(parents=True)
    (tmp_path / 'shop' / '__init__.py').write_text('raise SystemExit("imported")')
    (tmp_path / 'shop' / 'flows' / 'order.py').write_text(
        f'{HEAD}        time.sleep(5)\n\nclass Other(Workflow):\n    def run(self):\n        uuid.uuid4()\n'
    )
    for target in ('shop', 'shop.flows', 'shop.flows.order', 'shop/flows/order.py'):
        assert genflow(tmp_path, 'lint', target)[1].endswith('2 findings, 2 of them fixable with --fix\n')
    for target in ('shop.flows.order:Other', 'shop/flows/order.py:Other'):
        assert genflow(tmp_path, 'lint', target)[1].endswith('1 finding, fixable with --fix\n')
    assert 'has no class Nope; it has Order, Other' in genflow(tmp_path, 'lint', 'shop.flows.order:Nope')[2]
    assert genflow(tmp_path, 'lint', 'shop.flows.order:Other', '--fix')[1:] == ('0 findings\n', '1 change made\n')


@pytest.mark.thorough
@pytest.mark.parametrize(
    ('arguments', 'text'),
    [
        ((), 'say what to look at'),
        (('none.py',), "there is no file 'none.py'"),
        (('nothing.here',), "there is no module 'nothing.here'"),
        (('.', '--select', 'X1'), "names 'X1', but there is no such rule"),
        (('shop:Order',), 'shop is a folder; to look at one class, name its module'),
        (('--explain', 'G777'), "there is no rule 'G777'"),
    ],
)
def test_wrong_usage(tmp_path, arguments, text):
    (tmp_path / 'shop').mkdir()
    code, _, err = genflow(tmp_path, 'lint', *arguments)
    assert code == 2
    assert text in err


@pytest.mark.thorough
def test_a_rule_explains_itself(tmp_path):
    code, out, _ = genflow(tmp_path, 'lint', '--explain', 'G008')
    assert code == 0
    assert 'yield self.sleep(60)' in out

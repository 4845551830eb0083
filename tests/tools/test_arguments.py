from __future__ import annotations

import pytest

from genflow.insight.command_line import value_of
from genflow.tools.targets.arguments import WrongArgument, named_values, values_of


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        ('5', 5),
        ('"5"', '5'),
        ('true', True),
        ('null', None),
        ('[1, {"a": 2.5}]', [1, {'a': 2.5}]),
        ('docs', 'docs'),
        ('docs/a file.txt', 'docs/a file.txt'),
        ('', ''),
        ('{broken', '{broken'),
        ('NaN', 'NaN'),
        ('-Infinity', '-Infinity'),
    ],
)
def test_json_is_a_value_and_the_rest_is_text(text, value):
    assert value_of(text) == value
    assert type(value_of(text)) is type(value)


def test_a_negative_number_is_no_option():
    assert values_of(['-1', '-2.5', 'five']) == [-1, -2.5, 'five']
    with pytest.raises(WrongArgument, match=r"""No such option: --quick\. As a text, write '"--quick"'"""):
        values_of(['1', '--quick'])


def test_what_stands_right_of_the_first_equals_sign_is_the_value():
    texts = ['count=5', 'query=a=b', 'note=', 'tags=["x"]', 'text="5"', 'down=-1']
    assert named_values(texts) == {'count': 5, 'query': 'a=b', 'note': '', 'tags': ['x'], 'text': '5', 'down': -1}


@pytest.mark.parametrize('text', ['count', '=5', '1st=5', 'a-b=5', ''])
def test_a_keyword_argument_has_a_name(text):
    with pytest.raises(WrongArgument, match='is not a keyword argument; write NAME=VALUE'):
        named_values([text])


def test_a_keyword_argument_is_given_once():
    with pytest.raises(WrongArgument, match="'count' is given twice"):
        named_values(['count=1', 'count=2'])

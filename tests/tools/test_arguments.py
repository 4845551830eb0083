from __future__ import annotations

import pytest

from genflow.tools.arguments import value_of


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

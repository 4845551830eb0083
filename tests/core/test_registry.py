"""Decorating a class registers it, whoever else knows of it."""

from __future__ import annotations

import gc

from genflow import Activity, activity
from genflow.core.model.registry import declared


def of(name):
    return [spec for spec in declared() if spec.name == name]


def decorated(name, value):
    @activity(name=name, version=1, task_list='t')
    class Made(Activity):
        def run(self):
            return value

    return Made


def test_a_class_that_nobody_refers_to_stays_registered():
    decorated('registry-alone', 1)
    gc.collect()
    assert [spec.cls().run() for spec in of('registry-alone')] == [1]


def test_one_place_may_define_many_types():
    for name in ('registry-one', 'registry-two'):
        decorated(name, name)
    gc.collect()
    assert [spec.cls().run() for name in ('registry-one', 'registry-two') for spec in of(name)] == [
        'registry-one',
        'registry-two',
    ]


def test_a_class_that_is_defined_again_comes_after_its_predecessor():
    first, second = decorated('registry-again', 1), decorated('registry-again', 2)
    assert [spec.cls for spec in of('registry-again')] == [first, second]
    assert [spec.name for spec in declared(first)] == ['registry-again']

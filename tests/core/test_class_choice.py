"""Which of several classes stands for a type: the one that a proxy names, then the latest of its name, or an error."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from genflow import Activity, Workflow
from genflow.core.authoring.class_choice import registry_of, types_of
from genflow.core.errors import RegistrationError
from genflow.core.model.registry import declared
from genflow.swf.scanner import activity, workflow


def make_step(answer, module='somewhere', name='Step'):
    class Step(Activity):
        def run(self):
            return answer

    Step.__module__, Step.__qualname__ = module, name
    return activity(name='choice.Step', version=1, task_list='t')(Step)


def make_flow(proxy=None, module='somewhere'):
    class Flow(Workflow):
        step = proxy

        def run(self):
            return 1

    Flow.__module__, Flow.__qualname__ = module, 'Flow'
    return workflow(name='choice.Flow', version=1, task_list='t')(Flow)


def registry(*classes):
    return registry_of([spec for cls in classes for spec in declared(cls)])


def step_of(*classes):
    return registry(*classes).activity('choice.Step', '1').cls


def test_of_one_name_the_class_that_was_decorated_last_counts():
    first, second = make_step(1), make_step(2)
    assert step_of(first, second) is second
    assert step_of(second, first) is second


def test_the_class_of_a_proxy_counts_before_the_latest():
    first, second = make_step(1), make_step(2)
    assert step_of(first, second, make_flow(first.proxy())) is first


def test_the_proxy_of_a_workflow_that_was_defined_anew_names_nothing():
    first, second = make_step(1), make_step(2)
    assert step_of(first, second, make_flow(first.proxy()), make_flow(second.proxy())) is second


def test_classes_of_different_names_are_distinguished_by_the_advice_of_the_error():
    one, two = make_step(1, 'one'), make_step(2, 'two')
    with pytest.raises(RegistrationError, match=r'one\.Step and two\.Step both declare the activity type choice'):
        registry(one, two)
    assert step_of(one, two, make_flow(one.proxy())) is one
    assert step_of(two) is two
    assert types_of([one]).activity('choice.Step', '1').cls is one


def test_proxies_that_name_two_classes_do_not_choose():
    one, two = make_step(1, 'one'), make_step(2, 'two')
    with pytest.raises(RegistrationError, match='both declare'):
        registry(one, two, make_flow(one.proxy(), 'one'), make_flow(two.proxy(), 'two'))


def test_a_script_that_its_own_helper_imports_is_one_source(monkeypatch):
    for name in ('choice_script', 'choice_main'):
        module = ModuleType(name)
        module.__file__ = '/shop/script.py'
        monkeypatch.setitem(sys.modules, name, module)
    imported, run = make_step(1, 'choice_script'), make_step(2, 'choice_main')
    assert step_of(imported, run) is run


@pytest.mark.parametrize('wrong', [Activity, 'Order', 7])
def test_what_is_no_decorated_class_is_refused(wrong):
    with pytest.raises(RegistrationError, match='which is not a decorated class'):
        types_of([wrong])


def test_two_classes_that_are_given_for_one_type_are_refused():
    with pytest.raises(RegistrationError, match='two classes declare'):
        types_of([make_step(1), make_step(2)])

"""The reference page has every public name, and every public name is documented."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import attrs
import pytest

import genflow
import genflow.testing
from genflow import ActivityProxy, LambdaProxy, WorkflowProxy
from genflow.core.authoring.option_types import ActivityProxyOptions, CallOptions, ChildProxyOptions
from genflow.core.model.options import ActivityOptions, ChildOptions, LambdaOptions
from genflow.tools.cli.main import COMMANDS

PAGE = Path(__file__).resolve().parents[2] / 'docs' / 'reference.md'
TYPES = {'Steps'}  # an alias has no docstring of its own


def test_the_reference_lists_the_public_names_and_no_others():
    text = PAGE.read_text(encoding='utf-8')
    listed = re.findall(r'^\.\. auto\w+:: (\w+)$', text, re.MULTILINE)
    assert sorted(listed) == sorted(genflow.__all__)


def test_the_reference_lists_what_users_test_with():
    text = PAGE.read_text(encoding='utf-8')
    listed = re.findall(r'^\.\. auto\w+:: genflow\.testing\.(\w+)$', text, re.MULTILINE)
    assert sorted(listed) == sorted(genflow.testing.__all__)


@pytest.mark.parametrize('name', genflow.testing.__all__)
def test_what_users_test_with_has_a_docstring(name):
    assert getattr(genflow.testing, name).__doc__


@pytest.mark.parametrize('name', sorted(set(genflow.__all__) - TYPES))
def test_a_public_name_has_a_docstring(name):
    assert getattr(genflow, name).__doc__


def test_the_reserved_names_are_the_members_of_every_workflow():
    text = (PAGE.parent / 'workflows.md').read_text(encoding='utf-8')
    section = text.partition('### Reserved names')[2].partition('Where a type')[0].partition('The names are:')[2]
    members = [name for name in dir(genflow.Workflow) if not name.startswith('_')]
    assert re.findall(r'`(\w+)`', section) == members


@pytest.mark.parametrize('command', COMMANDS)
def test_the_page_of_commands_has_each_command(command):
    assert re.search(
        rf'\bgenflow {command}\b|`{command}`', PAGE.with_name('command-line.md').read_text(encoding='utf-8')
    )


@pytest.mark.parametrize(
    ('proxy', 'options', 'typed', 'fixed'),
    [
        (ActivityProxy, ActivityOptions, ActivityProxyOptions, {'name', 'version'}),
        (WorkflowProxy, ChildOptions, ChildProxyOptions, {'name', 'version'}),
        (LambdaProxy, LambdaOptions, None, {'name'}),
    ],
)
def test_an_option_of_a_proxy_is_an_argument_with_a_sentence_and_a_type(proxy, options, typed, fixed):
    fields = {field.name for field in attrs.fields(options) if field.init} | {'transport'}
    if proxy is LambdaProxy:
        fields -= {'raises'}  # no class of ours fails there; it is there for blocks of options
    arguments = set(inspect.signature(proxy).parameters) - fixed
    assert arguments == fields
    assert [name for name in fields if not re.search(rf'^ +{name}: ', proxy.__doc__, re.MULTILINE)] == []
    assert typed is None or set(typed.__annotations__) == fields
    assert CallOptions.__annotations__.keys() >= fields - {'transport'}

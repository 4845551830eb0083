"""The reference page has every public name, and every public name is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import genflow
import genflow.testing

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

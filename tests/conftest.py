"""What holds for all tests: properties are tried on the same examples each time, unless others are looked for."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import settings

#: ``ci`` tries many examples, ``search`` as many, and others each time.
PROFILE = os.environ.get('GENFLOW_PROFILE')

settings.register_profile('same', derandomize=True, database=None, deadline=None, print_blob=True)
settings.register_profile('search', database=None, deadline=None, print_blob=True)
settings.load_profile('search' if PROFILE == 'search' else 'same')


def services_of_broken_executions():
    breaking = sys.modules.get('tests.insight.breaking')
    return [] if breaking is None else breaking.OPEN


@pytest.fixture(autouse=True)
def closed_services():
    """The services that a test has made are closed with it; what serves all tests of a file stays."""
    before = len(services_of_broken_executions())
    yield
    while len(services_of_broken_executions()) > before:
        services_of_broken_executions().pop().close()

"""What holds for all tests: properties are tried on the same examples each time, unless others are looked for."""

from __future__ import annotations

import os

from hypothesis import settings

#: ``ci`` tries many examples, ``search`` as many, and others each time.
PROFILE = os.environ.get('GENFLOW_PROFILE')

settings.register_profile('same', derandomize=True, database=None, deadline=None, print_blob=True)
settings.register_profile('search', database=None, deadline=None, print_blob=True)
settings.load_profile('search' if PROFILE == 'search' else 'same')

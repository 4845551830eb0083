"""How much of a property is tried, by `GENFLOW_EXAMPLES`.

``quick`` tries a few examples of each, for the quick suite; ``ci`` and ``search`` try many, and ``search`` others each
time; without it, there are as many as the gate has time for.
"""

from __future__ import annotations

import os

PROFILE = os.environ.get('GENFLOW_EXAMPLES')

FEW = 6
"""Examples of a property in the quick suite, unless it says otherwise."""


def examples(usual: int, many: int, few: int = FEW) -> int:
    """How many to try."""
    return {'quick': few, 'ci': many, 'search': many}.get(PROFILE or '', usual)

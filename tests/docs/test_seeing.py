"""The page on seeing has every finding, with its level and meaning."""

from __future__ import annotations

import re
from pathlib import Path

import genflow.insight
from genflow.insight import RULES

PAGE = Path(__file__).resolve().parents[2] / 'docs' / 'seeing.md'


def test_the_page_has_the_table_of_findings_as_it_is():
    rows = re.findall(r'^\| `([\w-]+)` \| (cause|note|setting) \| (.+) \|$', PAGE.read_text(), re.MULTILINE)
    assert rows == [(rule.code, rule.level, rule.meaning) for rule in RULES]


def test_there_are_at_least_thirty_findings():
    assert len(RULES) >= 30


def test_the_public_names_of_insight_are_documented():
    undocumented = [
        name for name in genflow.insight.__all__ if not name.isupper() and not getattr(genflow.insight, name).__doc__
    ]
    assert undocumented == []

"""Findings as text, JSON, SARIF and annotations of GitHub: a table by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from genflow.core.text import counted
from genflow.tools.lint.findings import Finding
from genflow.tools.lint.rules import RULES

__all__ = ['FORMATS']


def _text(findings: Sequence[Finding]) -> str:
    lines = [str(finding) for finding in findings]
    fixable = sum(bool(finding.fix) for finding in findings)
    of_them = '' if len(findings) == 1 else f'{fixable} of them '
    lines.append(counted(len(findings), 'finding') + (f', {of_them}fixable with --fix' if fixable else ''))
    return '\n'.join(lines)


def _json(findings: Sequence[Finding]) -> str:
    found = [
        {
            'path': finding.path,
            'line': finding.line,
            'column': finding.column,
            'code': finding.code,
            'name': RULES[finding.code].name,
            'message': finding.text,
            'chain': list(finding.chain),
            'fixable': bool(finding.fix),
        }
        for finding in findings
    ]
    return json.dumps(found, ensure_ascii=False, indent=2)


def _sarif(findings: Sequence[Finding]) -> str:
    rules: list[dict[str, Any]] = [
        {
            'id': rule.code,
            'name': rule.name,
            'shortDescription': {'text': rule.name},
            'fullDescription': {'text': rule.why},
        }
        for rule in RULES.values()
    ]
    results = [
        {
            'ruleId': finding.code,
            'level': 'error' if finding.code < 'G1' else 'warning',
            'message': {'text': finding.message},
            'locations': [
                {
                    'physicalLocation': {
                        'artifactLocation': {'uri': _uri(finding.path)},
                        'region': {'startLine': finding.line, 'startColumn': finding.column},
                    }
                }
            ],
        }
        for finding in findings
    ]
    run = {
        'tool': {'driver': {'name': 'genflow lint', 'rules': rules}},
        'columnKind': 'unicodeCodePoints',
        'results': results,
    }
    schema = 'https://json.schemastore.org/sarif-2.1.0.json'
    return json.dumps({'$schema': schema, 'version': '2.1.0', 'runs': [run]}, ensure_ascii=False, indent=2)


def _uri(path: str) -> str:
    """A path as an URI, relative where the path is."""
    pure = PurePath(path)
    return pure.as_uri() if pure.is_absolute() else quote(pure.as_posix())


def _github(findings: Sequence[Finding]) -> str:
    return '\n'.join(
        f'::error file={_property(finding.path)},line={finding.line},col={finding.column},title={finding.code}::'
        + _data(finding.message)
        for finding in findings
    )


def _data(text: str) -> str:
    """Text as a command of GitHub's workflows takes it."""
    return text.replace('%', '%25').replace('\r', '%0D').replace('\n', '%0A')


def _property(text: str) -> str:
    """Likewise for the value of a property."""
    return _data(text).replace(':', '%3A').replace(',', '%2C')


FORMATS: dict[str, Callable[[Sequence[Finding]], str]] = {
    'text': _text,
    'json': _json,
    'sarif': _sarif,
    'github': _github,
}

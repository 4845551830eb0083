"""An execution as one self-contained HTML file: it opens from a mail, without network access or scripts.

Payloads appear as plain text only. A content security policy in the file forbids scripts and external resources.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from html import escape
from typing import Any

from genflow.core.payloads.envelopes import input_of
from genflow.insight import Diagnosis, Operation, attributes_of, duration, utc
from genflow.tools.pictures.svg import STYLE as SVG_STYLE
from genflow.tools.pictures.svg import svg, tone_of
from genflow.tools.pictures.terminal import MARKS
from genflow.tools.pictures.tree import Node, Picture
from genflow.tools.text.printable import printable

__all__ = ['html']

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

STYLE = """
:root { color-scheme: light dark; --ink: #1c2128; --soft: #5b636e; --line: #e3e6ea; --paper: #fff; --panel: #f6f7f9;
  --good: #2e7d4f; --bad: #b3392c; --warn: #8a5f00; --busy: #1f6aa5; --idle: #6a707a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --soft: #a0a8b4; --line: #2b3038; --paper: #15181d;
  --panel: #1b1f26; --good: #62c98b; --bad: #f08a7c; --warn: #e0b04c; --busy: #6bb3ec; --idle: #98a0ab; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem clamp(.75rem, 3vw, 2.5rem) 4rem; max-width: 82rem; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2.25rem 0 .75rem; }
p { margin: .3rem 0; } .finding p { white-space: pre-line; }
  .soft { color: var(--soft); } .good { color: var(--good); } .bad { color: var(--bad); }
.warn { color: var(--warn); } .busy { color: var(--busy); } .idle { color: var(--idle); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .75rem 0 0; }
dt { color: var(--soft); } dd { margin: 0; }
.finding { border-left: 4px solid var(--line); background: var(--panel); padding: .6rem .9rem; margin: .6rem 0; }
.finding.cause { border-color: var(--bad); } .finding.note { border-color: var(--busy); }
.finding.setting { border-color: var(--warn); } .finding p { white-space: pre-wrap; }
.scroll { overflow: auto; max-height: 48rem; border: 1px solid var(--line); border-radius: 6px; }
.scroll svg { display: block;
  width: 100%; min-width: 46rem; height: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--soft); } th, td { padding: .35rem .6rem; vertical-align: top;
  border-top: 1px solid var(--line); } td.number, th.number { text-align: right; white-space: nowrap; }
tbody tr { content-visibility: auto; } td.name { white-space: nowrap; }
details { margin: .1rem 0; } td details { display: inline-block; margin-right: .9rem; font-size: .9em; }
td details[open] { display: block; }
summary { cursor: pointer; } summary:focus-visible { outline: 2px solid var(--busy); }
pre { margin: .4rem 0; padding: .6rem .8rem; background: var(--panel); border-radius: 4px; white-space: pre-wrap;
  font: 12.5px/1.5 ui-monospace, monospace; max-height: 32rem; overflow: auto; }
section.events details { content-visibility: auto; contain-intrinsic-size: auto 1.8rem; border-top: 1px solid
  var(--line); padding: .2rem .1rem; margin: 0; } .id { display: inline-block; min-width: 3.5em; color: var(--soft); }
@media (max-width: 40rem) { .wide { display: none; } td.name { white-space: normal; } }
"""


def html(picture: Picture, diagnosis: Diagnosis) -> str:
    """The page: the execution, its findings, the timeline, the operations and every event."""
    view = picture.view
    parts: Iterable[str] = (
        '<!doctype html>',
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<title>{_text(view.title)}: {_text(view.status)}</title>',
        f'<style>{STYLE}{SVG_STYLE}</style></head><body>',
        *_head(diagnosis),
        '<section><h2>Timeline</h2><div class="scroll" tabindex="0" role="region" aria-label="Timeline">',
        svg(picture, titled=False),
        '</div></section>',
        *_operations(picture),
        *_events(picture),
        '</body></html>',
    )
    return '\n'.join(parts) + '\n'


def _text(value: Any) -> str:
    return escape(printable(str(value)))


def _head(diagnosis: Diagnosis) -> Iterator[str]:
    view = diagnosis.view
    mark = MARKS.get(view.status, ('', ''))[0]
    yield f'<header><h1><span class="{tone_of(view.status)}" aria-hidden="true">{mark}</span> {_text(view.title)}</h1>'
    yield f'<p>It {_text(diagnosis.state)}.</p>'
    if diagnosis.next:
        yield f'<p class="soft">Next by itself: {_text(diagnosis.next)}.</p>'
    yield '<dl>'
    for name, value in _facts(diagnosis):
        yield f'<dt>{name}</dt><dd>{_text(value)}</dd>'
    yield '</dl></header>'
    if diagnosis.findings:
        yield '<section><h2>Why</h2>'
        for finding in diagnosis.findings:
            yield f'<div class="finding {finding.level}"><p>{_text(finding.text)}</p>'
            if finding.remedy:
                yield f'<p class="soft">{_text(finding.remedy)}</p>'
            yield '</div>'
        yield '</section>'


def _facts(diagnosis: Diagnosis) -> Iterator[tuple[str, str]]:
    view = diagnosis.view
    yield 'Type', f'{view.name} {view.version}'
    if view.run_id:
        yield 'Run', view.run_id
    if view.started_at is not None:
        yield 'Started', f'{view.started_at:%Y-%m-%d %H:%M:%S} UTC'
    if view.close is not None:
        yield 'Closed', f'{view.close.at:%Y-%m-%d %H:%M:%S} UTC, after {duration(view.age(diagnosis.now))}'
    yield 'Task list', view.task_list or 'none'
    if view.tags:
        yield 'Tags', ', '.join(view.tags)
    if view.parent is not None:
        yield 'Parent', view.parent[0]
    if view.status_text:
        yield 'Status', view.status_text
    yield 'Events', f'{view.last_event_id:,}'


# operations


def _operations(picture: Picture) -> Iterator[str]:
    yield '<section><h2>Operations</h2>'
    if not picture.nodes:
        yield f'<p class="soft">{picture.without_operations}</p></section>'
        return
    yield (
        '<table><thead><tr><th>Operation</th><th>State</th><th class="number wide">Waited</th>'
        '<th class="number">Ran</th><th class="wide">Worker</th></tr></thead><tbody>'
    )
    for node in picture.walk():
        yield _operation(node, picture.now)
    yield '</tbody></table></section>'


def _operation(node: Node, now: datetime) -> str:
    operation = node.bar.operation
    last = operation.last
    mark = MARKS.get(operation.state, ('·', ''))[0]
    ran = duration(last.ran(now)) if last.started_at is not None else ''
    reason = last.failure.reason if last.has_failed else None
    failed = f'<br><span class="bad">{_text(reason)}</span>' if reason else ''
    tried = f', {len(operation.attempts)} attempts' if len(operation.attempts) > 1 else ''
    payloads = ''.join(_payload(name, text) for name, text in _payloads(operation))
    indent = f' style="padding-left: {0.6 + 1.2 * node.depth:.1f}rem"' if node.depth else ''
    return (
        f'<tr><td class="name"{indent}>{_text(operation.label)}{payloads and "<br>"}{payloads}</td>'
        f'<td><span class="{tone_of(operation.state)}">{mark} {_text(operation.state)}</span>{tried}{failed}</td>'
        f'<td class="number wide">{duration(last.waited(now))}</td><td class="number">{ran}</td>'
        f'<td class="wide">{_text(last.worker or "")}</td></tr>'
    )


def _payloads(operation: Operation) -> Iterator[tuple[str, str]]:
    last = operation.last
    failure = last.failure
    for name, text in (
        ('Input', input_of(last.attributes.get('input'))),
        ('Result', last.result),
        ('Traceback', failure.traceback),
        ('Details', failure.details),
    ):
        if text and text != 'null':
            yield name, text


def _payload(name: str, text: str) -> str:
    return f'<details><summary class="soft">{name}</summary><pre>{_text(pretty(text))}</pre></details>'


def pretty(text: str) -> str:
    """A payload with line breaks where it is JSON."""
    try:
        value = json.loads(text)
        return json.dumps(value, indent=2, ensure_ascii=False) if isinstance(value, (dict, list)) else text
    except (ValueError, RecursionError):  # it is nested too deep for anybody to read
        return text


# events


def _events(picture: Picture) -> Iterator[str]:
    yield f'<section class="events"><h2>Events ({picture.view.last_event_id:,})</h2>'
    for event in picture.view.events:
        when = utc(event['eventTimestamp'])
        attributes = json.dumps(dict(attributes_of(event)), indent=2, ensure_ascii=False, default=str)
        yield (
            f'<details id="e{event["eventId"]}"><summary><span class="id">{event["eventId"]}</span>'
            f'{_text(event["eventType"])} <span class="soft">{when:%Y-%m-%d %H:%M:%S}</span></summary>'
            f'<pre>{_text(attributes)}</pre></details>'
        )
    yield '</section>'

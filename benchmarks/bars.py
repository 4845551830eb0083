"""A picture of rates: one bar for each side, one group for each question, as SVG that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

WIDTH, LABELS, ROW, TOP = 760, 250, 24, 34
STYLE = """
text { font: 13px sans-serif; fill: #222 } .title { font-weight: 600 } .ours { fill: #2a6fb0 } .other { fill: #b9c3cd }
.spread { stroke: #555; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd } .ours { fill: #5aa2e6 } .other { fill: #5d6873 } .spread { stroke: #bbb }
}
"""


def write(path: Path, groups: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """Write a picture of medians, each with a line from the lowest to the highest.

    Args:
        path: Where to.
        groups: By title and then by side: what was measured in each round. Sides of ours begin with "genflow".
    """
    lines, heard, y = [], [], 0
    for title, sides in groups.items():
        y += TOP
        lines.append(f'<text class="title" x="8" y="{y - 10}">{escape(title)}</text>')
        medians = ', '.join(f'{name} {sorted(found)[len(found) // 2]:,.0f}' for name, found in sides.items())
        heard.append(f'{title}: {medians}.')
        longest = max((max(found) for found in sides.values()), default=1)
        for name, found in sides.items():
            lines += bar(name, sorted(found), y, (WIDTH - LABELS - 90) / longest)
            y += ROW
    height = y + 10
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-labelledby="t d"><title id="t">{escape("; ".join(groups))}</title>'
        f'<desc id="d">{escape(" ".join(heard))}</desc><style>{STYLE}</style>' + '\n'.join(lines) + '</svg>\n'
    )


def bar(name: str, found: Sequence[float], y: int, scale: float) -> list[str]:
    median = found[len(found) // 2]
    kind = 'ours' if name.startswith('genflow') else 'other'
    middle, end = y + ROW / 2, LABELS + found[-1] * scale
    return [
        f'<text x="{LABELS - 8}" y="{middle + 4}" text-anchor="end">{escape(name)}</text>',
        f'<rect class="{kind}" x="{LABELS}" y="{y + 4}" width="{median * scale:.1f}" height="{ROW - 8}"/>',
        f'<line class="spread" x1="{LABELS + found[0] * scale:.1f}" x2="{end:.1f}" y1="{middle}" y2="{middle}"/>',
        f'<text x="{end + 6:.1f}" y="{middle + 4}">{median:,.0f}</text>',
    ]

"""Count the words of a folder's text files: one activity for each piece of a file, all at once, merged at the end.

genflow run examples/wordcount.py docs

Interrupt it and run it again with `--db words.db --id words`: what was counted is not counted again.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

from genflow import Activity, Retry, Steps, Workflow, activity, workflow

TEXTS = {'.md', '.rst', '.txt'}
LINES_OF_A_PIECE = 200  # what an activity gives back must fit into SWF's 32,768 characters
WORD = re.compile(r"[a-z][a-z']*")


@activity(name='FindPieces', version=1, task_list='wordcount')
class FindPieces(Activity):
    """Lists the text files of a folder, cut into pieces: name of the file and number of the first line."""

    def run(self, folder: str) -> list[list[Any]]:
        root = Path(folder)
        if not root.is_dir():
            raise NotADirectoryError(f'{folder} is not a folder')
        pieces = []
        for path in sorted(path for path in root.rglob('*') if path.suffix in TEXTS):
            with path.open('rb') as lines:
                count = sum(1 for _ in lines)
            pieces += [[str(path.relative_to(root)), first] for first in range(0, count, LINES_OF_A_PIECE)]
        return pieces


@activity(name='CountWords', version=1, task_list='wordcount')
class CountWords(Activity):
    """Counts the words of one piece."""

    def run(self, folder: str, name: str, first: int) -> dict[str, int]:
        with Path(folder, name).open(encoding='utf-8', errors='replace') as lines:
            piece = ''.join(islice(lines, first, first + LINES_OF_A_PIECE))
        return Counter(WORD.findall(piece.lower()))


@workflow(name='WordCount', version=1, task_list='wordcount')
class WordCount(Workflow):
    """Finds the pieces, has all of them counted at once, and adds up what comes back."""

    find_pieces = FindPieces.proxy()
    count_words = CountWords.proxy(retry=Retry(4))

    def run(self, folder: str, top: int = 10) -> Steps[dict[str, Any]]:
        pieces = yield from self.find_pieces(folder)
        counts = yield [self.count_words(folder, name, first) for name, first in pieces]
        total: Counter[str] = Counter()
        for count in counts:
            total.update(count)
        return {
            'files': len({name for name, _ in pieces}),
            'words': sum(total.values()),
            'most_common': dict(sorted(total.items(), key=lambda item: (-item[1], item[0]))[:top]),
        }

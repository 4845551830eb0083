"""Reads Python files as text, and writes them back with the same encoding and line ends."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

from attrs import frozen

__all__ = ['Source', 'lines_of', 'read']

_LINE = re.compile(r'[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+')


@frozen
class Source:
    """The text of a file.

    Attributes:
        text: With the ends of lines that the file has.
        encoding: As its first lines declare it; UTF-8 unless they do.
    """

    text: str
    encoding: str

    def write(self, path: Path, text: str) -> None:
        """Writes another text in the same encoding."""
        path.write_bytes(text.encode(self.encoding))


def read(path: Path) -> Source:
    """Reads a file as Python does: by its byte order mark or its coding line.

    Raises:
        OSError: It cannot be read.
        SyntaxError: It is not in the encoding that it declares, or a notebook.
    """
    if path.suffix == '.ipynb':
        raise SyntaxError(
            'this is a notebook; export its code with `jupyter nbconvert --to script`', (str(path), 1, 0, '')
        )
    raw = path.read_bytes()
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        return Source(raw.decode(encoding), encoding)
    except SyntaxError as error:
        raise SyntaxError(error.msg, (str(path), 1, 0, '')) from error
    except UnicodeDecodeError as error:
        line = raw.count(b'\n', 0, error.start) + 1
        text = f'this is not {encoding}: {error.reason}; declare the encoding in the first line'
        raise SyntaxError(text, (str(path), line, 0, '')) from error


def lines_of(text: str) -> list[str]:
    """The lines as Python counts them, each with its end: a form feed or a separator of Unicode ends none."""
    return _LINE.findall(text)

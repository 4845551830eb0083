"""The errors of the embedded service: responses of the service, and problems with its file.

A :class:`ServiceError` is an answer: the caller of one operation gets it, and over HTTP it becomes the error
document of AWS JSON 1.0. A :class:`StoreError` is about the file that keeps everything; its message names the file
and says what to do.
"""

from __future__ import annotations

__all__ = [
    'CorruptFile',
    'DamagedRow',
    'DiskFull',
    'FileGone',
    'FileInUse',
    'ForeignFile',
    'LocalError',
    'NewerSchema',
    'ReadOnly',
    'ReadOnlyFile',
    'ServiceClosed',
    'ServiceError',
    'ServiceForked',
    'StoreError',
    'UnsupportedFileSystem',
]


class LocalError(Exception):
    """The base class of the errors of the embedded service."""


class ServiceError(LocalError):
    """One operation was refused.

    Attributes:
        code: The bare name that SDKs compare, such as ``'UnknownResourceFault'``.
        message: The text for people.
        status: The HTTP status.
        type: The full ``__type`` of the error document, ``namespace#code``.
    """

    def __init__(self, code: str, message: str, status: int, namespace: str) -> None:
        super().__init__(f'{code}: {message}')
        self.code = code
        self.message = message
        self.status = status
        self.type = f'{namespace}#{code}'

    def as_json(self) -> tuple[str, str, int, str]:
        """What it is made of."""
        return self.code, self.message, self.status, self.type.partition('#')[0]

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), self.as_json(), vars(self)


class StoreError(LocalError):
    """The file cannot be opened, read or written."""


class ServiceClosed(StoreError):
    """The service was closed, by this process itself."""


class ServiceForked(ServiceClosed):
    """The service belongs to the process that this one was forked from."""


class FileGone(StoreError):
    """The file was deleted, or replaced by another one, while it was in use."""


class FileInUse(StoreError):
    """Another process has the file, and does not share it with this one.

    Attributes:
        notice: The text that the other process wrote into the lock file.
    """

    def __init__(self, message: str, notice: str = '') -> None:
        super().__init__(message)
        self.notice = notice


class ReadOnly(StoreError):
    """The service was opened read-only (``mode='r'``), and the call would change something."""


class ForeignFile(StoreError):
    """The file belongs to another program."""


class UnsupportedFileSystem(StoreError):
    """The file is on a file system that other machines or a host may use at the same time: no lock keeps them away."""


class NewerSchema(StoreError):
    """A later version of genflow wrote the file."""


class CorruptFile(StoreError):
    """The file is damaged or truncated."""


class DamagedRow(CorruptFile):
    """One thing in the file is damaged: a domain, a type, an execution, an event or an item."""


class ReadOnlyFile(StoreError):
    """The file, or its folder, cannot be written."""


class DiskFull(StoreError):
    """The disk has no room for the next commit; what was acknowledged before is kept."""

"""The access keys that a server knows: a file in the format of the AWS command line, so that clients can read it, too.

::

    [alice]
    aws_access_key_id = AKIDALICE
    aws_secret_access_key = ...

    [build]
    aws_access_key_id = AKIDBUILD
    aws_secret_access_key = ...
    aws_session_token = ...
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from pathlib import Path

from attrs import field, frozen

from genflow.local.errors import LocalError

__all__ = ['BadCredentials', 'Credentials', 'Secret', 'read_credentials']

ACCESS_KEY, SECRET, TOKEN = 'aws_access_key_id', 'aws_secret_access_key', 'aws_session_token'


class BadCredentials(LocalError):
    """The file of access keys cannot be used; the text says why."""


@frozen
class Secret:
    """The secret of an access key.

    Attributes:
        key: The secret access key, with which requests are signed.
        token: The session token that requests must carry; ``None`` if they need none.
    """

    key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


Credentials = Mapping[str, Secret]
"""Access key -> its secret."""


def read_credentials(path: str | os.PathLike[str]) -> dict[str, Secret]:
    """The access keys in the file.

    Raises:
        BadCredentials: The file cannot be read, has no key, or a key that is incomplete or given twice.
    """
    parser = configparser.ConfigParser(interpolation=None, default_section='')
    try:
        parser.read_string(Path(path).read_text(encoding='utf-8'))
    except OSError as error:
        raise BadCredentials(f'{path}: {error.strerror}') from error
    except UnicodeDecodeError as error:
        raise BadCredentials(f'{path} is not UTF-8 text') from error
    except configparser.Error as error:
        # Its text quotes lines of the file, which may be secrets.
        raise BadCredentials(f'{path} is not in the format of ~/.aws/credentials: {type(error).__name__}') from None
    found: dict[str, Secret] = {}
    for name in parser.sections():
        access_key, secret = _secret_of(path, name, parser[name])
        if access_key in found:
            raise BadCredentials(f'{path}, [{name}]: {ACCESS_KEY} {access_key} is there twice; each key has one secret')
        found[access_key] = secret
    if not found:
        raise BadCredentials(f'{path} contains no access key: expected sections with {ACCESS_KEY} and {SECRET}')
    return found


def _secret_of(path: str | os.PathLike[str], name: str, section: Mapping[str, str]) -> tuple[str, Secret]:
    for option in (ACCESS_KEY, SECRET):
        if not section.get(option):
            raise BadCredentials(f'{path}, [{name}]: {option} is missing')
    return section[ACCESS_KEY], Secret(section[SECRET], section.get(TOKEN) or None)

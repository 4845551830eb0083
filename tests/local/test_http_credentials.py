"""The file of access keys."""

from __future__ import annotations

import pytest

from genflow.local.http.credentials import BadCredentials, Secret, read_credentials

ALICE = '[alice]\naws_access_key_id = AKIDALICE\naws_secret_access_key = a%b/c+d==\n'
BUILD = '[build]\nAWS_ACCESS_KEY_ID=AKIDBUILD\naws_secret_access_key=s\naws_session_token=t\nregion = eu-west-1\n'


@pytest.fixture
def file(tmp_path):
    def write(text, encoding='utf-8'):
        path = tmp_path / 'keys'
        path.write_text(text, encoding=encoding)
        return path

    return write


def test_the_format_of_the_aws_command_line(file):
    found = read_credentials(file(f'# who may come in\n{ALICE}\n{BUILD}'))
    assert found == {'AKIDALICE': Secret('a%b/c+d=='), 'AKIDBUILD': Secret('s', 't')}


def test_secrets_are_not_shown():
    assert repr(Secret('hidden', 'hidden')) == 'Secret()'


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('', 'contains no access key'),
        ('aws_secret_access_key = hidden', 'not in the format'),
        (f'{ALICE}{ALICE}', 'not in the format'),
        (ALICE + ALICE.replace('alice', 'bob'), 'AKIDALICE is there twice'),
        ('[a]\naws_secret_access_key = hidden', r'\[a\]: aws_access_key_id is missing'),
        ('[a]\naws_access_key_id = x', r'\[a\]: aws_secret_access_key is missing'),
        ('[a]\naws_access_key_id = x\naws_secret_access_key =', r'\[a\]: aws_secret_access_key is missing'),
    ],
)
def test_a_file_that_cannot_be_used(file, text, words):
    with pytest.raises(BadCredentials, match=words) as caught:
        read_credentials(file(text))
    assert 'keys' in str(caught.value)
    assert 'hidden' not in str(caught.value)


def test_a_file_that_is_no_text(file):
    with pytest.raises(BadCredentials, match='not UTF-8 text'):
        read_credentials(file('ä', 'latin-1'))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(BadCredentials, match='No such file'):
        read_credentials(tmp_path / 'none')

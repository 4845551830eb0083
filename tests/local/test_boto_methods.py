"""The types of boto3's methods are those of botocore's model."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from genflow.local import LocalSWF
from genflow.local.requests.model import operations

SCRIPT = Path(__file__).resolve().parent.parent.parent / '.ci' / 'swf_stub.py'


def script():
    spec = importlib.util.spec_from_file_location('genflow_swf_stub', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_stub_is_what_the_script_writes():
    stub = script()
    assert stub.STUB.read_text(encoding='utf-8') == stub.text(stub.body())


def test_the_stub_has_the_methods_that_there_are():
    text = script().STUB.read_text(encoding='utf-8')
    assert all(f'    def {name}(' in text and callable(getattr(LocalSWF, name)) for name in operations())

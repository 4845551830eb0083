"""What shrinking a failing schedule tries."""

from __future__ import annotations

from types import SimpleNamespace

from genflow.testing.explorer.shrinking import shrunk


def test_only_what_can_come_before_a_decision_is_tried_there():
    """Else the tries are used up before anything is left out."""
    tried = []

    def fails(labels):
        tried.append(list(labels))
        return SimpleNamespace(steps=(), spent=len(labels), total=len(labels)) if labels else None

    assert len(shrunk(['during end Step#1'] * 500, fails)) == 1
    assert not any(label.startswith('before during') for labels in tried for label in labels)

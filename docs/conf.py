"""How Sphinx builds the documentation: ``python3 dev.py docs``."""

from __future__ import annotations

from importlib.metadata import version as version_of

project = 'genflow'
author = 'The genflow authors'
copyright = '2026, The genflow authors'
version = release = version_of('genflow')

extensions = ['myst_parser', 'sphinx.ext.autodoc', 'sphinx.ext.napoleon']

nitpicky = False  # the signatures name types of other projects, whose inventories would have to be fetched

myst_enable_extensions = ['colon_fence', 'deflist', 'fieldlist']
myst_heading_anchors = 3

autodoc_member_order = 'bysource'
autodoc_typehints = 'signature'
napoleon_use_rtype = False

html_theme = 'furo'
html_title = f'genflow {release}'

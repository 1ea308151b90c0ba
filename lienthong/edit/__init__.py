"""Changes to inventory files that keep comments, order and every byte that is not meant.

An edit is a splice of the text at the place that the YAML parser names. A round trip through a library
would lay out the whole file anew: `ruamel.yaml` joins flow maps, shifts comments, indents lists and, when
a key goes, takes the heading of the next one with it.
"""

from __future__ import annotations

from lienthong.edit.draft import Draft
from lienthong.edit.splice import Edit, Note, Put, Take, edited
from lienthong.edit.write import Value, new_file

__all__ = ["Draft", "Edit", "Note", "Put", "Take", "Value", "edited", "new_file"]

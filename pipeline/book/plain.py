"""Words of a person → Markdown that shows them as they are."""

from __future__ import annotations

import re

#: What Markdown, MyST and HTML read as more than text: anywhere, and where a line begins. A `|` is text
#: but in a table, which `markdown.table` knows; a `_` inside a word is.
_MARKUP = re.compile(r"[\\`*{}\[\]<>&$~^]|(?<![^\W_])_|_(?![^\W_])")
_BEGINNING = re.compile(r"(?<=\A)[#+:=%(-]|(?<=\A)(\d+)([.)])")


def plain(text: str) -> str:
    """Markdown that shows a text as it is, on one line: nothing in it is markup, and nothing runs."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return _BEGINNING.sub(lambda found: f"{found[1]}\\{found[2]}" if found[1] else f"\\{found[0]}",
                          _MARKUP.sub(r"\\\g<0>", text))

"""Templates of pages, in `templates/`.

Every text of the study is made harmless as it is read, see `pipeline.book.escape`: so a template escapes nothing again.
"""

from pathlib import Path

import jinja2

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")), autoescape=False, trim_blocks=True,
    lstrip_blocks=True, keep_trailing_newline=True, undefined=jinja2.StrictUndefined)


def render(name: str, **content) -> str:
    """A page, or a piece of one, from its template `templates/{name}.md.j2`."""
    return _TEMPLATES.get_template(f"{name}.md.j2").render(content)

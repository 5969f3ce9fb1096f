"""The stage `book`."""

import sys
from pathlib import Path

from pipeline.book.assemble import assemble
from pipeline.book.html import build
from pipeline.config.errors import ConfigError, complain
from pipeline.process.cycles import search_seldom
from pipeline.process.stage import run
from pipeline.tables.stored import write_text

SOURCE = Path("build/source")
HTML = Path("build/html")
FIGURE = Path("results/answers.svg")
NO_FIGURE = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>\n'


def main() -> int:
    """Assemble and build the book of the folder that this is called in."""
    root = Path.cwd()
    try:
        assemble(root, SOURCE)
        build(root, SOURCE, HTML)
        # The README shows the first page's figure.
        drawn = SOURCE / "figures/greatest.svg"
        write_text(FIGURE, drawn.read_text(encoding="utf-8") if drawn.exists() else NO_FIGURE)
    except (ConfigError, ValueError, RuntimeError) as error:
        return complain(error)
    print(f"the book is at {HTML / 'index.html'}")
    return 0


if __name__ == "__main__":
    search_seldom()
    sys.exit(run(main))

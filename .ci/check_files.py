"""Check a built book by its files alone: `python .ci/check_files.py build/html`.

No link or anchor within the book is broken, nothing is loaded from another host, every image says
in words what it shows, no number is a `nan`, and no page is heavy.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: A page with all the pictures, styles and scripts that its HTML names, in bytes, as they lie on the
#: disk; a web server that compresses sends less.
HEAVIEST = 1_500_000
#: Attributes that name another file: a reader follows a link, a browser loads the rest.
FOLLOWED = {("a", "href"), ("area", "href")}
LOADED = {("script", "src"), ("img", "src"), ("iframe", "src"), ("embed", "src"), ("audio", "src"),
          ("video", "src"), ("video", "poster"), ("source", "src"), ("track", "src"),
          ("object", "data"), ("input", "src"), ("image", "href"), ("use", "href")}
#: What the browser fetches at once for a `link` of this kind.
LOADED_LINKS = {"stylesheet", "icon", "preload", "modulepreload", "prefetch", "preconnect",
                "dns-prefetch", "manifest"}
#: Alternative texts that say nothing: the name of a file, or fewer words than a sentence has.
FILE_NAME = re.compile(r"_images/|\.(png|svg|jpe?g|gif|webp)\s*\Z", re.IGNORECASE)
FEWEST_WORDS = 3
#: A number that is missing, and that nobody has put into words.
NO_NUMBER = re.compile(r"(?<![\w.])[+−-]?(nan|inf)(?![\w.])( %)?")
CSS_URL = re.compile(r"""url\(\s*['"]?([^'")]+)|@import\s+['"]([^'"]+)""")


@dataclass
class Page(HTMLParser):
    """What one page names.

    Attributes:
        anchors: places that a link may point to.
        links, loads: addresses that a reader follows, and that a browser loads.
        alts: of every image its address and its alternative text (None: it has none).
        words: what a reader reads, piece by piece.
    """

    text: str
    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    alts: list[tuple[str, str | None]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def __post_init__(self):
        super().__init__()
        self._inside = ""
        self.feed(self.text)
        self.close()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self._inside = tag
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        for name, value in given.items():
            if not value:
                continue
            if (tag, name) in FOLLOWED:
                self.links.append(value)
            elif (tag, name.removeprefix("xlink:")) in LOADED:
                self.loads.append(value)
            elif name == "srcset":
                self.loads += [part.split()[0] for part in value.split(",") if part.strip()]
            elif name == "style":
                self.loads += css_urls(value)
        if tag == "link" and given.get("href"):
            kinds = set((given.get("rel") or "").lower().split())
            (self.loads if kinds & LOADED_LINKS else self.links).append(given["href"])
        if tag == "img":
            self.alts.append((given.get("src") or "", given.get("alt")))

    def handle_data(self, data):
        if self._inside == "style":
            self.loads += css_urls(data)
        elif self._inside != "script":
            self.words.append(data)

    def handle_endtag(self, tag):
        self._inside = ""


def css_urls(text: str) -> list[str]:
    """The addresses in a style sheet."""
    return [first or second for first, second in CSS_URL.findall(text)]


def findings(html: Path) -> Iterator[tuple[str, str]]:
    """Everything that is wrong with the site in a folder, as pairs of file and complaint."""
    html = Path(html).resolve()
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in every_page(html)}
    if not pages:
        yield ".", "there is no page"
    for path, page in pages.items():
        name = str(path.relative_to(html))
        for address in dict.fromkeys(page.links + page.loads):
            if complaint := broken(address, path, html, pages):
                yield name, complaint
        yield from ((name, complaint) for complaint in foreign(page.loads))
        for address, alt in page.alts:
            if complaint := useless(alt):
                yield name, f"image {address}: {complaint}"
        for text in (*page.words, *(alt or "" for _, alt in page.alts)):
            if found := NO_NUMBER.search(text):
                yield name, f"says '{found[0]}' where a number is missing"
        if (weight := heaviness(path, page, html)) > HEAVIEST:
            yield name, f"weighs {weight / 1e6:.2f} MB; at most {HEAVIEST / 1e6:.1f} MB"
    for path in sorted(html.rglob("*.css")):
        addresses = css_urls(path.read_text(encoding="utf-8"))
        yield from ((str(path.relative_to(html)), complaint) for complaint in foreign(addresses))


def every_page(html: Path) -> list[Path]:
    """The pages of a site, in order; the theme keeps templates of its own in `_static`."""
    return sorted(path for path in Path(html).rglob("*.html")
                  if path.relative_to(html).parts[0] != "_static")


def target(address: str, path: Path, html: Path) -> Path | None:
    """The file that an address means on a page; None for another host, mail or inline data."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return None
    if not parts.path:
        return path
    found = ((html / parts.path.lstrip("/")) if parts.path.startswith("/")
             else path.parent / unquote(parts.path)).resolve()
    return found / "index.html" if found.is_dir() else found


def broken(address: str, path: Path, html: Path, pages: dict[Path, Page]) -> str | None:
    """What is wrong with an address on a page, if it is one within the book."""
    if urlsplit(address).scheme == "file":
        return f"{address} is a place on one machine"
    found = target(address, path, html)
    if found is None:
        return None
    if urlsplit(address).path.startswith("/"):
        return f"{address} is broken where the book is not at the top of its host"
    if not found.is_relative_to(html):
        return f"{address} leads out of the book"
    if not found.is_file():
        return f"{address} is broken: there is no such file"
    anchor = unquote(urlsplit(address).fragment)
    if anchor and found in pages and anchor not in pages[found].anchors:
        return f"{address} is broken: that page has no such anchor"
    return None


def foreign(addresses: Iterable[str]) -> Iterator[str]:
    """Addresses that a browser would load from another host."""
    for address in dict.fromkeys(addresses):
        if urlsplit(address).netloc:
            yield f"loads {address} from another host"


def useless(alt: str | None) -> str | None:
    """What is wrong with an alternative text."""
    if not (alt or "").strip():
        return "no alternative text"
    if FILE_NAME.search(alt) or len(alt.split()) < FEWEST_WORDS:
        return f"the alternative text '{alt}' does not say what it shows"
    return None


def heaviness(path: Path, page: Page, html: Path) -> int:
    """Bytes of a page with what its HTML loads."""
    files = {path, *(target(address, path, html) for address in page.loads)}
    return sum(file.stat().st_size for file in files if file and file.is_file())


def report(found: Iterable[tuple[str, str]], title: str) -> int:
    """Print complaints, equal ones once with their pages; the exit code is 1 if there are any."""
    grouped = defaultdict(list)
    for page, complaint in found:
        grouped[complaint].append(page)
    for complaint, pages in sorted(grouped.items(), key=lambda item: -len(item[1])):
        more = f" and {len(pages) - 3} more" if len(pages) > 3 else ""
        print(f"{complaint}\n    on {', '.join(pages[:3])}{more}")
    print(f"{title}: {len(grouped) or 'no'} finding{'s' * (len(grouped) != 1)}")
    return int(bool(grouped))


if __name__ == "__main__":
    sys.exit(report(findings(Path(sys.argv[1])), "the book's files"))

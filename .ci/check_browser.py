"""Look at every page of a built book in Chromium: `python .ci/check_browser.py build/html`.

On a desktop's and on a phone's width, light and dark: the page does not scroll sideways, the
console shows no error, no request fails, axe-core finds nothing serious or critical, and a phone's
buttons open the sidebars. Other
hosts cannot be reached, so whatever a page would load from one is a failed request. With
`--thorough`, every rule of axe-core is asked in every view, which takes twice as long.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import chromium
from axe_playwright_python.base import AXE_SCRIPT
from check_files import every_page, report
from playwright.async_api import Browser, async_playwright

NARROW = 390
WIDTHS = {1440: 900, NARROW: 844}
THEMES = ("light", "dark")
#: Colours depend on the theme, everything else on the width: so each is asked once for each theme,
#: and once for each width.
COLOURS = ["color-contrast", "link-in-text-block"]
RULES = {
    (1440, "light"): {},
    (1440, "dark"): None,
    (NARROW, "light"): {"rules": {name: {"enabled": False} for name in COLOURS}},
    (NARROW, "dark"): {"runOnly": {"type": "rule", "values": COLOURS}}}
AXE = """async options => {
    const shared = {resultTypes: ["violations"], preload: false, iframes: false};
    const found = await axe.run(document, {...shared, ...options});
    return found.violations.filter(({impact}) => impact === "serious" || impact === "critical").map(
        ({id, impact, nodes}) => ({
            id, impact, count: nodes.length, place: String(nodes[0].target[0]),
            why: nodes[0].any.concat(nodes[0].all, nodes[0].none)[0].message}));
}"""
SIDEWAYS = """() => {
    window.scrollTo(9999, 0);
    const moved = window.scrollX;
    window.scrollTo(0, 0);
    const page = document.documentElement;
    return Math.max(moved, page.scrollWidth - page.clientWidth);
}"""
#: Buttons of a narrow screen that open nothing; what they open is closed again.
STUCK = """() => ["primary", "secondary"].filter(side => {
    const sidebar = document.getElementById(`pst-${side}-sidebar`);
    const button = [...document.querySelectorAll(`.${side}-toggle`)].find(one => one.checkVisibility());
    if (!sidebar || !button && side === "secondary") return false;
    button?.click();
    const opened = document.getElementById(`pst-${side}-sidebar-modal`);
    const stuck = !opened?.open;
    opened?.close();
    return stuck;
})"""
#: Half-way through a change of theme, colours are neither the one nor the other.
STILL = "*, ::before, ::after { transition: none !important; animation: none !important }"
#: The theme lets boxes that scroll be reached 300 ms after the window has changed; in milliseconds.
SETTLED = 450
#: One page at a time for each processor; no page takes longer to load than this, in milliseconds.
WORKERS = os.cpu_count() or 1
TIMEOUT = 120_000

#: A page with one mistake of every kind, and what has to be found on it.
BAD = """<!DOCTYPE html><html lang="en"><head><title>A bad page</title><script>
const dark = matchMedia("(prefers-color-scheme: dark)");
const turn = () => { document.documentElement.dataset.theme = dark.matches ? "dark" : "light" };
dark.onchange = turn; turn(); console.error("a complaint"); </script>
<script src="https://elsewhere.example.org/x.js"></script></head><body><main><h1>Bad</h1>
<p style="color: #777; background: #888">Grey on grey</p><button></button>
<nav id="pst-primary-sidebar">pages</nav><button class="primary-toggle">Menu</button>
<img src="gone.png" alt="a picture that is not there"><div style="width: 2000px">wide</div>
<script>throw new Error("a mistake")</script></main></body></html>"""
MISTAKES = (
    "console: a complaint", "console: a mistake", "404: gone.png",
    "request failed: https://elsewhere.example.org/x.js",
    *(f"px at {width} px, {theme}" for width in WIDTHS for theme in THEMES),
    "serious, color-contrast at 1440 px, light", "serious, color-contrast at 390 px, dark",
    "the primary sidebar does not open at 390 px, light",
    "critical, button-name at 1440 px, light", "critical, button-name at 390 px, light")


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, *_):
        pass


async def look(browser: Browser, address: str, names: list[str], rules: dict, found: list) -> None:
    """Look at pages until no name is left.

    Args:
        browser: in which a page of its own is opened.
        address: of the book, ending in a slash.
        names: of pages below it; shared by all workers, each takes the last one.
        rules: the options of axe-core by width and theme, None where it is not asked.
        found: receives pairs of page and complaint.
    """
    context = await browser.new_context(reduced_motion="reduce")
    page = await context.new_page()
    page.set_default_timeout(TIMEOUT)
    name = ""

    def complain(text: str) -> None:
        found.append((name, text.replace(address, "")))

    page.on("console", lambda m: m.type == "error" and complain(f"console: {m.text}"))
    page.on("pageerror", lambda error: complain(f"console: {error}"))
    page.on("requestfailed", lambda r: complain(f"request failed: {r.url}"))
    page.on("response", lambda r: r.status >= 400 and complain(f"{r.status}: {r.url}"))
    while names:
        name = names.pop()
        await page.emulate_media(color_scheme=THEMES[0])
        await page.goto(address + name, wait_until="load")
        await page.add_style_tag(content=STILL)
        await page.evaluate(AXE_SCRIPT)
        for width, height in WIDTHS.items():
            await page.set_viewport_size({"width": width, "height": height})
            await page.wait_for_timeout(SETTLED)
            for theme in THEMES:
                view = f"at {width} px, {theme}"
                await page.emulate_media(color_scheme=theme)
                await page.wait_for_function(
                    "theme => document.documentElement.dataset.theme === theme", arg=theme)
                if (over := await page.evaluate(SIDEWAYS)) > 0:
                    complain(f"scrolls sideways by {over:g} px {view}")
                if (width, theme) == (NARROW, THEMES[0]):
                    for side in await page.evaluate(STUCK):
                        complain(f"the {side} sidebar does not open {view}")
                options = rules[width, theme]
                for wrong in [] if options is None else await page.evaluate(AXE, options):
                    complain("{impact}, {id} {view}: {count} × {place}: {why}".format(
                        view=view, **wrong))
    await context.close()


async def inspect(html: Path, browser: Browser, rules: dict) -> list[tuple[str, str]]:
    """All complaints about all pages of a folder, as pairs of page and complaint."""
    # A worker takes the last name that is left: the longest pages come first.
    pages = sorted(every_page(html), key=lambda path: path.stat().st_size)
    names, found = [str(path.relative_to(html)) for path in pages], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(html)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    await asyncio.gather(*(look(browser, address, names, rules, found) for _ in range(WORKERS)))
    server.shutdown()
    return found


async def run(html: Path, program: str, rules: dict) -> int:
    """Prove on a bad page that every mistake is found, then look at the book."""
    async with async_playwright() as tools:
        browser = await tools.chromium.launch(executable_path=program, args=list(chromium.ARGUMENTS))
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "index.html").write_text(BAD, encoding="utf-8")
            proof = " ".join(text for _, text in await inspect(Path(folder), browser, rules))
        if missed := [mistake for mistake in MISTAKES if mistake not in proof]:
            print(f"these mistakes were not found on a page that has them: {missed}\nbut: {proof}")
            return 1
        found = await inspect(html, browser, rules)
        await browser.close()
    return report(found, "the book in Chromium")


def main() -> int:
    """Look at the book in the folder that is named; the exit code is 1 if anything was found."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("html", type=Path)
    parser.add_argument("--thorough", action="store_true", help="every rule in every view")
    given = parser.parse_args()
    if not any(every_page(given.html)):
        print(f"there is no book in {given.html}: `make book` builds it", file=sys.stderr)
        return 1
    program = chromium.find()
    if not program:
        print(chromium.missing(), file=sys.stderr)
        return 1
    rules = dict.fromkeys(RULES, {}) if given.thorough else RULES
    return asyncio.run(run(given.html, program, rules))


if __name__ == "__main__":
    sys.exit(main())

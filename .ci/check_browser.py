"""Look at every page of a built book in Chromium: `python .ci/check_browser.py build/html`.

On a phone's and on a desktop's width, light and dark: the page does not scroll sideways, the
console shows no error, no request fails, and axe-core finds nothing serious or critical. Other
hosts cannot be reached, so whatever a page would load from one is a failed request.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from axe_playwright_python.async_playwright import Axe
from check_files import every_page, report
from playwright.async_api import Browser, async_playwright

WIDTHS = {1440: 900, 390: 844}
THEMES = ("light", "dark")
#: A theme changes nothing but colours, so that the dark theme needs the rules for colours only.
RULES = {"light": {}, "dark": {"runOnly": {"type": "rule", "values": [
    "color-contrast", "link-in-text-block"]}}}
AXE = """async options => {
    const shared = {resultTypes: ["violations"], preload: false, iframes: false};
    const found = await axe.run(document, {...shared, ...options});
    return found.violations.filter(({impact}) => impact === "serious" || impact === "critical").map(
        ({id, impact, nodes}) => ({id, impact, count: nodes.length,
                                   place: String(nodes[0].target[0]), why: nodes[0].any.concat(
                                       nodes[0].all, nodes[0].none)[0].message}));
}"""
#: Half-way through a change of theme, colours are neither the one nor the other.
STILL = "*, ::before, ::after { transition: none !important; animation: none !important }"
SIDEWAYS = """() => {
    window.scrollTo(9999, 0);
    const moved = window.scrollX;
    window.scrollTo(0, 0);
    const page = document.documentElement;
    return Math.max(moved, page.scrollWidth - page.clientWidth);
}"""
#: One page for each processor; no page waits longer than this, in milliseconds.
PAGES = int(os.environ.get("PAGES", 2))
TIMEOUT = 120_000


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and keeps their list of requests to itself."""

    def log_message(self, *_):
        pass


async def look(browser: Browser, address: str, names: list[str], found: list) -> None:
    """Look at pages, until no name is left.

    Args:
        browser: which opens one page of its own here.
        address: of the book, ending in a slash.
        names: of pages, relative to the book; every name is taken by one worker.
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
        await page.evaluate(Axe().axe_script)
        for width, height in WIDTHS.items():
            await page.set_viewport_size({"width": width, "height": height})
            for theme in THEMES:
                await page.emulate_media(color_scheme=theme)
                await page.wait_for_function(
                    "theme => document.documentElement.dataset.theme === theme", arg=theme)
                over = await page.evaluate(SIDEWAYS)
                if over > 0:
                    complain(f"scrolls sideways by {over} px at {width} px, {theme}")
                for wrong in await page.evaluate(AXE, RULES[theme]):
                    complain("{impact}, {id} at {width} px, {theme}: {count} × {place}: {why}".format(
                        width=width, theme=theme, **wrong))
    await context.close()


async def inspect(html: Path, chromium: str) -> list[tuple[str, str]]:
    """All complaints about all pages of a folder, as pairs of page and complaint."""
    names = [str(path.relative_to(html)) for path in reversed(every_page(html))]
    found = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(html)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    async with async_playwright() as tools:
        browser = await tools.chromium.launch(executable_path=chromium, args=[
            "--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"])
        address = f"http://127.0.0.1:{server.server_port}/"
        await asyncio.gather(*(look(browser, address, names, found) for _ in range(PAGES)))
        await browser.close()
    server.shutdown()
    return found


def main() -> int:
    """Check the folder that is named; the exit code is 1 if anything was found."""
    html = Path(sys.argv[1])
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which(
        "google-chrome")
    if not chromium:
        print("there is no Chromium: install it with `apt-get install chromium`", file=sys.stderr)
        return 1
    return report(asyncio.run(inspect(html, chromium)), "the book in Chromium")


if __name__ == "__main__":
    sys.exit(main())

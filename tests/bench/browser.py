"""A headless Chromium for the tests of pages: without network, and with everything that it complains about noted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

REQUIRED = "COMBOPT_REQUIRE_BROWSER"
_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextmanager
def chromium() -> Iterator[Any]:
    """A running Chromium that is installed on this machine.

    Without one the test is skipped, or fails if the variable ``COMBOPT_REQUIRE_BROWSER`` is 1.
    """
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        _without("there is no Chromium in the path")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _without("the package playwright is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def _without(reason: str) -> None:
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(f"{reason}, but {REQUIRED} is 1")
    pytest.skip(f"{reason}; the page is not tested in a browser")


def expect(locator: Any) -> Any:
    """Assertions about a locator that wait until they hold."""
    from playwright.sync_api import expect as wait

    return wait(locator)


@dataclass
class Visit:
    """An open page, what its console said of errors and warnings, and every address that it asked for."""

    page: Any
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def visit(browser: Any, file: Path, fragment: str = "", **context: Any) -> Iterator[Visit]:
    """Open a report and wait until it is ready; ``context`` are settings such as ``viewport``."""
    opened = browser.new_context(**context)
    opened.set_offline(True)
    here = Visit(opened.new_page())

    def listen(message: Any) -> None:
        if message.type in ("error", "warning"):
            here.problems.append(message.text)

    here.page.on("console", listen)
    here.page.on("pageerror", lambda error: here.problems.append(str(error)))
    here.page.on("request", lambda request: here.requests.append(request.url))
    try:
        here.page.goto(file.as_uri() + fragment)
        here.page.wait_for_selector("html[data-ready]", state="attached", timeout=60_000)
        yield here
    finally:
        opened.close()


# Texts whose contrast against what is behind them is below 4.5 (WCAG 2.1, success criterion 1.4.3).
PALE_TEXTS = r"""
() => {
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const light = ({ rgb }) => {
    const [r, g, b] = rgb.map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.a === 1) return colour;
    }
    return parse(getComputedStyle(document.body).backgroundColor);
  };
  const pale = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let count = 0;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    if (element.closest("script, option, :disabled")) continue;
    const style = getComputedStyle(element);
    const inBar = element.classList.contains("inside");
    const text = parse(element instanceof SVGElement ? style.fill : style.color);
    const back = inBar ? parse(getComputedStyle(element.previousElementSibling).fill) : behind(element);
    const [high, low] = [light(text), light(back)].sort((a, b) => b - a);
    const contrast = (high + 0.05) / (low + 0.05);
    count++;
    if (contrast < 4.5) pale.push(`${contrast.toFixed(2)} ${walker.currentNode.data.trim().slice(0, 40)}`);
  }
  return { count, pale };
}
"""

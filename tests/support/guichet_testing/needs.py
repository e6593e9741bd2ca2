# SPDX-License-Identifier: MIT
"""What a test needs beyond pip it finds, or is skipped with its reason; no skip goes untold.

A pytest plugin. `make test` ends with the list of all that was not run. Where everything should
be there, `GUICHET_TEST_REQUIRE=all` turns each skip into a failure: nothing goes missing quietly.
Only public data sets, which are no part of the project and in no package, may still be away.
"""

import os
import shutil
from collections import defaultdict
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

REQUIRE = "GUICHET_TEST_REQUIRE"
#: How the reason of a skip begins that stays one where all is required: no package holds the data.
PUBLIC_DATA = "public data beside the project is not here"


def program(*names: str, install: str) -> Path:
    """Find the first of these programs on PATH, or skip the test and say how to install it."""
    for name in names:
        if found := shutil.which(name):
            return Path(found)
    pytest.skip(f"needs {names[0]} ({install})")


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The public mail sets: ``GUICHET_CORPORA``, else ``shared/corpora`` beside the project."""
    beside = Path(__file__).parents[4] / "shared" / "corpora"
    folder = Path(os.environ.get("GUICHET_CORPORA", beside))
    if not folder.is_dir():
        pytest.skip(f"{PUBLIC_DATA}: the mail sets (set GUICHET_CORPORA to their folder)")
    return folder


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The system's Chromium, for tests that look at pages in a browser."""
    return program(
        "chromium", "chromium-browser", "google-chrome", install="Debian: apt install chromium"
    )


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """A headless browser; `browser.new_page()` opens a page.

    It lives as long as a module's tests and no longer: while it does, this thread has a running
    event loop, and `asyncio.run` refuses to work beside it.
    """
    # Chromium's sandbox refuses to start for root.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=options)
        yield started
        started.close()


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a value of the variable that would have no effect."""
    if os.environ.get(REQUIRE, "") not in {"", "all"}:
        message = f"{REQUIRE} is '{os.environ[REQUIRE]}'; it may be 'all' or unset"
        raise pytest.UsageError(message)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one where everything is required."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and _all_required():
        if _reason(report).startswith(PUBLIC_DATA):
            return report
        _fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Do the same for a whole file that skips itself while it is read."""
    report = yield
    if report.skipped and _all_required():
        _fail(report)
    return report


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List what was not run, with its reason, as the last words before the closing line."""
    tests_by_reason: dict[str, list[str]] = defaultdict(list)
    for report in terminalreporter.stats.get("skipped", []):
        tests_by_reason[_reason(report)].append(report.nodeid)
    for item in terminalreporter.stats.get("deselected", []):
        tests_by_reason["left out by the command line"].append(item.nodeid)

    terminalreporter.section("not run", sep="-")
    if not tests_by_reason:
        terminalreporter.line("nothing: every test that was found was run")
    for reason, names in sorted(tests_by_reason.items()):
        terminalreporter.line(f"{len(names)} × {reason}")
        for name in names[:10]:
            terminalreporter.line(f"    {name}")
        if len(names) > 10:
            terminalreporter.line(f"    … and {len(names) - 10} more")


def _all_required() -> bool:
    return os.environ.get(REQUIRE) == "all"


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return str(report.longrepr)


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = _reason(report)
    report.outcome = "failed"
    report.longrepr = f"{report.nodeid} was skipped, and {REQUIRE}=all allows no skip: {reason}"

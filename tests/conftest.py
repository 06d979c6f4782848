"""What holds for all tests: tiers, samples, groups, and the figures they report."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.figures import NAME, Figure, figures_of
from tests.support.missing import SWITCH as REQUIRE_ALL
from tests.support.missing import need
from tests.support.postgres import Postgres, postgres, programs
from tests.support.tiers import (
    SAMPLED,
    TierError,
    chosen_tier,
    is_drawn,
    is_run,
    scaled,
    seed,
    tier_of,
)

TESTS = Path(__file__).parent
WAIT_LONG = ("fault", "load")
"""Markers of the tests that start first, so that none is left for the end."""

UNTRACED = {"browser", "faults", "fuzz", "load", "simulation"}
"""Folders whose tests are not traced for the coverage: long runs of what others test.

Traced code takes 2.3 times as long.
"""

POSTGRES = "postgresql]"
"""Ends the names of tests that run on each kind of journal."""

settings.register_profile("tier", deadline=None, max_examples=scaled(100, 200, 2_000))
settings.load_profile("tier")  # no test is judged by its time


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the sizes of samples."""
    parser.addoption(
        "--sample",
        action="append",
        default=[],
        metavar="NAME=N",
        help="Run one of N tests of a folder, or with a marker, drawn by the seed.",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give hypothesis the seed of the run."""
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(seed())


def pytest_report_header() -> str:
    """Print the tier and the seed, which together repeat a run."""
    return f"tier: {chosen_tier()}, seed: {seed()}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Select the tests of the tier, and keep one Chromium a file of browser tests."""
    chosen = chosen_tier()
    sizes = [each.split("=", 1) for each in config.getoption("--sample")]
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        path = item.path.relative_to(TESTS)
        markers = {mark.name for mark in item.iter_markers()}
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            markers.add(SAMPLED)
        try:
            selected = is_run(chosen, tier_of(path, markers), markers)
        except TierError as exc:
            raise pytest.UsageError(str(exc)) from exc
        named = {path.parts[0], *markers}
        one_of = max((int(n) for name, n in sizes if name in named), default=1)
        selected &= is_drawn(item.nodeid, one_of)
        (kept if selected else left_out).append(item)
        if path.parts[0] in UNTRACED:
            item.add_marker(pytest.mark.no_cover)  # of pytest-cov
        if path.parts[0] == "browser" and "xdist_group" not in markers:
            item.add_marker(pytest.mark.xdist_group(path.name))
        if "postgresql" in getattr(item, "fixturenames", ()) or item.name.endswith(
            POSTGRES
        ):
            item.add_marker(pytest.mark.xdist_group("postgresql"))
    if left_out:
        config.hook.pytest_deselected(items=left_out)
    kept.sort(key=lambda item: not any(map(item.get_closest_marker, WAIT_LONG)))
    items[:] = kept


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[
    None, pytest.CollectReport, pytest.CollectReport
]:
    """Fail if a file is skipped for a missing package and everything is required."""
    report = yield
    if report.skipped and os.environ.get(REQUIRE_ALL) == "1":
        report.outcome = "failed"
        report.longrepr = f"skipped, but {REQUIRE_ALL}=1: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def database_server() -> Iterator[Postgres]:
    """Run one PostgreSQL for all tests of this process that use it."""
    need(programs(), "PostgreSQL")
    with postgres() as server:
        yield server


@pytest.fixture
def postgresql(database_server: Postgres) -> str:
    """Return the address of an empty database."""
    return database_server.create(f"t{secrets.token_hex(6)}")


@pytest.fixture
def reachable(tmp_path: Path) -> Iterator[Path]:
    """Return a folder that other users can reach, such as the one of a database.

    pytest's own folders are not: each run of pytest closes their parent to others, also
    while another run uses them. What programs logged there is kept in ``tmp_path``.
    """
    with tempfile.TemporaryDirectory(prefix="two-gaps-") as made:
        folder = Path(made)
        folder.chmod(0o711)
        yield folder
        for log in folder.rglob("*.log"):
            shutil.copy(log, tmp_path / "-".join(log.relative_to(folder).parts))


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Figure:
    """Report a measured figure, printed after the run although the test passes."""
    return lambda text: record_property(NAME, text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests reported."""
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        if report.when == "call"
    ]
    found = figures_of(reports)
    if found:
        terminalreporter.section("figures")
        terminalreporter.write_line("\n".join(found))

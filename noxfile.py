"""The only entry to the project's aims: `python3 -m nox -l` lists them.

All but lint share one runtime environment (about 7 GB with torch); lint has a small one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
RUNTIME = ROOT / ".nox" / "runtime"
PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")

nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_existing_virtualenvs = True


def runtime(session: nox.Session) -> str:
    """Path of the shared environment's Python; installs it when pyproject.toml has changed."""
    binaries = RUNTIME / ("Scripts" if os.name == "nt" else "bin")
    python = binaries / "python"
    stamp = RUNTIME / "installed"
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest() + sys.version
    if not stamp.is_file() or stamp.read_text() != wanted:
        shutil.rmtree(RUNTIME, ignore_errors=True)
        session.log("installing the runtime environment (torch and friends, about 3 minutes)")
        session.run(sys.executable, "-m", "venv", str(RUNTIME), external=True)
        groups = nox.project.dependency_groups(PYPROJECT, "tests", "types")
        session.run(str(python), "-m", "pip", "install", "--quiet", "--editable", str(ROOT), *groups, external=True)
        stamp.write_text(wanted)
    # commands that the tests start must find this environment first
    session.env["PATH"] = os.pathsep.join([str(binaries), os.environ.get("PATH", "")])
    session.env["RAY_USAGE_STATS_ENABLED"] = "0"
    session.env["PYTHONUNBUFFERED"] = "1"
    return str(python)


def pytest(session: nox.Session, *arguments: str) -> None:
    session.run(runtime(session), "-m", "pytest", *arguments, *session.posargs, external=True)


@nox.session(venv_backend="none")
def demo(session: nox.Session) -> None:
    """Sample world -> build-mix6 on Ray -> train -> zeroshot -> leaderboard, all below demo/."""
    session.run(runtime(session), str(ROOT / "tests" / "end_to_end" / "demo.py"), *session.posargs, external=True)


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """All tests but the slow ones; about 10 minutes."""
    pytest(session, "-m", "not slow and not gpu", "--ignore=tests/benchmarks")


@nox.session(venv_backend="none")
def slow(session: nox.Session) -> None:
    """Kills, browsers, big exports, the wheel."""
    if not any(shutil.which(name) for name in CHROMIUM):
        install_debian_package(session, "chromium")
    pytest(session, "-m", "slow and not gpu", "--ignore=tests/benchmarks")


def install_debian_package(session: nox.Session, package: str) -> None:
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        session.warn(f"{package} is not installed and cannot be installed here: install it by hand")
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", package]):
        subprocess.run(command, check=True, env=quiet, stdout=subprocess.DEVNULL)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, layers, spelling."""
    session.install(*nox.project.dependency_groups(PYPROJECT, "lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", env={"PYTHONPATH": str(ROOT)})
    session.run(
        "codespell",
        "dpt_bench",
        "data_recipes",
        "leaderboards",
        "tests",
        "noxfile.py",
        *sorted(map(str, ROOT.glob("*.md"))),
    )


@nox.session(venv_backend="none")
def types(session: nox.Session) -> None:
    """mypy, strict."""
    session.run(runtime(session), "-m", "mypy", external=True)


@nox.session(venv_backend="none")
def golden(session: nox.Session) -> None:
    """Comparisons with reference outputs, the large networks too."""
    pytest(session, "-m", "golden")


@nox.session(venv_backend="none")
def bench(session: nox.Session) -> None:
    """Ratios against named baselines, measured in one run."""
    pytest(session, "tests/benchmarks", "-s")


@nox.session(venv_backend="none")
def gpu(session: nox.Session) -> None:
    """Checks that need a CUDA device."""
    pytest(session, "-m", "gpu")

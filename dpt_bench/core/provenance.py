"""What made a file: package version, commit, platform; and the hashes by which lists and files are named."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


@cache
def package_version() -> str:
    try:
        return version("dpt-bench")
    except PackageNotFoundError:  # a checkout on sys.path that was never installed
        return "0+unknown"


@cache
def git_commit() -> str | None:
    """Commit of the checkout this package runs from, with "+dirty" when files are changed; None outside a checkout."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    try:
        head = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True, timeout=10
        )
        state = subprocess.run(
            ["git", "status", "--porcelain", "-uno"], cwd=root, capture_output=True, text=True, check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return head.stdout.strip() + ("+dirty" if state.stdout.strip() else "")


@cache
def sources_sha256(*parts: str, root: Path = Path(__file__).resolve().parents[1]) -> str:
    """Identity of code as it lies on disk: the names and bytes of the Python files in these parts of the package.

    parts: folders and files, relative to `root`. What a checkout has edited and not committed counts.
    """
    files = [
        file for part in parts for file in ([root / part] if part.endswith(".py") else (root / part).rglob("*.py"))
    ]
    lines = sorted(f"{file.relative_to(root).as_posix()} {sha256_of_file(file)}" for file in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def provenance() -> dict[str, str | None]:
    """JSON-able facts about the software that runs."""
    return {
        "package_version": package_version(),
        "git_commit": git_commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
    }


def sha256_of_keys(keys: Iterable[str]) -> str:
    """Identity of an image list: sha256 of the sorted keys joined by newlines."""
    return hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()


def sha256_of_file(path: Path) -> str:
    """Hex digest of a file's bytes, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

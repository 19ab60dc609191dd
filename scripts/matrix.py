"""Runs the tests on every Python that is found, and once with the oldest dependencies allowed: `make test-matrix`.

    python scripts/matrix.py [-p VERSION] [-p oldest] [argument of pytest ...]

Each run has its own environment in .matrix/, with the locked dependencies; in the last one, the SDK's own dependencies
have the lowest versions that pyproject.toml allows. It looks for Pythons on PATH, and among those of pyenv and uv, and
names the versions that this machine lacks. The exit code is 1 if a run fails.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".matrix"
LOCKED = ROOT / "requirements-dev.txt"
OLDEST = "oldest"
# old packages use features that newer ones deprecate; import-linter does not work with an old rich
FOR_OLDEST = ["-W", "ignore::DeprecationWarning", "--ignore=tests/tools/test_layers.py"]
FIRST_MINOR = 11


def main() -> int:
    parser = argparse.ArgumentParser(prog="make test-matrix", description="Runs the tests on every Python there is.")
    parser.add_argument("-p", "--python", action="append", help="only this version, such as 3.12, or 'oldest'")
    options, arguments = parser.parse_known_args()
    FOLDER.mkdir(exist_ok=True)
    results, missing = [], []
    for version in options.python or [*versions(), OLDEST]:
        python = find(f"3.{FIRST_MINOR}" if version == OLDEST else version)
        if python is None:
            missing.append(version)
            continue
        print(f"--- {version}: {python}", flush=True)
        started = time.monotonic()
        try:
            environment = set_up(version, python)
            more = FOR_OLDEST if version == OLDEST else []
            done = subprocess.run([environment, "-m", "pytest", *more, *arguments], cwd=ROOT, check=False)
            outcome = "passed" if done.returncode == 0 else "FAILED"
        except subprocess.CalledProcessError as error:
            outcome = f"FAILED to set up\n{error.stderr}".rstrip()
        results.append((version, f"{outcome}, {time.monotonic() - started:.0f} s"))
    print("---", *(f"{version:6} {outcome}" for version, outcome in results), sep="\n")
    if missing:
        print(f"not found: {', '.join(missing)}")
    return int(any("FAILED" in outcome for _, outcome in results))


def versions() -> list[str]:
    """The minor versions of CPython that are released, as far as uv knows, oldest first."""
    known = json.loads(_uv("python", "list", "--offline", "--only-downloads", "--output-format=json"))
    minors = {
        each["version_parts"]["minor"]
        for each in known
        if each["implementation"] == "cpython" and each["version"].replace(".", "").isdigit()
    }
    return [f"3.{minor}" for minor in sorted(minors) if minor >= FIRST_MINOR]


def find(version: str) -> Path | None:
    """The interpreter of a version; None if there is none."""
    try:
        return Path(_uv("python", "find", "--no-project", "--system", "--offline", version).strip())
    except subprocess.CalledProcessError:
        return None


def set_up(version: str, python: Path) -> Path:
    """The interpreter of an environment with the SDK and all that its tests need."""
    folder = FOLDER / version
    requirements = oldest() if version == OLDEST else LOCKED
    _uv("venv", "--allow-existing", "--python", str(python), str(folder))
    into = ("--python", str(folder))
    _uv("pip", "sync", *into, "--require-hashes", str(requirements))
    _uv("pip", "install", *into, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def oldest() -> Path:
    """The locked requirements, but with our own dependencies in the lowest versions allowed."""
    compile_ = ("pip", "compile", "--all-extras", f"--python-version=3.{FIRST_MINOR}", "pyproject.toml")
    lowest, requirements = FOLDER / "lowest.txt", FOLDER / "oldest.txt"
    lowest.unlink(missing_ok=True)
    _uv(*compile_, "--resolution=lowest-direct", "--no-deps", f"--output-file={lowest}")
    # uv keeps the versions of an existing output file as long as they fit
    shutil.copy(LOCKED, requirements)
    complete = ("--group=build", "--group=dev", "--generate-hashes")
    _uv(*compile_, *complete, f"--override={lowest}", f"--output-file={requirements}")
    return requirements


def _uv(*arguments: str) -> str:
    """Runs uv, and returns its output. It downloads no Python, and finds pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [*map(str, pyenv.glob("versions/*/bin")), os.environ.get("PATH", "")]
    environ = {**os.environ, "PATH": os.pathsep.join(folders), "UV_PYTHON_DOWNLOADS": "never"}
    command = [sys.executable, "-m", "uv", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())

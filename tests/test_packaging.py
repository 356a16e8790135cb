"""The wheel holds everything: in an empty environment it serves the start page. The Dockerfile's steps hold."""

import re
import subprocess
import sys
import time
import venv
from pathlib import Path

import httpx
import pytest

from tests.conftest import free_port

ROOT = Path(__file__).parent.parent


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def empty_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with only pip in it."""
    folder = tmp_path_factory.mktemp("empty") / "venv"
    venv.create(folder, with_pip=True)
    return folder / ("Scripts" if sys.platform == "win32" else "bin")


def test_the_wheel_installed_in_an_empty_environment_serves_the_start_page(
    empty_environment: Path, tmp_path: Path
) -> None:
    run(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path, ROOT, cwd=tmp_path)
    wheel = next(tmp_path.glob("citizen_collector-*.whl"))
    python = empty_environment / "python"
    run(python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel, cwd=tmp_path)
    port = free_port()
    server = subprocess.Popen(
        [str(empty_environment / "collector"), "serve", "--data", str(tmp_path / "data"), "--port", str(port)],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        answer = wait_for(f"http://127.0.0.1:{port}/")
        assert answer.status_code == 200 and "Su voz cuenta" in answer.text
        assert "date" not in answer.headers  # docs/offline.md, "Clocks"
        style = re.search(r'href="(/static/[^"]+base\.css)"', answer.text)
        assert style and httpx.get(f"http://127.0.0.1:{port}{style[1]}").status_code == 200
        report = run(
            empty_environment / "collector", "form", "check", ROOT / "collector/starter/tarjeta.md", cwd=tmp_path
        )
        assert "Error" not in report
    finally:
        server.terminate()
        _, said = server.communicate(timeout=15)
    assert b"Traceback" not in said


def wait_for(url: str) -> httpx.Response:
    deadline = time.monotonic() + 20
    while True:
        try:
            return httpx.get(url, headers={"Accept-Language": "es"})
        except httpx.TransportError:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.1)


def test_the_dockerfile_copies_what_exists_and_all_that_the_build_needs() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copied = {word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]}
    assert all((ROOT / name).exists() for name in copied)
    build = (ROOT / "pyproject.toml").read_text()
    needed = set(re.findall(r"^(templates|static) = ", build, re.M)) | {
        "collector",
        "sync",
        "pyproject.toml",
        "README.md",
    }
    assert needed <= copied
    assert any(line.startswith("USER ") and line != "USER root" for line in lines)
    assert any(line.startswith("HEALTHCHECK ") for line in lines) and any(line.startswith("VOLUME ") for line in lines)


def test_the_dockerfiles_install_step_works_on_exactly_what_it_copies(empty_environment: Path, tmp_path: Path) -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    for line in lines:
        if line.startswith("COPY "):
            *names, target = line.split()[1:]
            for name in names:
                run("cp", "-r", ROOT / name, tmp_path / (target if len(names) == 1 else name), cwd=tmp_path)
    install = next(line for line in lines if "pip install" in line).removeprefix("RUN python ").split()
    run(
        empty_environment / "python",
        *install,
        "--no-deps",
        "--force-reinstall",
        "--target",
        tmp_path / "out",
        cwd=tmp_path,
    )
    assert (tmp_path / "out/collector/templates/base_citizen.html").is_file()
    assert (tmp_path / "out/collector/starter/confianza.xlsx").is_file()

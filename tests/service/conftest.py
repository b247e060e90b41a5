"""A small project on disk, and real processes that work on it."""

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from command import Done
from cycle_states import Desk, Reach

from ratchet.config.settings import ROLES, Settings
from service.cli import main
from service.loop import improve
from service.machine import only_json
from service.session import Session, open_session

REPOSITORY = Path(__file__).parents[2]
FACTS = {
    "opening": ("When do you open?", "We open at 9:40 in the morning."),
    "closing": ("When do you close?", "We close at 18:20 in the evening."),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose scripted agent answers right when, and only when, the handbook is in its context."""
    task = tmp_path / "tasks" / "desk"
    documents = task / "documents"
    documents.mkdir(parents=True)
    cases, script = [], []
    for number in range(40):
        question, answer = f"What is the price of item{number:03d}?", f"{number + 100} coins"
        (documents / f"item{number:03d}.md").write_text(f"The price of item{number:03d} is {answer}.\n")
        split = "train" if number % 2 else "holdout"
        cases.append({"id": f"c{number}", "input": question, "expected": answer, "split": split})
        match = f"in this text:[\\s\\S]*price of item{number:03d} is[\\s\\S]*What is the price of item{number:03d}"
        script.append({"match": match, "anywhere": True, "reply": answer})
    script.append({"match": "", "reply": "I do not know."})
    (task / "cases.jsonl").write_text("\n".join(json.dumps(case) for case in cases) + "\n")
    (task / "task.toml").write_text(
        'description = "Tells prices"\ncomponents = ["desk"]\n\n'
        '[[criteria]]\nname = "correct"\nkind = "contains"\nrequired = true\n\n'
        '[[context_sources]]\nname = "handbook"\nkind = "documents"\npath = "documents"\n'
    )
    (tmp_path / "behavior_rules.json").write_text('{"rules": ["Be polite."]}\n')
    (tmp_path / "task_prompts.json").write_text('{"desk": "Answer the customer."}\n')
    (tmp_path / "script.json").write_text(json.dumps(script))
    return tmp_path


@pytest.fixture
async def session(project: Path) -> AsyncIterator[Session]:
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        home=project / "home",
        tasks_dir=project / "tasks",
        rules_file=project / "behavior_rules.json",
        prompts_file=project / "task_prompts.json",
        **{f"{role}_model": f"scripted:{project / 'script.json'}" for role in ROLES},  # type: ignore[arg-type]
    )
    async with open_session(settings) as opened:
        yield opened


@pytest.fixture
def stopped(session: Session) -> Any:
    """Runs `improve` and stops it at the first progress that says `words`."""

    async def run(words: str) -> None:
        def tell(text: str = "", **_: Any) -> None:
            if words in text:
                running.cancel()

        running = asyncio.create_task(improve(session, "desk", tell))
        with pytest.raises(asyncio.CancelledError):
            await running

    return run


@pytest.fixture
def environment(project: Path) -> dict[str, str]:
    """Environment of a process in the project's folder: the scripted model in every role, all paths default."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RATCHET_", "OPENAI_", "LANG"))}
    roles = {
        f"RATCHET_{role}_MODEL": f"scripted:{project / 'script.json'}"
        for role in ("AGENT", "JUDGE", "ANALYST", "OPTIMIZER")
    }
    return kept | roles | {"LANGSMITH_TRACING": "false"}


@pytest.fixture
def ratchet(
    project: Path,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Callable[..., Done]:
    """Run a command in the project."""
    monkeypatch.chdir(project)
    for name, value in environment.items():
        if name.startswith("RATCHET_"):
            monkeypatch.setenv(name, value)

    def run(*arguments: str) -> Done:
        monkeypatch.setattr("sys.argv", ["ratchet", *arguments])
        capfd.readouterr()
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            only_json.end()
        captured = capfd.readouterr()
        return Done(int(ended.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def faq(tmp_path: Path) -> Path:
    """A project with the task of the demo. The model copies an answer from the handbook where the right document is in
    its context, except for every fourth question, which it never understands."""
    shutil.copytree(REPOSITORY / "tasks" / "support_faq", tmp_path / "tasks" / "support_faq")
    (tmp_path / "behavior_rules.json").write_text('{"rules": ["Be polite."]}\n')
    (tmp_path / "task_prompts.json").write_text('{"support_faq": "A prompt that is nobody\'s business."}\n')
    script = []
    lines = (tmp_path / "tasks" / "support_faq" / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    for case in (json.loads(line) for n, line in enumerate(lines) if n % 4):
        answers = "|".join(re.escape(answer) for answer in case["expected"])
        match = f"in this text:[\\s\\S]*({answers})[\\s\\S]*{re.escape(case['input'])}"
        script.append({"match": match, "anywhere": True, "reply": case["expected"][0]})
    (tmp_path / "script.json").write_text(json.dumps([*script, {"match": "", "reply": "I do not know."}]))
    return tmp_path


@pytest.fixture(scope="session")
def kept_states(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    return tmp_path_factory.mktemp("states"), {}


@pytest.fixture
def reach(
    project: Path,
    ratchet: Callable[..., Done],
    monkeypatch: pytest.MonkeyPatch,
    kept_states: tuple[Path, dict[str, str]],
) -> Reach:
    """Brings the project to a state of `cycle_states.STATES` and returns the id of its cycle."""
    monkeypatch.setenv("RATCHET_MIN_SOURCES", "1")
    return Reach(Desk(project, ratchet, monkeypatch), *kept_states)


@pytest.fixture
def write_script(project: Path) -> Callable[[list[dict[str, Any]]], None]:
    """Puts entries before those of the project's script."""

    def write(replies: list[dict[str, Any]]) -> None:
        file = project / "script.json"
        file.write_text(json.dumps(replies + json.loads(file.read_text())))

    return write


class DevServer:
    """A `langgraph dev` process on a free loopback port."""

    def __init__(self, folder: Path, environment: dict[str, str], config: dict[str, Any]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"server-{self.port}.log"
        (folder / "langgraph.json").write_text(json.dumps(config))
        command = [
            sys.executable, "-m", "langgraph_cli", "dev", "--no-browser", "--no-reload", "--port", str(self.port),
        ]  # fmt: skip
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.url}/ok", timeout=2).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.3)
        raise AssertionError(f"the server did not come up:\n{self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End it as Ctrl-C would."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()


@pytest.fixture
def dev_server(project: Path, environment: dict[str, str]) -> Iterator[Callable[..., DevServer]]:
    """Start servers on the project; they share its databases."""
    started: list[DevServer] = []
    ours = json.loads((REPOSITORY / "langgraph.json").read_text())
    ours["dependencies"] = [str(REPOSITORY)]
    ours["checkpointer"]["path"] = str(REPOSITORY / ours["checkpointer"]["path"])

    def start(config: dict[str, Any] = ours) -> DevServer:
        started.append(DevServer(project, environment, config))
        return started[-1]

    yield start
    for server in started:
        server.stop()

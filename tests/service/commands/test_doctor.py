import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import Done

JUDGE = '\n[[criteria]]\nname = "good"\nkind = "judge"\nquestion = "Is it good?"\nrequired = true\n'
CANARY = '\n[canary]\ninput = "What is the price of item001?"\noutput = "Free."\nexpected = "101 coins"\n'
PASSES = [{"match": "You check one answer", "reply": {"reason": "fine", "verdict": True}}]
FAILS = [{"match": "You check one answer", "reply": {"reason": "bad", "verdict": False}}]


@pytest.fixture
def examine(project: Path, ratchet: Callable[..., Done], write_script: Callable[..., None]) -> Callable[..., Any]:
    """Runs `ratchet doctor` with more in task.toml; the exit code and one finding, by default that on the canary."""

    def run(more: str, replies: list[dict[str, Any]], about: str = "canary of desk") -> tuple[int, Any]:
        with (project / "tasks/desk/task.toml").open("a") as file:
            file.write(more)
        write_script(replies)
        done = ratchet("doctor", "--json")
        findings = {row["name"]: row for row in done.json["findings"]}
        return done.code, findings.get(about)

    return run


@pytest.mark.parametrize(
    ("setting", "state", "text"),
    [
        ("none", "ok", "none: documents and solved cases are found by their words alone"),
        ("local", "ok", "local:l2_supercat_256 answers in "),
        ("openai:small", "error", "embedding model openai:small does not answer"),
    ],
)
def test_doctor_tells_the_embedding_model(
    examine: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, setting: str, state: str, text: str
) -> None:
    monkeypatch.setenv("RATCHET_EMBEDDING_MODEL", setting)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("RATCHET_RETRIES", "0")

    _, found = examine("", [], "embedding model")

    assert found["state"] == state
    assert found["text"].startswith(text)


def test_doctor_warns_where_the_packaged_embedding_model_is_missing(
    examine: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ratchet.embedding.opening.packaged_files", lambda: None)
    monkeypatch.setenv("RATCHET_EMBEDDING_MODEL", "local")

    code, found = examine("", [], "embedding model")

    assert (code, found["state"]) == (0, "warning")
    assert "words alone are compared; run pip install 'ratchet-agents[local]'" in found["text"]


def test_doctor_says_what_embedding_models_there_are(
    examine: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATCHET_EMBEDDING_MODEL", "big")

    code, found = examine("", [], "settings and database")

    assert (code, found["state"]) == (1, "error")
    assert "'big' is no embedding model; use local, openai:NAME or none" in found["text"]


def test_doctor_says_nothing_about_a_canary_where_code_decides(examine: Callable[..., Any]) -> None:
    assert examine("", []) == (0, None)


def test_doctor_warns_of_a_judge_without_a_canary(examine: Callable[..., Any]) -> None:
    code, found = examine(JUDGE, PASSES)
    assert (code, found["state"]) == (0, "warning")
    assert "[canary]" in found["text"]


def test_doctor_accepts_a_canary_that_fails(examine: Callable[..., Any]) -> None:
    code, found = examine(JUDGE + CANARY, FAILS)
    assert (code, found["state"], found["text"]) == (0, "ok", "fails, as it has to (correct, good)")


def test_doctor_warns_of_a_canary_that_says_nothing_about_the_judge(examine: Callable[..., Any]) -> None:
    code, found = examine(JUDGE + CANARY, PASSES)
    assert (code, found["state"]) == (0, "warning")
    assert "no judge criterion fails it" in found["text"]


def test_doctor_fails_where_the_canary_passes(examine: Callable[..., Any]) -> None:
    code, found = examine(CANARY.replace("Free.", "101 coins"), PASSES)
    assert (code, found["state"]) == (1, "error")
    assert "passes (correct)" in found["text"]


def test_doctor_fails_where_the_canary_cannot_be_scored(examine: Callable[..., Any]) -> None:
    code, found = examine(JUDGE.replace("true", "false") + CANARY.replace("Free.", "101 coins"), [])
    assert (code, found["state"]) == (1, "error")
    assert "could not be scored (good: judge model" in found["text"]


def test_doctor_leaves_a_wrong_task_file_to_its_own_line(examine: Callable[..., Any]) -> None:
    assert examine("colour = 1\n", []) == (1, None)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('[proposers]\nuse = ["nowhere:One"]', "task desk: proposers.use: 'nowhere:One' cannot be imported"),
        ('[race]\nuse = "json:dumps"', "task desk: race.use: 'json:dumps' is no RacePolicy"),
    ],
)
def test_doctor_names_a_part_of_the_users_that_cannot_be_used(
    project: Path, ratchet: Callable[..., Done], table: str, told: str
) -> None:
    with (project / "tasks/desk/task.toml").open("a") as file:
        file.write(f"\n{table}\n")
    done = ratchet("doctor", "--json")
    (finding,) = [row for row in done.json["findings"] if row["name"] == "task desk"]
    assert (done.code, finding["state"]) == (1, "error")
    assert finding["text"].startswith(told)


CODE = """
async def agent(text, call):
    return await call("desk", text)

def blocking_agent(text, call):
    return "yes"

def judged(inputs, outputs, reference_outputs):
    return True

class Retriever:
    async def ainvoke(self, query):
        return []

retriever = Retriever()
number = 7
"""
AGENT = '\n[agent]\nuse = "desk_code:{}"\n'
PYTHON = '\n[[criteria]]\nname = "mine"\nkind = "python"\nuse = "{}"\n'
RETRIEVER = '\n[[context_sources]]\nname = "web"\nkind = "python"\nuse = "desk_code:{}"\n'


@pytest.fixture
def code(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code of the user's, in the project's folder."""
    (project / "desk_code.py").write_text(CODE)
    (project / "exiting_code.py").write_text("import sys\nsys.exit('usage: exiting_code FILE')\n")
    for name in ("desk_code", "exiting_code"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_doctor_accepts_code_that_can_run(code: None, examine: Callable[..., Any]) -> None:
    more = AGENT.format("agent") + PYTHON.format("desk_code:judged") + RETRIEVER.format("retriever")
    assert examine(more, [], "task desk")[1]["state"] == "ok"


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (AGENT.format("gone"), "agent.use: 'desk_code:gone' cannot be imported: AttributeError: "),
        (AGENT.format("blocking_agent"), "agent.use: 'desk_code:blocking_agent' is neither a Runnable nor an async"),
        (PYTHON.format("no_such_code:f"), "criterion mine: 'no_such_code:f' cannot be imported: ModuleNotFoundError: "),
        (PYTHON.format("exiting_code:f"), "'exiting_code:f' cannot be imported: SystemExit: usage: exiting_code FILE"),
        (PYTHON.format("desk_code:number"), "criterion mine: 'desk_code:number' is no function"),
        (RETRIEVER.format("gone"), "context source 'web': 'desk_code:gone' cannot be imported: AttributeError: "),
        (RETRIEVER.format("number"), "context source 'web': desk_code:number is no retriever"),
    ],
)
def test_doctor_says_what_cannot_run(code: None, examine: Callable[..., Any], more: str, problem: str) -> None:
    exit_code, found = examine(more, [], "task desk")
    assert (exit_code, found["state"]) == (1, "error")
    assert problem in found["text"]


def test_doctor_says_all_that_cannot_run(code: None, examine: Callable[..., Any]) -> None:
    _, found = examine(AGENT.format("gone") + PYTHON.format("desk_code:gone"), [], "task desk")
    assert "agent.use: 'desk_code:gone'" in found["text"]
    assert "criterion mine: 'desk_code:gone'" in found["text"]


def test_doctor_finds_a_script_in_the_project_s_folder(
    project: Path, ratchet: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "desk_script.py").write_text("def reply(messages, request):\n    return 'OK'\n")
    monkeypatch.setenv("RATCHET_AGENT_MODEL", "scripted:desk_script:reply")
    findings = {row["name"]: row for row in ratchet("doctor", "--json").json["findings"]}
    assert findings["agent model"]["state"] == "ok"


@pytest.mark.parametrize(
    "context", [[{"source": "nowhere"}], [{"source": "handbook"}, {"source": "manual", "top_k": 2}]]
)
def test_doctor_names_a_source_that_a_prompt_fetches_from_and_that_is_none(
    project: Path, examine: Callable[..., Any], context: list[Any]
) -> None:
    written = {"desk": {"prompt": "Answer.", "context": context}}
    (project / "task_prompts.json").write_text(json.dumps(written))
    code, found = examine("", [], about="task desk")
    assert (code, found["state"]) == (1, "error")
    source = context[-1]["source"]
    assert f"the prompt of desk fetches from {source!r}, which is no source of the task" in found["text"]


@pytest.mark.parametrize("put", [lambda path: path.symlink_to("tasks"), lambda path: path.write_text("a file")])
def test_doctor_fails_where_the_tasks_cannot_be_read(
    project: Path, ratchet: Callable[..., Done], put: Callable[[Path], Any]
) -> None:
    (project / "tasks").rename(project / "kept")
    put(project / "tasks")
    done = ratchet("doctor", "--json")
    assert done.code == 1
    assert "tasks: cannot be read (" in done.out


@pytest.mark.parametrize("way", [str.upper, lambda text: f" {text}\t", lambda text: text.replace(" ", "\u3000")])
def test_doctor_counts_what_is_in_both_splits(project: Path, examine: Callable[..., Any], way: Any) -> None:
    file = project / "tasks/desk/cases.jsonl"
    cases = [json.loads(line) for line in file.read_text().splitlines()]
    held_out = [case for case in cases if case["split"] == "holdout"]
    twins = [
        case | {"id": f"twin{n}", "input": way(case["input"]), "split": "train"} for n, case in enumerate(held_out)
    ]
    with file.open("a") as written:
        written.writelines(json.dumps(case) + "\n" for case in twins)
    code, found = examine("", [], "splits of desk")
    assert (code, found["state"]) == (1, "error")
    assert found["text"].startswith(f"{len(twins)} training cases left out, as the input is held out too: 'twin0' (")


def test_doctor_warns_of_a_case_that_stands_there_twice(project: Path, examine: Callable[..., Any]) -> None:
    with (project / "tasks/desk/cases.jsonl").open("a") as file:
        for name, text in (("one", "Is it open?"), ("two", "is it OPEN")):
            file.write(json.dumps({"id": name, "input": text, "expected": "yes", "split": "train"}) + "\n")
    code, found = examine("", [], "splits of desk")
    assert (code, found["state"]) == (0, "warning")
    assert found["text"] == "1 case left out, as the input stands there twice: 'two' ('one')"


def test_doctor_finds_held_out_cases_among_the_examples(project: Path, examine: Callable[..., Any]) -> None:
    lines = (project / "tasks/desk/cases.jsonl").read_text().splitlines()
    held_out = next(case for case in map(json.loads, lines) if case["split"] == "holdout")
    shown = {"input": f"{held_out['input'].lower()} ", "output": "x"}
    (project / "task_prompts.json").write_text(json.dumps({"desk": {"prompt": "Answer.", "examples": [shown]}}))
    code, found = examine("", [], "examples of desk")
    assert (code, found["state"]) == (1, "error")
    assert f"show 1 held-out case as examples: {held_out['id']}" in found["text"]

from pathlib import Path

import pytest
from shop import TASK, Project

from ratchet.errors import ConfigurationError, UnknownTaskError
from ratchet.tasks import load_task, task_names

PLAIN = 'description = "d"\ncomponents = ["shop"]\n'
CRITERION = '[[criteria]]\nname = "a"\nkind = "exact"\n'
JUDGE = '[[criteria]]\nname = "a"\nkind = "judge"\nquestion = "Is it?"\n'


def refusal(project: Project, toml: str) -> str:
    project.write_task(toml=toml)
    with pytest.raises(ConfigurationError) as caught:
        load_task(project.folder / "tasks", "shop")
    message = str(caught.value)
    assert message.startswith(str(project.folder / "tasks/shop/task.toml"))
    assert "\n" not in message
    return message


def test_load_task_reads_every_part(project: Project) -> None:
    task = load_task(project.folder / "tasks", "shop")
    assert (task.name, task.threshold, task.components, task.variables) == ("shop", 0.7, ["shop"], [])
    assert [(criterion.name, criterion.kind) for criterion in task.criteria] == [
        ("correct", "contains"),
        ("short", "max_words"),
    ]
    assert task.required == {"correct", "short"}
    assert [source.name for source in task.context_sources] == ["handbook"]


def test_load_task_reads_limits_and_has_defaults_for_them(project: Project) -> None:
    project.write_task(toml=PLAIN + "[limits]\nprompt_chars = 99\nseconds = 2.5\n" + CRITERION)
    limits = load_task(project.folder / "tasks", "shop").limits
    assert (limits.prompt_chars, limits.seconds, limits.tokens, limits.tokens_factor) == (99, 2.5, None, 4.0)


@pytest.mark.parametrize(("line", "repeats"), [("", "auto"), ('repeats = "auto"', "auto"), ("repeats = 9", 9)])
def test_load_task_reads_the_repeats_of_the_gate(project: Project, line: str, repeats: int | str) -> None:
    project.write_task(toml=PLAIN + f"[gate]\n{line}\n" + CRITERION)
    assert load_task(project.folder / "tasks", "shop").gate.repeats == repeats


def test_load_task_reads_how_many_held_out_cases_come_from_production(project: Project) -> None:
    project.write_task(toml=PLAIN + CRITERION)
    assert load_task(project.folder / "tasks", "shop").holdout.production == 20
    project.write_task(toml=PLAIN + "[holdout]\nproduction = 0\n" + CRITERION)
    assert load_task(project.folder / "tasks", "shop").holdout.production == 0


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        (PLAIN + "[holdout]\nrotate = 3\n" + CRITERION, "unknown key holdout.rotate"),
        (PLAIN + "[holdout]\nproduction = -1\n" + CRITERION, "holdout.production"),
        (PLAIN + CRITERION + "colour = 1\n", "unknown key criteria[0].exact.colour"),
        ("color = 1\n" + PLAIN + CRITERION, "unknown key color"),
        (CRITERION + "", "description is missing"),
        (PLAIN, "criteria is missing"),
        (PLAIN + CRITERION.replace("exact", "magic"), "'magic'"),
        (PLAIN + '[[criteria]]\nname = "a"\n', "criteria[0]"),
        (PLAIN + CRITERION.replace('"a"', '"no good"'), "criteria[0].exact.name"),
        (PLAIN + CRITERION + CRITERION, "criteria: the name 'a' is used twice"),
        ("threshold = 7\n" + PLAIN + CRITERION, "threshold: Input should be less than or equal to 1"),
        (PLAIN.replace('["shop"]', '["a", "a"]') + CRITERION, "components: the name 'a' is used twice"),
        (PLAIN.replace('["shop"]', "[]") + CRITERION, "components"),
        ('name = "other"\n' + PLAIN + CRITERION, "unknown key name"),
        ('folder = "/"\n' + PLAIN + CRITERION, "unknown key folder"),
        (PLAIN + CRITERION.replace("exact", "regex") + 'pattern = "("\n', "not a regular expression"),
        (PLAIN + CRITERION.replace("exact", "json_schema") + 'schema = {type = "nonsense"}\n', "not a JSON Schema"),
        (PLAIN + CRITERION.replace("exact", "python") + 'use = "no colon"\n', "use: String should match pattern"),
        (PLAIN + CRITERION.replace("exact", "max_words") + "limit = 0\n", "greater than or equal to 1"),
        (PLAIN + CRITERION.replace("exact", "judge"), "criteria[0].judge.question is missing"),
        (PLAIN + JUDGE + "repeats = 2\n", "repeats: Value error, has to be odd"),
        (PLAIN + JUDGE + "repeats = 0\n", "repeats: Input should be greater than or equal to 1"),
        (PLAIN + CRITERION + '[canary]\ninput = "a"\n', "canary.output is missing"),
        (PLAIN + CRITERION + '[canary]\ninput = "a"\noutput = "b"\npassed = false\n', "unknown key canary.passed"),
        (PLAIN + '[agent]\nuse = "os; x:y"\n' + CRITERION, "agent.use"),
        (TASK.replace("handbook", "solved_cases"), "'solved_cases' is the name of the built-in source"),
        (TASK.replace('"documents"\npath', '"web"\npath'), "'web'"),
        (PLAIN + "[limits]\ncharacters = 1\n" + CRITERION, "unknown key limits.characters"),
        (PLAIN + "[limits]\ntokens_factor = 0.5\n" + CRITERION, "limits.tokens_factor"),
        (PLAIN + "[limits]\nprompt_chars = 0\n" + CRITERION, "limits.prompt_chars"),
        (PLAIN + "[gate]\ntimes = 3\n" + CRITERION, "unknown key gate.times"),
        *(
            (
                PLAIN + f"[gate]\nrepeats = {value}\n" + CRITERION,
                "gate.repeats: Value error, has to be 'auto' or a whole",
            )
            for value in ("0", "10", "true", "1.0", '"many"', '"3"', "[3]")
        ),
        (PLAIN + "broken = \n", "not TOML"),
    ],
)
def test_load_task_names_file_key_and_expectation(project: Project, toml: str, expected: str) -> None:
    assert expected in refusal(project, toml)


@pytest.mark.parametrize(
    "name", ["../../x", "..", ".", "", "a/b", "/etc", "shop\0", "x" * 10_000, "shop\n", "-x", "é", "tasks/shop"]
)
def test_load_task_refuses_names_that_are_no_task(project: Project, name: str) -> None:
    with pytest.raises(UnknownTaskError) as caught:
        load_task(project.folder / "tasks", name)
    message = str(caught.value)
    assert "(there are: shop); its folder is " in message
    assert "\n" not in message
    assert len(message) < 500


def test_load_task_reads_the_canary_and_the_repeats_of_a_judge(project: Project) -> None:
    project.write_task(
        toml=PLAIN + JUDGE + 'repeats = 3\n[canary]\ninput = "q"\noutput = "bad"\nexpected = ["good", "fine"]\n'
    )
    task = load_task(project.folder / "tasks", "shop")
    assert task.criteria[0].kind == "judge"
    assert task.criteria[0].repeats == 3
    assert task.canary is not None
    assert (task.canary.input, task.canary.output, task.canary.expected) == ("q", "bad", ["good", "fine"])


def test_load_task_does_not_leave_the_tasks_folder(project: Project) -> None:
    outside = project.folder / "outside"
    outside.mkdir()
    (outside / "task.toml").write_text(TASK)
    with pytest.raises(UnknownTaskError):
        load_task(project.folder / "tasks", "../outside")


def test_load_task_names_a_file_that_is_not_utf8(project: Project) -> None:
    (project.folder / "tasks/shop/task.toml").write_bytes(b'description = "\xff"')
    with pytest.raises(ConfigurationError, match=r"task\.toml: not UTF-8 text, line 1 \(byte 15\)"):
        load_task(project.folder / "tasks", "shop")


def test_task_names_lists_folders_with_a_task_file(project: Project) -> None:
    project.write_task("another")
    (project.folder / "tasks" / "empty").mkdir()
    project.write_task("not a name")
    assert task_names(project.folder / "tasks") == ["another", "shop"]


def test_task_names_of_a_missing_folder_is_empty(tmp_path: Path) -> None:
    assert task_names(tmp_path / "nowhere") == []

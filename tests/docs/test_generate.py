"""What the documentation takes from the code."""

from pathlib import Path

import pytest

from docs import generate

ROOT = Path(__file__).parents[2]


def test_generated_pages_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--check"]) == 0, capsys.readouterr().out


def test_check_names_a_stale_page_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text("old", encoding="utf-8")
    monkeypatch.setattr(generate, "pages", lambda: {page: "new", tmp_path / "missing.md": "new"})

    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "page.md is stale; run `make docs`",
        "missing.md is stale; run `make docs`",
    ]
    assert page.read_text(encoding="utf-8") == "old"
    assert generate.main([]) == 0
    assert page.read_text(encoding="utf-8") == "new"


def test_graphs_are_drawn_between_their_markers() -> None:
    marked = "".join(f"{name}: <!-- graph:{name} -->old<!-- /graph:{name} -->\n" for name in generate.GRAPHS)

    drawn = generate.with_graphs(marked)

    assert "old" not in drawn
    assert drawn.count("```mermaid\n") == 3
    assert "log_failure --> diagnose;" in drawn.split("\nserve: ")[0]
    assert generate.with_graphs(drawn) == drawn


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<!-- graph:agent -->",
        "<!-- /graph:agent --><!-- graph:agent -->",
        "<!-- graph:agent --><!-- /graph:agent -->" * 2,
    ],
)
def test_graph_without_its_pair_of_markers_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="graph:agent"):
        generate.with_graphs(text)


def test_index_links_to_every_numbered_entry() -> None:
    page = (
        "<!-- index -->old<!-- /index -->\n## 1. What is `x`? (2031-05-01)\n## Not numbered\n## 2. More (2031-05-02)\n"
    )

    drawn = generate.with_index(page)

    assert drawn.splitlines()[1:3] == ["1. [What is `x`?](#1-what-is-x-2031-05-01)", "2. [More](#2-more-2031-05-02)"]
    assert "old" not in drawn
    assert generate.with_index(drawn) == drawn


def test_help_holds_no_path_of_this_machine() -> None:
    assert str(ROOT) not in generate.cli_page()


@pytest.mark.parametrize(
    ("heading", "wanted"),
    [
        ("Adding a criterion", "adding-a-criterion"),
        ("12. What is `x`? (2031-05-01)", "12-what-is-x-2031-05-01"),
        ("held-out_cases", "held-out_cases"),
    ],
)
def test_anchor_is_what_a_viewer_makes_of_a_heading(heading: str, wanted: str) -> None:
    assert generate.anchor(heading) == wanted


def test_commands_within_a_group_have_its_name_before_theirs() -> None:
    found = generate.commands()

    assert {"improve", "cases add", "cases list"} <= found.keys()
    assert "cases" not in found


def test_page_of_commands_holds_the_help_of_each_in_a_block() -> None:
    page = generate.cli_page()

    assert page.startswith("# The `ratchet` command\n")
    assert page.count("```text\nUsage: ratchet ") == len(generate.commands())


def test_help_has_no_frames_and_no_colours() -> None:
    text = generate.help_text("improve", generate.commands()["improve"])

    assert text.startswith("Usage: ratchet improve [OPTIONS] ")
    assert not set("╭│\x1b") & set(text)
    assert max(map(len, text.splitlines())) <= generate.WIDTH

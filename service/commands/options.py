"""Options that several commands share."""

from typing import Annotated

import typer

from service.machine import only_json

_TASK = "Name of a folder below the tasks folder."
TaskName = Annotated[str, typer.Argument(help=_TASK, show_default=False)]
TaskOrAll = Annotated[str | None, typer.Argument(help=_TASK, show_default=False)]
AllTasks = Annotated[bool, typer.Option("--all", help="Every task, one after the other.")]
FinerCodes = Annotated[
    bool,
    typer.Option(
        "--exit-code",
        help="End with 3 where a change waits for approval, 4 where there was nothing to do and 5 where nothing could "
        "be proven, instead of with 0.",
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object and nothing else.", callback=only_json.choose)
]
Reviewer = Annotated[str, typer.Option("--reviewer", help="Who answers, for the audit log.", envvar="USER")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the audit log.")]
Expected = Annotated[str | None, typer.Option("--expected", help="The right output.")]
ExpectedJson = Annotated[
    str | None, typer.Option("--expected-json", help="The right output as a JSON object, or a list of right outputs.")
]
CycleId = Annotated[str, typer.Argument(help="Id from `ratchet inbox`; its beginning is enough.", show_default=False)]

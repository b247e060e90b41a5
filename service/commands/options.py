"""Options that several commands share."""

from typing import Annotated

import typer

from service.machine import only_json

TaskName = Annotated[str, typer.Argument(help="Name of a folder below the tasks folder.", show_default=False)]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object and nothing else.", callback=only_json.choose)
]
Reviewer = Annotated[str, typer.Option("--reviewer", help="Who answers, for the audit log.", envvar="USER")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the audit log.")]
Expected = Annotated[str | None, typer.Option("--expected", help="The right output.")]
ExpectedJson = Annotated[
    str | None, typer.Option("--expected-json", help="The right output as a JSON object, or a list of right outputs.")
]
CycleId = Annotated[str, typer.Argument(help="Id from `ratchet inbox`.", show_default=False)]

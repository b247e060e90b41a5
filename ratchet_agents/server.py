"""What a project's langgraph.json names: the three graphs, their checkpointer, and the routes beside the server's own.

Once this is loaded, a `graph`, `nodes` or `prompts` of the project's is found by its own modules. So the graphs from
here come first in langgraph.json.
"""

from pathlib import Path

from ratchet_agents.packages import own_packages

with own_packages():
    from graph.agent import graph as agent
    from graph.checkpoints import checkpointer
    from graph.improve import graph as improve
    from graph.serve import graph as serve
    from ratchet.config.own_names import leave_names_to
    from service.recovery import recovery
    from service.web import application

app = application(recovery)
leave_names_to(Path.cwd())

__all__ = ["agent", "app", "checkpointer", "improve", "serve"]

"""The `ratchet` command, also as ``python -m ratchet_agents``, in any folder: its modules may have any names."""

from ratchet_agents.packages import own_packages

with own_packages():
    from service.cli import main

if __name__ == "__main__":
    main()

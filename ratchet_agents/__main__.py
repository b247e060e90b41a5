"""The `ratchet` command, also as ``python -m ratchet_agents``, in any folder: its modules may have any names."""

from ratchet_agents.packages import own_packages


def main() -> None:
    """Run the command line. Commands are imported when they are asked for, so our packages are found all the while."""
    with own_packages():
        from service.cli import main as run

        run()


if __name__ == "__main__":
    main()

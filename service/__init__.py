"""The edges: the command line, the web application's start, the demo. No domain rule lives here."""

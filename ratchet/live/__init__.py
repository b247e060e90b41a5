"""Live: making a change the active version, and watching it afterwards."""

"""The commands of `ratchet`, by what they are about."""

"""What people write, as settings and in files: read strictly, and told in one line where it is wrong."""

from ratchet.config.files import StrictModel, parse_json, parse_toml, read_text, validate
from ratchet.config.objects import import_object
from ratchet.config.settings import ROLES, Settings

__all__ = ["ROLES", "Settings", "StrictModel", "import_object", "parse_json", "parse_toml", "read_text", "validate"]

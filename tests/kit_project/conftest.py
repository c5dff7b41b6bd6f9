"""This is a project of its own: it is run from its own folder, also by the tests of the kit."""

from pathlib import Path

HERE = Path(__file__).parent


def pytest_ignore_collect(collection_path, config):
    """Nothing here belongs to a run from elsewhere."""
    return True if config.rootpath != HERE else None

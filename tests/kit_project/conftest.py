"""An installed kit registers its plugin itself; from a source tree it is named."""

import importlib.metadata

if not any(e.value == "hostsim.pytest_plugin" for e in importlib.metadata.entry_points(group="pytest11")):
    pytest_plugins = ["hostsim.pytest_plugin"]

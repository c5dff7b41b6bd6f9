"""What a run reports to while it goes on; the panel is one, and so is silence."""

from typing import Protocol

from cabinwatch.world.events import EventReport
from cabinwatch.world.ground import Commanded


class View(Protocol):
    """What a run reports to while it goes on."""

    def event(self, event: EventReport) -> None:
        """An event has reached the ground."""
        ...

    def command(self, command: Commanded) -> None:
        """What became of a telecommand is known."""
        ...

    def tick(self) -> None:
        """A step has been made."""
        ...

    def close(self) -> None:
        """The run is over."""
        ...


class Silent:
    """Shows nothing: for --json."""

    def event(self, event: EventReport) -> None: ...
    def command(self, command: Commanded) -> None: ...
    def tick(self) -> None: ...
    def close(self) -> None: ...

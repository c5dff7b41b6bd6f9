"""The cabin: the air of a station as physics has it, for any time asked."""

from hostsim.cabin.actions import Action, Close, Empty, LetIn, Open, Patch, Resize, StartLeak
from hostsim.cabin.coolant import CoolantReading
from hostsim.cabin.model import CabinModel, Leak, Repress
from hostsim.cabin.station import Reading, Station

__all__ = [
    "Action",
    "CabinModel",
    "Close",
    "CoolantReading",
    "Empty",
    "Leak",
    "LetIn",
    "Open",
    "Patch",
    "Reading",
    "Repress",
    "Resize",
    "StartLeak",
    "Station",
]

"""The cabin: the air of a station as physics has it, for any time asked."""

from cabinwatch.models.cabin import CabinModel, Repress
from cabinwatch.models.leak_tables import Leak
from cabinwatch.world.cabin.actions import Action, Close, Empty, LetIn, Open, Patch, Resize, StartLeak
from cabinwatch.world.cabin.coolant import CoolantReading
from cabinwatch.world.cabin.station import AirReading, Station

__all__ = [
    "Action",
    "AirReading",
    "CabinModel",
    "Close",
    "CoolantReading",
    "Empty",
    "Leak",
    "LetIn",
    "Open",
    "Patch",
    "Repress",
    "Resize",
    "StartLeak",
    "Station",
]

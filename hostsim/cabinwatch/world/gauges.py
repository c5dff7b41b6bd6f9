"""Gauges off the link: what somebody writes down in other rooms while the monitor watches its own."""

from cabinwatch.models.sensors import GaugeModel
from cabinwatch.world.cabin.station import Station
from cabinwatch.world.seeds import stream
from cabinwatch.world.sensors import noisy


class Gauge:
    """One gauge; a reading depends on its number and the seed alone, so they can be asked for in any order."""

    def __init__(self, model: GaugeModel, station: Station, seed: int) -> None:
        self.name = model.called
        self._model = model
        self._station = station
        self._seed = seed

    def at(self, t_s: float) -> tuple[float, float]:
        """The newest reading at t_s: pressure in Pa, temperature in K."""
        model = self._model
        number = int(t_s / model.every)
        rng = stream(self._seed, f"gauge/{self.name}/{number}")
        air = self._station.at(model.compartment, number * model.every)
        pressure = max(0.0, air.pressure_Pa + noisy(rng, model.noise))
        if model.step:
            pressure = round(pressure / model.step) * model.step
        return pressure, air.temperature_K + noisy(rng, model.temperature_noise)

"""A whole scenario file, as one model."""

from functools import cached_property

from pydantic import Field, field_validator

from cabinwatch.models.cabin import CabinModel
from cabinwatch.models.commands import Telecommand, check_parameter
from cabinwatch.models.expectations import Expect
from cabinwatch.models.fields import Duration, Misfit, Span, Table
from cabinwatch.models.line_faults import LinkModel
from cabinwatch.models.node_faults import DeviceModel
from cabinwatch.models.raw_telecommands import RawTelecommand
from cabinwatch.models.sensors import AnalyserModel, GaugeModel, SensorModel


class Scenario(Table):
    """A whole scenario file."""

    title: str = Field(description="one line: what happened")
    story: str = Field("", description="what happened, in a sentence or two")
    sources: list[str] = Field(default=[], description="where the figures come from")
    measured: str = Field("", description="what was measured")
    assumed: str = Field("", description="what is assumed")
    duration: Span = Field(description="how long it plays")
    parameters: dict[str, int] = Field(
        default={}, description="monitor parameters that the ground sets at boot, by name"
    )
    cabin: CabinModel = Field(description="the station")
    sensor: SensorModel = Field(SensorModel(), description="the pressure transducer")
    analyser: AnalyserModel | None = Field(None, description="the constituent analyser, if there is one")
    gauges: list[GaugeModel] = Field(default=[], description="gauges off the link, logged beside the reports")
    link: LinkModel = Field(LinkModel(), description="the serial link")
    device: DeviceModel = Field(
        DeviceModel(), description="the node under test: faults of its clock and processor"
    )
    onset: Duration | None = Field(
        None, description="when what matters begins (the leak, its growth), s from the start"
    )
    resets: list[Duration] = Field(
        default=[], description="when the monitor is reset from outside, s from the start"
    )
    telecommands: list[Telecommand] = Field(default=[], description="what the ground sends, and when")
    raw: list[RawTelecommand] = Field(
        default=[], description="wrong or badly timed telecommands, octet by octet"
    )
    expect: Expect | None = Field(None, description="what should come of it")

    @field_validator("parameters")
    @classmethod
    def _parameters(cls, values: dict[str, int]) -> dict[str, int]:
        for name, value in values.items():
            try:
                check_parameter(name, value)
            except ValueError as error:
                raise Misfit(str(error), name) from None
        return values

    @property
    def alarm_after_s(self) -> float:
        """Before this an alarm is a false one: what is expected says so, or it is the onset."""
        after = self.expect.after if self.expect else None
        return after if after is not None else self.onset or 0.0

    @cached_property
    def duration_ms(self) -> int:
        """How long it plays, ms."""
        return round(self.duration * 1000)

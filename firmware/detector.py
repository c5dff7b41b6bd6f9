"""Placeholder until the detector lands."""


class Detector:
    def __init__(self, p):
        self.p = p
        self.on_nitrogen = False
        self.reset()

    def reset(self):
        self.cls = 0
        self.cause = 0
        self.rate_cPa_h = 0
        self.sigma_cPa_h = 0
        self.tres_s = (1 << 30) - 1
        self.law = 0

    def sample(self, dt_ms, pressure_cPa, temperature_cK):
        pass

    def nitrogen(self, dt_ms, ppn2_cPa, temperature_cK):
        pass

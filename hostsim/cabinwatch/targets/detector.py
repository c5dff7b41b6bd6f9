"""The detector alone, in process: no node, no wire. For the score, which plays it years of samples."""

from cabinwatch_firmware.detector.detector import Detector

__all__ = ["Detector"]

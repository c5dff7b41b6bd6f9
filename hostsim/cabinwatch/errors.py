"""Errors that are for people: each carries one clear message, and the command line prints it without a traceback."""


class CabinwatchError(Exception):
    """Base of every error a user can cause or mend. ``exit_code`` is what the command line returns for it."""

    exit_code = 2


class SetupError(CabinwatchError):
    """A tool, package, port or device that is needed is not there; the message says what to install or try."""


class UsageError(CabinwatchError):
    """A wrong value, name or file; the message says where and what is allowed."""


class TargetDied(CabinwatchError):
    """The target ended or fell silent in mid-run; the message carries what it left behind."""


class ClusterLost(CabinwatchError):
    """The cluster went away before the work was done; what was done by then stands."""

    exit_code = 3

"""Write what is generated from the packet table (a test checks that it is current)."""

from cabinwatch_protocol.generate.constants import CONSTS, device_constants
from cabinwatch_protocol.generate.lua import LUA, lua
from cabinwatch_protocol.generate.requirements import REQUIREMENTS, requirements
from cabinwatch_protocol.generate.spec import SPEC, spec
from cabinwatch_protocol.generate.vectors import VECTOR_FILES
from cabinwatch_protocol.generate.xtce import XTCE, xtce

GENERATED = {
    CONSTS: device_constants,
    SPEC: spec,
    REQUIREMENTS: requirements,
    XTCE: xtce,
    LUA: lua,
    **VECTOR_FILES,
}


def main() -> None:
    """Write every generated file."""
    for path, render in GENERATED.items():
        path.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()

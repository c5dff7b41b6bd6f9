"""Scenario models written back as TOML: only what differs from the defaults, tables where people would write tables."""

import json
from typing import Any

from pydantic import BaseModel

from cabinwatch.models.units import LeakSize


def plain(value: Any) -> Any:
    """A model as the data of its file: what was not set is left out, a leak's size is its text."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        shown = {}
        for name, field in fields.items():
            item = getattr(value, name)
            if item is not None and (name == "kind" or field.is_required() or item != field.get_default()):
                shown[field.alias or name] = plain(item)
        return shown
    if isinstance(value, LeakSize):
        return value.text
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def to_toml(model: BaseModel) -> str:
    """The model's file; reading it back gives an equal model."""
    return toml_text(plain(model))


def toml_text(data: dict[str, Any]) -> str:
    """The data of a file, as `plain` gives them, as its text."""
    return "\n".join(_table(data, ())).strip() + "\n"


def _table(data: dict[str, Any], path: tuple[str, ...]) -> list[str]:
    lines = [f"{_key(k)} = {_value(v)}" for k, v in data.items() if not _is_table(v)]
    for key, value in data.items():
        if not _is_table(value):
            continue
        inner = (*path, _key(key))
        if isinstance(value, dict):
            body = _table(value, inner)
            if not value or any(not _is_table(v) for v in value.values()):
                body = ["", f"[{'.'.join(inner)}]", *body]
            lines += body
        else:
            for entry in value:
                lines += ["", f"[[{'.'.join(inner)}]]", *_table(entry, inner)]
    return lines


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else json.dumps(key)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (str, bool)) else repr(value)

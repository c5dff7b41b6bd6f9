"""The Wireshark dissector of every packet, made from the packet table: cabinwatch.lua."""

from cabinwatch_protocol import keyed
from cabinwatch_protocol import table as t
from cabinwatch_protocol.generate import PROTOCOL

LUA = PROTOCOL / "cabinwatch.lua"
TYPES = {"B": "uint8", "H": "uint16", "I": "uint32", "i": "int32", "Q": "uint64"}

HEAD = """-- Wireshark dissector of the cabinwatch protocol, generated: python -m cabinwatch_protocol.generate
-- tshark -X lua_script:cabinwatch.lua -r run.pcapng   (cabinwatch decode run.jsonl --pcap run.pcapng writes one)
local cabinwatch = Proto("cabinwatch", "cabinwatch: CCSDS space packet, PUS-C")
local fields = cabinwatch.fields
local function field(kind, name, title, values)
  fields[#fields + 1] = ProtoField[kind]("cabinwatch." .. name, title, base.DEC, values)
  return fields[#fields]
end
local wrong_length = ProtoExpert.new(
  "cabinwatch.wrong_length", "the length is not the header's", expert.group.MALFORMED, expert.severity.ERROR)
cabinwatch.experts = { wrong_length }
"""

TAIL = """
local function show(tree, buffer, at, list)
  for _, entry in ipairs(list) do
    if at + entry[2] > buffer:len() - 2 then return at end
    tree:add(entry[1], buffer(at, entry[2]))
    at = at + entry[2]
  end
  return at
end

function cabinwatch.dissector(buffer, info, tree)
  info.cols.protocol = "cabinwatch"
  local branch = tree:add(cabinwatch, buffer())
  if buffer:len() < 13 or buffer(4, 2):uint() + 7 ~= buffer:len() then
    branch:add_proto_expert_info(wrong_length)
    return
  end
  local id = buffer(0, 2):uint()
  local command = bit.band(id, 0x1000) ~= 0
  local at = show(branch, buffer, 0, command and tc_header or tm_header)
  local role = roles[bit.band(id, 0x7FF)] or "?"
  local key = string.format("%s.%d.%d", command and "TC" or "TM", buffer(7, 1):uint(), buffer(8, 1):uint())
  local packet = packets[key .. "." .. role] or packets[key]
  info.cols.info = string.format("%s %s %s", role, key, packet and packet.name or "unknown")
  if packet then at = show(branch, buffer, at, packet) end
  branch:add(pec, buffer(buffer:len() - 2, 2))
end

DissectorTable.get("wtap_encap"):add(wtap.USER0, cabinwatch)
"""


def _list(prefix: str, fields: tuple[t.Field, ...], indent: str) -> list[str]:
    lines = []
    for f in fields:
        values = "nil"
        if f.enum is not None:
            values = "{ " + ", ".join(f'[{m.value}] = "{m.name.lower()}"' for m in f.enum) + " }"
        lines.append(
            f'{indent}{{ field("{TYPES[f.code]}", "{prefix}.{f.name}", "{f.title}", {values}), {f.size} }},'
        )
    return lines


def lua() -> str:
    """protocol/cabinwatch.lua."""
    lines = [HEAD]
    lines.append("local roles = { " + ", ".join(f'[{a.value}] = "{r}"' for r, a in t.ROLES.items()) + " }")
    lines.append('local pec = field("uint16", "pec", "packet error control")')
    for kind, header in t.HEADERS.items():
        lines += [f"local {kind.lower()}_header = {{", *_list(kind.lower(), header, "  "), "}"]
    lines.append("local packets = {}")
    for p in (*t.TC_PACKETS, *t.TM_PACKETS, *keyed.PACKETS):
        key = f"{p.kind}.{p.service}.{p.subtype}"
        shared = len(p.roles) > 1 or p.kind == "TC"
        place = f'packets["{key}"]' if shared else f'packets["{key}.{p.roles[0]}"]'
        lines += [f'{place} = {{ name = "{p.name}",', *_list(p.name, p.fields, "  "), "}"]
    return "\n".join(lines) + "\n" + TAIL

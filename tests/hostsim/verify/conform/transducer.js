// A transducer in JavaScript, written from SPEC.md alone: it shares nothing with the project's codecs.
// Talks on standard input and output in real time. Its sensor always reads 98765.43 Pa and 294.20 K.
//     cabinwatch conform "exec:node transducer.js" --role transducer
"use strict";

const APID = 0x0a2, STUFFED_MAX = 61, TC_OVERHEAD = 13, DAY_MS = 86400000;
const PRESSURE_cPa = 9876543, TEMPERATURE_cK = 29420, OFFSET_MAX = 100000;
const began = process.hrtime.bigint();
let count = 0, offset = 0, last = null, lastFailure = 0, frame = [];

function crc(octets) {
  let r = 0xffff;
  for (const octet of octets)
    for (let bit = 7, x = octet; bit >= 0; bit--)
      r = ((r << 1) ^ (((r >> 15) ^ (x >> bit)) & 1 ? 0x1021 : 0)) & 0xffff;
  return r;
}

const word = (value, octets) => Array.from({ length: octets }, (_, i) => (value >> (8 * (octets - 1 - i))) & 255);

function send(service, subtype, destination, data) {
  const ms = Number((process.hrtime.bigint() - began) / 1000000n);
  const packet = [
    ...word(0x0800 | APID, 2), ...word(0xc000 | count, 2), ...word(20 + data.length + 2 - 7, 2),
    0x20, service, subtype, 0, 0, ...word(destination, 2),
    0x40, ...word(Math.floor(ms / DAY_MS) & 0xffff, 2), ...word(ms % DAY_MS, 4), ...data,
  ];
  count = (count + 1) & 0x3fff;
  packet.push(...word(crc(packet), 2));
  const out = [0];
  let code = out.push(0) - 1;
  for (const octet of packet) {
    if (octet) out.push(octet);
    else {
      out[code] = out.length - code;
      code = out.push(0) - 1;
    }
  }
  out[code] = out.length - code;
  process.stdout.write(Buffer.from([...out, 0]));
}

function unstuff(stuffed) {
  const packet = [];
  for (let i = 0; i < stuffed.length; ) {
    const end = i + stuffed[i];
    if (end > stuffed.length) return null;
    packet.push(...stuffed.slice(i + 1, end));
    if (end < stuffed.length) packet.push(0);
    i = end;
  }
  return packet;
}

// Octets of data, by service and subtype.
const KNOWN = { 3: { 27: 2 }, 17: { 1: 0 }, 20: { 1: 2, 3: 6 } };

function refusal(tc) {
  if (tc[6] >> 4 !== 2) return 1;
  const service = KNOWN[tc[7]];
  if (!service) return 2;
  if (service[tc[8]] === undefined) return 3;
  return service[tc[8]] === tc.length - TC_OVERHEAD ? 0 : 4;
}

// The failure code of an accepted telecommand; sends the report that it asks for.
function execute(tc, again) {
  const source = (tc[9] << 8) | tc[10], data = tc.slice(11, -2);
  if (tc[7] === 17) return send(17, 2, source, []), 0;
  if (data[0] !== 1) return 5;
  if (tc[7] === 3) {
    if (data[1] !== 1) return 6;
    return send(3, 25, source, [1, ...word(PRESSURE_cPa + offset, 4), ...word(TEMPERATURE_cK, 2), 0]), 0;
  }
  if (data[1] !== 0) return 9;
  if (tc[8] === 1) return send(20, 2, source, [1, 0, ...word(offset, 4)]), 0;
  const value = Buffer.from(data).readInt32BE(2);
  if (Math.abs(value) > OFFSET_MAX) return 10;
  if (!again) offset = value;
  return 0;
}

function telecommand(tc) {
  const source = (tc[9] << 8) | tc[10], verify = (subtype, code) => send(1, subtype, source, [...tc.slice(0, 4), ...code]);
  const code = refusal(tc);
  if (code) return verify(2, [code]);
  if (tc[6] & 1) verify(1, []);
  const request = [...tc.slice(2, 4), ...tc.slice(-2)].join();
  const again = request === last;
  last = request;
  const failure = execute(tc, again);
  if (!again) lastFailure = failure;
  if (lastFailure) verify(8, [lastFailure]);
  else if (tc[6] & 8) verify(7, []);
}

function ended(stuffed) {
  const packet = stuffed.length <= STUFFED_MAX ? unstuff(stuffed) : null;
  if (!packet || packet.length < TC_OVERHEAD) return;
  if (packet.length !== ((packet[4] << 8) | packet[5]) + 7 || crc(packet)) return;
  if (((packet[0] << 8) | packet[1]) !== (0x1800 | APID) || packet[2] < 0xc0) return;
  telecommand(packet);
}

send(5, 1, 0, [1, 0, ...word(0x000100, 4)]);
process.stdin.on("data", (octets) => {
  for (const octet of octets) {
    if (octet) {
      if (frame.length <= STUFFED_MAX) frame.push(octet);
    } else {
      if (frame.length) ended(frame);
      frame = [];
    }
  }
});

-- Wireshark dissector of the cabinwatch protocol, generated: python -m cabinwatch_protocol.generate
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

local roles = { [161] = "monitor", [162] = "transducer", [163] = "analyser", [164] = "coolant" }
local pec = field("uint16", "pec", "packet error control")
local tm_header = {
  { field("uint16", "tm.packet_id", "packet_id", nil), 2 },
  { field("uint16", "tm.sequence", "sequence", nil), 2 },
  { field("uint16", "tm.length", "length", nil), 2 },
  { field("uint8", "tm.version", "version", nil), 1 },
  { field("uint8", "tm.service", "service", nil), 1 },
  { field("uint8", "tm.subtype", "subtype", nil), 1 },
  { field("uint16", "tm.count", "count", nil), 2 },
  { field("uint16", "tm.destination", "destination", nil), 2 },
  { field("uint8", "tm.p_field", "p_field", nil), 1 },
  { field("uint16", "tm.day", "day", nil), 2 },
  { field("uint32", "tm.ms", "ms", nil), 4 },
}
local tc_header = {
  { field("uint16", "tc.packet_id", "packet_id", nil), 2 },
  { field("uint16", "tc.sequence", "sequence", nil), 2 },
  { field("uint16", "tc.length", "length", nil), 2 },
  { field("uint8", "tc.version", "version", nil), 1 },
  { field("uint8", "tc.service", "service", nil), 1 },
  { field("uint8", "tc.subtype", "subtype", nil), 1 },
  { field("uint16", "tc.source", "source", nil), 2 },
}
local packets = {}
packets["TC.3.5"] = { name = "enable_hk",
  { field("uint8", "enable_hk.n", "n", nil), 1 },
  { field("uint8", "enable_hk.sid", "sid", nil), 1 },
}
packets["TC.3.6"] = { name = "disable_hk",
  { field("uint8", "disable_hk.n", "n", nil), 1 },
  { field("uint8", "disable_hk.sid", "sid", nil), 1 },
}
packets["TC.3.27"] = { name = "report_hk",
  { field("uint8", "report_hk.n", "n", nil), 1 },
  { field("uint8", "report_hk.sid", "sid", nil), 1 },
}
packets["TC.8.1"] = { name = "perform",
  { field("uint8", "perform.function", "function", { [1] = "acknowledge", [2] = "restart_detector", [3] = "inhibit", [4] = "reboot", [5] = "defaults", [6] = "out_of_service", [7] = "test_signals" }), 1 },
  { field("uint16", "perform.argument", "argument", nil), 2 },
}
packets["TC.17.1"] = { name = "ping",
}
packets["TC.20.1"] = { name = "report_parameter",
  { field("uint8", "report_parameter.n", "n", nil), 1 },
  { field("uint8", "report_parameter.parameter", "parameter", nil), 1 },
}
packets["TC.20.3"] = { name = "set_parameter",
  { field("uint8", "set_parameter.n", "n", nil), 1 },
  { field("uint8", "set_parameter.parameter", "parameter", nil), 1 },
  { field("int32", "set_parameter.value", "value", nil), 4 },
}
packets["TC.128.1"] = { name = "report_event",
  { field("uint8", "report_event.number", "number", nil), 1 },
}
packets["TC.128.3"] = { name = "report_alarms",
}
packets["TM.1.1"] = { name = "accepted",
  { field("uint16", "accepted.request_packet", "request_packet", nil), 2 },
  { field("uint16", "accepted.request_sequence", "request_sequence", nil), 2 },
}
packets["TM.1.2"] = { name = "not_accepted",
  { field("uint16", "not_accepted.request_packet", "request_packet", nil), 2 },
  { field("uint16", "not_accepted.request_sequence", "request_sequence", nil), 2 },
  { field("uint8", "not_accepted.failure", "failure", { [0] = "none", [1] = "pus_version", [2] = "service", [3] = "subtype", [4] = "length", [5] = "count", [6] = "structure", [7] = "function", [8] = "argument", [9] = "parameter", [10] = "range", [11] = "no_alarm", [12] = "stale", [13] = "no_event", [14] = "tag", [15] = "counter", [16] = "early" }), 1 },
}
packets["TM.1.7"] = { name = "completed",
  { field("uint16", "completed.request_packet", "request_packet", nil), 2 },
  { field("uint16", "completed.request_sequence", "request_sequence", nil), 2 },
}
packets["TM.1.8"] = { name = "failed",
  { field("uint16", "failed.request_packet", "request_packet", nil), 2 },
  { field("uint16", "failed.request_sequence", "request_sequence", nil), 2 },
  { field("uint8", "failed.failure", "failure", { [0] = "none", [1] = "pus_version", [2] = "service", [3] = "subtype", [4] = "length", [5] = "count", [6] = "structure", [7] = "function", [8] = "argument", [9] = "parameter", [10] = "range", [11] = "no_alarm", [12] = "stale", [13] = "no_event", [14] = "tag", [15] = "counter", [16] = "early" }), 1 },
}
packets["TM.3.25.monitor"] = { name = "housekeeping",
  { field("uint8", "housekeeping.sid", "sid", nil), 1 },
  { field("uint8", "housekeeping.alarm", "alarm", { [0] = "nominal", [1] = "advisory", [2] = "caution", [3] = "warning", [4] = "emergency" }), 1 },
  { field("uint8", "housekeeping.alarm_now", "alarm_now", { [0] = "nominal", [1] = "advisory", [2] = "caution", [3] = "warning", [4] = "emergency" }), 1 },
  { field("uint8", "housekeeping.cause", "cause", { [0] = "none", [1] = "rapid", [2] = "slow", [3] = "nitrogen", [4] = "coolant", [5] = "level", [6] = "gap", [7] = "permit" }), 1 },
  { field("uint8", "housekeeping.health", "health", { [0] = "ok", [1] = "below_range", [2] = "above_range", [3] = "fault", [4] = "silent", [5] = "implausible", [6] = "stuck", [7] = "time" }), 1 },
  { field("uint8", "housekeeping.flags", "flags", nil), 1 },
  { field("uint8", "housekeeping.law", "law", { [0] = "unknown", [1] = "orifice", [2] = "crack", [3] = "linear" }), 1 },
  { field("uint32", "housekeeping.pressure_cPa", "pressure_cPa", nil), 4 },
  { field("uint16", "housekeeping.temperature_cK", "temperature_cK", nil), 2 },
  { field("int32", "housekeeping.rate_cPa_h", "rate_cPa_h", nil), 4 },
  { field("uint32", "housekeeping.sigma_cPa_h", "sigma_cPa_h", nil), 4 },
  { field("uint32", "housekeeping.tres_s", "tres_s", nil), 4 },
  { field("uint16", "housekeeping.frames_ok", "frames_ok", nil), 2 },
  { field("uint16", "housekeeping.bad_crc", "bad_crc", nil), 2 },
  { field("uint16", "housekeeping.bad_framing", "bad_framing", nil), 2 },
  { field("uint16", "housekeeping.bad_size", "bad_size", nil), 2 },
  { field("uint16", "housekeeping.rejected", "rejected", nil), 2 },
  { field("uint16", "housekeeping.timeouts", "timeouts", nil), 2 },
  { field("uint8", "housekeeping.last_event", "last_event", nil), 1 },
}
packets["TM.3.25.transducer"] = { name = "sample",
  { field("uint8", "sample.sid", "sid", nil), 1 },
  { field("uint32", "sample.pressure_cPa", "pressure_cPa", nil), 4 },
  { field("uint16", "sample.temperature_cK", "temperature_cK", nil), 2 },
  { field("uint8", "sample.status", "status", { [0] = "ok", [1] = "below_range", [2] = "above_range", [3] = "fault", [4] = "silent", [5] = "implausible", [6] = "stuck", [7] = "time" }), 1 },
}
packets["TM.3.25.analyser"] = { name = "composition",
  { field("uint8", "composition.sid", "sid", nil), 1 },
  { field("uint32", "composition.ppn2_cPa", "ppn2_cPa", nil), 4 },
  { field("uint32", "composition.ppo2_cPa", "ppo2_cPa", nil), 4 },
  { field("uint32", "composition.ppco2_cPa", "ppco2_cPa", nil), 4 },
  { field("uint32", "composition.pph2o_cPa", "pph2o_cPa", nil), 4 },
  { field("uint16", "composition.temperature_cK", "temperature_cK", nil), 2 },
  { field("uint8", "composition.status", "status", { [0] = "ok", [1] = "below_range", [2] = "above_range", [3] = "fault", [4] = "silent", [5] = "implausible", [6] = "stuck", [7] = "time" }), 1 },
}
packets["TM.3.25.coolant"] = { name = "coolant",
  { field("uint8", "coolant.sid", "sid", nil), 1 },
  { field("uint32", "coolant.pressure_cPa", "pressure_cPa", nil), 4 },
  { field("uint32", "coolant.quantity_ppm", "quantity_ppm", nil), 4 },
  { field("uint16", "coolant.temperature_cK", "temperature_cK", nil), 2 },
  { field("uint8", "coolant.status", "status", { [0] = "ok", [1] = "below_range", [2] = "above_range", [3] = "fault", [4] = "silent", [5] = "implausible", [6] = "stuck", [7] = "time" }), 1 },
}
packets["TM.5.1.monitor"] = { name = "event_advisory",
  { field("uint8", "event_advisory.event", "event", { [1] = "boot", [2] = "alarm", [3] = "alarm_ended", [4] = "sensor_lost", [5] = "sensor_found", [6] = "link_noise", [7] = "inhibit_ended", [8] = "coolant_low", [9] = "not_kept", [10] = "alarm_returned", [11] = "alarm_again", [12] = "alarm_acknowledged", [13] = "alarm_reminder", [14] = "sensor_returned", [15] = "sensor_again", [16] = "sensor_acknowledged", [17] = "sensor_reminder", [18] = "inhibited", [19] = "out_of_service", [20] = "in_service", [21] = "commanded", [22] = "refused" }), 1 },
  { field("uint8", "event_advisory.cause", "cause", nil), 1 },
  { field("int32", "event_advisory.value", "value", nil), 4 },
  { field("uint16", "event_advisory.occurrence", "occurrence", nil), 2 },
  { field("uint8", "event_advisory.alarm", "alarm", { [0] = "nominal", [1] = "advisory", [2] = "caution", [3] = "warning", [4] = "emergency" }), 1 },
  { field("uint8", "event_advisory.alarm_cause", "alarm_cause", nil), 1 },
  { field("uint8", "event_advisory.state", "state", { [0] = "normal", [1] = "unacknowledged", [2] = "acknowledged", [3] = "returned" }), 1 },
  { field("uint8", "event_advisory.number", "number", nil), 1 },
}
packets["TM.5.2.monitor"] = { name = "event_caution",
  { field("uint8", "event_caution.event", "event", { [1] = "boot", [2] = "alarm", [3] = "alarm_ended", [4] = "sensor_lost", [5] = "sensor_found", [6] = "link_noise", [7] = "inhibit_ended", [8] = "coolant_low", [9] = "not_kept", [10] = "alarm_returned", [11] = "alarm_again", [12] = "alarm_acknowledged", [13] = "alarm_reminder", [14] = "sensor_returned", [15] = "sensor_again", [16] = "sensor_acknowledged", [17] = "sensor_reminder", [18] = "inhibited", [19] = "out_of_service", [20] = "in_service", [21] = "commanded", [22] = "refused" }), 1 },
  { field("uint8", "event_caution.cause", "cause", nil), 1 },
  { field("int32", "event_caution.value", "value", nil), 4 },
  { field("uint16", "event_caution.occurrence", "occurrence", nil), 2 },
  { field("uint8", "event_caution.alarm", "alarm", { [0] = "nominal", [1] = "advisory", [2] = "caution", [3] = "warning", [4] = "emergency" }), 1 },
  { field("uint8", "event_caution.alarm_cause", "alarm_cause", nil), 1 },
  { field("uint8", "event_caution.state", "state", { [0] = "normal", [1] = "unacknowledged", [2] = "acknowledged", [3] = "returned" }), 1 },
  { field("uint8", "event_caution.number", "number", nil), 1 },
}
packets["TM.5.3.monitor"] = { name = "event_warning",
  { field("uint8", "event_warning.event", "event", { [1] = "boot", [2] = "alarm", [3] = "alarm_ended", [4] = "sensor_lost", [5] = "sensor_found", [6] = "link_noise", [7] = "inhibit_ended", [8] = "coolant_low", [9] = "not_kept", [10] = "alarm_returned", [11] = "alarm_again", [12] = "alarm_acknowledged", [13] = "alarm_reminder", [14] = "sensor_returned", [15] = "sensor_again", [16] = "sensor_acknowledged", [17] = "sensor_reminder", [18] = "inhibited", [19] = "out_of_service", [20] = "in_service", [21] = "commanded", [22] = "refused" }), 1 },
  { field("uint8", "event_warning.cause", "cause", nil), 1 },
  { field("int32", "event_warning.value", "value", nil), 4 },
  { field("uint16", "event_warning.occurrence", "occurrence", nil), 2 },
  { field("uint8", "event_warning.alarm", "alarm", { [0] = "nominal", [1] = "advisory", [2] = "caution", [3] = "warning", [4] = "emergency" }), 1 },
  { field("uint8", "event_warning.alarm_cause", "alarm_cause", nil), 1 },
  { field("uint8", "event_warning.state", "state", { [0] = "normal", [1] = "unacknowledged", [2] = "acknowledged", [3] = "returned" }), 1 },
  { field("uint8", "event_warning.number", "number", nil), 1 },
}
packets["TM.5.4.monitor"] = { name = "event_emergency",
  { field("uint8", "event_emergency.event", "event", { [1] = "boot", [2] = "alarm", [3] = "alarm_ended", [4] = "sensor_lost", [5] = "sensor_found", [6] = "link_noise", [7] = "inhibit_ended", [8] = "coolant_low", [9] = "not_kept", [10] = "alarm_returned", [11] = "alarm_again", [12] = "alarm_acknowledged", [13] = "alarm_reminder", [14] = "sensor_returned", [15] = "sensor_again", [16] = "sensor_acknowledged", [17] = "sensor_reminder", [18] = "inhibited", [19] = "out_of_service", [20] = "in_service", [21] = "commanded", [22] = "refused" }), 1 },
  { field("uint8", "event_emergency.cause", "cause", nil), 1 },
  { field("int32", "event_emergency.value", "value", nil), 4 },
  { field("uint16", "event_emergency.occurrence", "occurrence", nil), 2 },
  { field("uint8", "event_emergency.alarm", "alarm", { [0] = "nominal", [1] = "advisory", [2] = "caution", [3] = "warning", [4] = "emergency" }), 1 },
  { field("uint8", "event_emergency.alarm_cause", "alarm_cause", nil), 1 },
  { field("uint8", "event_emergency.state", "state", { [0] = "normal", [1] = "unacknowledged", [2] = "acknowledged", [3] = "returned" }), 1 },
  { field("uint8", "event_emergency.number", "number", nil), 1 },
}
packets["TM.5.1"] = { name = "instrument_event_advisory",
  { field("uint8", "instrument_event_advisory.event", "event", { [1] = "boot", [2] = "alarm", [3] = "alarm_ended", [4] = "sensor_lost", [5] = "sensor_found", [6] = "link_noise", [7] = "inhibit_ended", [8] = "coolant_low", [9] = "not_kept", [10] = "alarm_returned", [11] = "alarm_again", [12] = "alarm_acknowledged", [13] = "alarm_reminder", [14] = "sensor_returned", [15] = "sensor_again", [16] = "sensor_acknowledged", [17] = "sensor_reminder", [18] = "inhibited", [19] = "out_of_service", [20] = "in_service", [21] = "commanded", [22] = "refused" }), 1 },
  { field("uint8", "instrument_event_advisory.cause", "cause", nil), 1 },
  { field("int32", "instrument_event_advisory.value", "value", nil), 4 },
}
packets["TM.5.2"] = { name = "instrument_event_caution",
  { field("uint8", "instrument_event_caution.event", "event", { [1] = "boot", [2] = "alarm", [3] = "alarm_ended", [4] = "sensor_lost", [5] = "sensor_found", [6] = "link_noise", [7] = "inhibit_ended", [8] = "coolant_low", [9] = "not_kept", [10] = "alarm_returned", [11] = "alarm_again", [12] = "alarm_acknowledged", [13] = "alarm_reminder", [14] = "sensor_returned", [15] = "sensor_again", [16] = "sensor_acknowledged", [17] = "sensor_reminder", [18] = "inhibited", [19] = "out_of_service", [20] = "in_service", [21] = "commanded", [22] = "refused" }), 1 },
  { field("uint8", "instrument_event_caution.cause", "cause", nil), 1 },
  { field("int32", "instrument_event_caution.value", "value", nil), 4 },
}
packets["TM.5.3"] = { name = "instrument_event_warning",
  { field("uint8", "instrument_event_warning.event", "event", { [1] = "boot", [2] = "alarm", [3] = "alarm_ended", [4] = "sensor_lost", [5] = "sensor_found", [6] = "link_noise", [7] = "inhibit_ended", [8] = "coolant_low", [9] = "not_kept", [10] = "alarm_returned", [11] = "alarm_again", [12] = "alarm_acknowledged", [13] = "alarm_reminder", [14] = "sensor_returned", [15] = "sensor_again", [16] = "sensor_acknowledged", [17] = "sensor_reminder", [18] = "inhibited", [19] = "out_of_service", [20] = "in_service", [21] = "commanded", [22] = "refused" }), 1 },
  { field("uint8", "instrument_event_warning.cause", "cause", nil), 1 },
  { field("int32", "instrument_event_warning.value", "value", nil), 4 },
}
packets["TM.5.4"] = { name = "instrument_event_emergency",
  { field("uint8", "instrument_event_emergency.event", "event", { [1] = "boot", [2] = "alarm", [3] = "alarm_ended", [4] = "sensor_lost", [5] = "sensor_found", [6] = "link_noise", [7] = "inhibit_ended", [8] = "coolant_low", [9] = "not_kept", [10] = "alarm_returned", [11] = "alarm_again", [12] = "alarm_acknowledged", [13] = "alarm_reminder", [14] = "sensor_returned", [15] = "sensor_again", [16] = "sensor_acknowledged", [17] = "sensor_reminder", [18] = "inhibited", [19] = "out_of_service", [20] = "in_service", [21] = "commanded", [22] = "refused" }), 1 },
  { field("uint8", "instrument_event_emergency.cause", "cause", nil), 1 },
  { field("int32", "instrument_event_emergency.value", "value", nil), 4 },
}
packets["TM.17.2"] = { name = "alive",
}
packets["TM.20.2"] = { name = "parameter_value",
  { field("uint8", "parameter_value.n", "n", nil), 1 },
  { field("uint8", "parameter_value.parameter", "parameter", nil), 1 },
  { field("int32", "parameter_value.value", "value", nil), 4 },
}
packets["TM.128.2.monitor"] = { name = "recorded_event",
  { field("uint8", "recorded_event.number", "number", nil), 1 },
  { field("uint8", "recorded_event.severity", "severity", { [0] = "nominal", [1] = "advisory", [2] = "caution", [3] = "warning", [4] = "emergency" }), 1 },
  { field("uint8", "recorded_event.event", "event", { [1] = "boot", [2] = "alarm", [3] = "alarm_ended", [4] = "sensor_lost", [5] = "sensor_found", [6] = "link_noise", [7] = "inhibit_ended", [8] = "coolant_low", [9] = "not_kept", [10] = "alarm_returned", [11] = "alarm_again", [12] = "alarm_acknowledged", [13] = "alarm_reminder", [14] = "sensor_returned", [15] = "sensor_again", [16] = "sensor_acknowledged", [17] = "sensor_reminder", [18] = "inhibited", [19] = "out_of_service", [20] = "in_service", [21] = "commanded", [22] = "refused" }), 1 },
  { field("uint16", "recorded_event.day", "day", nil), 2 },
  { field("uint32", "recorded_event.ms", "ms", nil), 4 },
  { field("uint8", "recorded_event.cause", "cause", nil), 1 },
  { field("int32", "recorded_event.value", "value", nil), 4 },
  { field("uint16", "recorded_event.occurrence", "occurrence", nil), 2 },
  { field("uint8", "recorded_event.alarm", "alarm", { [0] = "nominal", [1] = "advisory", [2] = "caution", [3] = "warning", [4] = "emergency" }), 1 },
  { field("uint8", "recorded_event.alarm_cause", "alarm_cause", nil), 1 },
  { field("uint8", "recorded_event.state", "state", { [0] = "normal", [1] = "unacknowledged", [2] = "acknowledged", [3] = "returned" }), 1 },
}
packets["TM.128.4.monitor"] = { name = "alarms",
  { field("uint8", "alarms.cabin_state", "cabin_state", { [0] = "normal", [1] = "unacknowledged", [2] = "acknowledged", [3] = "returned" }), 1 },
  { field("uint8", "alarms.cabin_class", "cabin_class", { [0] = "nominal", [1] = "advisory", [2] = "caution", [3] = "warning", [4] = "emergency" }), 1 },
  { field("uint8", "alarms.cabin_cause", "cabin_cause", { [0] = "none", [1] = "rapid", [2] = "slow", [3] = "nitrogen", [4] = "coolant", [5] = "level", [6] = "gap", [7] = "permit" }), 1 },
  { field("uint8", "alarms.cabin_first_cause", "cabin_first_cause", { [0] = "none", [1] = "rapid", [2] = "slow", [3] = "nitrogen", [4] = "coolant", [5] = "level", [6] = "gap", [7] = "permit" }), 1 },
  { field("uint16", "alarms.cabin_occurrence", "cabin_occurrence", nil), 2 },
  { field("uint16", "alarms.cabin_day", "cabin_day", nil), 2 },
  { field("uint32", "alarms.cabin_ms", "cabin_ms", nil), 4 },
  { field("uint16", "alarms.cabin_suppressed_s", "cabin_suppressed_s", nil), 2 },
  { field("uint8", "alarms.blind_state", "blind_state", { [0] = "normal", [1] = "unacknowledged", [2] = "acknowledged", [3] = "returned" }), 1 },
  { field("uint8", "alarms.blind_class", "blind_class", { [0] = "nominal", [1] = "advisory", [2] = "caution", [3] = "warning", [4] = "emergency" }), 1 },
  { field("uint8", "alarms.blind_cause", "blind_cause", { [0] = "ok", [1] = "below_range", [2] = "above_range", [3] = "fault", [4] = "silent", [5] = "implausible", [6] = "stuck", [7] = "time" }), 1 },
  { field("uint8", "alarms.blind_first_cause", "blind_first_cause", { [0] = "ok", [1] = "below_range", [2] = "above_range", [3] = "fault", [4] = "silent", [5] = "implausible", [6] = "stuck", [7] = "time" }), 1 },
  { field("uint16", "alarms.blind_occurrence", "blind_occurrence", nil), 2 },
  { field("uint16", "alarms.blind_day", "blind_day", nil), 2 },
  { field("uint32", "alarms.blind_ms", "blind_ms", nil), 4 },
  { field("uint16", "alarms.blind_suppressed_s", "blind_suppressed_s", nil), 2 },
  { field("uint8", "alarms.inhibited", "inhibited", { [0] = "nominal", [1] = "advisory", [2] = "caution", [3] = "warning", [4] = "emergency" }), 1 },
}
packets["TC.130.1"] = { name = "report_session",
}
packets["TM.130.2"] = { name = "session",
  { field("uint64", "session.session", "session", nil), 8 },
  { field("uint32", "session.counter", "counter", nil), 4 },
  { field("uint16", "session.refused", "refused", nil), 2 },
  { field("uint8", "session.keyed", "keyed", nil), 1 },
}

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

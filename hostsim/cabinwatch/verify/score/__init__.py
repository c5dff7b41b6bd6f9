"""The detector's report card: false alarms and delays by simulation, against bounds and rivals."""

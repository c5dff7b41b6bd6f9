"""Register-level emulation of sensor chips, and the I2C bus they sit on."""

"""Guarantees of tenants that favour some channels: as a fluid of rates, and on the hardware."""

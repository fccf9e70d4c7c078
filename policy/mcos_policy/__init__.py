"""MCOS policy: contracts in, images out."""

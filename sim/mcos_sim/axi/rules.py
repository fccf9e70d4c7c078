"""The rules of AXI that interfaces are held against, in compiled runs and in cocotb."""

import enum

__all__ = ["Rule"]


class Rule(enum.Enum):
    """A rule, in words that end a sentence about an interface (AMBA AXI, IHI 0022)."""

    STABLE_AW = "AW must stay as it is until it is taken"
    STABLE_W = "W must stay as it is until it is taken"
    STABLE_B = "B must stay as it is until it is taken"
    STABLE_AR = "AR must stay as it is until it is taken"
    STABLE_R = "R must stay as it is until it is taken"
    SIZE = "a transfer must not be wider than the bus"
    BURST_CODE = "a burst must be FIXED, INCR or WRAP"
    LONG_AXI3 = "a burst of AXI3 must have at most 16 transfers"
    LONG_FIXED = "a FIXED burst must have at most 16 transfers"
    WRAP_LENGTH = "a WRAP burst must have 2, 4, 8 or 16 transfers"
    WRAP_ADDRESS = "a WRAP burst must begin at a multiple of its transfer size"
    CROSSES = "a burst must not cross a boundary of 4 KB"
    ID_REUSED = "an ID must not be used again while its burst is under way"
    WLAST = "WLAST must mark the last transfer of a write, and no other"
    WID = "write data must come with the ID of their burst, in the order of the addresses"
    STROBE = "strobes must be low outside of a transfer's bytes"
    RLAST = "RLAST must mark the last transfer of a read, and no other"
    READ_UNASKED = "read data must belong to a read that waits for them"
    WRITE_UNASKED = "a write response must belong to a write that waits for it"
    WRITE_EARLY = "a write response must not come before the last write data"
    EXCLUSIVE = "EXOKAY must answer exclusive accesses alone"
    UNANSWERED = "every burst must be answered before the end"
    RESET = "VALID must be low while reset is active"

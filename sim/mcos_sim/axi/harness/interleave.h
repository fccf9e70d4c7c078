// Addresses behind the channels of a fabric.

#pragma once

#include <cstring>

#include "basics.h"

// Bit j of a channel's number is the parity of an address under mask j. A channel's memory knows an
// address without its window: the bits from `grain` on, one for each bit of a channel's number. Of
// the window mask j has bit j alone, so the window follows from the channel and the other bits.
class Interleave {
public:
    Interleave(int64_t grain, const int64_t *masks) : grain_(int(grain)) {
        for (int j = 0; j < kMemoryBits; ++j) masks_[j] = uint64_t(masks[j]);
    }

    int channel(uint64_t address) const {
        int number = 0;
        for (int j = 0; j < kMemoryBits; ++j) number |= __builtin_parityll(address & masks_[j]) << j;
        return number;
    }

    // The address that a channel knows as `local`.
    uint64_t address(int channel, uint64_t local) const {
        const uint64_t below = (uint64_t(1) << grain_) - 1;
        const uint64_t rest = (local & ~below) << kMemoryBits | (local & below);
        uint64_t window = 0;
        for (int j = 0; j < kMemoryBits; ++j) {
            const int odd = __builtin_parityll(rest & masks_[j]);
            window |= uint64_t((channel >> j & 1) ^ odd) << (grain_ + j);
        }
        return rest | window;
    }

    // Whether a burst of a channel is of one grain, so that its bytes are neighbours outside too.
    bool holds(const Shape &local) const {
        const uint64_t last = local.end(local.length) - 1;
        return kMemories == 1 || local.address >> grain_ == last >> grain_;
    }

    bool operator==(const Interleave &other) const {
        return grain_ == other.grain_ && !std::memcmp(masks_, other.masks_, sizeof masks_);
    }

private:
    int grain_;
    uint64_t masks_[kMemoryBits + 1] = {};
};

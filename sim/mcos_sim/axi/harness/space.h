// The regions of memory that bursts go to, and which of their beats memory answers with an error.

#pragma once

#include "basics.h"

struct Region {
    uint64_t base;
    uint64_t bytes;  // whole pages of 4 KB
    bool errors;
    size_t first;  // number of its first byte among all regions
};

class Space {
public:
    Space(const int64_t *rows, int64_t count) {
        for (int64_t row = 0; row < count; ++row) {
            const int64_t *of = rows + 3 * row;
            regions.push_back({uint64_t(of[0]), uint64_t(of[1]), of[2] != 0, bytes_});
            bytes_ += size_t(of[1]);
        }
    }

    size_t bytes() const { return bytes_; }

    // The number of a byte, or -1 outside all regions.
    int64_t place(uint64_t address) const {
        for (const Region &region : regions)
            if (address - region.base < region.bytes)
                return int64_t(region.first + (address - region.base));
        return -1;
    }

    // Whether memory answers with SLVERR where bytes from `begin` to `end` are touched.
    bool errs(uint64_t begin, uint64_t end) const {
        for (const Region &region : regions) {
            if (begin - region.base >= region.bytes) continue;
            if (!region.errors) return false;
            for (uint64_t beat = begin / kMemoryBytes; beat <= (end - 1) / kMemoryBytes; ++beat)
                if (mix(beat) % 8 == 0) return true;
            return false;
        }
        return false;
    }

    std::vector<Region> regions;

private:
    size_t bytes_ = 0;
};

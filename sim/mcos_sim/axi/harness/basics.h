// Random numbers, bursts, per-ID queues and the record of what went wrong.

#pragma once

#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "sizes.h"

constexpr int kMostBytes = 64;
constexpr int64_t kNever = INT64_MAX;

enum Code : uint8_t { kOkay = 0, kSlaveError = 2, kDecodeError = 3 };
enum Kind : uint8_t { kFixed = 0, kIncrement = 1, kWrap = 2, kReserved = 3 };

inline uint64_t mix(uint64_t x) {  // splitmix64
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

struct Random {
    uint64_t state = 1;
    uint64_t next() { return mix(state++); }
    uint32_t below(uint32_t limit) { return uint32_t(((next() >> 32) * limit) >> 32); }
    uint32_t between(uint32_t low, uint32_t high) { return low + below(high - low + 1); }
    bool chance(int64_t permille) { return int64_t(below(1000)) < permille; }
};

// The shape of a burst, and where its transfers are (IHI 0022, "Transaction structure").
struct Shape {
    uint64_t address = 0;
    uint32_t length = 0;  // transfers less one
    uint8_t size = 0;
    uint8_t kind = kIncrement;

    uint64_t bytes() const { return uint64_t(1) << size; }

    uint64_t begin(uint32_t transfer) const {
        if (kind == kFixed || transfer == 0) return address;
        const uint64_t aligned = address & ~(bytes() - 1);
        if (kind == kWrap) {
            const uint64_t total = bytes() * (length + 1);
            const uint64_t lower = address & ~(total - 1);
            return lower + ((aligned - lower + transfer * bytes()) & (total - 1));
        }
        return aligned + transfer * bytes();
    }

    uint64_t end(uint32_t transfer) const {
        return (begin(transfer) & ~(bytes() - 1)) + bytes();
    }
};

// Strobes of the byte lanes from `begin` to `end` of a bus.
inline uint64_t lanes(uint64_t begin, uint64_t end, int bus) {
    const uint64_t low = begin % bus, count = end - begin;
    const uint64_t ones = count >= 64 ? ~uint64_t(0) : (uint64_t(1) << count) - 1;
    return ones << low;
}

// First-in first-out queues of numbers, one for each ID, over one pool of nodes.
class Queues {
public:
    explicit Queues(int id_width) : heads_(1u << id_width, -1), tails_(1u << id_width, -1) {}

    int front(uint32_t id) const { return heads_[id] < 0 ? -1 : nodes_[heads_[id]].value; }

    void push(uint32_t id, int value) {
        int node = free_;
        if (node < 0) {
            node = int(nodes_.size());
            nodes_.push_back({});
        } else {
            free_ = nodes_[node].next;
        }
        nodes_[node] = {value, -1};
        if (heads_[id] < 0) heads_[id] = node;
        else nodes_[tails_[id]].next = node;
        tails_[id] = node;
    }

    void pop(uint32_t id) {
        const int node = heads_[id];
        heads_[id] = nodes_[node].next;
        nodes_[node].next = free_;
        free_ = node;
    }

private:
    struct Node { int value = -1, next = -1; };
    std::vector<Node> nodes_;
    std::vector<int> heads_, tails_;
    int free_ = -1;
};

// Objects by number, used again after they are given back.
template <class T> class Pool {
public:
    int take() {
        if (free_.empty()) {
            items_.emplace_back();
            return int(items_.size()) - 1;
        }
        const int number = free_.back();
        free_.pop_back();
        return number;
    }
    void give(int number) { free_.push_back(number); }
    T &operator[](int number) { return items_[number]; }

private:
    std::vector<T> items_;
    std::vector<int> free_;
};

// Counts of faults by sort, and the words of the first one.
struct Verdict {
    int64_t clock = 0;
    int64_t counts[kFaultSorts] = {};
    int64_t total = 0;
    int64_t first_clock = -1;
    std::string first;

    __attribute__((format(printf, 3, 4))) void fault(Fault sort, const char *format, ...) {
        ++counts[sort];
        if (total++) return;
        char text[400];
        va_list arguments;
        va_start(arguments, format);
        std::vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        first_clock = clock;
        first = text;
    }
};

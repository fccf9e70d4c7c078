// What each byte of memory may be read as, for every interleaving that AXI allows.

#pragma once

#include "basics.h"

// A byte has versions, one for each write that touched it and may still be seen. A write takes
// effect at some moment between its offer and its response; a read sees some moment between its
// offer and its data. Version v is before v' if v was answered before v' was offered, or if both
// are of one port and ID and v was asked for first. A read may return v unless some v' after v was
// answered before the read was offered. Reads of one port and ID do not go back: once one has seen
// v', the next ones do not see what is before it.
class Reference {
public:
    enum Look { kLegal, kStale, kForeign };

    explicit Reference(const std::vector<uint8_t> &bytes)
        : initial_(bytes), heads_(bytes.size(), -1), beginning_(writes_.take()) {
        writes_[beginning_] = {-1, -1, ~0u, 0, 1};
    }

    // A write that is offered now, the next one of its port and ID.
    int begin(int64_t clock, int port, uint32_t id) {
        const int write = writes_.take();
        writes_[write] = {clock, kNever, uint32_t(port) << 16 | id, ++sequence_, 1};
        return write;
    }

    // A byte of a write's transfer.
    void put(size_t at, int write, uint32_t transfer, uint8_t value, int64_t oldest) {
        if (heads_[at] < 0) add(at, beginning_, 0, initial_[at]);
        if (versions_[heads_[at]].next >= 0) prune(at, oldest);
        add(at, write, transfer, value);
    }

    // A write is answered now: it has taken effect.
    void end(int write, int64_t clock) {
        writes_[write].end = clock;
        drop(write);
    }

    // A byte read by a burst that was offered in a clock.
    Look read(size_t at, uint8_t value, int64_t offered, int port, uint32_t id, int64_t oldest) {
        const int head = heads_[at];
        if (head < 0) return initial_[at] == value ? kLegal : kForeign;
        if (versions_[head].next < 0) return versions_[head].value == value ? kLegal : kForeign;
        const uint64_t mine = id < 64 ? uint64_t(1) << id : 0;  // of others order is not watched
        int found = -1, matching = 0;
        bool stale = false;
        for (int v = head; v >= 0; v = versions_[v].next) {
            if (versions_[v].value != value) continue;
            bool overtaken = false;
            for (int after = head; after >= 0 && !overtaken; after = versions_[after].next) {
                const bool over =
                    writes_[versions_[after].write].end < offered || versions_[after].seen[port] & mine;
                overtaken = over && before(v, after);
            }
            if (overtaken) {
                stale = true;
                continue;
            }
            found = v;
            ++matching;
        }
        // Of equal bytes nobody can tell which one was seen.
        if (matching == 1) versions_[found].seen[port] |= mine;
        if (!matching) return stale ? kStale : kForeign;
        prune(at, oldest);
        return kLegal;
    }

private:
    struct Write {
        int64_t start, end;
        uint32_t order;
        uint64_t sequence;
        int64_t users;
    };
    struct Version {
        uint64_t seen[kPorts];  // bit i: a read of ID i saw it
        int write, next;
        uint16_t transfer;
        uint8_t value;
    };

    bool before(int first, int second) {
        const Version &v = versions_[first], &u = versions_[second];
        if (v.write == u.write) return v.transfer < u.transfer;
        const Write &w = writes_[v.write], &x = writes_[u.write];
        return w.end < x.start || (w.order == x.order && w.sequence < x.sequence);
    }

    void add(size_t at, int write, uint32_t transfer, uint8_t value) {
        const int number = versions_.take();
        Version &version = versions_[number];
        version = {{}, write, heads_[at], uint16_t(transfer), value};
        heads_[at] = number;
        ++writes_[write].users;
    }

    void drop(int write) {
        if (!--writes_[write].users) writes_.give(write);
    }

    // Removes what no read under way or to come may see. The newest versions come first.
    void prune(size_t at, int64_t oldest) {
        int *link = &heads_[at];
        while (*link >= 0) {
            const int v = *link;
            bool dead = false;
            for (int after = heads_[at]; after >= 0 && !dead; after = versions_[after].next)
                dead = writes_[versions_[after].write].end < oldest && before(v, after);
            if (dead) {
                *link = versions_[v].next;
                drop(versions_[v].write);
                versions_.give(v);
            } else {
                link = &versions_[v].next;
            }
        }
    }

    Pool<Write> writes_;
    Pool<Version> versions_;
    std::vector<uint8_t> initial_;
    std::vector<int> heads_;  // the newest version, or -1 where nobody has written
    int beginning_;
    uint64_t sequence_ = 0;
};

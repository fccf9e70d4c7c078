// A memory behind the design: late, out of order, interleaved, and still right.

#pragma once

#include <deque>

#include "interleave.h"
#include "pins.h"
#include "space.h"

// It is told the addresses of its channel, and keeps its bytes where all memories do: at the
// addresses that requesters use. So a burst in a wrong channel, or at a wrong address there, meets
// the bytes of another place.
class Memory {
public:
    Memory(Verdict &verdict, const Space &space, const Interleave &interleave,
           std::vector<uint8_t> &bytes, int number, const int64_t *settings, uint64_t seed)
        : verdict_(verdict), space_(space), interleave_(interleave), bytes_(bytes), number_(number),
          random_{mix(seed)} {
        for (int each = 0; each < kMemorySettings; ++each) set_[each] = settings[each];
        for (int channel = 0; channel < 5; ++channel) stall_[channel] = set_[kMemoryStallAw + channel];
    }

private:
    struct Operation {
        uint32_t id;
        Shape shape;
        int64_t effect, answer;  // clocks; an operation takes effect once
        bool done, error;
        uint32_t sent;
        std::vector<uint8_t> data;
        std::vector<uint64_t> strobes;
    };

public:
    // Bursts and beats that have been taken and given.
    int64_t read_bursts = 0, write_bursts = 0, read_beats = 0, write_beats = 0;

    int64_t outstanding() const {
        return int64_t(reads_.size() + writes_.size() + asked_.size() + filled_.size());
    }

    void drive(Interface &pins, int64_t clock) {
        if (set_[kMemoryVary] && clock >= next_reroll_) reroll(clock);
        take_effect(clock);
        if (!pins.r.valid) answer_read(pins.r, clock);
        if (!pins.b.valid) answer_write(pins.b, clock);
        const auto room = [&](size_t used) { return int64_t(used) < set_[kMemoryCapacity]; };
        pins.ar.ready = room(reads_.size()) && !random_.chance(stall_[3]);
        pins.aw.ready = room(writes_.size() + asked_.size()) && !random_.chance(stall_[0]);
        pins.w.ready = room(filled_.size()) && !random_.chance(stall_[1]);
    }

    void observe(Interface &pins, int64_t clock) {
        if (pins.r.valid && pins.r.ready) {
            pins.r.valid = false;
            ++read_beats;
            if (pins.r.last) {
                operations_.give(reads_[reading_]);
                reads_.erase(reads_.begin() + reading_);
                reading_ = -1;
            }
        }
        if (pins.b.valid && pins.b.ready) {
            pins.b.valid = false;
            operations_.give(writes_[writing_]);
            writes_.erase(writes_.begin() + writing_);
        }
        if (pins.ar.valid && pins.ar.ready) {
            ++read_bursts;
            reads_.push_back(begin(pins.ar, clock));
        }
        if (pins.aw.valid && pins.aw.ready) {
            ++write_bursts;
            asked_.push_back(begin(pins.aw, clock));
        }
        if (pins.w.valid && pins.w.ready) {
            ++write_beats;
            fill(pins.w);
        }
        while (!asked_.empty() && !filled_.empty()) {
            Operation &write = operations_[asked_.front()];
            Operation &data = operations_[filled_.front()];
            write.data.swap(data.data);
            write.strobes.swap(data.strobes);
            write.effect = clock + 1 + random_.below(uint32_t(set_[kMemorySpread]) + 1);
            write.answer = write.effect + latency();
            writes_.push_back(asked_.front());
            operations_.give(filled_.front());
            asked_.pop_front();
            filled_.pop_front();
        }
    }

private:
    int64_t latency() { return set_[kMemoryLatency] + random_.below(uint32_t(set_[kMemorySpread]) + 1); }

    void reroll(int64_t clock) {
        static constexpr int64_t kStalls[] = {0, 0, 0, 200, 600};
        for (int64_t &stall : stall_) stall = kStalls[random_.below(5)];
        next_reroll_ = clock + (64 << random_.below(6));
    }

    int begin(Address at, int64_t clock) {
        if (!interleave_.holds(at.shape))
            verdict_.fault(kCorrupted, "memory %d: a burst at %#llx leaves its grain", number_,
                           (unsigned long long)at.shape.address);
        at.shape.address = interleave_.address(number_, at.shape.address);
        const int number = operations_.take();
        Operation &operation = operations_[number];
        operation.id = at.id;
        operation.shape = at.shape;
        operation.done = operation.error = false;
        operation.sent = 0;
        operation.data.clear();
        operation.strobes.clear();
        operation.effect = clock + 1 + random_.below(uint32_t(set_[kMemorySpread]) + 1);
        operation.answer = operation.effect + latency();
        if (!at.carries_attributes())
            verdict_.fault(kCorrupted, "memory %d: a burst at %#llx has cache, prot or qos of another",
                           number_, (unsigned long long)at.shape.address);
        for (uint32_t transfer = 0; transfer <= at.shape.length; ++transfer) {
            const uint64_t begin = at.shape.begin(transfer), end = at.shape.end(transfer);
            operation.error |= space_.errs(begin, end);
            if (space_.place(begin) >= 0 && space_.place(end - 1) >= 0) continue;
            verdict_.fault(kCorrupted, "memory %d: a burst at %#llx, which nobody asked for",
                           number_, (unsigned long long)at.shape.address);
            operation.shape = {space_.regions[0].base, 0, 0, kIncrement};
            break;
        }
        return number;
    }

    void fill(const WriteData &w) {
        if (filling_ < 0) {
            filling_ = operations_.take();
            operations_[filling_].data.clear();
            operations_[filling_].strobes.clear();
        }
        Operation &to = operations_[filling_];
        to.data.insert(to.data.end(), w.data, w.data + kMemoryBytes);
        to.strobes.push_back(w.strobe);
        if (!w.last) return;
        filled_.push_back(filling_);
        filling_ = -1;
    }

    // Bursts of one ID, if there may be several, take effect and are answered in order.
    bool overtakes(const std::vector<int> &all, size_t place, bool by_effect) {
        if (kUniqueIds) return false;
        for (size_t k = 0; k < place; ++k)
            if (operations_[all[k]].id == operations_[all[place]].id &&
                !(by_effect && operations_[all[k]].done))
                return true;
        return false;
    }

    void take_effect(int64_t clock) {
        for (size_t k = 0; k < reads_.size(); ++k) {
            Operation &read = operations_[reads_[k]];
            if (read.done || clock < read.effect || overtakes(reads_, k, true)) continue;
            read.done = true;
            read.data.resize((read.shape.length + 1) * kMemoryBytes);
            for (uint32_t transfer = 0; transfer <= read.shape.length; ++transfer)
                std::memcpy(&read.data[transfer * kMemoryBytes], word(read.shape, transfer), kMemoryBytes);
        }
        for (size_t k = 0; k < writes_.size(); ++k) {
            Operation &write = operations_[writes_[k]];
            if (write.done || clock < write.effect || overtakes(writes_, k, true)) continue;
            write.done = true;
            const size_t sent = write.strobes.size();
            for (uint32_t transfer = 0; transfer <= write.shape.length && transfer < sent; ++transfer) {
                const Shape &shape = write.shape;
                uint64_t strobe = write.strobes[transfer] &
                                  lanes(shape.begin(transfer), shape.end(transfer), kMemoryBytes);
                uint8_t *to = word(shape, transfer);
                const uint8_t *from = &write.data[transfer * kMemoryBytes];
                for (int k = 0; strobe; ++k, strobe >>= 1)
                    if (strobe & 1) to[k] = from[k];
            }
        }
    }

    uint8_t *word(const Shape &shape, uint32_t transfer) {
        return &bytes_[size_t(space_.place(shape.begin(transfer) & ~uint64_t(kMemoryBytes - 1)))];
    }

    // Any that is due, so that answers come out of order; or the oldest.
    int choose(const std::vector<int> &from, int64_t clock) {
        int chosen = -1;
        uint32_t due = 0;
        for (size_t k = 0; k < from.size(); ++k) {
            const Operation &each = operations_[from[k]];
            if (!each.done || clock < each.answer || overtakes(from, k, false)) continue;
            if (!set_[kMemoryShuffle]) return int(k);
            if (random_.below(++due) == 0) chosen = int(k);
        }
        return chosen;
    }

    void answer_read(ReadData &r, int64_t clock) {
        if (random_.chance(stall_[4])) return;
        if (reading_ < 0 || set_[kMemoryInterleave]) reading_ = choose(reads_, clock);
        if (reading_ < 0) return;
        Operation &read = operations_[reads_[reading_]];
        const uint32_t transfer = read.sent++;
        r.valid = true;
        r.id = read.id;
        r.code = space_.errs(read.shape.begin(transfer), read.shape.end(transfer)) ? kSlaveError : kOkay;
        r.last = transfer == read.shape.length;
        std::memcpy(r.data, &read.data[transfer * kMemoryBytes], kMemoryBytes);
    }

    void answer_write(WriteResponse &b, int64_t clock) {
        if (random_.chance(stall_[2])) return;
        writing_ = choose(writes_, clock);
        if (writing_ < 0) return;
        const Operation &write = operations_[writes_[writing_]];
        b.valid = true;
        b.id = write.id;
        b.code = write.error ? kSlaveError : kOkay;
    }

    Verdict &verdict_;
    const Space &space_;
    const Interleave &interleave_;
    std::vector<uint8_t> &bytes_;  // of all memories
    int number_;
    Random random_;
    int64_t set_[kMemorySettings];
    int64_t stall_[5] = {};
    int64_t next_reroll_ = 0;
    Pool<Operation> operations_;
    std::vector<int> reads_, writes_;
    std::deque<int> asked_, filled_;
    int filling_ = -1, reading_ = -1, writing_ = -1;
};

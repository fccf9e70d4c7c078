// A random manager in front of one port, which knows what it has to get.

#pragma once

#include <deque>

#include "interleave.h"
#include "pins.h"
#include "reference.h"
#include "space.h"

struct Ids {
    std::vector<uint32_t> mapped, unmapped;
    std::vector<uint32_t> changing;  // of reads alone, which may be answered with DECERR
};

// Latencies from the first offer of the address to the last answer, in clocks.
struct Latency {
    int64_t count = 0, sum = 0, worst = 0;

    void add(int64_t clocks) {
        ++count;
        sum += clocks;
        if (clocks > worst) worst = clocks;
    }
};

class Requester {
public:
    Requester(Verdict &verdict, Reference &reference, const Space &space,
              const Interleave &interleave, int port, const int64_t *settings, Ids ids,
              uint64_t seed)
        : verdict_(verdict), reference_(reference), space_(space), interleave_(interleave),
          port_(port),
          bus_(kDataBytes[port]), ids_(std::move(ids)), random_{mix(seed)},
          reads_(kIdWidths[port]), writes_(kIdWidths[port]) {
        for (int each = 0; each < kPortSettings; ++each) set_[each] = settings[each];
        left_ = set_[kBudget];
        reroll();
    }

    Latency reads, writes;
    int64_t bytes_read = 0, bytes_written = 0, unmapped = 0, faulty = 0, done = 0;
    int64_t refused = 0;  // reads of a changing ID that were answered with DECERR
    int64_t moved = 0;  // the last clock in which something crossed the port
    bool stopped = false, paused = false;

    bool finished() const { return set_[kBudget] && !left_ && !outstanding(); }
    int64_t outstanding() const { return open_reads_ + open_writes_; }
    void finish() { left_ = 0; }
    bool endless() const { return !set_[kBudget]; }

    // Offer of the oldest read that is under way, else `clock`.
    int64_t oldest(int64_t clock) {
        while (!read_order_.empty() && bursts_[read_order_.front()].finished) {
            bursts_.give(read_order_.front());
            read_order_.pop_front();
        }
        return read_order_.empty() ? clock : bursts_[read_order_.front()].offered;
    }

    void drive(Interface &pins, int64_t clock, int64_t oldest) {
        if (set_[kVary] && clock >= next_reroll_) reroll(clock);
        if (!pins.ar.valid) offer_read(pins.ar, clock);
        if (!pins.aw.valid) offer_write(pins.aw, clock, oldest);
        if (!pins.w.valid) offer_data(pins.w);
        const bool held = set_[kHoldPeriod] && clock % set_[kHoldPeriod] < set_[kHoldClocks];
        pins.r.ready = !held && !random_.chance(stall_[4]);
        pins.b.ready = !random_.chance(stall_[2]);
    }

    // What crossed in this clock. Valid signals of what was taken are low in the next one.
    void observe(Interface &pins, int64_t clock, int64_t oldest) {
        const bool b = pins.b.valid && pins.b.ready, r = pins.r.valid && pins.r.ready;
        const bool ar = pins.ar.valid && pins.ar.ready, aw = pins.aw.valid && pins.aw.ready;
        const bool w = pins.w.valid && pins.w.ready;
        if (b) take_response(pins.b, clock);
        if (r) take_data(pins.r, clock, oldest);
        if (ar) {
            bursts_[offered_read_].asked = true;
            pins.ar.valid = false;
        }
        if (aw) {
            bursts_[offered_write_].asked = true;
            pins.aw.valid = false;
        }
        if (w) {
            if (sent_ == bursts_[data_.front()].shape.length) {
                bursts_[data_.front()].whole = true;
                data_.pop_front();
                sent_ = 0;
            } else {
                ++sent_;
            }
            pins.w.valid = false;
        }
        if (b || r || ar || aw || w) moved = clock;
    }

private:
    struct Burst {
        uint32_t id;
        Shape shape;
        size_t first;  // number of the byte at the shape's address
        uint64_t seed;
        int64_t offered;    // clock of its address's first offer, or -1
        int write;          // its record in the reference, or -1
        uint32_t got;       // transfers read
        int32_t last_at;    // transfer with WLAST, or -1
        uint8_t code;       // expected of a write, or of a refused read
        uint8_t strobes;    // 0 all, 1 random, 2 few
        bool refused, asked, whole, finished, changing;
    };

    static uint64_t word(const Burst &burst, uint32_t transfer, uint64_t lane) {
        return mix(burst.seed + (uint64_t(transfer) << 8) + lane / 8);
    }

    uint64_t strobe(const Burst &burst, uint32_t transfer, bool stray) const {
        const uint64_t own =
            lanes(burst.shape.begin(transfer), burst.shape.end(transfer), bus_);
        const uint64_t any = mix(burst.seed + (uint64_t(transfer) << 8) + 0x80);
        uint64_t chosen = own;
        if (burst.strobes == 1) chosen &= any;
        if (burst.strobes == 2) chosen &= any & mix(any) & mix(any + 1);
        if (stray) chosen |= mix(any) & ~own & (bus_ == 64 ? ~uint64_t(0) : (uint64_t(1) << bus_) - 1);
        return chosen;
    }

    // Takes other habits for a while.
    void reroll(int64_t clock = 0) {
        static constexpr int64_t kStalls[] = {0, 0, 0, 100, 500, 850};
        for (int channel = 0; channel < 5; ++channel)
            stall_[channel] = set_[kVary] ? kStalls[random_.below(6)] : set_[kStallAw + channel];
        window_ = set_[kVary] && random_.chance(400) ? random_.between(1, 4) : set_[kWindow];
        lead_ = set_[kVary] ? random_.below(uint32_t(set_[kLead]) + 1) : set_[kLead];
        next_reroll_ = clock + (64 << random_.below(6));
        few_ids_ = random_.chance(500) && set_[kVary];
        hot_ = random_.chance(700);
    }

    bool may_ask(int64_t clock) {
        if (stopped || paused || (set_[kBudget] && !left_)) return false;
        if (!set_[kPeriod]) return true;
        return clock >= next_ask_;
    }

    void spend(int64_t clock) {
        if (set_[kBudget]) --left_;
        if (set_[kPeriod]) next_ask_ = (next_ask_ ? next_ask_ : clock) + set_[kPeriod];
    }

    void offer_read(Address &ar, int64_t clock) {
        if (!may_ask(clock) || open_reads_ >= window_ || random_.chance(stall_[3])) return;
        if (random_.chance(set_[kWrites])) return;
        spend(clock);
        const int number = plan(false);
        Burst &burst = bursts_[number];
        burst.offered = clock;
        reads_.push(burst.id, number);
        read_order_.push_back(number);
        ++open_reads_;
        offered_read_ = number;
        put(ar, burst);
    }

    void offer_write(Address &aw, int64_t clock, int64_t oldest) {
        if (random_.chance(stall_[0])) return;
        if (addresses_.empty() && !plan_write(clock)) return;
        const int number = addresses_.front();
        addresses_.pop_front();
        Burst &burst = bursts_[number];
        burst.offered = clock;
        offered_write_ = number;
        put(aw, burst);
        if (burst.refused) return;
        burst.write = reference_.begin(clock, port_, burst.id);
        for (uint32_t transfer = 0; transfer <= burst.shape.length; ++transfer) {
            const uint64_t begin = burst.shape.begin(transfer);
            const uint64_t lane = begin % bus_;
            const size_t at = burst.first + (begin - burst.shape.address);
            uint64_t written = strobe(burst, transfer, false) >> lane;
            for (size_t k = 0; written; ++k, written >>= 1) {
                if (!(written & 1)) continue;
                const uint64_t each = lane + k;
                const uint8_t value = uint8_t(word(burst, transfer, each) >> 8 * (each % 8));
                reference_.put(at + k, burst.write, transfer, value, oldest);
                ++bytes_written;
            }
        }
    }

    void offer_data(WriteData &w) {
        if (random_.chance(stall_[1])) return;
        // Data may come before their address, as many bursts ahead as they lead.
        if (data_.empty() && (int64_t(addresses_.size()) >= lead_ || !plan_write(verdict_.clock)))
            return;
        if (bursts_[data_.front()].offered < 0 && !lead_) return;
        const Burst &burst = bursts_[data_.front()];
        for (int k = 0; k < bus_; k += 8) {
            const uint64_t bytes = word(burst, sent_, uint64_t(k));
            std::memcpy(w.data + k, &bytes, 8);
        }
        w.strobe = strobe(burst, sent_, random_.chance(set_[kStray]));
        w.last = burst.last_at < 0 ? sent_ == burst.shape.length && burst.last_at == -1
                                   : sent_ == uint32_t(burst.last_at);
        w.valid = true;
    }

    bool plan_write(int64_t clock) {
        if (!may_ask(clock) || open_writes_ >= window_) return false;
        if (!random_.chance(set_[kWrites])) return false;
        spend(clock);
        const int number = plan(true);
        writes_.push(bursts_[number].id, number);
        addresses_.push_back(number);
        data_.push_back(number);
        ++open_writes_;
        return true;
    }

    void put(Address &at, const Burst &burst) {
        at.valid = true;
        at.id = burst.id;
        at.shape = burst.shape;
        at.lock = 0;
        at.carry_attributes();
    }

    int plan(bool write) {
        const int number = bursts_.take();
        Burst &burst = bursts_[number];
        burst = {};
        burst.write = -1;
        burst.last_at = -1;
        burst.offered = -1;
        burst.seed = random_.next();
        burst.strobes = uint8_t(random_.chance(600) ? 0 : random_.between(1, 2));
        const bool strange = random_.chance(set_[kUnmapped]) && !ids_.unmapped.empty();
        const auto &ids = strange ? ids_.unmapped : ids_.mapped;
        const auto count = uint32_t(ids.size());
        burst.id = ids[random_.below(few_ids_ && count > 3 ? 3 : count)];
        burst.changing = !write && !strange && !ids_.changing.empty() && random_.chance(300);
        if (burst.changing)
            burst.id = ids_.changing[random_.below(uint32_t(ids_.changing.size()))];
        shape(burst);
        if (strange) {
            burst.refused = true;
            burst.code = kDecodeError;
            ++unmapped;
        } else if (random_.chance(set_[kFaulty])) {
            spoil(burst, write);
            ++faulty;
        } else if (write) {
            burst.code = answer(burst.shape);
        }
        return number;
    }

    void shape(Burst &burst) {
        Shape &shape = burst.shape;
        uint32_t chosen = random_.below(uint32_t(space_.regions.size()));
        while (!(set_[kRegions] >> chosen & 1)) chosen = (chosen + 1) % space_.regions.size();
        const Region &region = space_.regions[chosen];
        if (set_[kLength]) {
            shape.size = uint8_t(set_[kSize]);
            shape.length = uint32_t(set_[kLength] - 1);
            const uint64_t step = shape.bytes() * uint64_t(set_[kLength]);
            const uint64_t places = region.bytes / step;
            const bool favours = set_[kFavours] && random_.chance(set_[kFavours]);
            do {
                const uint64_t place =
                    set_[kStream] ? followed_++ % places : random_.below(uint32_t(places));
                shape.address = region.base + place * step;
            } while (favours && interleave_.channel(shape.address) != set_[kFavourite]);
        } else {
            uint32_t most = 0;
            while ((1 << most) < bus_) ++most;
            shape.size = uint8_t(random_.chance(600) ? most : random_.below(most + 1));
            uint64_t offset = hot_ && random_.chance(700) ? random_.below(uint32_t(set_[kHot]))
                                                          : random_.below(uint32_t(region.bytes));
            const uint32_t way = random_.below(100);
            shape.kind = way < 70 ? kIncrement : way < 90 ? kWrap : kFixed;
            if (shape.kind == kWrap || !random_.chance(300)) offset &= ~(shape.bytes() - 1);
            shape.address = region.base + offset;
            if (shape.kind == kWrap) {
                shape.length = (2u << random_.below(4)) - 1;
            } else {
                const uint32_t far = random_.below(100);
                shape.length = far < 40   ? 0
                               : far < 75 ? random_.between(1, 7)
                               : far < 96 ? random_.between(8, 15)
                                          : random_.between(16, 255);
                if (shape.kind == kFixed && shape.length > 15) shape.length = 15;
            }
            if (shape.kind == kIncrement) {
                const uint64_t page = (shape.address | 4095) + 1;
                const uint64_t room = page - (shape.address & ~(shape.bytes() - 1));
                const uint64_t fit = room / shape.bytes();
                if (shape.length >= fit) shape.length = uint32_t(fit - 1);
            }
        }
        burst.first = region.first + size_t(shape.address - region.base);
    }

    // Breaks one of the rules that a port answers with SLVERR.
    void spoil(Burst &burst, bool write) {
        Shape &shape = burst.shape;
        burst.code = kSlaveError;
        const uint32_t way = random_.below(write ? 8 : 6);
        if (way >= 6) {  // WLAST alone is wrong: the data are written
            burst.last_at = way == 6 || !shape.length ? -2 : int32_t(random_.below(shape.length));
            return;
        }
        burst.refused = true;
        uint32_t most = 0;
        while ((1 << most) < bus_) ++most;
        if (way == 0) {
            shape.kind = kReserved;
        } else if (way == 1) {
            shape.kind = kWrap;
            shape.address &= ~uint64_t(127);
            do shape.length = random_.below(32);
            while (shape.length == 1 || shape.length == 3 || shape.length == 7 || shape.length == 15);
        } else if (way == 2) {
            shape.kind = kWrap;
            shape.size = uint8_t(random_.between(1, most));
            shape.length = (2u << random_.below(4)) - 1;
            shape.address = (shape.address & ~(shape.bytes() - 1)) + random_.between(1, uint32_t(shape.bytes() - 1));
        } else if (way == 3) {
            shape.kind = kFixed;
            shape.length = random_.between(16, 63);
        } else if (way == 4) {
            shape.kind = kIncrement;
            shape.length = random_.between(1, 31);
            const uint64_t ahead = shape.bytes() * random_.between(1, shape.length);
            shape.address = (shape.address | 4095) + 1 - ahead;
        } else {
            shape.kind = kIncrement;
            shape.size = uint8_t(random_.between(most + 1, 7));
            shape.length = random_.below(4);
            shape.address &= ~uint64_t(4095);
        }
    }

    // What memory answers to a write, beat by beat the worst.
    uint8_t answer(const Shape &shape) const {
        for (uint32_t transfer = 0; transfer <= shape.length; ++transfer)
            if (space_.errs(shape.begin(transfer), shape.end(transfer))) return kSlaveError;
        return kOkay;
    }

    void take_response(const WriteResponse &b, int64_t clock) {
        const int number = writes_.front(b.id);
        if (number < 0 || !bursts_[number].asked || !bursts_[number].whole) {
            verdict_.fault(kDuplicated, "port %d: a response to ID %u, which waits for none", port_, b.id);
            return;
        }
        Burst &burst = bursts_[number];
        if (b.code != burst.code)
            verdict_.fault(kCorrupted, "port %d: a write of ID %u at %#llx must be answered with %d, not %d",
                           port_, b.id, (unsigned long long)burst.shape.address, burst.code, b.code);
        if (burst.write >= 0) reference_.end(burst.write, clock);
        if (!burst.refused) writes.add(clock - burst.offered);
        writes_.pop(b.id);
        bursts_.give(number);
        --open_writes_;
        ++done;
    }

    void take_data(const ReadData &r, int64_t clock, int64_t oldest) {
        const int number = reads_.front(r.id);
        if (number < 0 || !bursts_[number].asked) {
            verdict_.fault(kDuplicated, "port %d: data for ID %u, which waits for none", port_, r.id);
            return;
        }
        Burst &burst = bursts_[number];
        if (burst.changing && !burst.got && r.code == kDecodeError && !burst.refused) {
            burst.refused = true;
            burst.code = kDecodeError;
            ++refused;
        }
        const uint32_t transfer = burst.got++;
        const uint64_t begin = burst.shape.begin(transfer), end = burst.shape.end(transfer);
        const uint8_t code = burst.refused            ? burst.code
                             : space_.errs(begin, end) ? uint8_t(kSlaveError)
                                                       : uint8_t(kOkay);
        if (r.code != code)
            verdict_.fault(kCorrupted, "port %d: transfer %u of a read of ID %u at %#llx must come with %d, not %d",
                           port_, transfer, r.id, (unsigned long long)burst.shape.address, code, r.code);
        else if (code == kOkay)
            compare(burst, r, begin, end, oldest);
        if (transfer < burst.shape.length) return;
        if (!burst.refused) reads.add(clock - burst.offered);
        reads_.pop(r.id);
        burst.finished = true;
        --open_reads_;
        ++done;
    }

    void compare(const Burst &burst, const ReadData &r, uint64_t begin, uint64_t end, int64_t oldest) {
        const size_t at = burst.first + (begin - burst.shape.address);
        for (uint64_t k = 0; k < end - begin; ++k) {
            const uint8_t value = r.data[begin % bus_ + k];
            const auto look =
                reference_.read(at + k, value, burst.offered, port_, burst.id, oldest);
            ++bytes_read;
            if (look == Reference::kLegal) continue;
            const bool stale = look == Reference::kStale;
            verdict_.fault(stale ? kMisordered : kCorrupted,
                           "port %d: a read of ID %u at %#llx has %#x at %#llx, which %s", port_, r.id,
                           (unsigned long long)burst.shape.address, value,
                           (unsigned long long)(begin + k),
                           stale ? "is older than it may be" : "nobody wrote there");
            return;
        }
    }

    Verdict &verdict_;
    Reference &reference_;
    const Space &space_;
    const Interleave &interleave_;
    int port_, bus_;
    Ids ids_;
    Random random_;
    int64_t set_[kPortSettings];
    int64_t stall_[5] = {};
    int64_t window_ = 1, lead_ = 0, next_reroll_ = 0, next_ask_ = 0, left_ = 0;
    int64_t open_reads_ = 0, open_writes_ = 0;
    bool few_ids_ = false, hot_ = false;
    Pool<Burst> bursts_;
    Queues reads_, writes_;
    std::deque<int> read_order_, addresses_, data_;
    int offered_read_ = -1, offered_write_ = -1;
    uint32_t sent_ = 0;
    uint64_t followed_ = 0;  // bursts of a stream so far
};

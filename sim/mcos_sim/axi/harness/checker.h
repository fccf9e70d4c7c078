// The protocol of one AXI interface, watched clock by clock.

#pragma once

#include <deque>

#include "pins.h"

// Of a port the manager is ours and breaks rules on purpose: there only what the design drives is
// judged. Rules and their words are those of mcos_sim.axi.rules.
class Checker {
public:
    Checker(Verdict &verdict, const char *name, int bus, int id_width, bool design_is_manager)
        : verdict_(verdict), name_(name), bus_(bus), manager_(design_is_manager),
          writes_(id_width), reads_(id_width), busy_(size_t(1) << id_width, 0) {}

    void clock(const Interface &now) {
        // Responses first: what is asked for in this clock cannot be answered in it.
        if (now.b.valid && !(before_.b.valid && !before_.b.ready)) begins_b(now.b);
        if (now.r.valid && now.r.ready) takes_r(now.r);
        else if (now.r.valid && reads_.front(now.r.id) < 0) broken(Rule::kReadUnasked, now.r.id);
        if (now.b.valid && now.b.ready) takes_b(now.b);

        if (manager_) {
            stable(now.aw, before_.aw, Rule::kStableAw);
            stable(now.w, before_.w, Rule::kStableW);
            stable(now.ar, before_.ar, Rule::kStableAr);
            if (now.aw.valid && !continues(before_.aw)) legal(now.aw);
            if (now.ar.valid && !continues(before_.ar)) legal(now.ar);
        } else {
            stable(now.b, before_.b, Rule::kStableB);
            stable(now.r, before_.r, Rule::kStableR);
        }
        if (now.ar.valid && now.ar.ready) takes_ar(now.ar);
        if (now.aw.valid && now.aw.ready) takes_aw(now.aw);
        if (now.w.valid && now.w.ready) beats_.push_back({now.w.last, now.w.id, now.w.strobe});
        match();
        before_ = now;
    }

private:
    struct Burst {
        uint32_t id;
        Shape shape;
        uint32_t count;  // transfers that have crossed
        bool whole, exclusive;
    };
    struct Beat {
        bool last;
        uint32_t id;
        uint64_t strobe;
    };

    void broken(Rule rule, uint64_t value) {
        verdict_.fault(kProtocol, "%s: %s (%llu)", name_, kRuleTexts[int(rule)],
                       (unsigned long long)value);
    }

    template <class T> static bool continues(const T &before) {
        return before.valid && !before.ready;
    }

    template <class T> void stable(const T &now, const T &before, Rule rule) {
        if (continues(before) && !(now.valid && now.same(before))) broken(rule, before.id);
    }

    void legal(const Address &at) {
        const Shape &shape = at.shape;
        if (shape.bytes() > uint64_t(bus_)) broken(Rule::kSize, shape.size);
        if (kMemoryAxi3 && shape.length > 15) broken(Rule::kLongAxi3, shape.length);
        if (shape.kind == kReserved) broken(Rule::kBurstCode, shape.kind);
        if (shape.kind == kFixed && shape.length > 15) broken(Rule::kLongFixed, shape.length);
        if (shape.kind == kWrap) {
            const uint32_t n = shape.length + 1;
            if (n != 2 && n != 4 && n != 8 && n != 16) broken(Rule::kWrapLength, shape.length);
            if (shape.address % shape.bytes()) broken(Rule::kWrapAddress, shape.address);
        }
        if (shape.kind == kIncrement && shape.address / 4096 != (shape.end(shape.length) - 1) / 4096)
            broken(Rule::kCrosses, shape.address);
        if (kUniqueIds && busy_[at.id]) broken(Rule::kIdReused, at.id);
    }

    void takes_ar(const Address &ar) {
        const int burst = bursts_.take();
        bursts_[burst] = {ar.id, ar.shape, 0, true, ar.lock == 1};
        reads_.push(ar.id, burst);
        ++busy_[ar.id];
    }

    void takes_aw(const Address &aw) {
        const int burst = bursts_.take();
        bursts_[burst] = {aw.id, aw.shape, 0, false, aw.lock == 1};
        writes_.push(aw.id, burst);
        unfilled_.push_back(burst);
        ++busy_[aw.id];
    }

    void match() {  // write data with their bursts, which come in the same order
        while (!beats_.empty() && !unfilled_.empty()) {
            const Beat beat = beats_.front();
            beats_.pop_front();
            Burst &burst = bursts_[unfilled_.front()];
            const bool last = burst.count == burst.shape.length;
            if (manager_) {
                if (beat.last != last) broken(Rule::kWlast, burst.count);
                if (kMemoryAxi3 && beat.id != burst.id) broken(Rule::kWid, beat.id);
                const uint64_t allowed =
                    lanes(burst.shape.begin(burst.count), burst.shape.end(burst.count), bus_);
                if (beat.strobe & ~allowed) broken(Rule::kStrobe, beat.strobe);
            }
            ++burst.count;
            if (last) {
                burst.whole = true;
                unfilled_.pop_front();
            }
        }
    }

    void begins_b(const WriteResponse &b) {
        const int burst = writes_.front(b.id);
        if (burst < 0) broken(Rule::kWriteUnasked, b.id);
        else if (!bursts_[burst].whole) broken(Rule::kWriteEarly, b.id);
        else if (b.code == 1 && !bursts_[burst].exclusive) broken(Rule::kExclusive, b.id);
    }

    void takes_b(const WriteResponse &b) {
        const int burst = writes_.front(b.id);
        if (burst < 0 || !bursts_[burst].whole) return;
        writes_.pop(b.id);
        bursts_.give(burst);
        --busy_[b.id];
    }

    void takes_r(const ReadData &r) {
        const int number = reads_.front(r.id);
        if (number < 0) return broken(Rule::kReadUnasked, r.id);
        Burst &burst = bursts_[number];
        const bool last = burst.count == burst.shape.length;
        if (r.last != last) broken(Rule::kRlast, burst.count);
        if (r.code == 1 && !burst.exclusive) broken(Rule::kExclusive, r.id);
        ++burst.count;
        if (!last) return;
        reads_.pop(r.id);
        bursts_.give(number);
        --busy_[r.id];
    }

    Verdict &verdict_;
    const char *name_;
    int bus_;
    bool manager_;
    Interface before_;
    Pool<Burst> bursts_;
    Queues writes_, reads_;
    std::vector<uint16_t> busy_;
    std::deque<int> unfilled_;
    std::deque<Beat> beats_;
};

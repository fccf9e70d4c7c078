// Runs the AXI top between random managers and memories, and watches every interface.
//
// sizes.h is written by mcos_sim.axi.library: widths of the ports, rules, and where each setting
// and each result is. A clock is: managers and memories drive, the design settles, everybody sees
// what crosses, the edge takes it.

// The design is compiled for quick builds; half of a run is spent here.
#pragma GCC optimize("O2")

#include <algorithm>
#include <deque>
#include <memory>

#include "checker.h"
#include "memory.h"
#include "requester.h"
#include "verilated.h"

namespace {

constexpr int kBusClocks = 64;  // for which a register access may take

std::vector<uint8_t> random_bytes(size_t count, uint64_t seed) {
    std::vector<uint8_t> bytes(count);
    Random random{mix(seed)};
    for (uint8_t &byte : bytes) byte = uint8_t(random.next() >> 17);
    return bytes;
}

// The clock in which each channel of an interface was first valid, or -1.
struct FirstValid {
    int64_t aw = -1, w = -1, b = -1, ar = -1, r = -1;

    void clock(const Interface &pins, int64_t now) {
        const auto note = [now](int64_t &at, bool valid) {
            if (at < 0 && valid) at = now;
        };
        note(aw, pins.aw.valid);
        note(w, pins.w.valid);
        note(b, pins.b.valid);
        note(ar, pins.ar.valid);
        note(r, pins.r.valid);
    }

    void tell(int64_t *to) const {
        for (int64_t each : {aw, w, b, ar, r}) *to++ = each;
    }
};

// Register writes that are made one after the other while everything else goes on.
class Writer {
public:
    struct Write {
        int64_t clock, address, word;  // not before the clock
    };
    std::deque<Write> posted;

    void drive(Vtop &top, int64_t now) {
        if (!busy_ && !posted.empty() && posted.front().clock <= now) busy_ = address_ = data_ = true;
        top.s_axil_awvalid = address_;
        top.s_axil_wvalid = data_;
        if (!busy_) return;
        top.s_axil_awaddr = posted.front().address;
        top.s_axil_wdata = posted.front().word;
    }

    void observe(Verdict &verdict, const Vtop &top) {
        if (!busy_) return;
        if (top.s_axil_awready) address_ = false;
        if (top.s_axil_wready) data_ = false;
        if (!top.s_axil_bvalid) return;
        if (top.s_axil_bresp)
            verdict.fault(kProtocol, "register %#llx must answer OKAY, not code %d",
                          (unsigned long long)posted.front().address, int(top.s_axil_bresp));
        posted.pop_front();
        busy_ = false;
    }

private:
    bool busy_ = false, address_ = false, data_ = false;
};

struct Simulation {
    VerilatedContext context;
    Vtop top{&context};
    Verdict verdict;
    Space space;
    Interleave interleave;
    std::vector<uint8_t> bytes;  // of all memories
    Reference reference;
    Interface ports[kPorts], backs[kMemories];
    FirstValid first[kPorts], first_back[kMemories];
    std::vector<std::unique_ptr<Requester>> requesters;
    std::vector<std::unique_ptr<Memory>> memories;
    std::vector<std::unique_ptr<Checker>> checkers, back_checkers;
    int64_t patience, most_faults, progress = 0;
    bool drained = false;
    Writer writer;
    Interleave armed;  // counts from the next commit on
    uint32_t generation = 0;
    int64_t paused_from = kNever, paused_until = kNever;
    int64_t *rows = nullptr, rows_left = 0;  // of the witness, one a clock

    Simulation(const int64_t *all, const int64_t *of_ports, const int64_t *of_memory,
               const int64_t *regions, const int64_t *ids, const int64_t *masks)
        : space(regions, all[kRegionCount]), interleave(all[kGrain], masks),
          bytes(random_bytes(space.bytes(), uint64_t(all[kSeed]))), reference(bytes),
          patience(all[kPatience]), most_faults(all[kMostFaults]), armed(interleave) {
        static const char *const kNames[] = {
#define NAME(number, prefix) #prefix,
            EACH_PORT(NAME)
        };
        static const char *const kMemoryNames[] = {EACH_MEMORY(NAME)};
        for (int port = 0; port < kPorts; ++port) {
            Ids known;
            for (auto *list : {&known.mapped, &known.unmapped, &known.changing})
                for (int64_t count = *ids++; count; --count) list->push_back(uint32_t(*ids++));
            requesters.push_back(std::make_unique<Requester>(
                verdict, reference, space, interleave, port, of_ports + port * kPortSettings,
                std::move(known), uint64_t(all[kSeed]) * 16 + port + 1));
            checkers.push_back(std::make_unique<Checker>(verdict, kNames[port], kDataBytes[port],
                                                         kIdWidths[port], false));
        }
        for (int each = 0; each < kMemories; ++each) {
            const uint64_t seed = mix(uint64_t(all[kSeed])) + each;
            memories.push_back(std::make_unique<Memory>(verdict, space, interleave, bytes, each,
                                                        of_memory, seed));
            back_checkers.push_back(std::make_unique<Checker>(
                verdict, kMemoryNames[each], kMemoryBytes, kMemoryIdWidth, true));
        }
        top.rst = 1;
        top.clk = 0;
        write(false, 0, 0);
        top.s_axil_arvalid = 0;
        top.s_axil_bready = 1;
        top.s_axil_rready = 1;
        for (int k = 0; k < 2; ++k) still();
        top.rst = 0;
    }

    void drive_all() {
#define DRIVE(number, prefix) drive_##prefix(top, ports[number]);
#define DRIVE_BACK(number, prefix) drive_##prefix(top, backs[number]);
        EACH_PORT(DRIVE)
        EACH_MEMORY(DRIVE_BACK)
    }

    void sample_all() {
#define SAMPLE(number, prefix) sample_##prefix(top, ports[number]);
#define SAMPLE_BACK(number, prefix) sample_##prefix(top, backs[number]);
        EACH_PORT(SAMPLE)
        EACH_MEMORY(SAMPLE_BACK)
    }

    void settle() {
        drive_all();
        top.clk = 0;
        top.eval();
    }

    void edge() {
        top.clk = 1;
        top.eval();
        ++verdict.clock;
    }

    void still() {  // a clock in which nothing is asked for
        settle();
        edge();
    }

    int64_t oldest() {
        int64_t least = verdict.clock;
        for (auto &each : requesters) least = std::min(least, each->oldest(verdict.clock));
        return least;
    }

    // What the witness shows. A commit makes the armed interleave that of memories too.
    void watch() {
#if WITNESS_WORDS
        const auto *shown = reinterpret_cast<const int64_t *>(&top.witness[0]);
        if (rows_left) {
            std::memcpy(rows, shown, 8 * WITNESS_WORDS);
            rows += WITNESS_WORDS;
            --rows_left;
        }
        if (generation == uint32_t(top.witness[0])) return;
        generation = uint32_t(top.witness[0]);
        if (interleave == armed) return;
        for (auto &each : memories)
            if (each->outstanding())
                verdict.fault(kCorrupted, "the interleave changes while memory has a burst");
        interleave = armed;
#endif
    }

    void clock() {
        const int64_t now = verdict.clock, reads_from = oldest();
        const bool paused = now >= paused_from && now < paused_until;
        for (auto &each : requesters) each->paused = paused;
        writer.drive(top, now);
        for (int port = 0; port < kPorts; ++port)
            requesters[port]->drive(ports[port], now, reads_from);
        for (int each = 0; each < kMemories; ++each) memories[each]->drive(backs[each], now);
        settle();
        watch();
        sample_all();
        for (int port = 0; port < kPorts; ++port) checkers[port]->clock(ports[port]);
        for (int port = 0; port < kPorts; ++port) first[port].clock(ports[port], now);
        for (int each = 0; each < kMemories; ++each) {
            back_checkers[each]->clock(backs[each]);
            first_back[each].clock(backs[each], now);
        }
        writer.observe(verdict, top);
        for (int port = 0; port < kPorts; ++port)
            requesters[port]->observe(ports[port], now, reads_from);
        for (int each = 0; each < kMemories; ++each) memories[each]->observe(backs[each], now);
        edge();
    }

    // Whether a port with something outstanding has not moved for longer than patience.
    bool stuck() {
        for (int port = 0; port < kPorts; ++port) {
            const Requester &each = *requesters[port];
            if (!each.outstanding() || verdict.clock - each.moved <= patience) continue;
            verdict.fault(kDeadlock, "port %d: nothing has moved for %lld clocks, and %lld are under way",
                          port, (long long)patience, (long long)each.outstanding());
            return true;
        }
        return false;
    }

    int64_t outstanding() const {
        int64_t sum = 0;
        for (auto &each : requesters) sum += each->outstanding();
        return sum;
    }

    bool finished() {
        bool all = true;
        for (auto &each : requesters) all &= each->endless() || each->finished();
        if (!all) return false;
        for (auto &each : requesters) each->stopped = true;
        return !outstanding();
    }

    // Up to a clock, or until all bursts are answered. What is in memory at the end is judged.
    void run(int64_t until) {
        for (auto &each : requesters) each->moved = std::max(each->moved, verdict.clock);
        bool whole = false;
        while (verdict.clock < until && verdict.total < most_faults) {
            clock();
            if (verdict.clock % 16) continue;
            if ((whole = finished()) || (verdict.clock % 1024 == 0 && stuck())) break;
        }
        if (!whole) {
            if (verdict.clock < until && !verdict.total) return;
            if (verdict.counts[kDeadlock]) verdict.counts[kLost] += outstanding();
            return;
        }
        for (int k = 0; k < 256; ++k) clock();  // what comes now comes twice
        const int64_t now = verdict.clock;
        for (size_t at = 0; at < bytes.size() && verdict.total < most_faults; ++at) {
            const auto look = reference.read(at, bytes[at], now, 0, kNobody, now);
            if (look == Reference::kLegal) continue;
            verdict.fault(look == Reference::kStale ? kMisordered : kCorrupted,
                          "memory: byte %zu is %#x in the end, which %s", at, bytes[at],
                          look == Reference::kStale ? "was overwritten" : "nobody wrote there");
        }
        drained = true;
    }

    void write(bool valid, int64_t address, int64_t word) {
        top.s_axil_awvalid = valid;
        top.s_axil_wvalid = valid;
        top.s_axil_awaddr = address;
        top.s_axil_wdata = word;
        top.s_axil_wstrb = 0xF;
    }

    static constexpr uint32_t kNobody = ~0u;
};

Simulation &of(void *handle) { return *static_cast<Simulation *>(handle); }

}  // namespace

extern "C" {

void *axi_create(const int64_t *all, const int64_t *ports, const int64_t *memory,
                 const int64_t *regions, const int64_t *ids, const int64_t *masks) {
    return new Simulation(all, ports, memory, regions, ids, masks);
}

void axi_destroy(void *handle) {
    of(handle).top.final();
    delete &of(handle);
}

// Writes a register while nothing is asked for; its response, or -1 without one.
int64_t axi_write(void *handle, int64_t address, int64_t word) {
    Simulation &simulation = of(handle);
    Vtop &top = simulation.top;
    simulation.write(true, address, word);
    bool address_taken = false, data_taken = false;
    for (int waited = 0; waited < kBusClocks; ++waited) {
        simulation.settle();
        address_taken |= top.s_axil_awvalid && top.s_axil_awready;
        data_taken |= top.s_axil_wvalid && top.s_axil_wready;
        const bool answered = top.s_axil_bvalid;
        const int64_t code = top.s_axil_bresp;
        simulation.edge();
        top.s_axil_awvalid = !address_taken;
        top.s_axil_wvalid = !data_taken;
        if (answered) return code;
    }
    simulation.write(false, 0, 0);
    return -1;
}

// The word of a register while nothing is asked for; -1 unless it answers OKAY.
int64_t axi_read(void *handle, int64_t address) {
    Simulation &simulation = of(handle);
    Vtop &top = simulation.top;
    top.s_axil_araddr = address;
    top.s_axil_arvalid = 1;
    for (int waited = 0; waited < kBusClocks; ++waited) {
        simulation.settle();
        const bool taken = top.s_axil_arvalid && top.s_axil_arready, answered = top.s_axil_rvalid;
        const int64_t word = top.s_axil_rresp ? -1 : int64_t(top.s_axil_rdata);
        simulation.edge();
        if (taken) top.s_axil_arvalid = 0;
        if (answered) return word;
    }
    top.s_axil_arvalid = 0;
    return -1;
}

void axi_idle(void *handle, int64_t clocks) {
    for (; clocks > 0; --clocks) of(handle).still();
}

// Register writes of clock, address and word to make while managers go on.
void axi_post(void *handle, const int64_t *writes, int64_t count) {
    auto &posted = of(handle).writer.posted;
    for (; count > 0; --count, writes += 3) posted.push_back({writes[0], writes[1], writes[2]});
}

// The interleave that memories have from the next commit on.
void axi_arm(void *handle, int64_t grain, const int64_t *masks) {
    of(handle).armed = Interleave(grain, masks);
}

// Managers ask for nothing new in these clocks.
void axi_pause(void *handle, int64_t from, int64_t until) {
    of(handle).paused_from = from;
    of(handle).paused_until = until;
}

// Managers ask for nothing any more.
void axi_finish(void *handle) {
    for (auto &each : of(handle).requesters) each->finish();
}

// Where the next clocks leave what the witness shows, a row each.
void axi_watch(void *handle, int64_t *rows, int64_t count) {
    of(handle).rows = rows;
    of(handle).rows_left = count;
}

// Runs up to a clock or until everything is answered, and fills `results`.
void axi_run(void *handle, int64_t until, int64_t *results) {
    Simulation &simulation = of(handle);
    simulation.run(until);
    const Verdict &verdict = simulation.verdict;
    for (int sort = 0; sort < kFaultSorts; ++sort) results[sort] = verdict.counts[sort];
    results[kClock] = verdict.clock;
    results[kFirstClock] = verdict.first_clock;
    results[kDrained] = simulation.drained;
    results[kOutstanding] = simulation.outstanding();
    for (int each = 0; each < kMemories; ++each) {
        const Memory &from = *simulation.memories[each];
        int64_t *to = results + kResults + kPorts * kPortResults + each * kMemoryResults;
        to[kReadBursts] = from.read_bursts;
        to[kWriteBursts] = from.write_bursts;
        to[kReadBeats] = from.read_beats;
        to[kWriteBeats] = from.write_beats;
        simulation.first_back[each].tell(to + kMemoryAw);
    }
    for (int port = 0; port < kPorts; ++port) {
        const Requester &from = *simulation.requesters[port];
        int64_t *to = results + kResults + port * kPortResults;
        to[kDone] = from.done;
        to[kReads] = from.reads.count;
        to[kReadClocks] = from.reads.sum;
        to[kWorstRead] = from.reads.worst;
        to[kWritesDone] = from.writes.count;
        to[kWriteClocks] = from.writes.sum;
        to[kWorstWrite] = from.writes.worst;
        to[kBytesRead] = from.bytes_read;
        to[kBytesWritten] = from.bytes_written;
        to[kUnmappedDone] = from.unmapped;
        to[kFaultyDone] = from.faulty;
        to[kRefusedDone] = from.refused;
        simulation.first[port].tell(to + kFirstAw);
    }
}

const char *axi_fault(void *handle) { return of(handle).verdict.first.c_str(); }

}  // extern "C"

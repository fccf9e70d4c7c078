// Runs the design clock by clock beside an environment, and drives its registers.
//
// layout.h is written from mcos_sim.environment.layout: where each value is in the environment's
// array. A clock is: the design shows, the environment answers, the edge takes it.

#include <cstdint>
#include <cstring>

#include "Vtop.h"
#include "layout.h"
#include "verilated.h"

namespace {

using Drive = void (*)(int64_t *environment, int64_t length);

#if !SEVERAL_CHANNELS
constexpr int64_t kProbeWords = (sizeof(Vtop::probe) + 7) / 8;
#endif

constexpr int64_t kBusClocks = 4;  // from one write to the next one, answered in between

constexpr int kMostClocks = 64;  // that an answer may take

struct Simulation {
    VerilatedContext context;
    Vtop top{&context};
    int64_t clock = 0;

    void edge() {
        top.clk = 1;
        top.eval();
        top.clk = 0;
        top.eval();
        ++clock;
    }

    void show(int64_t *e) {
#define SHOW_PORT(K, LANE)                                          \
    e[LANE + layout::READY] = top.request##K##_ready;               \
    e[LANE + layout::RESPONSE_VALID] = top.response##K##_valid;     \
    e[LANE + layout::RESPONSE_TENANT] = top.response##K##_tenant;   \
    e[LANE + layout::RESPONSE_ID] = top.response##K##_id;
#define SHOW_CHANNEL(K, LANE)                                                             \
    e[LANE + layout::GRANTED] = top.granted##K ? int64_t(top.granted_tenant##K) : -1;     \
    e[LANE + layout::GRANTED_CLASS] = top.granted_class##K;                               \
    e[LANE + layout::COMMAND_VALID] = top.command##K##_valid;                             \
    e[LANE + layout::COMMAND_SLOT] = top.command##K##_slot;                               \
    e[LANE + layout::COMMAND_TENANT] = top.command##K##_tenant;                           \
    e[LANE + layout::COMMAND_OP] = top.command##K##_op;                                   \
    e[LANE + layout::COMMAND_ADDRESS] = int64_t(top.command##K##_address);                \
    e[LANE + layout::COMMAND_BEATS] = top.command##K##_beats;
        EACH_PORT(SHOW_PORT)
        EACH_CHANNEL(SHOW_CHANNEL)
    }

    void take(const int64_t *e) {
#define TAKE_PORT(K, LANE)                                          \
    top.request##K##_valid = e[LANE + layout::REQUEST_VALID];       \
    top.request##K##_tenant = e[LANE + layout::REQUEST_TENANT];     \
    top.request##K##_id = e[LANE + layout::REQUEST_ID];             \
    top.request##K##_op = e[LANE + layout::REQUEST_OP];             \
    top.request##K##_address = e[LANE + layout::REQUEST_ADDRESS];   \
    top.request##K##_beats = e[LANE + layout::REQUEST_BEATS];       \
    top.request##K##_offered = e[LANE + layout::REQUEST_OFFERED] & layout::STAMP_MASK;
#define TAKE_CHANNEL(K, LANE)                                           \
    top.command##K##_ready = e[LANE + layout::COMMAND_READY];           \
    top.completion##K##_valid = e[LANE + layout::COMPLETION_VALID];     \
    top.completion##K##_slot = e[LANE + layout::COMPLETION_SLOT];
        EACH_PORT(TAKE_PORT)
        EACH_CHANNEL(TAKE_CHANNEL)
    }

    // Nothing is asked for and nothing is served.
    void rest() {
#define REST_PORT(K, LANE) top.request##K##_valid = 0;
#define REST_CHANNEL(K, LANE)     \
    top.command##K##_ready = 0;   \
    top.completion##K##_valid = 0;
        EACH_PORT(REST_PORT)
        EACH_CHANNEL(REST_CHANNEL)
    }

    // What every channel shows of its state, and of several also what crosses its boundary.
    void probe(uint64_t *row) {
#define COPY(SIGNAL)                                    \
    std::memcpy(row, &top.SIGNAL, sizeof(top.SIGNAL));  \
    row += (sizeof(top.SIGNAL) + 7) / 8;
#define PROBE(K, LANE) COPY(probe##K)
        EACH_CHANNEL(PROBE)
#if SEVERAL_CHANNELS
#define CROSSING(K, LANE) COPY(probe_crossing##K)
        EACH_CHANNEL(CROSSING)
#endif
    }

    // A clock in which traffic goes on, if there is any and it has begun and not ended.
    void step(Drive drive, int64_t *environment, int64_t length) {
        bool asks = drive && clock >= environment[layout::CLOCK] && !ended(environment);
        if (asks) {
            show(environment);
            drive(environment, length);
            asks = !ended(environment);
        }
        if (asks) {
            take(environment);
        } else {
            rest();
        }
        edge();
    }

    static bool ended(const int64_t *e) { return e[layout::DONE] || e[layout::FAULT]; }

    void write(bool valid, int64_t address, int64_t word) {
        top.s_axil_awvalid = valid;
        top.s_axil_wvalid = valid;
        top.s_axil_awaddr = address;
        top.s_axil_wdata = word;
        top.s_axil_wstrb = 0xF;
    }
};

}  // namespace

extern "C" {

// A clock of reset; what goes on is forgotten, and the next clock is clock 0.
void mcos_reset(void *handle) {
    auto *simulation = static_cast<Simulation *>(handle);
    Vtop &top = simulation->top;
    simulation->rest();
    simulation->write(false, 0, 0);
    top.s_axil_bready = 1;
    top.s_axil_rready = 1;
    top.s_axil_arvalid = 0;
    top.clk = 0;
    top.rst = 1;
    top.eval();
    simulation->edge();
    top.rst = 0;
    simulation->clock = 0;
}

// A simulation in clock 0, after reset.
void *mcos_create() {
    auto *simulation = new Simulation;
    mcos_reset(simulation);
    return simulation;
}

void mcos_destroy(void *handle) {
    auto *simulation = static_cast<Simulation *>(handle);
    simulation->top.final();
    delete simulation;
}

int64_t mcos_clock(void *handle) { return static_cast<Simulation *>(handle)->clock; }

// Clocks up to `until`, or until the environment is done or finds a fault.
//
// `writes` are rows of (clock, register address, word), each in its clock, at least kBusClocks apart.
// `rows`, if not null, gets `words` of 64 bits each clock: the probe, and of a single channel, if there
// is room behind it, what crosses the ports. Without `drive` nothing is asked for. Returns the clocks run.
int64_t mcos_run(void *handle, Drive drive, int64_t *environment, int64_t length, int64_t until,
                 const int64_t *writes, int64_t write_count, uint64_t *rows, int64_t words) {
    auto *simulation = static_cast<Simulation *>(handle);
    const int64_t begun = simulation->clock;
    int64_t write = 0;
    for (; simulation->clock < until; ) {
        if (write < write_count && writes[3 * write] == simulation->clock) {
            simulation->write(true, writes[3 * write + 1], writes[3 * write + 2]);
            ++write;
        } else {
            simulation->write(false, 0, 0);
        }
        if (rows) simulation->probe(rows);
        if (drive) {
            simulation->show(environment);
            drive(environment, length);
#if !SEVERAL_CHANNELS
            if (rows && words >= kProbeWords + layout::PORTS_LENGTH)
                std::memcpy(rows + kProbeWords, environment + layout::PORTS,
                            layout::PORTS_LENGTH * sizeof(int64_t));
#endif
            if (environment[layout::DONE] || environment[layout::FAULT]) break;
            simulation->take(environment);
        } else {
            simulation->rest();
        }
        if (rows) rows += words;
        simulation->edge();
    }
    simulation->write(false, 0, 0);
    return simulation->clock - begun;
}

// The word of a register, beside traffic; -1 unless it answers OKAY.
int64_t mcos_read(void *handle, Drive drive, int64_t *environment, int64_t length,
                  int64_t address) {
    auto *simulation = static_cast<Simulation *>(handle);
    Vtop &top = simulation->top;
    top.s_axil_araddr = address;
    top.s_axil_arvalid = 1;
    simulation->step(drive, environment, length);
    top.s_axil_arvalid = 0;
    for (int waited = 0; !top.s_axil_rvalid; ++waited) {
        if (waited == kMostClocks) return -1;
        simulation->step(drive, environment, length);
    }
    const int64_t word = top.s_axil_rresp ? -1 : int64_t(top.s_axil_rdata);
    simulation->step(drive, environment, length);
    return word;
}

// Writes a register, beside traffic; 0 if it answers OKAY, -1 otherwise.
int64_t mcos_write(void *handle, Drive drive, int64_t *environment, int64_t length,
                   int64_t address, int64_t word) {
    auto *simulation = static_cast<Simulation *>(handle);
    Vtop &top = simulation->top;
    simulation->write(true, address, word);
    simulation->step(drive, environment, length);
    simulation->write(false, 0, 0);
    for (int waited = 0; !top.s_axil_bvalid; ++waited) {
        if (waited == kMostClocks) return -1;
        simulation->step(drive, environment, length);
    }
    const int64_t answer = top.s_axil_bresp ? -1 : 0;
    simulation->step(drive, environment, length);
    return answer;
}

}  // extern "C"

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

constexpr int64_t kProbeWords = (sizeof(Vtop::probe) + 7) / 8;

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
        e[layout::READY] = top.request_ready;
        e[layout::GRANTED] = top.granted ? int64_t(top.granted_tenant) : -1;
        e[layout::GRANTED_CLASS] = top.granted_class;
        e[layout::COMMAND_VALID] = top.command_valid;
        e[layout::COMMAND_SLOT] = top.command_slot;
        e[layout::COMMAND_TENANT] = top.command_tenant;
        e[layout::COMMAND_OP] = top.command_op;
        e[layout::COMMAND_ADDRESS] = int64_t(top.command_address);
        e[layout::COMMAND_BEATS] = top.command_beats;
        e[layout::RESPONSE_VALID] = top.response_valid;
        e[layout::RESPONSE_TENANT] = top.response_tenant;
        e[layout::RESPONSE_ID] = top.response_id;
    }

    void take(const int64_t *e) {
        top.request_valid = e[layout::REQUEST_VALID];
        top.request_tenant = e[layout::REQUEST_TENANT];
        top.request_id = e[layout::REQUEST_ID];
        top.request_op = e[layout::REQUEST_OP];
        top.request_address = e[layout::REQUEST_ADDRESS];
        top.request_beats = e[layout::REQUEST_BEATS];
        top.request_offered = e[layout::REQUEST_OFFERED] & layout::STAMP_MASK;
        top.command_ready = e[layout::COMMAND_READY];
        top.completion_valid = e[layout::COMPLETION_VALID];
        top.completion_slot = e[layout::COMPLETION_SLOT];
    }

    // Nothing is asked for and nothing is served.
    void rest() {
        top.request_valid = 0;
        top.command_ready = 0;
        top.completion_valid = 0;
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
// `rows`, if not null, gets `words` of 64 bits each clock: the probe, and if there is room behind it
// what crosses the ports. Without `drive` nothing is asked for. Returns the clocks run.
int64_t mcos_run(void *handle, Drive drive, int64_t *environment, int64_t length, int64_t until,
                 const int64_t *writes, int64_t write_count, uint64_t *rows, int64_t words) {
    auto *simulation = static_cast<Simulation *>(handle);
    Vtop &top = simulation->top;
    const int64_t begun = simulation->clock;
    int64_t write = 0;
    for (; simulation->clock < until; ) {
        if (write < write_count && writes[3 * write] == simulation->clock) {
            simulation->write(true, writes[3 * write + 1], writes[3 * write + 2]);
            ++write;
        } else {
            simulation->write(false, 0, 0);
        }
        if (rows) std::memcpy(rows, &top.probe, sizeof(top.probe));
        if (drive) {
            simulation->show(environment);
            drive(environment, length);
            if (rows && words >= kProbeWords + layout::PORTS_LENGTH)
                std::memcpy(rows + kProbeWords, environment + layout::PORTS,
                            layout::PORTS_LENGTH * sizeof(int64_t));
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

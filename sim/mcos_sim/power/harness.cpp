// Clocks a design whose inputs hold for many clocks.
//
// pins.h is written by mcos_sim.power.library: the names of inputs and outputs.

// The design is compiled for quick builds.
#pragma GCC optimize("O2")

#include <cstdint>
#include <memory>

#include "Vtop.h"
#include "pins.h"
#include "verilated.h"

namespace {

struct Simulation {
    VerilatedContext context;
    Vtop top{&context};

    void clock() {
        top.clk = 0;
        top.eval();
        top.clk = 1;
        top.eval();
    }
};

}  // namespace

extern "C" {

void *rig_create() {
    auto *simulation = new Simulation;
    simulation->top.rst = 1;
    simulation->clock();
    simulation->top.rst = 0;
    return simulation;
}

void rig_destroy(void *handle) { delete static_cast<Simulation *>(handle); }

void rig_run(void *handle, int64_t clocks, const int64_t *inputs, int64_t *outputs) {
    auto *simulation = static_cast<Simulation *>(handle);
    Vtop &top = simulation->top;
#define SET(place, name) top.name = decltype(top.name)(inputs[place]);
    EACH_INPUT(SET)
    for (int64_t clock = 0; clock < clocks; ++clock) simulation->clock();
    top.clk = 0;
    top.eval();
#define GET(place, name) outputs[place] = int64_t(top.name);
    EACH_OUTPUT(GET)
}

}

// The clocks of a lending top, and its pins as bytes.

#include <cstdint>
#include <cstring>

#include "Vtop.h"

namespace {

struct Pin {
    void *place;
    size_t bytes;
};

Pin pin(Vtop &top, int which) {
    switch (which) {
#define X(number, name) \
    case number: \
        return {&top.name, sizeof top.name};
        EACH_PIN(X)
#undef X
    default:
        return {nullptr, 0};
    }
}

void clock(Vtop &top) {
    top.clk = 1;
    top.eval();
    top.clk = 0;
    top.eval();
}

}  // namespace

extern "C" {

void *lending_create() {
    Vtop *top = new Vtop;
    top->rst = 1;
    top->clk = 0;
    top->eval();
    for (int k = 0; k < 4; ++k) clock(*top);
    top->rst = 0;
    top->eval();
    return top;
}

void lending_destroy(void *handle) {
    Vtop *top = static_cast<Vtop *>(handle);
    top->final();
    delete top;
}

void lending_set(void *handle, int which, const uint8_t *bytes, int64_t count) {
    const Pin found = pin(*static_cast<Vtop *>(handle), which);
    std::memset(found.place, 0, found.bytes);
    std::memcpy(found.place, bytes, count);
}

void lending_get(void *handle, int which, uint8_t *bytes, int64_t count) {
    const Pin found = pin(*static_cast<Vtop *>(handle), which);
    std::memcpy(bytes, found.place, count);
}

void lending_run(void *handle, int64_t clocks) {
    Vtop &top = *static_cast<Vtop *>(handle);
    for (int64_t k = 0; k < clocks; ++k) clock(top);
}

}

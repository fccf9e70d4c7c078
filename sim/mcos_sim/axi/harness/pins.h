// An AXI interface as plain values, and its way to and from the pins of the design.

#pragma once

#include <cstring>

#include "Vtop.h"
#include "basics.h"

struct Address {
    bool valid = false, ready = false;
    uint32_t id = 0;
    Shape shape;
    uint8_t lock = 0, cache = 0, prot = 0, qos = 0;

    // Attributes are those of a page, so that the memory knows which ones a burst must bring.
    void carry_attributes() {
        const uint64_t of = mix(shape.address / 4096);
        cache = uint8_t(of & 15);
        prot = uint8_t(of >> 4 & 7);
        qos = uint8_t(of >> 7 & 15);
    }

    bool carries_attributes() const {
        Address right = *this;
        right.carry_attributes();
        return right.cache == cache && right.prot == prot && (MEMORY_AXI3 || right.qos == qos);
    }

    bool same(const Address &other) const {
        return id == other.id && shape.address == other.shape.address &&
               shape.length == other.shape.length && shape.size == other.shape.size &&
               shape.kind == other.shape.kind && lock == other.lock && cache == other.cache &&
               prot == other.prot && qos == other.qos;
    }
};

struct WriteData {
    bool valid = false, ready = false, last = false;
    uint32_t id = 0;  // AXI3 alone
    uint64_t strobe = 0;
    uint8_t data[kMostBytes] = {};

    bool same(const WriteData &other) const {
        return last == other.last && id == other.id && strobe == other.strobe &&
               !std::memcmp(data, other.data, sizeof data);
    }
};

struct WriteResponse {
    bool valid = false, ready = false;
    uint32_t id = 0;
    uint8_t code = 0;

    bool same(const WriteResponse &other) const { return id == other.id && code == other.code; }
};

struct ReadData {
    bool valid = false, ready = false, last = false;
    uint32_t id = 0;
    uint8_t code = 0;
    uint8_t data[kMostBytes] = {};

    bool same(const ReadData &other) const {
        return last == other.last && id == other.id && code == other.code &&
               !std::memcmp(data, other.data, sizeof data);
    }
};

struct Interface {
    Address aw, ar;
    WriteData w;
    WriteResponse b;
    ReadData r;
};

// A manager's signals of an address channel, to or from the pins; QOS is AXI4's alone.
#define DRIVE_ADDRESS(prefix, channel, from)                                                       \
    top.prefix##_##channel##valid = from.valid;                                                    \
    top.prefix##_##channel##id = from.id;                                                          \
    top.prefix##_##channel##addr = from.shape.address;                                             \
    top.prefix##_##channel##len = from.shape.length;                                               \
    top.prefix##_##channel##size = from.shape.size;                                                \
    top.prefix##_##channel##burst = from.shape.kind;                                               \
    top.prefix##_##channel##lock = from.lock;                                                      \
    top.prefix##_##channel##cache = from.cache;                                                    \
    top.prefix##_##channel##prot = from.prot;                                                      \
    top.prefix##_##channel##qos = from.qos;

#define SAMPLE_ADDRESS(prefix, channel, to)                                                        \
    to.valid = top.prefix##_##channel##valid;                                                      \
    to.id = top.prefix##_##channel##id;                                                            \
    to.shape.address = top.prefix##_##channel##addr;                                               \
    to.shape.length = top.prefix##_##channel##len;                                                 \
    to.shape.size = top.prefix##_##channel##size;                                                  \
    to.shape.kind = top.prefix##_##channel##burst;                                                 \
    to.lock = top.prefix##_##channel##lock;                                                        \
    to.cache = top.prefix##_##channel##cache;                                                      \
    to.prot = top.prefix##_##channel##prot;

// Drives a port of the design as its manager.
#define DRIVE_PORT(number, prefix)                                                                 \
    inline void drive_##prefix(Vtop &top, const Interface &of) {                                   \
        DRIVE_ADDRESS(prefix, aw, of.aw)                                                           \
        DRIVE_ADDRESS(prefix, ar, of.ar)                                                           \
        top.prefix##_wvalid = of.w.valid;                                                          \
        top.prefix##_wlast = of.w.last;                                                            \
        top.prefix##_wstrb = of.w.strobe;                                                          \
        std::memcpy(&top.prefix##_wdata, of.w.data, kDataBytes[number]);                           \
        top.prefix##_bready = of.b.ready;                                                          \
        top.prefix##_rready = of.r.ready;                                                          \
    }                                                                                              \
    inline void sample_##prefix(const Vtop &top, Interface &to) {                                  \
        to.aw.ready = top.prefix##_awready;                                                        \
        to.ar.ready = top.prefix##_arready;                                                        \
        to.w.ready = top.prefix##_wready;                                                          \
        to.b.valid = top.prefix##_bvalid;                                                          \
        to.b.id = top.prefix##_bid;                                                                \
        to.b.code = top.prefix##_bresp;                                                            \
        to.r.valid = top.prefix##_rvalid;                                                          \
        to.r.id = top.prefix##_rid;                                                                \
        to.r.code = top.prefix##_rresp;                                                            \
        to.r.last = top.prefix##_rlast;                                                            \
        std::memcpy(to.r.data, &top.prefix##_rdata, kDataBytes[number]);                           \
    }

EACH_PORT(DRIVE_PORT)

// Drives a memory port of the design as its subordinate. WID is AXI3's alone.
#if MEMORY_AXI3
#define SAMPLE_OF_PROTOCOL(prefix, to) to.w.id = top.prefix##_wid;
#else
#define SAMPLE_OF_PROTOCOL(prefix, to)                                                             \
    to.aw.qos = top.prefix##_awqos;                                                                \
    to.ar.qos = top.prefix##_arqos;
#endif

#define DRIVE_MEMORY(number, prefix)                                                               \
    inline void drive_##prefix(Vtop &top, const Interface &of) {                                   \
        top.prefix##_awready = of.aw.ready;                                                        \
        top.prefix##_arready = of.ar.ready;                                                        \
        top.prefix##_wready = of.w.ready;                                                          \
        top.prefix##_bvalid = of.b.valid;                                                          \
        top.prefix##_bid = of.b.id;                                                                \
        top.prefix##_bresp = of.b.code;                                                            \
        top.prefix##_rvalid = of.r.valid;                                                          \
        top.prefix##_rid = of.r.id;                                                                \
        top.prefix##_rresp = of.r.code;                                                            \
        top.prefix##_rlast = of.r.last;                                                            \
        std::memcpy(&top.prefix##_rdata, of.r.data, kMemoryBytes);                                 \
    }                                                                                              \
    inline void sample_##prefix(const Vtop &top, Interface &to) {                                  \
        SAMPLE_ADDRESS(prefix, aw, to.aw)                                                          \
        SAMPLE_ADDRESS(prefix, ar, to.ar)                                                          \
        to.w.valid = top.prefix##_wvalid;                                                          \
        to.w.last = top.prefix##_wlast;                                                            \
        to.w.strobe = top.prefix##_wstrb;                                                          \
        std::memcpy(to.w.data, &top.prefix##_wdata, kMemoryBytes);                                 \
        to.b.ready = top.prefix##_bready;                                                          \
        to.r.ready = top.prefix##_rready;                                                          \
        SAMPLE_OF_PROTOCOL(prefix, to)                                                             \
    }

EACH_MEMORY(DRIVE_MEMORY)

// Driver of an MCOS core in C99: find it, load and commit an image, read what it counted.
//
// It needs no library and no operating system. Registers are reached through two functions of
// yours; addresses are counted from the core's first register. MCOS_CORE is what the names of the
// core's register header begin with. A source file speaks to cores of one kind.

#ifndef MCOS_CLIENT_H
#define MCOS_CLIENT_H

#include "mcos_registers.h"

#define MCOS_PASTE(core, name, suffix) core##__##name##suffix
#define MCOS_EXPAND(core, name, suffix) MCOS_PASTE(core, name, suffix)
#define MCOS_OF(name, suffix) MCOS_EXPAND(MCOS_CORE, name, suffix)

// A field of a register's word.
#define MCOS_FIELD(word, field) (((word) & MCOS_OF(field, _bm)) >> MCOS_OF(field, _bp))

#define MCOS_TENANTS MCOS_OF(CAPABILITY__TENANTS, _reset)

// Reads of a register after which what it should show is not to come.
#define MCOS_MOST_POLLS 1000u

// Times that the counters are read before their epoch is too short to read them.
#define MCOS_ATTEMPTS 8

typedef struct {
    uint32_t (*read32)(void *context, uint32_t address);
    void (*write32)(void *context, uint32_t address, uint32_t word);
    void *context;  // given to both
} mcos_bus;

typedef enum {
    MCOS_OK,
    MCOS_NO_CORE,        // CORE does not read "MCOS"
    MCOS_OTHER_VERSION,  // another major version of the hardware interface
    MCOS_OTHER_SIZES,    // CAPABILITY, LIMITS, CLOCK or OPTIONS is another
    MCOS_OTHER_MAP,      // MAP_HASH is another
    MCOS_REFUSED,        // the core refused the image or the commit; mcos_code says why
    MCOS_UNFINISHED,     // the loader did not come to an end: the image is not whole
    MCOS_OTHER_LIVE,     // another image is live than the one that was loaded
    MCOS_SHORT_EPOCH     // an epoch ends before its counters are read
} mcos_result;

static inline uint32_t mcos_read(const mcos_bus *bus, uint32_t offset)
{
    return bus->read32(bus->context, offset);
}

static inline void mcos_write(const mcos_bus *bus, uint32_t offset, uint32_t word)
{
    bus->write32(bus->context, offset, word);
}

// Whether the core is the one of the register header.
static inline mcos_result mcos_discover(const mcos_bus *bus)
{
    uint32_t version;
    if (mcos_read(bus, MCOS_OF(CORE, _offset)) != MCOS_OF(CORE__MAGIC, _reset))
        return MCOS_NO_CORE;
    version = mcos_read(bus, MCOS_OF(CORE_VERSION, _offset));
    if (MCOS_FIELD(version, CORE_VERSION__MAJOR) != MCOS_OF(CORE_VERSION__MAJOR, _reset))
        return MCOS_OTHER_VERSION;
    if (mcos_read(bus, MCOS_OF(CAPABILITY, _offset)) != MCOS_OF(CAPABILITY, _word)
        || mcos_read(bus, MCOS_OF(LIMITS, _offset)) != MCOS_OF(LIMITS, _word)
        || mcos_read(bus, MCOS_OF(CLOCK, _offset)) != MCOS_OF(CLOCK, _word)
        || mcos_read(bus, MCOS_OF(OPTIONS, _offset)) != MCOS_OF(OPTIONS, _word))
        return MCOS_OTHER_SIZES;
    if (mcos_read(bus, MCOS_OF(MAP_HASH, _offset)) != MCOS_OF(MAP_HASH, _word))
        return MCOS_OTHER_MAP;
    return MCOS_OK;
}

// Why the core refused the last image or commit: a code of IMAGE_STATUS.
static inline uint32_t mcos_code(const mcos_bus *bus)
{
    uint32_t status = mcos_read(bus, MCOS_OF(IMAGE_STATUS, _offset));
    return MCOS_FIELD(status, IMAGE_STATUS__CODE);
}

static inline uint32_t mcos_generation(const mcos_bus *bus)
{
    return mcos_read(bus, MCOS_OF(GENERATION, _offset));
}

// Gives the core an image and waits for its verdict; a good one waits for the commit.
static inline mcos_result mcos_stage(const mcos_bus *bus, const uint32_t *words, uint32_t count)
{
    uint32_t k, state;
    mcos_write(bus, MCOS_OF(IMAGE_CONTROL, _offset), MCOS_OF(IMAGE_CONTROL__BEGIN, _bm));
    for (k = 0; k < count; ++k)
        mcos_write(bus, MCOS_OF(IMAGE_DATA, _offset), words[k]);
    for (k = 0; k < MCOS_MOST_POLLS; ++k) {
        state = mcos_read(bus, MCOS_OF(IMAGE_STATUS, _offset));
        state = MCOS_FIELD(state, IMAGE_STATUS__STATE);
        if (state == MCOS_OF(IMAGE_STATUS__STATE__STAGED, ))
            return MCOS_OK;
        if (state == MCOS_OF(IMAGE_STATUS__STATE__REFUSED, ))
            return MCOS_REFUSED;
        if (state != MCOS_OF(IMAGE_STATUS__STATE__CHECKING, ))
            return MCOS_UNFINISHED;
    }
    return MCOS_UNFINISHED;
}

// Makes the staged image live. Where it fails, the image before it stays live.
static inline mcos_result mcos_commit(const mcos_bus *bus)
{
    uint32_t k, before = mcos_generation(bus);
    mcos_write(bus, MCOS_OF(IMAGE_CONTROL, _offset), MCOS_OF(IMAGE_CONTROL__COMMIT, _bm));
    for (k = 0; k < MCOS_MOST_POLLS; ++k) {
        if (mcos_generation(bus) != before)
            return MCOS_OK;
        if (mcos_code(bus) != MCOS_OF(IMAGE_STATUS__CODE__NONE, ))
            return MCOS_REFUSED;
    }
    return MCOS_UNFINISHED;
}

// Stages an image, commits it, and sees that it is the one that is live.
static inline mcos_result mcos_load(const mcos_bus *bus, const uint32_t *words, uint32_t count)
{
    mcos_result found = mcos_stage(bus, words, count);
    if (found == MCOS_OK)
        found = mcos_commit(bus);
    if (found == MCOS_OK && mcos_read(bus, MCOS_OF(LIVE_CRC, _offset)) != words[count - 1])
        found = MCOS_OTHER_LIVE;
    return found;
}

// What a result means.
static inline const char *mcos_result_text(mcos_result result)
{
    switch (result) {
    case MCOS_OK: return "Done.";
    case MCOS_NO_CORE: return "No MCOS core answers at this address.";
    case MCOS_OTHER_VERSION: return "The core has another major version of its interface.";
    case MCOS_OTHER_SIZES: return "The core was built with other sizes, clock or options.";
    case MCOS_OTHER_MAP: return "The core has another register map.";
    case MCOS_REFUSED: return "The core refused the image or the commit.";
    case MCOS_UNFINISHED: return "The image is not whole.";
    case MCOS_OTHER_LIVE: return "Another image is live than the one that was loaded.";
    case MCOS_SHORT_EPOCH: return "The epoch is too short to read the counters in.";
    }
    return "No result of this driver.";
}

// What a code of IMAGE_STATUS means.
static inline const char *mcos_code_text(uint32_t code)
{
    switch (code) {
@CODES@
    }
    return "No code of this hardware.";
}

#if MCOS_OF(OPTIONS__MONITORS, _reset)

#define MCOS_GRANT_KINDS (MCOS_OF(GRANT_BYTES, _count) / MCOS_TENANTS)
#define MCOS_LATENCY_BINS (MCOS_OF(LATENCY, _count) / MCOS_TENANTS)

// Place of a grant counter; a class is 0 conforming, 1 burst, 2 scavenged.
#define MCOS_GRANTED(is_write, grant_class) (4 * (is_write) + (grant_class))

// A counter's word: its count, and whether there was more than it holds.
#define MCOS_COUNT(word) MCOS_FIELD(word, HELD__COUNT)
#define MCOS_SATURATED(word) MCOS_FIELD(word, HELD__OVERFLOW)

// What a tenant had in an epoch, as counter words; the queue is a number of requests.
typedef struct {
    uint32_t queued_requests;  // at present
    uint32_t peak_requests;
    uint32_t held_clocks;
    uint32_t promotions;
    uint32_t responses;
    uint32_t slo_violations;
    uint32_t colour_faults;
    uint32_t granted_requests[MCOS_GRANT_KINDS];  // at MCOS_GRANTED
    uint32_t granted_bytes[MCOS_GRANT_KINDS];     // at MCOS_GRANTED
    uint32_t latency[MCOS_LATENCY_BINS];          // bin b: from 2^b clocks to under 2^(b+1)
} mcos_tenant_metrics;

// What a core had in an epoch; 0 if none has ended.
typedef struct {
    uint32_t epoch;
    uint32_t busy_clocks;
    uint32_t stalled_clocks;
    mcos_tenant_metrics tenants[MCOS_TENANTS];
} mcos_metrics;

static inline uint32_t mcos_element(const mcos_bus *bus, uint32_t offset, uint32_t index)
{
    return mcos_read(bus, offset + 4 * index);
}

static inline void mcos_read_tenant(const mcos_bus *bus, uint32_t tag, mcos_tenant_metrics *found)
{
    uint32_t k, queue = mcos_element(bus, MCOS_OF(QUEUE, _offset), tag);
    found->queued_requests = MCOS_FIELD(queue, QUEUE__NOW);
    found->peak_requests = MCOS_FIELD(queue, QUEUE__PEAK);
    found->held_clocks = mcos_element(bus, MCOS_OF(HELD, _offset), tag);
    found->promotions = mcos_element(bus, MCOS_OF(PROMOTIONS, _offset), tag);
    found->responses = mcos_element(bus, MCOS_OF(RESPONSES, _offset), tag);
    found->slo_violations = mcos_element(bus, MCOS_OF(SLO_VIOLATIONS, _offset), tag);
    found->colour_faults = mcos_element(bus, MCOS_OF(COLOUR_FAULTS, _offset), tag);
    for (k = 0; k < MCOS_GRANT_KINDS; ++k) {
        uint32_t index = MCOS_GRANT_KINDS * tag + k;
        found->granted_requests[k] = mcos_element(bus, MCOS_OF(GRANT_REQUESTS, _offset), index);
        found->granted_bytes[k] = mcos_element(bus, MCOS_OF(GRANT_BYTES, _offset), index);
    }
    for (k = 0; k < MCOS_LATENCY_BINS; ++k)
        found->latency[k] =
            mcos_element(bus, MCOS_OF(LATENCY, _offset), MCOS_LATENCY_BINS * tag + k);
}

// What the core counted in the epoch that ended last, all of one epoch.
static inline mcos_result mcos_read_metrics(const mcos_bus *bus, mcos_metrics *found)
{
    int attempt;
    for (attempt = 0; attempt < MCOS_ATTEMPTS; ++attempt) {
        uint32_t tag;
        found->epoch = mcos_read(bus, MCOS_OF(EPOCH, _offset));
        found->busy_clocks = mcos_read(bus, MCOS_OF(BUSY, _offset));
        found->stalled_clocks = mcos_read(bus, MCOS_OF(STALLED, _offset));
        for (tag = 0; tag < MCOS_TENANTS; ++tag)
            mcos_read_tenant(bus, tag, &found->tenants[tag]);
        if (mcos_read(bus, MCOS_OF(EPOCH, _offset)) == found->epoch)
            return MCOS_OK;
    }
    return MCOS_SHORT_EPOCH;
}

#endif  // counters

#endif  // MCOS_CLIENT_H

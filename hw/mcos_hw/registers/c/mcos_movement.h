// Driver of MCOS movement engines in C99: give commands about objects, take what became of them.
//
// It needs no library and no operating system. Registers are reached through two functions of
// yours; addresses are counted from the first register of the client's page. It keeps nothing: a
// command comes back with the number that you gave it. One thread uses a page.

#ifndef MCOS_MOVEMENT_CLIENT_H
#define MCOS_MOVEMENT_CLIENT_H

#include "mcos_movement_registers.h"

// A register, and a field of its word.
#define MCOS_MOVEMENT_AT(name) MCOS_MOVEMENT__##name##_offset
#define MCOS_MOVEMENT_GET(word, field) \
    (((word) & MCOS_MOVEMENT__##field##_bm) >> MCOS_MOVEMENT__##field##_bp)
#define MCOS_MOVEMENT_PUT(value, field) \
    (((uint32_t)(value) << MCOS_MOVEMENT__##field##_bp) & MCOS_MOVEMENT__##field##_bm)

typedef struct {
    uint32_t (*read32)(void *context, uint32_t address);
    void (*write32)(void *context, uint32_t address, uint32_t word);
    void *context;  // given to both
} mcos_movement_bus;

typedef enum {
@OPERATIONS@
} mcos_operation;

typedef enum {
@URGENCIES@
} mcos_urgency;

typedef enum {
@OUTCOMES@
} mcos_outcome;

// A command. What an operation has no use for is 0.
typedef struct {
    mcos_operation operation;
    uint16_t number;    // comes back with what became of it
    uint64_t object;    // mcos_object_id of its name
    uint32_t version;   // access, prefetch: 0 is the one published last; publish: the new one
    uint16_t term;      // of the lease, for what only the owner may do
    uint8_t tier;
    uint8_t fallback;   // place: where to if the tier has no frame
    mcos_urgency urgency;
    uint16_t readers;   // publish: bit t, tenant t may read
    uint8_t checks;     // publish: there is a checksum
    uint32_t checksum;  // publish: CRC-32C of the frame
} mcos_command;

// What became of a command. From tier on all is 0 unless it is done or clipped.
typedef struct {
    uint16_t number;
    mcos_outcome outcome;
    uint32_t reason;   // for mcos_reason_text
    uint8_t tier;
    uint64_t address;  // of its frame
    uint32_t version;  // that is published
    uint16_t term;     // of its lease
} mcos_ended;

static inline uint32_t mcos_movement_read(const mcos_movement_bus *bus, uint32_t offset)
{
    return bus->read32(bus->context, offset);
}

static inline void mcos_movement_write(const mcos_movement_bus *bus, uint32_t offset, uint32_t word)
{
    bus->write32(bus->context, offset, word);
}

// The 64-bit name of an object: the FNV-1a hash of a text in UTF-8.
static inline uint64_t mcos_object_id(const char *name)
{
    uint64_t value = 0xcbf29ce484222325u;
    for (; *name; ++name)
        value = (value ^ (unsigned char)*name) * 0x100000001b3u;
    return value;
}

// Whether this is the page of a client of movement engines of this header.
static inline int mcos_movement_found(const mcos_movement_bus *bus)
{
    return mcos_movement_read(bus, MCOS_MOVEMENT_AT(MOVEMENT)) == MCOS_MOVEMENT__MOVEMENT_word
        && mcos_movement_read(bus, MCOS_MOVEMENT_AT(MAP_HASH)) == MCOS_MOVEMENT__MAP_HASH_word
        && MCOS_MOVEMENT_GET(mcos_movement_read(bus, MCOS_MOVEMENT_AT(PAGE)), PAGE__CLIENT);
}

// Commands that may be given now.
static inline uint32_t mcos_movement_room(const mcos_movement_bus *bus)
{
    return MCOS_MOVEMENT_GET(mcos_movement_read(bus, MCOS_MOVEMENT_AT(QUEUE)), QUEUE__ROOM);
}

// Gives a command; 0 if there is no room, and nothing happened. Taking completions makes room.
static inline int mcos_give(const mcos_movement_bus *bus, const mcos_command *command)
{
    if (!mcos_movement_room(bus))
        return 0;
    mcos_movement_write(bus, MCOS_MOVEMENT_AT(OBJECT_LOW), (uint32_t)command->object);
    mcos_movement_write(bus, MCOS_MOVEMENT_AT(OBJECT_HIGH), (uint32_t)(command->object >> 32));
    mcos_movement_write(bus, MCOS_MOVEMENT_AT(VERSION), command->version);
    mcos_movement_write(bus, MCOS_MOVEMENT_AT(TERMS),
                        MCOS_MOVEMENT_PUT(command->term, TERMS__TERM)
                            | MCOS_MOVEMENT_PUT(command->tier, TERMS__TIER)
                            | MCOS_MOVEMENT_PUT(command->fallback, TERMS__FALLBACK)
                            | MCOS_MOVEMENT_PUT(command->urgency, TERMS__URGENCY)
                            | MCOS_MOVEMENT_PUT(command->checks, TERMS__CHECKS));
    if (command->operation == MCOS_PUBLISH) {
        mcos_movement_write(bus, MCOS_MOVEMENT_AT(READERS), command->readers);
        mcos_movement_write(bus, MCOS_MOVEMENT_AT(CHECKSUM), command->checksum);
    }
    mcos_movement_write(bus, MCOS_MOVEMENT_AT(COMMAND),
                        MCOS_MOVEMENT_PUT(command->number, COMMAND__NUMBER)
                            | MCOS_MOVEMENT_PUT(command->operation, COMMAND__OPERATION));
    return 1;
}

// Takes what became of the command that ended first; 0 if none has ended.
static inline int mcos_take(const mcos_movement_bus *bus, mcos_ended *ended)
{
    uint32_t head = mcos_movement_read(bus, MCOS_MOVEMENT_AT(COMPLETION)), place;
    if (!MCOS_MOVEMENT_GET(head, COMPLETION__VALID))
        return 0;
    place = mcos_movement_read(bus, MCOS_MOVEMENT_AT(COMPLETION_PLACE));
    ended->number = (uint16_t)MCOS_MOVEMENT_GET(head, COMPLETION__NUMBER);
    ended->outcome = (mcos_outcome)MCOS_MOVEMENT_GET(head, COMPLETION__OUTCOME);
    ended->reason = MCOS_MOVEMENT_GET(head, COMPLETION__REASON);
    ended->tier = (uint8_t)MCOS_MOVEMENT_GET(place, COMPLETION_PLACE__TIER);
    ended->term = (uint16_t)MCOS_MOVEMENT_GET(place, COMPLETION_PLACE__TERM);
    ended->version = mcos_movement_read(bus, MCOS_MOVEMENT_AT(COMPLETION_VERSION));
    ended->address = mcos_movement_read(bus, MCOS_MOVEMENT_AT(COMPLETION_ADDRESS_HIGH));
    ended->address <<= 32;
    ended->address |= mcos_movement_read(bus, MCOS_MOVEMENT_AT(COMPLETION_ADDRESS_LOW));
    mcos_movement_write(bus, MCOS_MOVEMENT_AT(COMPLETION_TAKE), 1);
    return 1;
}

// Whether a completion that waits interrupts.
static inline void mcos_movement_interrupt(const mcos_movement_bus *bus, int enabled)
{
    mcos_movement_write(bus, MCOS_MOVEMENT_AT(INTERRUPT), enabled ? 1 : 0);
}

// A new object in a tier, else in the fallback.
static inline mcos_command mcos_place(uint16_t number, uint64_t object, uint8_t tier,
                                      uint8_t fallback)
{
    const mcos_command command = {
        .operation = MCOS_PLACE, .number = number, .object = object, .tier = tier,
        .fallback = fallback};
    return command;
}

// The address of a version in a tier or a faster one.
static inline mcos_command mcos_access(uint16_t number, uint64_t object, uint8_t tier,
                                       uint32_t version)
{
    const mcos_command command = {
        .operation = MCOS_ACCESS, .number = number, .object = object, .tier = tier,
        .version = version, .urgency = MCOS_DEMAND};
    return command;
}

// The same before somebody waits for it.
static inline mcos_command mcos_prefetch(uint16_t number, uint64_t object, uint8_t tier,
                                         uint32_t version, mcos_urgency urgency)
{
    const mcos_command command = {
        .operation = MCOS_PREFETCH, .number = number, .object = object, .tier = tier,
        .version = version, .urgency = urgency};
    return command;
}

// What only the owner may do, of the lease of its term: move and evict into a tier, pin, unpin,
// renew, release, abort.
static inline mcos_command mcos_change(mcos_operation operation, uint16_t number, uint64_t object,
                                       uint16_t term, uint8_t tier, mcos_urgency urgency)
{
    const mcos_command command = {
        .operation = operation, .number = number, .object = object, .term = term, .tier = tier,
        .urgency = urgency};
    return command;
}

// What was written is a version, which some tenants may read.
static inline mcos_command mcos_publish(uint16_t number, uint64_t object, uint16_t term,
                                        uint32_t version, uint16_t readers)
{
    const mcos_command command = {
        .operation = MCOS_PUBLISH, .number = number, .object = object, .term = term,
        .version = version, .readers = readers};
    return command;
}

// Why an outcome is what it is, as a clause.
static inline const char *mcos_reason_text(uint32_t reason)
{
    switch (reason) {
@REASONS@
    }
    return "no reason of this hardware";
}

#endif  // MCOS_MOVEMENT_CLIENT_H

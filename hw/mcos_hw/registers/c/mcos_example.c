// An example for Linux: loads an image into a core that is mapped as memory, and says what the
// core counted in an epoch. `cc -std=c99 -o mcos_example mcos_example.c`, then
// `mcos_example RESOURCE IMAGE.hex`: RESOURCE is the file of a PCIe BAR, or another that can be
// mapped, in which the core's registers come first. IMAGE.hex is a file that `mcos compile` wrote.
//
// mcos_example() needs only a bus, and is the part to copy for another system.

#define _POSIX_C_SOURCE 200809L

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mcos_client.h"

#define MOST_WORDS 65536u

// Reads of EPOCH until the first epoch has to have ended.
#define MOST_WAITS 100000000u

int mcos_example(const mcos_bus *bus, const char *image_path);

// The words of a file that has one at the beginning of each line, and comments; -1 if it has none.
static long read_image(const char *path, uint32_t *words)
{
    char line[512], *end;
    long count = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return -1;
    while (fgets(line, sizeof line, file) != NULL && count < (long)MOST_WORDS) {
        unsigned long word = strtoul(line, &end, 16);
        if (end != line)
            words[count++] = (uint32_t)word;
    }
    fclose(file);
    return count > 0 ? count : -1;
}

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "mcos_example: %s: %s\n", what, why);
    return 1;
}

#if MCOS_OF(OPTIONS__MONITORS, _reset)
static int show_metrics(const mcos_bus *bus)
{
    static mcos_metrics metrics;
    mcos_result result;
    uint32_t k, tag;
    for (k = 0; mcos_read(bus, MCOS_OF(EPOCH, _offset)) == 0 && k < MOST_WAITS; ++k)
        ;
    result = mcos_read_metrics(bus, &metrics);
    if (result != MCOS_OK)
        return fail("metrics", mcos_result_text(result));
    printf("epoch %u: busy %u clocks, stalled %u clocks\n", (unsigned)metrics.epoch,
           (unsigned)MCOS_COUNT(metrics.busy_clocks), (unsigned)MCOS_COUNT(metrics.stalled_clocks));
    for (tag = 0; tag < MCOS_TENANTS; ++tag) {
        const mcos_tenant_metrics *tenant = &metrics.tenants[tag];
        unsigned long long bytes = 0;
        for (k = 0; k < MCOS_GRANT_KINDS; ++k)
            bytes += MCOS_COUNT(tenant->granted_bytes[k]);
        printf("tenant %u: %llu bytes granted, %u requests served, %u late, queue %u at most\n",
               (unsigned)tag, bytes, (unsigned)MCOS_COUNT(tenant->responses),
               (unsigned)MCOS_COUNT(tenant->slo_violations), (unsigned)tenant->peak_requests);
    }
    return 0;
}
#endif

// Loads an image and shows what is counted; 0 if all of it went well.
int mcos_example(const mcos_bus *bus, const char *image_path)
{
    static uint32_t words[MOST_WORDS];
    long count = read_image(image_path, words);
    mcos_result result = mcos_discover(bus);
    if (result != MCOS_OK)
        return fail("core", mcos_result_text(result));
    printf("core: %u tenants, %u kHz\n", (unsigned)MCOS_TENANTS, (unsigned)MCOS_OF(CLOCK, _word));
    if (count < 0)
        return fail(image_path, "It must be an IMAGE.hex that mcos compile wrote.");
    result = mcos_load(bus, words, (uint32_t)count);
    if (result != MCOS_OK) {
        fail(image_path, mcos_result_text(result));
        if (result == MCOS_REFUSED) {
            uint32_t code = mcos_code(bus);
            fprintf(stderr, "mcos_example: code %u: %s\n", (unsigned)code, mcos_code_text(code));
        }
        fprintf(stderr, "mcos_example: generation %u stays live\n",
                (unsigned)mcos_generation(bus));
        return 1;
    }
    printf("image: %ld words, live as generation %u\n", count, (unsigned)mcos_generation(bus));
#if MCOS_OF(OPTIONS__MONITORS, _reset)
    if (show_metrics(bus) != 0)
        return 1;
#endif
    fflush(stdout);
    return 0;
}

static uint32_t mapped_read32(void *context, uint32_t address)
{
    return ((volatile uint32_t *)context)[address / 4];
}

static void mapped_write32(void *context, uint32_t address, uint32_t word)
{
    ((volatile uint32_t *)context)[address / 4] = word;
}

int main(int argc, char **argv)
{
    struct stat found;
    mcos_bus bus = {mapped_read32, mapped_write32, NULL};
    int file;
    if (argc != 3) {
        fprintf(stderr, "usage: mcos_example RESOURCE IMAGE.hex\n");
        return 2;
    }
    file = open(argv[1], O_RDWR | O_SYNC);
    if (file < 0 || fstat(file, &found) != 0 || found.st_size < (off_t)MCOS_OF(MAP, _bytes))
        return fail(argv[1], "It must be a file that can be mapped and holds all registers.");
    bus.context =
        mmap(NULL, MCOS_OF(MAP, _bytes), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (bus.context == MAP_FAILED)
        return fail(argv[1], "It must be a file that can be mapped.");
    return mcos_example(&bus, argv[2]);
}

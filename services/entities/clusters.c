#include "services/entities/clusters.h"

#include "services/entities/lexicon.h"

#include <stdlib.h>

enum { SLOT_WORDS = 5, SLOT_BYTES = SLOT_WORDS * sizeof(uint16_t), FULL_PERCENT = 80 };

static const char magic[8] = {'C', 'D', 'C', 'L', 'U', 'S', 'T', 'R'};

enum status clusters_open(struct clusters *clusters, const char *folder, struct error *why)
{
    enum status status = mapped_open(&clusters->file, folder, "entities-clusters.model", magic,
                                     CLUSTERS_VERSION, SLOT_BYTES, why);
    clusters->slots = status == OK ? mapped_items(&clusters->file) : NULL;
    return status;
}

void clusters_close(struct clusters *clusters)
{
    mapped_close(&clusters->file);
}

static size_t home_of(uint64_t fold, size_t count)
{
    return (size_t)((fold & UINT32_MAX) * count >> 32);
}

static uint16_t check_of(uint64_t fold)
{
    return (uint16_t)(fold >> 48);
}

static uint64_t ids_of(const uint16_t *slot)
{
    return slot[1] | (uint64_t)slot[2] << 16 | (uint64_t)slot[3] << 32 | (uint64_t)slot[4] << 48;
}

uint64_t clusters_find(const struct clusters *clusters, uint64_t fold)
{
    size_t count = clusters->file.header.count;
    size_t i = count ? home_of(fold, count) : 0;
    for (size_t probes = 0; probes < count; probes++) {
        const uint16_t *slot = clusters->slots + i * SLOT_WORDS;
        uint64_t ids = ids_of(slot);
        if (ids == 0 || slot[0] == check_of(fold)) {
            return ids;
        }
        i = i + 1 == count ? 0 : i + 1;
    }
    return 0;
}

static bool parse_line(struct view line, uint64_t *fold, uint64_t *ids)
{
    static const uint8_t shift[CLUSTER_GRAINS] = {0, 6, 14, 24, 36};
    struct view word;
    *ids = 1;
    if (line.len == 0 || line.at[0] == '#' || !view_next_word(&line, &word)) {
        return false;
    }
    *fold = lexicon_fold(word);
    for (int grain = 0; grain < CLUSTER_GRAINS; grain++) {
        uint64_t id;
        if (!view_next_word(&line, &word) || !view_parse_u64(word, &id)) {
            return false;
        }
        *ids += id << shift[grain];
    }
    return true;
}

// The first word to come, which is the more frequent one, keeps a check that two share.
static void place(uint16_t *slots, size_t count, uint64_t fold, uint64_t ids)
{
    size_t i = home_of(fold, count);
    while (ids_of(slots + i * SLOT_WORDS)) {
        if (slots[i * SLOT_WORDS] == check_of(fold)) {
            return;
        }
        i = i + 1 == count ? 0 : i + 1;
    }
    uint16_t *slot = slots + i * SLOT_WORDS;
    slot[0] = check_of(fold);
    for (int part = 0; part < 4; part++) {
        slot[part + 1] = (uint16_t)(ids >> (16 * part));
    }
}

enum status clusters_write(const char *path, struct view source, size_t limit, struct error *why)
{
    struct mapped_header header = {.version = CLUSTERS_VERSION};
    struct view line;
    struct view rest = source;
    uint64_t fold, ids;
    size_t words = 0;
    while (words < limit && view_next_line(&rest, &line)) {
        words += parse_line(line, &fold, &ids);
    }
    memcpy(header.magic, magic, sizeof magic);
    header.count = (uint32_t)(words * 100 / FULL_PERCENT + 1);
    uint16_t *slots = calloc(header.count, SLOT_BYTES);
    if (!slots) {
        return error_set(why, ERR_MEMORY, "no memory for %zu words", words);
    }
    for (rest = source; words > 0 && view_next_line(&rest, &line);) {
        if (parse_line(line, &fold, &ids)) {
            place(slots, header.count, fold, ids);
            words--;
        }
    }
    enum status status = mapped_write(path, header, slots, SLOT_BYTES, why);
    free(slots);
    return status;
}

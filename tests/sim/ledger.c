#include "tests/sim/ledger.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

// Names and documents are written by hand: a life takes a few microseconds.
enum { NAME_LEN = 7, HEAD_LEN = NAME_LEN + 3 };

struct ledger *ledger_new(const struct sim_options *options, struct sim_report *report)
{
    struct ledger *ledger = calloc(1, sizeof *ledger);
    assert(ledger);
    ledger->options = options;
    ledger->report = report;
    ledger->room = LEDGER_CLIENTS * options->articles + 1;
    ledger->count = 1;
    ledger->versions = calloc(ledger->room, sizeof *ledger->versions);
    assert(ledger->versions);
    return ledger;
}

void ledger_free(struct ledger *ledger)
{
    free(ledger->versions);
    free(ledger);
}

uint32_t ledger_next(struct ledger *ledger, uint32_t client, uint32_t id)
{
    uint32_t number = client * LEDGER_IDS + id;
    const struct told_story *story = &ledger->stories[number];
    if (story->latest == LEDGER_VERSIONS || ledger->count == ledger->room) {
        return 0;
    }
    ledger->versions[ledger->count] =
        (struct version){.number = (uint8_t)(story->latest + 1), .story = number};
    return ledger->count;
}

void ledger_put(struct ledger *ledger, uint32_t place)
{
    struct version *version = &ledger->versions[place];
    struct told_story *story = &ledger->stories[version->story];
    assert(place == ledger->count && version->number == story->latest + 1);
    version->put = true;
    story->places[story->latest++] = place;
    ledger->count++;
}

static void write_digits(char *to, uint32_t number, int digits)
{
    while (digits-- > 0) {
        to[digits] = (char)('0' + number % 10);
        number /= 10;
    }
}

struct view ledger_name(const struct ledger *ledger, uint32_t place, char out[LEDGER_NAME_BYTES])
{
    uint32_t story = ledger->versions[place].story;
    out[0] = 'c';
    write_digits(out + 1, story / LEDGER_IDS, 1);
    out[2] = '-';
    write_digits(out + 3, story % LEDGER_IDS, 4);
    return (struct view){out, NAME_LEN};
}

// Most are short; one in sixteen is long.
static size_t padding_of(uint32_t place)
{
    uint32_t mixed = place * 2654435761u >> 8;
    return mixed % 16 == 0 ? mixed / 16 % (LEDGER_DOCUMENT_BYTES - 64) : mixed / 16 % 64;
}

struct view ledger_document(const struct ledger *ledger, uint32_t place,
                            char out[LEDGER_DOCUMENT_BYTES])
{
    size_t padding = padding_of(place);
    ledger_name(ledger, place, out);
    out[NAME_LEN] = '/';
    write_digits(out + NAME_LEN + 1, ledger->versions[place].number, 2);
    memset(out + HEAD_LEN, 'x', padding);
    return (struct view){out, HEAD_LEN + padding};
}

bool ledger_is_document(const struct ledger *ledger, uint32_t place, struct view document)
{
    char expected[LEDGER_DOCUMENT_BYTES];
    return view_equal(document, ledger_document(ledger, place, expected));
}

uint32_t ledger_find(const struct ledger *ledger, struct view id, uint64_t version)
{
    assert(id.len == NAME_LEN && id.at[0] == 'c' && id.at[2] == '-');
    uint32_t client = (uint32_t)(id.at[1] - '0');
    uint32_t number = 0;
    for (size_t i = 3; i < NAME_LEN; i++) {
        number = number * 10 + (uint32_t)(id.at[i] - '0');
    }
    assert(client < LEDGER_CLIENTS && number < LEDGER_IDS);
    const struct told_story *story = &ledger->stories[client * LEDGER_IDS + number];
    assert(version >= 1 && version <= story->latest);
    return story->places[version - 1];
}

// Counts a broken promise, and says of which version.
static void count_broken(struct ledger *ledger, enum sim_count promise,
                         const struct version *version, uint32_t sink)
{
    char name[LEDGER_NAME_BYTES];
    ledger->report->counts[promise]++;
    if (ledger->options->trace) {
        printf("BROKEN: %s: %.*s version %d in sink %u\n", sim_count_name(promise),
               VIEW_ARGS(ledger_name(ledger, (uint32_t)(version - ledger->versions), name)),
               version->number, sink);
    }
}

// A later version stands before it already, whether its client knows of it or not.
static bool is_overtaken(const struct ledger *ledger, const struct version *version, uint32_t sink)
{
    const struct told_story *story = &ledger->stories[version->story];
    for (uint32_t number = version->number; number < story->latest; number++) {
        if (ledger->versions[story->places[number]].written[sink] > 0) {
            return true;
        }
    }
    return false;
}

void ledger_write(struct ledger *ledger, uint32_t place, uint32_t sink, int64_t now_ms)
{
    struct version *version = &ledger->versions[place];
    if (is_overtaken(ledger, version, sink)) {
        count_broken(ledger, SIM_OVERTAKEN, version, sink);
    }
    if (version->written[sink] > 0) {
        count_broken(ledger, SIM_DOUBLED, version, sink);
    }
    ledger->report->counts[SIM_SINK_LINES]++;
    version->written[sink]++;
    version->written_ms[sink] = now_ms;
}

void ledger_recount(struct ledger *ledger, uint32_t sink, const uint32_t *lines, size_t count)
{
    for (uint32_t place = 1; place < ledger->count; place++) {
        ledger->versions[place].written[sink] = 0;
    }
    for (size_t i = 0; i < count; i++) {
        ledger->versions[lines[i]].written[sink]++;
    }
}

// A later version that reached a sink or was accepted: what came before it may have been passed over.
static bool is_superseded(const struct ledger *ledger, const struct told_story *story,
                          uint32_t number)
{
    for (; number < story->latest; number++) {
        const struct version *later = &ledger->versions[story->places[number]];
        if (later->accepted || later->dead || later->written[0] || later->written[1]) {
            return true;
        }
    }
    return false;
}

// Counts where the version is, or is not; `killed_ms` is when an earlier one was accepted as a kill.
static void audit_version(struct ledger *ledger, const struct version *version, bool superseded,
                          int64_t killed_ms)
{
    uint64_t *counts = ledger->report->counts;
    uint32_t sinks = 0;
    for (uint32_t sink = 0; sink < LEDGER_SINKS; sink++) {
        bool has = version->written[sink] > 0;
        sinks += has;
        if (version->accepted && !has && !version->dead && !superseded) {
            count_broken(ledger, SIM_LOST, version, sink);
        }
        if (has && version->written_ms[sink] > killed_ms) {
            count_broken(ledger, SIM_REVIVED, version, sink);
        }
    }
    counts[SIM_LIVES] += version->accepted && !version->canceled && sinks == LEDGER_SINKS;
    counts[SIM_KILLS] += version->accepted && version->canceled && sinks == LEDGER_SINKS;
    counts[SIM_SUPERSEDED] += version->accepted && superseded && sinks < LEDGER_SINKS;
    counts[SIM_DEAD_LETTERS] += version->dead;
}

static void audit_story(struct ledger *ledger, const struct told_story *story)
{
    int64_t killed_ms = INT64_MAX;
    for (uint32_t number = 0; number < story->latest; number++) {
        const struct version *version = &ledger->versions[story->places[number]];
        audit_version(ledger, version, is_superseded(ledger, story, number + 1), killed_ms);
        if (version->canceled && version->accepted && killed_ms == INT64_MAX) {
            killed_ms = version->accepted_ms;
        }
    }
}

void ledger_audit(struct ledger *ledger)
{
    for (uint32_t number = 0; number < LEDGER_CLIENTS * LEDGER_IDS; number++) {
        audit_story(ledger, &ledger->stories[number]);
    }
}

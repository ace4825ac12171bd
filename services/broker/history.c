#include "services/broker/history.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

// A stage that runs once takes one hop: the usual pipeline of four stages and a sink needs one allocation.
enum { FIRST_ROOM = 6, ARCHIVE_FIRST = 64 };

static_assert(sizeof(struct hop) == 16, "history.h states what hops cost");
static_assert((HISTORY_ARCHIVE & (HISTORY_ARCHIVE - 1)) == 0, "a power of two");
static_assert((HISTORY_NAMES & (HISTORY_NAMES - 1)) == 0, "a power of two");

static struct hop *hop_at(struct history *history, uint32_t i)
{
    return &history->hops[i % HISTORY_HOPS];
}

uint32_t history_first(const struct history *history)
{
    return history && history->count > HISTORY_HOPS ? history->count - HISTORY_HOPS : 0;
}

static bool make_room(struct history **history)
{
    struct history *old = *history;
    uint32_t room = old ? HISTORY_HOPS : FIRST_ROOM;
    if (old && (old->count < old->room || old->room == HISTORY_HOPS)) {
        return true;
    }
    struct history *grown = realloc(old, sizeof *grown + room * sizeof grown->hops[0]);
    if (!grown) {
        return false;
    }
    grown->count = old ? grown->count : 0;
    grown->room = room;
    *history = grown;
    return true;
}

void history_add(struct history **history, struct hop hop)
{
    if (make_room(history)) {
        *hop_at(*history, (*history)->count++) = hop;
    }
}

void history_end(struct history *history, uint32_t stage, uint32_t attempt, enum hop_end end,
                 uint32_t after_ms)
{
    for (uint32_t i = history ? history->count : 0; i > history_first(history); i--) {
        struct hop *hop = hop_at(history, i - 1);
        if (hop->stage == stage && hop->attempt == (uint16_t)attempt && hop->end == HOP_OPEN) {
            hop->end = (uint8_t)end;
            hop->took_ms = after_ms > hop->after_ms ? after_ms - hop->after_ms : 0;
            return;
        }
    }
}

// ---- What has ended

struct archive {
    size_t count;        // ever
    size_t room;         // of `ended`; grows to HISTORY_ARCHIVE
    uint32_t name_count; // ever; the first has number 1
    uint32_t name_room;  // of `names`; grows to HISTORY_NAMES
    struct finished *ended;
    char (*names)[HISTORY_NAME_BYTES];
};

struct archive *archive_new(void)
{
    return calloc(1, sizeof(struct archive));
}

void archive_free(struct archive *archive)
{
    for (size_t i = 0; archive && i < archive->count && i < HISTORY_ARCHIVE; i++) {
        free(archive->ended[i].history);
    }
    if (archive) {
        free(archive->ended);
        free(archive->names);
    }
    free(archive);
}

static size_t more_room(size_t room, size_t limit)
{
    size_t more = room == 0 ? ARCHIVE_FIRST : room * 2;
    return more < limit ? more : limit;
}

static bool has_room(struct archive *archive)
{
    if (archive->count < archive->room || archive->room == HISTORY_ARCHIVE) {
        return true;
    }
    size_t room = more_room(archive->room, HISTORY_ARCHIVE);
    struct finished *grown = realloc(archive->ended, room * sizeof *grown);
    if (grown) {
        archive->ended = grown;
        archive->room = room;
    }
    return grown != NULL;
}

void archive_add(struct archive *archive, const struct finished *finished)
{
    if (!archive || !has_room(archive)) {
        free(finished->history);
        return;
    }
    struct finished *place = &archive->ended[archive->count % HISTORY_ARCHIVE];
    if (archive->count >= HISTORY_ARCHIVE) {
        free(place->history);
    }
    *place = *finished;
    archive->count++;
}

const struct finished *archive_find(const struct archive *archive, const uint64_t *key,
                                    uint64_t handle, size_t *at)
{
    size_t count = archive ? archive->count : 0;
    while (*at < count && *at < HISTORY_ARCHIVE) {
        const struct finished *ended = &archive->ended[(count - ++*at) % HISTORY_ARCHIVE];
        if (key ? ended->key[0] == key[0] && ended->key[1] == key[1] : ended->handle == handle) {
            return ended;
        }
    }
    return NULL;
}

// Number n stands at n % HISTORY_NAMES, and the first is 1.
static bool has_name_room(struct archive *archive)
{
    if (archive->name_count + 1 < archive->name_room || archive->name_room == HISTORY_NAMES) {
        return true;
    }
    size_t room = more_room(archive->name_room, HISTORY_NAMES);
    void *grown = realloc(archive->names, room * HISTORY_NAME_BYTES);
    if (grown) {
        archive->names = grown;
        archive->name_room = (uint32_t)room;
    }
    return grown != NULL;
}

uint32_t archive_name(struct archive *archive, const char *name)
{
    if (!archive || !has_name_room(archive)) {
        return 0;
    }
    uint32_t number = ++archive->name_count;
    snprintf(archive->names[number % HISTORY_NAMES], HISTORY_NAME_BYTES, "%s", name);
    return number;
}

const char *archive_name_of(const struct archive *archive, uint32_t number)
{
    bool known = archive && number != 0 && number <= archive->name_count &&
                 archive->name_count - number < HISTORY_NAMES;
    return known ? archive->names[number % HISTORY_NAMES] : "?";
}

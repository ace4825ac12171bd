// What happened to an article: the hand-outs of a live one, and how the last ones ended.
//
// For `copydesk trace` alone; nothing is decided by it and nothing of it is on disk, so it begins anew with the
// broker. The cost in memory:
//
//     not handed out yet     nothing
//     handed out             a block of 104 bytes (6 hops), after that 264 (16); never more
//     ended                  its block moves to the archive, which grows to at most 4,096 * (88 + 264) bytes = 1.4 MB
//     workers' names         64 bytes each in the archive, at most 64 KB
#ifndef COPYDESK_HISTORY_H
#define COPYDESK_HISTORY_H

#include "common/view.h"

enum {
    HISTORY_HOPS = 16,       // of an article; later ones push the oldest out
    HISTORY_ARCHIVE = 4096,  // articles that ended; a power of two
    HISTORY_NAMES = 1024,    // of workers; a power of two
    HISTORY_NAME_BYTES = 64, //
};

// What a worker did with an article that was handed to it.
enum hop_end {
    HOP_OPEN, // nothing yet; no longer held in this attempt: its worker was lost, or it was taken away
    HOP_DONE,
    HOP_RETRY,
    HOP_REJECT,
    HOP_RETURN,
    HOP_REVIVED, // no hand-out: the operator took it out of the dead letters
    HOP_EDITED,  // likewise, and with another document
    HOP_ALONG,   // no hand-out of its own: the worker ran the stage along with the one before
};

// One hand-out.
struct hop {
    uint32_t after_ms; // since the article was accepted
    uint32_t took_ms;
    uint32_t worker; // number of history_name
    uint16_t attempt;
    uint8_t stage; // number
    uint8_t end;   // enum hop_end
};

struct history {
    uint32_t count; // ever; the last HISTORY_HOPS of them are kept, hop i at i % HISTORY_HOPS
    uint32_t room;
    struct hop hops[];
};

// Notes a hand-out, or that the article was revived or edited. `*history` starts as NULL and is freed with free(). Without
// memory the hop is missing.
void history_add(struct history **history, struct hop hop);

// The last hop of this stage and attempt has ended, `after_ms` after the article was accepted.
void history_end(struct history *history, uint32_t stage, uint32_t attempt, enum hop_end end,
                 uint32_t after_ms);

// The index of the oldest hop that is kept; `history->count` is the end. 0 for NULL.
uint32_t history_first(const struct history *history);

// How an article ended.
struct finished {
    uint64_t key[2]; // of its id
    uint64_t handle, version;
    uint64_t newer; // the version that superseded it; 0: none did
    int64_t accepted_ms, ended_ms;
    uint32_t done, skipped; // sets of stages
    uint8_t ending;         // enum ending
    uint8_t lane, pubstatus;
    struct history *history;
};

// The last HISTORY_ARCHIVE articles that ended, and the names of the last HISTORY_NAMES workers.
struct archive;

// NULL when memory ran out, which every function here takes for an archive that keeps nothing.
struct archive *archive_new(void);
void archive_free(struct archive *archive);

// Takes `finished->history` over. The oldest entry goes when it is full. Without memory the article is missing.
void archive_add(struct archive *archive, const struct finished *finished);

// The entry before `*at` (start with 0, counts up) with this key, or when `key` is NULL with this handle; the newest
// comes first. NULL at the end. Linear in the archive.
const struct finished *archive_find(const struct archive *archive, const uint64_t *key,
                                    uint64_t handle, size_t *at);

// A number for a worker's name, for hops. An old one's name is forgotten.
uint32_t archive_name(struct archive *archive, const char *name);

// The name behind the number; "?" when it is forgotten.
const char *archive_name_of(const struct archive *archive, uint32_t number);

#endif

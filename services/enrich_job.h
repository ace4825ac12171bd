// One document on its way through `copydesk enrich`: from what the input said to what will be written.
#ifndef COPYDESK_ENRICH_JOB_H
#define COPYDESK_ENRICH_JOB_H

#include "services/input.h"
#include "services/pipeline.h"

enum {
    JOB_DOCUMENT_LIMIT = 512 << 20, // bytes; what input.c makes of 64 MB at worst
    JOB_RESULT_LIMIT = 256 << 20,   // bytes of one article with all its sections
};

// What is the same for all documents of a run. Read only while it runs.
struct job_rules {
    const struct pipeline *pipeline;
    const char *published_at; // of every article given; NULL: as it says itself
    bool explain, keep_content, strict;
    bool cards; // else NDJSON
    bool color;
    size_t width;
};

// A document, or a message that has its place between documents. The buffers are kept from one to the next.
struct job {
    struct buf json; // the document, copied from the input
    struct buf id;
    struct input_event event;
    enum status status;  // of the document
    bool incomplete;     // written, but a stage failed
    bool wants_date;     // --published-at would tell more
    struct buf result;   // what goes to the output
    struct buf messages; // what goes to stderr, whole lines
};

// What a thread needs for itself.
struct desk {
    struct arena arena;
    struct notes notes;
    struct explain explain;
};

// Starts with nothing kept; frees all.
void job_init(struct job *job);
void job_clear(struct job *job);

// An article may take up to `arena_limit` bytes beside its JSON.
void desk_init(struct desk *desk, size_t arena_limit);
void desk_clear(struct desk *desk);

// Moves what the input said into the job. True when it is a document to work on; a note or a failure
// is finished with it.
bool job_fill(struct job *job, const struct input_event *event, const struct job_rules *rules);

// Runs the stages on the document and sets status, result and messages. Any number of threads, each with its desk.
void job_work(struct job *job, struct desk *desk, const struct job_rules *rules);

#endif

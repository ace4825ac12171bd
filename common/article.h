// One article on its way through the pipeline. With tree.c the only place that knows cJSON.
//
// The article travels as JSON: the document as it was accepted, and one **section** per stage that
// has run. A section is a partial article: a JSON object whose members are laid over the document
// (`stages` is united one level deeper). So the same reader serves the document and every section,
// and an article is simply what was merged so far:
//
//     article_init(&article, &arena);
//     article_merge(&article, document, &why);        // {"id": "a1", "content": "..."}
//     article_merge(&article, clean_section, &why);   // {"text": "...", "title": ..., "stages": {...}}
//
// Members that are known (proto/article.schema.json) are also offered as plain fields below, with
// byte offsets into `text`. Members that are not known are kept and printed again.
// Everything lives in the article's arena, except the JSON tree: call article_clear.
#ifndef COPYDESK_ARTICLE_H
#define COPYDESK_ARTICLE_H

#include "common/segment.h"
#include "common/status.h"
#include "common/utf8.h"
#include "common/vec.h"

// Limits on JSON from outside; json.h has those on depth and number of values, tree.h that on members.
enum {
    ARTICLE_ID_LIMIT = 512, // bytes
    ARTICLE_STAGE_LIMIT = 64,
};
#define ARTICLE_SIZE_LIMIT ((size_t)64 << 20) // bytes of one JSON document

enum entity_type { PER, ORG, LOC, FAC, NORP, PRODUCT, MISC, MONEY, ENTITY_TYPE_COUNT };

// A person, organisation, place ... with every place where the text names it.
struct entity {
    enum entity_type type;
    struct view name;      // canonical form
    struct spans mentions; // in reading order, into text
    double confidence;     // 0..1; 0 when not given
    double relevance;      // 0..1
};

// A time expression and its TIMEX3 value.
struct date {
    struct span span;
    struct view type;  // DATE TIME DURATION SET
    struct view value; // e.g. 2020-08-20, XXXX-WXX-4, P3D, PAST_REF
    struct view mod;   // START MID END APPROX BEFORE AFTER ... or empty
};

// A passage that clean cut out.
struct removed {
    struct view reason;
    struct view text;
};

struct cJSON;

struct article {
    struct arena *arena;
    struct cJSON *document; // everything merged so far; article.c alone looks inside

    struct view id;
    int64_t version; // 1 when not given
    int64_t rerun;   // 0: the first run of this version; else rises with each later one
    struct view url;
    struct view source_name;
    struct view content; // raw page; empty when there is none
    struct view content_type;
    bool has_text;    // `text` was given, perhaps empty
    struct view text; // clean body: valid UTF-8, frozen once known
    struct view title;
    struct view byline;
    struct view published_at; // ISO 8601; empty when unknown
    struct view published_at_source;
    double published_at_confidence; // 0..1; 0 when not given
    struct view inferred_earliest;  // published_at_inferred: a guess, never the date itself
    struct view inferred_latest;
    bool date_conflict;    // the text contradicts published_at
    struct view lang;      // BCP 47, e.g. en
    struct view pubstatus; // usable, withheld, canceled; empty means usable
    struct view embargoed_until;
    struct view traceparent;
    int64_t urgency; // 1..9; 0 when not given

    struct spans headings; // subheads inside text (clean)
    struct removed *removed;
    size_t removed_count;
    struct entity *entities;
    size_t entity_count;
    struct date *dates;
    size_t date_count;
    struct view summary;
    struct view summary_reason; // why there is none, or why it is short
    struct spans summary_sentences;

    struct utf8_index index;  // of text
    struct segments segments; // tokens, sentences, paragraphs of text; see article_segment
};

// An empty article that allocates from `arena`, which it borrows.
void article_init(struct article *article, struct arena *arena);

// Frees the JSON tree. The arena is the caller's.
void article_clear(struct article *article);

// Lays the JSON object `json` over the article. `json` may be reused after the call.
//
// ERR_FORMAT with "line:column: expected ..." when it is not one JSON object in valid UTF-8, when a member stands
// twice in it, when a known member has the wrong type, or when offsets lie outside the text or in the wrong order;
// ERR_LIMIT when it is larger or deeper than the limits above. The article is then unusable except for article_clear.
// `text` cannot be changed once it is known: a second, different one is ERR_FORMAT.
// Numbers are printed again as they were written, however long. In strings \u0000 and half surrogate pairs stand
// for no character and become U+FFFD.
MUST_CHECK enum status article_merge(struct article *article, struct view json, struct error *why);

// As article_merge, then checks what a document at the door must have: an id of 1..512 bytes (`default_id`
// is taken when it has none; pass an empty view to insist) and one of content, text, url; a kill (pubstatus canceled)
// needs the id alone.
MUST_CHECK enum status article_accept(struct article *article, struct view json,
                                      struct view default_id, struct error *why);

// Sets a top-level string member, as `--published-at` does. The value is copied.
void article_set(struct article *article, const char *name, struct view value);

// What `stages` says about one stage. The views borrow from the article until its next merge.
struct stage_outcome {
    struct view status; // ok, skipped, failed, timeout
    struct view version;
    struct view message; // of the error; empty when there is none
    double ms;
};

// Finds the outcome of the stage `name`. False when it has not run.
bool article_stage(const struct article *article, struct view name, struct stage_outcome *out);

// Makes tokens, sentences and paragraphs of the text, once; later calls do nothing. Called by whoever
// runs the stages, before any stage that reads `segments`.
void article_segment(struct article *article);

// Takes out what stages and sinks said, so that they may say it again: entities, dates, summary, stages, rerun, and what was inferred.
// With the raw page there, also what clean made of it alone: text, headings, removed, credits, dateline, and a publication date
// that did not come with the document. Title and byline stay, for nothing tells a given one from a found one. Of the
// plain fields above only id, version, pubstatus, embargo, urgency and trace may be read after.
void article_strip(struct article *article);

// Prints the whole document as one line of JSON without a newline. Members stand in the order of the
// schema, unknown ones after them in the order they came, stages by name: in whatever order the stages ended, equal
// articles give equal bytes.
// `without_content` leaves the raw page out.
struct buf;
MUST_CHECK enum status article_print(const struct article *article, bool without_content,
                                     struct buf *out);

// What article_merge of every section and article_print would append to `out`, without an article in between: about five
// times as fast, for those who only print. `arena` takes notes. False, and nothing is appended, when memory runs out or
// something is not as plain as stages write it: article_merge then tells what, or can take it. Checked are the JSON, the kinds of
// known members, that the text is one, and offsets; not what else article_merge refuses (an unknown type of entity).
bool article_unite(const struct view *sections, size_t count, bool without_content,
                   struct arena *arena, struct buf *out);

// The name of an entity type, such as "PER", and back. False when there is none of that name.
const char *entity_type_name(enum entity_type type);
bool entity_type_parse(struct view name, enum entity_type *out);

#endif

#include "services/reprocess.h"

#include "services/stages.h"

enum status reprocess_read(struct reprocess *out, const char *stage, const char *older_than,
                           struct error *why)
{
    struct view older = view_of(older_than);
    size_t equals = view_find(older, VIEW("="), 0);
    *out = (struct reprocess){.older_stage = view_slice(older, 0, equals),
                              .older_version = view_slice(older, equals + 1, older.len)};
    if (older.len > 0 && (out->older_stage.len == 0 || out->older_version.len == 0)) {
        return error_set(why, ERR_USAGE, "--older-than is STAGE=VERSION, such as clean=1.2.0");
    }
    if (*stage) {
        const struct stage *known = stage_find(view_of(stage));
        if (!known) {
            return error_set(why, ERR_USAGE,
                             "this program has no stage '%.40s'; name its version with "
                             "--older-than %.40s=VERSION",
                             stage, stage);
        }
        out->stage = known->name;
        out->stage_version = known->version;
    }
    return OK;
}

// The part of a version up to its next dot, which is taken off `rest`.
static struct view next_part(struct view *rest)
{
    size_t dot = view_find(*rest, VIEW("."), 0);
    struct view part = view_slice(*rest, 0, dot);
    *rest = view_slice(*rest, dot + 1, rest->len);
    return part;
}

static int compare_parts(struct view a, struct view b)
{
    uint64_t left = 0;
    uint64_t right = 0;
    bool are_numbers = (a.len == 0 || view_parse_u64(a, &left)) &&
                       (b.len == 0 || view_parse_u64(b, &right)); // 1 is 1.0
    if (are_numbers) {
        return left < right ? -1 : left > right;
    }
    size_t len = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.at, b.at, len);
    return order != 0 ? order : a.len < b.len ? -1 : a.len > b.len;
}

int reprocess_compare(struct view a, struct view b)
{
    int order = 0;
    while (order == 0 && (a.len > 0 || b.len > 0)) {
        struct view left = next_part(&a);
        struct view right = next_part(&b);
        order = compare_parts(left, right);
    }
    return order;
}

// The version of the stage that ended ok; empty when none did.
static struct view version_of(const struct article *article, struct view stage)
{
    struct stage_outcome outcome;
    bool ended = article_stage(article, stage, &outcome) && view_equal(outcome.status, VIEW("ok"));
    return ended ? outcome.version : VIEW("");
}

bool reprocess_wants(const struct reprocess *which, const struct article *article)
{
    if (view_equal(article->pubstatus, VIEW("canceled"))) {
        return false;
    }
    if (which->stage &&
        !view_equal(version_of(article, view_of(which->stage)), view_of(which->stage_version))) {
        return true;
    }
    if (which->older_stage.len > 0) {
        return reprocess_compare(version_of(article, which->older_stage), which->older_version) < 0;
    }
    return !which->stage;
}

enum status reprocess_make(struct client_article *out, struct article *article, struct buf *printed,
                           struct error *why)
{
    article_strip(article);
    buf_reset(printed);
    if (article_print(article, false, printed) != OK) {
        return error_set(why, ERR_LIMIT, "1:1: the article is too large");
    }
    out->document = buf_view(printed);
    out->lane = WIRE_BACKFILL;
    out->again = true;
    return OK;
}

#include "services/clean/verdict.h"

#include "services/clean/plain.h"

enum { HEADING_WORDS = 20, RESCUE_WORDS = 5, REPEAT_WORDS = 15 };

static bool is_heading_tag(unsigned tag)
{
    return tag >= TAG_h1 && tag <= TAG_h6;
}

// Why an element's content is no body, by its hints and tags; the first that fits.
static const struct {
    uint32_t hints, tags;
    const char *reason;
} element_reasons[] = {
    {HINT(comment), 0, "comment"},
    {HINT(caption), IN_FIGURE, "caption"},
    {HINT(related), 0, "related_link"},
    {HINT(share) | HINT(promo) | HINT(ad), 0, "promo"},
    {HINT(author) | HINT(bio), 0, "byline"},
    {HINT(date), 0, "date"},
    {HINT(footer), IN_FOOTER, "legal"},
    {HINT(header), IN_HEADER, "masthead"},
    {HINT(nav) | HINT(tags) | HINT(toc) | HINT(sidebar) | HINT(tools),
     IN_NAV | IN_ASIDE | IN_BUTTON, "nav"},
};

static const char *reason_of_phrase(struct view kind)
{
    static const char *const reasons[] = {"related_link", "promo", "comment", "legal",
                                          "caption",      "nav",   "byline",  "credit"};
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (view_equal(kind, view_of(reasons[i]))) {
            return reasons[i];
        }
    }
    return NULL;
}

static const char *reason_to_cut(const struct reading *reading, size_t i,
                                 const struct table_list *phrases)
{
    const struct block *block = &reading->page.blocks.at[i];
    const struct element *element = &reading->page.elements[block->node];
    const char *reason = reason_of_phrase(features_phrase(block->text, phrases));
    bool above = i < reading->marks.title;
    if (plain_is_date_line(block->text)) {
        return above ? "render_date" : "date";
    }
    if (reason && block->words < 30) {
        return reason;
    }
    for (size_t k = 0; k < sizeof element_reasons / sizeof element_reasons[0]; k++) {
        if ((element->near & element_reasons[k].hints) ||
            (element->tags & element_reasons[k].tags)) {
            return element_reasons[k].reason;
        }
    }
    if (view_find(block->text, VIEW("\xc2\xa9"), 0) < block->text.len) {
        return "legal";
    }
    return above && i < 3 ? "masthead" : "nav";
}

static bool is_title(const struct reading *reading, size_t i)
{
    const struct block *block = &reading->page.blocks.at[i];
    return reading->about.title.len > 0 &&
           view_equal_nocase(block->text, view_trim(reading->about.title)) &&
           (i == reading->marks.title || is_heading_tag(block->tag) || reading->wire.found);
}

// Keeps what is likeliest when the model would leave nothing.
static void rescue(const struct reading *reading, struct verdict *verdicts)
{
    size_t count = reading->page.blocks.len, best = count;
    bool any = false;
    for (size_t i = 0; i < count && !any; i++) {
        any = verdicts[i].keep && reading->page.blocks.at[i].words >= RESCUE_WORDS;
    }
    if (any) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct block *block = &reading->page.blocks.at[i];
        bool hidden = reading->page.elements[block->node].tags & IN_HIDDEN;
        bool fits = !is_title(reading, i);
        if (fits && !hidden && block->is_prose && verdicts[i].score > -3.0f) {
            verdicts[i].keep = any = true;
            verdicts[i].rule = "rescue";
        }
        if (fits && (best == count || verdicts[i].score > verdicts[best].score)) {
            best = i;
        }
    }
    if (!any && best < count) {
        verdicts[best].keep = true;
        verdicts[best].rule = "rescue";
    }
}

static bool looks_like_heading(const struct reading *reading, const struct verdict *verdicts,
                               size_t i)
{
    const struct block *block = &reading->page.blocks.at[i];
    const struct block *blocks = reading->page.blocks.at;
    if (is_heading_tag(block->tag)) {
        return true;
    }
    bool alone = i > 0 && i + 1 < reading->page.blocks.len && verdicts[i + 1].keep &&
                 blocks[i + 1].words > block->words && blocks[i + 1].is_prose;
    bool follows = i > 0 && (blocks[i - 1].ends_sentence || !verdicts[i - 1].keep);
    size_t at = block->text.len;
    char last = at > 0 ? block->text.at[at - 1] : '\0';
    char first = at > 0 ? block->text.at[0] : '\0';
    bool list = first == '-' || first == '*' || view_starts(block->text, VIEW("\xe2\x80\xa2"));
    return reading->page.html.nodes.len == 0 && alone && follows && !list && last != ':' &&
           last != ',' && !block->ends_sentence && block->words <= HEADING_WORDS;
}

// Subheads are marked; those at the end have no body below them and go.
void verdict_settle(const struct reading *reading, struct verdict *verdicts)
{
    bool body_below = false;
    for (size_t i = reading->page.blocks.len; i-- > 0;) {
        if (!verdicts[i].keep) {
            continue;
        }
        verdicts[i].heading = looks_like_heading(reading, verdicts, i);
        if (verdicts[i].heading && !body_below && is_heading_tag(reading->page.blocks.at[i].tag)) {
            verdict_cut(verdicts, i, "nav", "heading without body");
        }
        body_below |= verdicts[i].keep && !verdicts[i].heading;
    }
}

void verdict_cut(struct verdict *verdicts, size_t i, const char *reason, const char *rule)
{
    verdicts[i].keep = verdicts[i].heading = false;
    verdicts[i].reason = reason;
    verdicts[i].rule = rule;
}

struct pool {
    uint32_t signature;
    uint32_t count;
    float sum;
};

static struct pool *pool_slot(struct pool *pools, size_t mask, uint32_t signature)
{
    size_t slot = (signature ^ (signature >> 15)) & mask;
    while (pools[slot].count > 0 && pools[slot].signature != signature) {
        slot = (slot + 1) & mask;
    }
    pools[slot].signature = signature;
    return &pools[slot];
}

static float clip_score(float score)
{
    const float limit = 3.0f;
    return score > limit ? limit : score < -limit ? -limit : score;
}

void verdict_pool(struct arena *arena, float *scores, const uint32_t *signatures, size_t count)
{
    const float own = 0.75f;
    size_t mask = 63;
    while (mask < count * 2) {
        mask = mask * 2 + 1;
    }
    struct pool *pools = arena_zalloc(arena, mask + 1, sizeof *pools);
    for (size_t i = 0; pools && i < count; i++) {
        struct pool *pool = pool_slot(pools, mask, signatures[i]);
        pool->sum += clip_score(scores[i]);
        pool->count++;
    }
    for (size_t i = 0; pools && i < count; i++) {
        const struct pool *pool = pool_slot(pools, mask, signatures[i]);
        scores[i] = own * scores[i] + (1.0f - own) * pool->sum / (float)pool->count;
    }
}

// The log-odds of all blocks; NULL when the arena is full.
static float *score_blocks(const struct reading *reading, const struct forest *forest)
{
    struct arena *arena = reading->page.arena;
    size_t count = reading->page.blocks.len;
    float *scores = arena_alloc(arena, (count + 1) * sizeof *scores);
    uint32_t *signatures = arena_alloc(arena, (count + 1) * sizeof *signatures);
    if (!scores || !signatures || !reading->rows) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        scores[i] = forest_score(forest, reading->rows + i * FEATURE_COUNT);
        signatures[i] = reading->page.elements[reading->page.blocks.at[i].node].signature;
    }
    if (reading->page.html.nodes.len > 0) {
        verdict_pool(arena, scores, signatures, count);
    }
    return scores;
}

// A long paragraph that stands on the page twice is kept once.
static void cut_repeats(const struct reading *reading, struct verdict *verdicts)
{
    size_t count = reading->page.blocks.len, mask = 63;
    while (mask < count * 2) {
        mask = mask * 2 + 1;
    }
    uint64_t *seen = arena_zalloc(reading->page.arena, mask + 1, sizeof *seen);
    for (size_t i = 0; seen && i < count; i++) {
        const struct block *block = &reading->page.blocks.at[i];
        uint64_t key = block->hash | 1u;
        size_t slot = (key ^ (key >> 29)) & mask;
        if (!verdicts[i].keep || block->words < REPEAT_WORDS) {
            continue;
        }
        while (seen[slot] && seen[slot] != key) {
            slot = (slot + 1) & mask;
        }
        if (seen[slot] == key) {
            verdict_cut(verdicts, i, "duplicate", "stands above already");
        }
        seen[slot] = key;
    }
}

struct verdict *verdict_all(const struct reading *reading, const struct forest *forest,
                            const struct table_list *phrases)
{
    size_t count = reading->page.blocks.len;
    struct verdict *verdicts = arena_zalloc(reading->page.arena, count + 1, sizeof *verdicts);
    const float *scores = score_blocks(reading, forest);
    if (!verdicts || !scores) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        verdicts[i] =
            (struct verdict){.keep = scores[i] > 0.0f, .score = scores[i], .rule = "model"};
        if (verdicts[i].keep && is_title(reading, i)) {
            verdicts[i].keep = false;
            verdicts[i].rule = "title";
        }
    }
    cut_repeats(reading, verdicts);
    rescue(reading, verdicts);
    verdict_settle(reading, verdicts);
    for (size_t i = 0; i < count; i++) {
        if (!verdicts[i].keep && !verdicts[i].reason) {
            verdicts[i].reason =
                is_title(reading, i) ? "title" : reason_to_cut(reading, i, phrases);
        }
    }
    return verdicts;
}

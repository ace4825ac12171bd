#include "services/broker/dlq.h"

#include "services/broker/answer.h"
#include "services/broker/core_state.h"
#include "services/broker/hash.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { LIST_LIMIT = 1000, SHOW_LIMIT = 64 };

// Which dead letters are meant.
struct which {
    bool all;
    uint64_t handle;    // 0: any
    uint32_t stage;     // 0: any
    struct view reason; // empty: any
};

// Handles in some order; grows to the number of dead letters.
struct letters {
    struct queued_article **at;
    size_t count, room;
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool holds(struct view text, struct view part)
{
    for (size_t start = 0; start + part.len <= text.len; start++) {
        size_t i = 0;
        while (i < part.len && lower(text.at[start + i]) == lower(part.at[i])) {
            i++;
        }
        if (i == part.len) {
            return true;
        }
    }
    return false;
}

static struct view first_word(struct view text)
{
    return view_slice(text, 0, view_find(text, VIEW(" "), 0));
}

// Reads WHICH. False when it makes no sense; the answer then says so.
static bool read_which(const struct core *core, struct view text, struct which *which,
                       struct notes *json)
{
    *which = (struct which){.all = view_equal(text, VIEW("all"))};
    if (which->all || (view_parse_u64(text, &which->handle) && which->handle != 0)) {
        return true;
    }
    if (view_starts(text, VIEW("stage="))) {
        struct view name = first_word(view_slice(text, 6, text.len));
        which->stage = graph_find(&core->graph, name);
        if (which->stage == 0) {
            notes_string(json, "error", VIEW("the pipeline has no such stage"));
            return false;
        }
        text = view_slice(text, 6 + name.len, text.len);
        text = view_slice(text, text.len > 0, text.len);
    }
    if (view_starts(text, VIEW("reason="))) {
        which->reason = view_slice(text, 7, text.len);
        text = VIEW("");
    }
    if (text.len > 0 || (which->stage == 0 && which->reason.len == 0)) {
        notes_string(json, "error",
                     VIEW("which ones? A handle, all, stage=NAME, reason=TEXT or stage=NAME "
                          "reason=TEXT"));
        return false;
    }
    return true;
}

static bool is_meant(const struct which *which, const struct queued_article *article)
{
    const struct dead_letter *why = queue_extra(article)->dead;
    if (article->state != ARTICLE_DEAD || (which->handle && which->handle != article->handle)) {
        return false;
    }
    if (!why) { // no memory for the reason
        return which->all || which->handle;
    }
    return (which->stage == 0 || which->stage == why->stage) &&
           holds(view_of(why->reason), which->reason);
}

static bool add_letter(struct letters *letters, struct queued_article *article)
{
    if (letters->count == letters->room) {
        size_t room = letters->room ? letters->room * 2 : 64;
        struct queued_article **grown = realloc(letters->at, room * sizeof *grown);
        if (!grown) {
            return false;
        }
        letters->at = grown;
        letters->room = room;
    }
    letters->at[letters->count++] = article;
    return true;
}

static int by_handle(const void *a, const void *b)
{
    uint64_t left = (*(const struct queued_article *const *)a)->handle;
    uint64_t right = (*(const struct queued_article *const *)b)->handle;
    return left < right ? -1 : left > right;
}

static int newest_first(const void *a, const void *b)
{
    const struct queued_article *left = *(const struct queued_article *const *)a;
    const struct queued_article *right = *(const struct queued_article *const *)b;
    int64_t left_ms = queue_extra(left)->dead ? queue_extra(left)->dead->at_ms : 0;
    int64_t right_ms = queue_extra(right)->dead ? queue_extra(right)->dead->at_ms : 0;
    return left_ms != right_ms ? (left_ms > right_ms ? -1 : 1) : by_handle(b, a);
}

// Those that are meant, all found in one walk: acting on them changes the table that is walked. Without memory some
// are missing, and the count in the answer says how many were found.
static struct letters collect(const struct core *core, const struct which *which,
                              int (*order)(const void *a, const void *b))
{
    struct letters letters = {0};
    size_t at = 0;
    struct queued_article *article;
    if (which->handle) {
        article = queue_find(core->queue, which->handle);
        if (article && is_meant(which, article)) {
            add_letter(&letters, article);
        }
        return letters;
    }
    while (queue_counts(core->queue)->dead > 0 && (article = queue_next(core->queue, &at))) {
        if (is_meant(which, article) && !add_letter(&letters, article)) {
            break;
        }
    }
    if (letters.count > 1) {
        qsort(letters.at, letters.count, sizeof *letters.at, order);
    }
    return letters;
}

static void write_letter(struct notes *json, const struct core *core,
                         const struct queued_article *article)
{
    const struct dead_letter *why = queue_extra(article)->dead;
    notes_integer(json, "handle", (int64_t)article->handle);
    notes_string(json, "id", holding_id(article->holding));
    notes_integer(json, "version", (int64_t)article->story.version);
    if (why) {
        notes_string(json, "stage", view_of(graph_name_of(&core->graph, why->stage)));
        notes_integer(json, "attempts", why->attempts);
        notes_integer(json, "at_ms", why->at_ms);
        notes_string(json, "worker", view_of(why->worker));
        notes_string(json, "reason", view_of(why->reason));
    }
}

static void list(const struct core *core, struct view text, struct notes *json)
{
    struct which which = {.all = true};
    if (text.len > 0 && !read_which(core, text, &which, json)) {
        return;
    }
    struct letters letters = collect(core, &which, newest_first);
    notes_array(json, "dead");
    for (size_t i = 0; i < letters.count && i < LIST_LIMIT; i++) {
        notes_object(json, NULL);
        write_letter(json, core, letters.at[i]);
        notes_end(json);
    }
    notes_end(json);
    notes_integer(json, "matching", (int64_t)letters.count);
    notes_integer(json, "total", (int64_t)queue_counts(core->queue)->dead);
    free(letters.at);
}

static void note_revival(struct core *core, const struct queued_article *article, enum hop_end end,
                         int64_t now_ms)
{
    struct holding_warm *warm = holding_warm(&core->holdings, core_holding(article));
    int64_t after = now_ms - article->accepted_ms;
    if (warm) {
        history_add(&warm->history,
                    (struct hop){.after_ms = after > 0 ? (uint32_t)after : 0, .end = (uint8_t)end});
    }
}

// Puts a dead letter before the first stage again, with another document unless that is NULL; on disk as well, and when that is
// done sinks get it. What can fail comes first. The records go into one batch: power that fails leaves the dead letter as it was.
static bool revive(struct core *core, struct queued_article *article, const struct view *document,
                   enum hop_end end, int64_t now_ms)
{
    struct journal_place place;
    struct holding *holding = core_holding(article);
    struct journal_place old = core_place(article);
    struct record record = {.type = RECORD_REVIVED, .handle = article->handle};
    size_t bytes = document ? intake_record_bytes(holding_id(holding), *document) : 0;
    if (!keep_reserve(core, bytes + record_size(&record), now_ms) ||
        !queue_revive(core->queue, article->handle, true, now_ms)) {
        return false;
    }
    if (document) {
        bool replaced =
            intake_append(core, article, &holding_look(holding)->trace, *document, now_ms);
        assert(replaced);
        journal_moved(core->journal, old);
    }
    bool appended = journal_append(core->journal, &record, now_ms, &place);
    assert(appended);
    keep_until_safe(core, article->handle);
    note_revival(core, article, end, now_ms);
    return true;
}

static bool retry(struct core *core, struct queued_article *article, int64_t now_ms)
{
    return revive(core, article, NULL, HOP_REVIVED, now_ms);
}

static bool discard(struct core *core, struct queued_article *article, int64_t now_ms)
{
    (void)now_ms;
    return queue_discard(core->queue, article->handle);
}

static void act_on(struct core *core, struct view text, int64_t now_ms, const char *told,
                   bool (*act)(struct core *core, struct queued_article *article, int64_t now_ms),
                   struct notes *json)
{
    struct which which;
    int64_t count = 0;
    if (!read_which(core, text, &which, json)) {
        return;
    }
    struct letters letters = collect(core, &which, by_handle);
    for (size_t i = 0; i < letters.count; i++) {
        count += act(core, letters.at[i], now_ms);
    }
    free(letters.at);
    notes_integer(json, told, count);
}

// The dead letter with this handle, or else with this id.
static struct queued_article *find_letter(const struct core *core, struct view text)
{
    uint64_t handle;
    uint64_t key[2];
    struct queued_article *article =
        view_parse_u64(text, &handle) ? queue_find(core->queue, handle) : NULL;
    if (!article) {
        hash128(journal_hash_key(core->journal), text, key);
        article = queue_head(core->queue, key);
    }
    return article && article->state == ARTICLE_DEAD ? article : NULL;
}

static void write_document(struct notes *json, const struct core *core,
                           const struct queued_article *article, struct view document)
{
    write_letter(json, core, article);
    if (document.at) {
        notes_string(json, "document", document);
    } else {
        notes_string(json, "error",
                     VIEW("its document cannot be read back; run copydesk journal verify"));
    }
}

// A document that was still on its way to disk is there at once; it is not kept.
static bool show_at_once(struct core *core, const struct queued_article *article,
                         struct notes *json)
{
    struct holding *holding = core_holding(article);
    const struct holding_warm *warm = holding_look(holding);
    if (!warm->document) {
        return false;
    }
    write_document(json, core, article, (struct view){warm->document, warm->document_len});
    core_count_bytes(core, holding, false);
    holding_cool(&core->holdings, holding);
    core_count_bytes(core, holding, true);
    return true;
}

static bool show(struct core *core, uint64_t peer, struct view text, struct notes *json)
{
    const struct queued_article *article = find_letter(core, text);
    if (!article) {
        notes_string(json, "error", VIEW("no dead letter has this handle or id; see dlq list"));
        return true;
    }
    keep_fetch(core, article);
    if (show_at_once(core, article, json)) {
        return true;
    }
    struct show *room = core->shows.end - core->shows.first < SHOW_LIMIT
                            ? core_list_push(&core->shows, sizeof *room)
                            : NULL;
    if (!room) {
        notes_string(json, "error", VIEW("too many want to see a dead letter now; ask again"));
        return true;
    }
    *room = (struct show){article->handle, peer};
    return false;
}

static void answer_show(struct core *core, struct peer *peer, const struct queued_article *article,
                        struct view document, int64_t now_ms)
{
    struct notes json;
    notes_init(&json, ANSWER_LIMIT);
    notes_begin(&json, NULL);
    write_document(&json, core, article, document);
    answer_send(core, peer, notes_finish(&json), now_ms);
    notes_clear(&json);
}

void dlq_shown(struct core *core, const struct queued_article *article, struct view document,
               int64_t now_ms)
{
    struct list *shows = &core->shows;
    struct show *all = shows->at;
    size_t kept = shows->first;
    for (size_t i = shows->first; i < shows->end; i++) {
        struct peer *peer = core_find_peer(core, all[i].peer);
        if (peer && all[i].handle != article->handle) {
            all[kept++] = all[i];
        } else if (peer) { // who left meanwhile is forgotten
            answer_show(core, peer, article, document, now_ms);
        }
    }
    shows->end = kept;
}

// Why the dead letter cannot get this document now, or NULL.
static const char *uneditable(const struct core *core, const struct queued_article *article,
                              struct view document)
{
    if (!article) {
        return "no dead letter has this handle or id; see dlq list";
    }
    if (document.len == 0) {
        return "an edited document comes with the command, and this one is empty";
    }
    if (document.len > core->config.article_bytes) {
        return "the edited document is larger than the broker accepts (--article)";
    }
    if (core_holding(article)->loading) { // what comes back would be the old one
        return "its document is being read; ask again";
    }
    return intake_closed(core) ? "nothing new is written now; copydesk status tells why" : NULL;
}

static bool replace_document(struct core *core, struct queued_article *article,
                             const struct question *question)
{
    if (!core_list_reserve(&core->edits, sizeof(struct edit)) ||
        !revive(core, article, &question->document, HOP_EDITED, question->now_ms)) {
        return false;
    }
    struct edit *owed = core_list_push(&core->edits, sizeof *owed);
    *owed = (struct edit){article->handle, question->peer, journal_end(core->journal)};
    return true;
}

static bool edit(struct core *core, const struct question *question, struct view text,
                 struct notes *json)
{
    struct queued_article *article = find_letter(core, text);
    const char *why = uneditable(core, article, question->document);
    if (!why && replace_document(core, article, question)) {
        return false;
    }
    notes_string(json, "error", view_of(why ? why : "there is no memory for it now; ask again"));
    return true;
}

static void answer_edit(struct core *core, struct peer *peer, const struct edit *edit,
                        int64_t now_ms)
{
    struct notes json;
    notes_init(&json, ANSWER_LIMIT);
    notes_begin(&json, NULL);
    notes_integer(&json, "edited", (int64_t)edit->handle);
    answer_send(core, peer, notes_finish(&json), now_ms);
    notes_clear(&json);
}

void dlq_send_edited(struct core *core, int64_t now_ms)
{
    uint64_t durable = journal_durable(core->journal);
    struct list *edits = &core->edits;
    while (edits->first < edits->end) {
        const struct edit *edit = (struct edit *)edits->at + edits->first;
        struct peer *peer = core_find_peer(core, edit->peer);
        if (edit->safe_at > durable) {
            return;
        }
        edits->first++;
        if (peer) { // who left meanwhile is forgotten
            answer_edit(core, peer, edit, now_ms);
        }
    }
}

bool dlq_command(struct core *core, const struct question *question, struct notes *json)
{
    struct view command = view_slice(question->command, 4, question->command.len);
    struct view verb = first_word(command);
    struct view rest = view_slice(command, verb.len, command.len);
    rest = view_slice(rest, rest.len > 0, rest.len);
    if (view_equal(verb, VIEW("list"))) {
        list(core, rest, json);
    } else if (view_equal(verb, VIEW("show"))) {
        return show(core, question->peer, rest, json);
    } else if (view_equal(verb, VIEW("edit"))) {
        return edit(core, question, rest, json);
    } else if (view_equal(verb, VIEW("retry"))) {
        act_on(core, rest, question->now_ms, "retried", retry, json);
    } else if (view_equal(verb, VIEW("discard"))) {
        act_on(core, rest, question->now_ms, "discarded", discard, json);
    } else {
        notes_string(json, "error", VIEW("dlq knows list, show, retry, discard and edit"));
    }
    return true;
}

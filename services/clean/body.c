#include "services/clean/body.h"

void body_join(struct body *body, const struct reading *reading, const struct verdict *verdicts)
{
    const struct page *page = &reading->page;
    size_t room = 1, len = 0;
    *body = (struct body){0};
    for (size_t i = 0; i < page->blocks.len; i++) {
        room += verdicts[i].keep ? page->blocks.at[i].text.len + 2 : 0;
    }
    char *out = arena_alloc(page->arena, room);
    if (!out) {
        return;
    }
    for (size_t i = 0; i < page->blocks.len; i++) {
        const struct block *block = &page->blocks.at[i];
        if (!verdicts[i].keep) {
            continue;
        }
        bool same = page->html.nodes.len > 0 && block->after_break && i > 0 &&
                    verdicts[i - 1].keep && page->blocks.at[i - 1].node == block->node;
        if (len > 0) {
            out[len++] = '\n';
            if (!same) {
                out[len++] = '\n';
            }
        }
        struct span span = {(uint32_t)len, (uint32_t)(len + block->text.len)};
        memcpy(out + len, block->text.at, block->text.len);
        len += block->text.len;
        if (verdicts[i].heading) {
            vec_push(page->arena, &body->headings, span);
        }
    }
    body->text = (struct view){out, len};
}

// Cuts `text` at a code point after at most `limit` bytes.
static struct view shorten(struct view text, size_t limit)
{
    size_t end = text.len < limit ? text.len : limit;
    while (end < text.len && end > 0 && ((unsigned char)text.at[end] & 0xc0) == 0x80) {
        end--;
    }
    return view_slice(text, 0, end);
}

static void note_one(struct notes *notes, const char *reason, struct view text)
{
    notes_object(notes, NULL);
    notes_string(notes, "reason", view_of(reason));
    notes_string(notes, "text", text);
    notes_end(notes);
}

// How many blocks from `i` are cut for the same reason and can be told in one entry.
static size_t run_length(const struct reading *reading, const struct verdict *verdicts, size_t i)
{
    size_t end = i + 1;
    bool merges = reading->page.html.nodes.len > 0 && strcmp(verdicts[i].reason, "title") != 0;
    while (merges && end < reading->page.blocks.len && !verdicts[end].keep &&
           strcmp(verdicts[end].reason, verdicts[i].reason) == 0) {
        end++;
    }
    return end - i;
}

static struct view join_run(const struct reading *reading, size_t first, size_t count)
{
    char *out = arena_alloc(reading->page.arena, REMOVED_TEXT_LIMIT + 1);
    size_t len = 0;
    for (size_t i = first; out && i < first + count; i++) {
        struct view text = reading->page.blocks.at[i].text;
        if (len + text.len + 1 > REMOVED_TEXT_LIMIT) {
            text = shorten(text, REMOVED_TEXT_LIMIT - len);
            count = i - first + 1;
        }
        if (len > 0 && len < REMOVED_TEXT_LIMIT) {
            out[len++] = '\n';
            text = shorten(text, REMOVED_TEXT_LIMIT - len);
        }
        memcpy(out + len, text.at, text.len);
        len += text.len;
    }
    return (struct view){out ? out : "", len};
}

void body_note_removed(const struct reading *reading, const struct verdict *verdicts,
                       struct notes *notes)
{
    size_t noted = 0;
    notes_array(notes, "removed");
    for (size_t i = 0; i < reading->page.blocks.len && noted < REMOVED_LIMIT;) {
        if (verdicts[i].keep) {
            i++;
            continue;
        }
        size_t count = run_length(reading, verdicts, i);
        struct view text = count > 1 ? join_run(reading, i, count)
                                     : shorten(reading->page.blocks.at[i].text, REMOVED_TEXT_LIMIT);
        note_one(notes, verdicts[i].reason, text);
        noted++;
        i += count;
    }
    notes_end(notes);
}

void body_explain(const struct reading *reading, const struct verdict *verdicts,
                  struct explain *explain)
{
    for (size_t i = 0; explain && i < reading->page.blocks.len; i++) {
        const struct verdict *verdict = &verdicts[i];
        explain_add(
            explain, "clean", verdict->rule, reading->page.blocks.at[i].text, "%s, log-odds %.2f",
            verdict->keep ? (verdict->heading ? "kept as subhead" : "kept") : verdict->reason,
            (double)verdict->score);
    }
}

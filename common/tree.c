#include "common/tree.h"

#include <assert.h>
#include <stdlib.h>

enum { LONGEST_NUMBER = 60 }; // characters; cJSON reads at most 63 of one

// A copy of the text that cJSON reads right: escapes that stand for no character become U+FFFD, for a NUL would end
// a C string early; numbers longer than its buffer become 0 and are put back by keep_numbers.
static struct view mend(struct arena *arena, struct view json, const struct json_facts *facts)
{
    struct view copy = arena_copy(arena, json);
    char *at = (char *)copy.at;
    if (copy.len == 0) {
        return copy;
    }
    for (size_t i = 0; i < facts->unfit.len; i++) {
        memcpy(at + facts->unfit.at[i], "\\ufffd", 6);
    }
    for (size_t i = 0; i < facts->numbers.len; i++) {
        const struct json_number *number = &facts->numbers.at[i];
        if (number->len > LONGEST_NUMBER) {
            memset(at + number->at, ' ', number->len);
            at[number->at] = '0';
        }
    }
    return copy;
}

// The item after `item` in the order of the text, or NULL. `parents` holds the items above it.
static cJSON *next_in_text(cJSON *item, cJSON **parents, int *depth)
{
    if (item->child) {
        parents[(*depth)++] = item;
        return item->child;
    }
    while (!item->next && *depth > 0) {
        item = parents[--*depth];
    }
    return item->next;
}

// Gives numbers that a double would change their own text back: cJSON prints a raw item as it stands.
static enum status keep_numbers(cJSON *object, struct view json, const struct json_numbers *numbers,
                                struct error *why)
{
    cJSON *parents[JSON_DEPTH_LIMIT];
    int depth = 0;
    size_t ordinal = 0;
    size_t kept = 0;
    for (cJSON *item = object; item && kept < numbers->len;
         item = next_in_text(item, parents, &depth)) {
        const struct json_number *number = &numbers->at[kept];
        if (!cJSON_IsNumber(item) || ordinal++ != number->ordinal) {
            continue;
        }
        char *text = cJSON_malloc(number->len + 1);
        if (!text) {
            return error_set(why, ERR_MEMORY, "1:1: no memory for the article");
        }
        memcpy(text, json.at + number->at, number->len);
        text[number->len] = '\0';
        item->type = cJSON_Raw;
        item->valuestring = text;
        item->valuedouble = strtod(text, NULL);
        kept++;
    }
    assert(kept == numbers->len);
    return OK;
}

// A name that stands twice would mean one thing to us and another to the next reader.
static enum status check_names(struct view json, const struct json_facts *facts,
                               const cJSON *object, struct error *why)
{
    uint64_t hashes[TREE_MEMBER_LIMIT];
    size_t count = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        if (count == TREE_MEMBER_LIMIT) {
            return json_fail(json, facts->members.at[count].at, ERR_LIMIT, why,
                             "more than %d members", TREE_MEMBER_LIMIT);
        }
        hashes[count] = view_hash(view_of(item->string));
        for (size_t i = 0; i < count; i++) {
            if (hashes[i] == hashes[count]) {
                return json_fail(json, facts->members.at[count].at, ERR_FORMAT, why,
                                 "the member '%.80s' stands twice", item->string);
            }
        }
        count++;
    }
    assert(count == facts->members.len);
    return OK;
}

enum status tree_parse(struct arena *arena, struct view json, cJSON **out, struct json_facts *facts,
                       struct error *why)
{
    enum status status = json_check(json, arena, facts, why);
    if (status != OK) {
        return status;
    }
    bool as_it_is = facts->unfit.len == 0 && facts->numbers.len == 0;
    struct view mended = as_it_is ? json : mend(arena, json, facts);
    if (arena_is_full(arena)) {
        return error_set(why, ERR_LIMIT, "1:1: the article needs more memory than its limit");
    }
    cJSON *object = cJSON_ParseWithLengthOpts(mended.at, mended.len, NULL, 0);
    if (!object) {
        return error_set(why, ERR_MEMORY, "1:1: no memory for the article");
    }
    status = check_names(json, facts, object, why);
    if (status == OK) {
        status = keep_numbers(object, json, &facts->numbers, why);
    }
    if (status != OK) {
        cJSON_Delete(object);
        return status;
    }
    *out = object;
    return OK;
}

struct view tree_text(const cJSON *item)
{
    return cJSON_IsString(item) ? view_of(item->valuestring) : (struct view){"", 0};
}

struct view tree_string(const cJSON *object, const char *name)
{
    return tree_text(cJSON_GetObjectItemCaseSensitive(object, name));
}

bool tree_is_number(const cJSON *item)
{
    return cJSON_IsNumber(item) || cJSON_IsRaw(item);
}

double tree_number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return tree_is_number(item) ? item->valuedouble : 0;
}

static void put(cJSON *object, cJSON *item)
{
    cJSON *old = cJSON_GetObjectItemCaseSensitive(object, item->string);
    if (old) {
        cJSON_ReplaceItemViaPointer(object, old, item);
    } else {
        cJSON_AddItemToArray(object, item); // keeps the name it already has
    }
}

// Puts a stage's entry in its place by name: stages end in any order, the article prints in one. Whatever stands
// behind that place is moved behind the entry; Debian's cJSON 1.7.15 cannot insert in the middle.
static void put_sorted(cJSON *object, cJSON *item)
{
    cJSON *next = object->child;
    while (next && strcmp(next->string, item->string) < 0) {
        next = next->next;
    }
    if (next && strcmp(next->string, item->string) == 0) {
        cJSON_ReplaceItemViaPointer(object, next, item);
        return;
    }
    cJSON_AddItemToArray(object, item);
    while (next && next != item) {
        cJSON *behind = next->next;
        cJSON_DetachItemViaPointer(object, next);
        cJSON_AddItemToArray(object, next);
        next = behind;
    }
}

static void lay_over_sorted(cJSON *object, cJSON *from)
{
    cJSON *item;
    while ((item = from->child)) {
        cJSON_DetachItemViaPointer(from, item);
        put_sorted(object, item);
    }
    cJSON_Delete(from);
}

enum status tree_lay_over(cJSON *object, cJSON *from, const char *sorted)
{
    enum status status = OK;
    cJSON *item;
    while ((item = from->child)) {
        cJSON_DetachItemViaPointer(from, item);
        if (strcmp(item->string, sorted) != 0) {
            put(object, item);
            continue;
        }
        cJSON *present = cJSON_GetObjectItemCaseSensitive(object, sorted);
        present = present ? present : cJSON_AddObjectToObject(object, sorted);
        if (present) {
            lay_over_sorted(present, item);
        } else {
            cJSON_Delete(item);
            status = ERR_MEMORY;
        }
    }
    cJSON_Delete(from);
    return status;
}

enum status tree_fail(struct view json, const struct json_facts *facts, const cJSON *object,
                      const char *name, enum status status, struct error *why)
{
    size_t n = 0;
    const cJSON *item = object->child;
    while (item && strcmp(item->string, name) != 0) {
        item = item->next;
        n++;
    }
    if (!why || !item) {
        return status;
    }
    struct error old = *why;
    return json_fail(json, facts->members.at[n].at, status, why, "%.300s", old.text);
}

void tree_print(const cJSON *item, struct buf *out)
{
    char *text = cJSON_PrintUnformatted(item);
    if (!text) {
        out->full = true;
        return;
    }
    buf_add(out, view_of(text));
    cJSON_free(text);
}

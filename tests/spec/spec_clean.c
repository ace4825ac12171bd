// Specs of the clean stage. Settings: url, type (media type), published_at, text. One line per thing said:
//
//     title The headline             cut nav  Home
//     text  A paragraph              byline Jane Porter
//
// Members that hold one string are printed by name; `text` a line per paragraph (subheads as `head`), `cut` a line
// per passage that was cut, `credit` a line per credit, `dateline` as its parts.
#include "services/clean/clean.h"
#include "tests/spec/stage_spec.h"

#include <cjson/cJSON.h>

static void add_members(const struct spec_case *one, struct buf *json)
{
    static const char *const members[][2] = {{"url", "url"},
                                             {"type", "content_type"},
                                             {"published_at", "published_at"},
                                             {"text", "text"},
                                             {NULL, NULL}};
    stage_spec_settings(one, members, json);
}

static const char *string_in(const cJSON *object, const char *name)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(member) ? member->valuestring : NULL;
}

static bool is_heading(const cJSON *root, struct view text, struct view line)
{
    const cJSON *heading;
    size_t start = utf8_length(view_slice(text, 0, (size_t)(line.at - text.at)));
    cJSON_ArrayForEach(heading, cJSON_GetObjectItemCaseSensitive(root, "headings"))
    {
        const cJSON *at = cJSON_GetObjectItemCaseSensitive(heading, "start");
        if (at && (size_t)at->valuedouble == start) {
            return true;
        }
    }
    return false;
}

static void add_text(const cJSON *root, struct buf *out)
{
    const char *found = string_in(root, "text");
    struct view text = view_of(found ? found : ""), rest = text, line;
    while (view_next_line(&rest, &line)) {
        if (line.len > 0) {
            buf_printf(out, "%s %.*s\n", is_heading(root, text, line) ? "head" : "text",
                       VIEW_ARGS(line));
        }
    }
}

static void add_pairs(const cJSON *root, const char *list, const char *label, const char *first,
                      const char *second, struct buf *out)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(root, list))
    {
        struct view rest = view_of(string_in(item, second)), line;
        buf_printf(out, "%s %s", label, string_in(item, first));
        while (view_next_line(&rest, &line)) {
            buf_printf(out, " %.*s", VIEW_ARGS(line));
        }
        buf_add_char(out, '\n');
    }
}

static enum status tell(struct article *article, struct view section, struct buf *out,
                        struct error *why)
{
    static const char *const members[] = {
        "title",  "byline",   "published_at", "published_at_source", "lang",
        "signal", "slugline", "ednote",       "embargoed_until",     "pubstatus"};
    (void)article;
    (void)why;
    cJSON *root = cJSON_ParseWithLength(section.at, section.len);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const char *value = string_in(root, members[i]);
        if (value) {
            buf_printf(out, "%s %s\n", members[i], value);
        }
    }
    const cJSON *dateline = cJSON_GetObjectItemCaseSensitive(root, "dateline");
    if (dateline) {
        const char *date = string_in(dateline, "date"), *agency = string_in(dateline, "agency");
        buf_printf(out, "dateline %s | %s | %s\n", string_in(dateline, "place"), date ? date : "-",
                   agency ? agency : "-");
    }
    add_text(root, out);
    add_pairs(root, "credits", "credit", "role", "name", out);
    add_pairs(root, "removed", "cut", "reason", "text", out);
    cJSON_Delete(root);
    return OK;
}

int main(int argc, char **argv)
{
    static const char *const keys[] = {"url", "type", "published_at", "text", NULL};
    static const struct stage_spec spec = {&clean_stage, keys, add_members, "content", tell};
    return stage_spec_main(argc, argv, &spec);
}

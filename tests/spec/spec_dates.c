// Specs of the dates stage. Settings: published, lang, title, rendered (a line with the day the page was rendered, cut out by
// clean). One line per expression, then what the text says about the day of publication:
//
//     the text   TYPE value [mod=START] [quant=EVERY] [freq=2X]
//     conflict   the text; the text ...
//     inferred   earliest latest [candidates ...]
#include "services/dates/dates.h"
#include "tests/spec/stage_spec.h"

#include <cjson/cJSON.h>

static void add_members(const struct spec_case *one, struct buf *json)
{
    static const char *const members[][2] = {
        {"published", "published_at"}, {"lang", "lang"}, {"title", "title"}, {NULL, NULL}};
    stage_spec_settings(one, members, json);
    struct view rendered = spec_setting(one, "rendered");
    if (rendered.len > 0) {
        buf_add(json, VIEW(",\"removed\":[{\"reason\":\"render_date\",\"text\":"));
        buf_add_json(json, rendered);
        buf_add(json, VIEW("}]"));
    }
}

static void add_member(const cJSON *object, const char *name, const char *before, struct buf *out)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    if (cJSON_IsString(member)) {
        buf_printf(out, "%s%s", before, member->valuestring);
    }
}

static void add_verdict(const cJSON *root, struct buf *out)
{
    const cJSON *conflict = cJSON_GetObjectItemCaseSensitive(root, "date_conflict_reasons");
    const cJSON *inferred = cJSON_GetObjectItemCaseSensitive(root, "published_at_inferred");
    const cJSON *item;
    cJSON_ArrayForEach(item, conflict)
    {
        add_member(item, "text", item == conflict->child ? "conflict " : "; ", out);
    }
    add_member(inferred, "earliest", conflict ? "\ninferred " : "inferred ", out);
    add_member(inferred, "latest", " ", out);
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(inferred, "candidates"))
    {
        buf_printf(out, " %s", item->valuestring);
    }
    buf_add_char(out, '\n');
}

static enum status tell(struct article *article, struct view section, struct buf *out,
                        struct error *why)
{
    (void)article;
    (void)why;
    cJSON *root = cJSON_ParseWithLength(section.at, section.len);
    const cJSON *date;
    cJSON_ArrayForEach(date, cJSON_GetObjectItemCaseSensitive(root, "dates"))
    {
        add_member(date, "text", "", out);
        add_member(date, "type", " ", out);
        add_member(date, "value", " ", out);
        add_member(date, "mod", " mod=", out);
        add_member(date, "quant", " quant=", out);
        add_member(date, "freq", " freq=", out);
        buf_add_char(out, '\n');
    }
    if (cJSON_HasObjectItem(root, "date_conflict") ||
        cJSON_HasObjectItem(root, "published_at_inferred")) {
        add_verdict(root, out);
    }
    cJSON_Delete(root);
    return OK;
}

int main(int argc, char **argv)
{
    static const char *const keys[] = {"published", "lang", "title", "rendered", NULL};
    static const struct stage_spec spec = {&dates_stage, keys, add_members, "text", tell};
    return stage_spec_main(argc, argv, &spec);
}

// Specs of the summary stage. Settings: title, subhead (a line of the text). One line per sentence chosen, or the
// reason why there is none in square brackets.
#include "common/utf8.h"
#include "services/summary/summary.h"
#include "tests/spec/stage_spec.h"

#include <cjson/cJSON.h>

static void add_members(const struct spec_case *one, struct buf *json)
{
    struct view subhead = spec_setting(one, "subhead");
    size_t start = view_find(one->input, subhead, 0);
    buf_add(json, VIEW(",\"title\":"));
    buf_add_json(json, spec_setting(one, "title"));
    if (subhead.len > 0 && start < one->input.len) {
        size_t before = utf8_length(view_slice(one->input, 0, start));
        buf_printf(json, ",\"headings\":[{\"start\":%zu,\"end\":%zu}]", before,
                   before + utf8_length(subhead));
    }
}

static enum status tell(struct article *article, struct view section, struct buf *out,
                        struct error *why)
{
    (void)why;
    cJSON *root = cJSON_ParseWithLength(section.at, section.len);
    const cJSON *summary = cJSON_GetObjectItemCaseSensitive(root, "summary");
    const cJSON *reason = cJSON_GetObjectItemCaseSensitive(summary, "reason");
    const cJSON *sentence;
    cJSON_ArrayForEach(sentence, cJSON_GetObjectItemCaseSensitive(summary, "sentences"))
    {
        int start = cJSON_GetObjectItemCaseSensitive(sentence, "start")->valueint;
        int end = cJSON_GetObjectItemCaseSensitive(sentence, "end")->valueint;
        buf_add(out, view_slice(article->text, utf8_to_bytes(&article->index, (size_t)start),
                                utf8_to_bytes(&article->index, (size_t)end)));
        buf_add_char(out, '\n');
    }
    if (cJSON_IsString(reason)) {
        buf_printf(out, "[%s]\n", reason->valuestring);
    }
    cJSON_Delete(root);
    return OK;
}

int main(int argc, char **argv)
{
    static const char *const keys[] = {"title", "subhead", NULL};
    static const struct stage_spec spec = {&summary_stage, keys, add_members, "text", tell};
    return stage_spec_main(argc, argv, &spec);
}

// Specs of the entities stage. Settings: lang, title. One line per entity, in the order of first mentions:
//
//     TYPE name: mention | mention | mention
#include "services/entities/entities.h"
#include "tests/spec/stage_spec.h"

static void add_members(const struct spec_case *one, struct buf *json)
{
    static const char *const members[][2] = {{"lang", "lang"}, {"title", "title"}, {NULL, NULL}};
    stage_spec_settings(one, members, json);
}

// The section goes back into the article, as it does in the pipeline: offsets are checked on the way.
static enum status tell(struct article *article, struct view section, struct buf *out,
                        struct error *why)
{
    enum status status = article_merge(article, section, why);
    for (size_t e = 0; status == OK && e < article->entity_count; e++) {
        const struct entity *entity = &article->entities[e];
        buf_printf(out, "%s %.*s:", entity_type_name(entity->type), VIEW_ARGS(entity->name));
        for (size_t m = 0; m < entity->mentions.len; m++) {
            struct view mention = view_at(article->text, entity->mentions.at[m]);
            buf_printf(out, "%s %.*s", m ? " |" : "", VIEW_ARGS(mention));
        }
        buf_add_char(out, '\n');
    }
    return status;
}

int main(int argc, char **argv)
{
    static const char *const keys[] = {"lang", "title", NULL};
    static const struct stage_spec spec = {&entities_stage, keys, add_members, "text", tell};
    return stage_spec_main(argc, argv, &spec);
}

#include "services/clean/reading.h"

#include "services/clean/plain.h"
#include "services/clean/title.h"

enum { SNIFF_BYTES = 4096 };

enum status clean_tables_open(struct clean_tables *tables, const char *folder, struct error *why)
{
    *tables = (struct clean_tables){0};
    const struct {
        const char *name;
        struct table_list *list;
    } lists[] = {
        {"entities", &tables->entities}, {"class_tokens", &tables->classes},
        {"phrases", &tables->phrases},   {"stop_words", &tables->stop_words},
        {"agencies", &tables->agencies},
    };
    enum status status = table_open(&tables->table, folder, "clean", why);
    for (size_t i = 0; status == OK && i < sizeof lists / sizeof lists[0]; i++) {
        status = table_find_list(tables->table, lists[i].name, lists[i].list, why);
    }
    if (status != OK) {
        clean_tables_close(tables);
    }
    return status;
}

void clean_tables_close(struct clean_tables *tables)
{
    table_close(tables->table);
    tables->table = NULL;
}

void reading_make(struct reading *reading, struct arena *arena, struct view content, bool is_html,
                  struct view title, struct view url, const struct clean_tables *tables)
{
    *reading = (struct reading){.title_source = "input"};
    if (is_html) {
        blocks_of_html(&reading->page, arena, content, &tables->entities, &tables->classes);
        facts_read(&reading->facts, &reading->page, &tables->entities);
        if (title.len == 0) {
            title = title_choose(&reading->facts, &reading->page, &reading->title_source);
        }
        if (reading->facts.article) {
            reading->about.body = reading->facts.article->body;
        }
        reading->about.description = reading->facts.description;
    } else {
        blocks_of_text(&reading->page, arena, content);
        wire_head(&reading->page, &tables->phrases, &reading->wire);
        if (title.len == 0) {
            title = plain_title(&reading->page, &reading->wire, url, &tables->phrases);
            reading->title_source = "text";
        }
    }
    reading->about.title = title;
    reading_measure(reading, tables);
}

void reading_measure(struct reading *reading, const struct clean_tables *tables)
{
    blocks_measure(&reading->page);
    features_landmarks(&reading->page, &reading->about, &reading->marks);
    reading->rows =
        features_of_page(&reading->page, &reading->about, &reading->marks, &tables->phrases);
}

bool reading_is_html(struct view content, struct view type)
{
    static const char *const marks[] = {"<!doctype html", "<html",  "<head", "<body", "<div", "<p>",
                                        "<article",       "<title", "<meta"};
    if (view_starts_nocase(type, VIEW("text/plain"))) {
        return false;
    }
    if (view_find(type, VIEW("html"), 0) < type.len) {
        return true;
    }
    struct view start = view_slice(content, 0, SNIFF_BYTES);
    for (size_t at = view_find(start, VIEW("<"), 0); at < start.len;
         at = view_find(start, VIEW("<"), at + 1)) {
        for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
            if (view_starts_nocase(view_slice(start, at, start.len), view_of(marks[i]))) {
                return true;
            }
        }
    }
    return false;
}

#include "services/windows.h"

#include "common/article.h"
#include "common/buf.h"
#include "common/options.h"
#include "services/input.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARENA_LIMIT = 1 << 30, OUTPUT_LIMIT = 1 << 30 };

typedef void (*show_function)(struct buf *out, const struct article *article);

struct window {
    show_function show;
    struct arena arena;
    struct buf section; // a plain text as {"text": ...}
    struct buf out;
};

static void add_offsets(struct buf *out, const struct article *article, struct span span)
{
    buf_printf(out, "{\"start\":%zu,\"end\":%zu", utf8_to_code_points(&article->index, span.start),
               utf8_to_code_points(&article->index, span.end));
}

static void show_sentences(struct buf *out, const struct article *article)
{
    const struct spans *sentences = &article->segments.sentences;
    buf_add(out, VIEW("\"sentences\":["));
    for (size_t i = 0; i < sentences->len; i++) {
        buf_add(out, i ? VIEW(",") : VIEW(""));
        add_offsets(out, article, sentences->at[i]);
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

static void show_tokens(struct buf *out, const struct article *article)
{
    static const char *const kinds[] = {"word", "number", "punctuation", "symbol"};
    const struct tokens *tokens = &article->segments.tokens;
    buf_add(out, VIEW("\"tokens\":["));
    for (size_t i = 0; i < tokens->len; i++) {
        buf_add(out, i ? VIEW(",") : VIEW(""));
        add_offsets(out, article, tokens->at[i].span);
        buf_add(out, VIEW(",\"text\":"));
        buf_add_json(out, view_at(article->text, tokens->at[i].span));
        buf_printf(out, ",\"kind\":\"%s\"", kinds[tokens->at[i].kind]);
        buf_add(out, tokens->at[i].starts_sentence ? VIEW(",\"first\":true}") : VIEW("}"));
    }
    buf_add_char(out, ']');
}

// A plain text is its own text; a page has none before clean has run.
static enum status find_text(struct window *window, struct article *article, struct error *why)
{
    if (article->has_text) {
        return OK;
    }
    if (!view_equal(article->content_type, VIEW("text/plain"))) {
        return error_set(why, ERR_FORMAT,
                         "there is no 'text'; take it out first: copydesk enrich "
                         "--only clean");
    }
    buf_reset(&window->section);
    buf_add(&window->section, VIEW("{\"text\":"));
    buf_add_json(&window->section, article->content);
    buf_add_char(&window->section, '}');
    return article_merge(article, buf_view(&window->section), why);
}

static enum status show(struct window *window, const struct input_event *event, struct error *why)
{
    struct article article;
    arena_reset(&window->arena);
    buf_reset(&window->out);
    article_init(&article, &window->arena);
    enum status status = article_accept(&article, event->json, event->default_id, why);
    if (status == OK) {
        status = find_text(window, &article, why);
    }
    if (status == OK) {
        article_segment(&article);
        buf_add(&window->out, VIEW("{\"id\":"));
        buf_add_json(&window->out, article.id);
        buf_add_char(&window->out, ',');
        window->show(&window->out, &article);
        buf_add(&window->out, VIEW("}\n"));
        if (window->out.full || arena_is_full(&window->arena)) {
            status = error_set(why, ERR_LIMIT, "the text is too long");
        }
    }
    article_clear(&article);
    if (status != OK) {
        input_locate(event, why);
    }
    return status;
}

// The first failure, after everything else was shown.
static enum status show_all(struct window *window, struct input *input, const char *command)
{
    struct input_event event;
    enum status first = OK;
    while (input_next(input, &event)) {
        enum status status = event.status;
        if (event.kind == INPUT_DOCUMENT) {
            status = show(window, &event, &event.why);
        }
        if (event.kind == INPUT_DOCUMENT && status == OK) {
            fwrite(buf_view(&window->out).at, 1, window->out.len, stdout);
        } else {
            fprintf(stderr, "%s%s: %s\n", event.kind == INPUT_NOTE ? "" : "copydesk ",
                    event.kind == INPUT_NOTE ? "note" : command, event.why.text);
        }
        first = first == OK ? status : first;
    }
    if (fflush(stdout) != 0) {
        fprintf(stderr, "copydesk %s: cannot write to standard output\n", command);
        return ERR_IO;
    }
    return first;
}

static int window_main(int argc, char **argv, const char *what, show_function function)
{
    static const struct option table[] = {
        {"help", 'h', OPTION_FLAG, 0, NULL, "print this"},
    };
    struct error why = {""};
    struct input *input = NULL;
    bool help = false;
    int files = 0;
    enum status status = options_parse(table, 1, &help, argc, argv, &files, &why);
    if (status == OK && help) {
        printf("usage: copydesk %s [FILE...]\n\nOne line of JSON for each article: %s.\n"
               "Reads NDJSON or JSON with 'text', and plain text; offsets are code points.\n\n",
               argv[0], what);
        options_print(table, 1, stdout);
        return 0;
    }
    if (status == OK) {
        status =
            input_open(&input, (const char *const *)argv + 1, (size_t)files, INPUT_LIMIT, &why);
    }
    if (status != OK) {
        fprintf(stderr, "copydesk %s: %s\n", argv[0], why.text);
        return status_exit_code(status);
    }
    struct window window = {.show = function};
    arena_init(&window.arena, ARENA_LIMIT);
    buf_init(&window.section, OUTPUT_LIMIT);
    buf_init(&window.out, OUTPUT_LIMIT);
    status = show_all(&window, input, argv[0]);
    input_close(input);
    buf_clear(&window.section);
    buf_clear(&window.out);
    arena_clear(&window.arena);
    return status_exit_code(status);
}

int sentences_main(int argc, char **argv)
{
    return window_main(argc, argv, "its sentences with start and end", show_sentences);
}

int tokens_main(int argc, char **argv)
{
    return window_main(argc, argv, "its tokens with start, end, text and kind", show_tokens);
}

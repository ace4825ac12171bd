#include "services/windows.h"

#include "common/article.h"
#include "common/buf.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARENA_LIMIT = 1 << 30, OUTPUT_LIMIT = 1 << 30, TEXT_LIMIT = 64 << 20 };

typedef void (*show_function)(struct buf *out, const struct article *article);

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

static enum status show(struct view json, struct arena *arena, show_function function,
                        struct error *why)
{
    struct article article;
    struct buf out;
    arena_reset(arena);
    article_init(&article, arena);
    buf_init(&out, OUTPUT_LIMIT);
    enum status status = article_accept(&article, json, VIEW("text"), why);
    if (status == OK) {
        article_segment(&article);
        buf_add(&out, VIEW("{\"id\":"));
        buf_add_json(&out, article.id);
        buf_add_char(&out, ',');
        function(&out, &article);
        buf_add(&out, VIEW("}\n"));
        fwrite(buf_view(&out).at, 1, out.len, stdout);
    }
    if (status == OK && (out.full || arena_is_full(arena))) {
        status = error_set(why, ERR_LIMIT, "the text is too long");
    }
    buf_clear(&out);
    article_clear(&article);
    return status;
}

// A whole plain text as one article.
static enum status show_plain(struct view text, struct arena *arena, show_function function,
                              struct error *why)
{
    struct buf json;
    buf_init(&json, OUTPUT_LIMIT);
    buf_add(&json, VIEW("{\"text\":"));
    buf_add_json(&json, text);
    buf_add_char(&json, '}');
    enum status status = show(buf_view(&json), arena, function, why);
    buf_clear(&json);
    return status;
}

static enum status read_all(FILE *file, struct buf *text, struct error *why)
{
    size_t len;
    do {
        char *room = buf_reserve(text, 1 << 16);
        if (!room) {
            return error_set(why, ERR_LIMIT, "the file is larger than %d bytes", TEXT_LIMIT);
        }
        len = fread(room, 1, 1 << 16, file);
        text->len += len;
    } while (len > 0);
    return ferror(file) ? error_set(why, ERR_IO, "reading failed") : OK;
}

static enum status show_all(struct view text, show_function function, struct error *why)
{
    struct arena arena;
    struct view line;
    enum status status = OK;
    arena_init(&arena, ARENA_LIMIT);
    if (!view_starts(view_trim(text), VIEW("{"))) {
        status = show_plain(text, &arena, function, why);
        text.len = 0;
    }
    while (status == OK && view_next_line(&text, &line)) {
        if (view_trim(line).len > 0) {
            status = show(line, &arena, function, why);
        }
    }
    arena_clear(&arena);
    return status;
}

static int window_main(int argc, char **argv, show_function function)
{
    struct error why = {""};
    struct buf text;
    enum status status = OK;
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : stdin;

    buf_init(&text, TEXT_LIMIT);
    if (!file) {
        status = error_set(&why, ERR_NOT_FOUND, "cannot open %s", argv[1]);
        goto done;
    }
    status = read_all(file, &text, &why);
    if (status == OK) {
        status = show_all(buf_view(&text), function, &why);
    }
    if (file != stdin) {
        fclose(file);
    }
done:
    if (status != OK) {
        fprintf(stderr, "copydesk %s: %s\n", argv[0], why.text);
    }
    buf_clear(&text);
    return status_exit_code(status);
}

int sentences_main(int argc, char **argv)
{
    return window_main(argc, argv, show_sentences);
}

int tokens_main(int argc, char **argv)
{
    return window_main(argc, argv, show_tokens);
}

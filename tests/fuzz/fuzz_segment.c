// Any valid UTF-8 gives tokens and sentences in order, inside the text, without outer white space.
#include "common/segment.h"

#include "common/utf8.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_spans(const struct spans *spans, struct view text)
{
    uint32_t end = 0;
    for (size_t i = 0; i < spans->len; i++) {
        assert(spans->at[i].start >= end);
        assert(spans->at[i].start < spans->at[i].end);
        end = spans->at[i].end;
        assert(end <= text.len);
    }
}

static void check_tokens(const struct segments *segments, struct view text)
{
    uint32_t end = 0;
    size_t sentences = 0;
    for (size_t i = 0; i < segments->tokens.len; i++) {
        const struct token *token = &segments->tokens.at[i];
        assert(token->span.start >= end);
        assert(token->span.start < token->span.end);
        end = token->span.end;
        assert(utf8_invalid_at(view_at(text, token->span)) == view_at(text, token->span).len);
        sentences += token->starts_sentence;
    }
    assert(end <= text.len);
    assert(sentences == segments->sentences.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view text = {(const char *)data, size};
    struct arena arena;
    struct segments segments = {0};
    text.len = utf8_invalid_at(text);
    arena_init(&arena, 64 << 20);
    segment_text(&segments, &arena, text);
    check_tokens(&segments, text);
    check_spans(&segments.sentences, text);
    check_spans(&segments.paragraphs, text);
    for (size_t i = 0; i < segments.sentences.len; i++) {
        struct span tokens = segment_tokens(&segments, i);
        assert(tokens.start < tokens.end);
        assert(segments.tokens.at[tokens.start].span.start == segments.sentences.at[i].start);
        assert(segments.tokens.at[tokens.end - 1].span.end == segments.sentences.at[i].end);
    }
    arena_clear(&arena);
    return 0;
}

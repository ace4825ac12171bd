// Trains a model of the clean stage, or checks by cross-validation what training gives.
//
//     train_clean DATA_FOLDER OUT.model FILE...            trains on all documents
//     train_clean --folds K DATA_FOLDER OUT.ndjson FILE... trains K times without a fifth of the sites and writes the
//                                                          bodies cut by the model that has not seen the site
//
// FILE is NDJSON: {"id", "url", "content", "content_type", "text": the body a person would keep}. All documents are
// HTML or all are plain text. Pages of one site are never split between folds.
#include "common/article.h"
#include "common/buf.h"
#include "services/clean/forest.h"
#include "services/clean/reading.h"
#include "services/clean/train/align.h"
#include "services/clean/train/boost.h"
#include "services/clean/verdict.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ARENA_LIMIT = 512 << 20, LEAST_WORDS = 20 };

struct document {
    char *id;
    uint64_t site;
    size_t first, rows;
    char **texts; // of its blocks; for cross-validation
    uint32_t *signatures;
};

struct samples {
    struct document *documents;
    size_t count, cap;
    float *values;
    bool *wanted;
    float *weights;
    size_t rows, rows_cap;
};

struct job {
    struct clean_tables tables;
    struct samples samples;
    bool keep_texts;
    bool truncated_copies;
};

static void *must(void *memory)
{
    if (!memory) {
        fprintf(stderr, "train_clean: no memory\n");
        exit(70);
    }
    return memory;
}

static void reserve_rows(struct samples *samples, size_t more)
{
    if (samples->rows + more <= samples->rows_cap) {
        return;
    }
    samples->rows_cap = (samples->rows + more) * 3 / 2 + 1024;
    size_t cap = samples->rows_cap;
    samples->values = must(realloc(samples->values, cap * FEATURE_COUNT * sizeof(float)));
    samples->wanted = must(realloc(samples->wanted, cap * sizeof(bool)));
    samples->weights = must(realloc(samples->weights, cap * sizeof(float)));
}

static struct view host_of(struct view url)
{
    size_t start = view_find(url, VIEW("://"), 0);
    start = start < url.len ? start + 3 : 0;
    struct view host = view_slice(url, start, view_find(url, VIEW("/"), start));
    return view_starts(host, VIEW("www.")) ? view_slice(host, 4, host.len) : host;
}

static char *copy_text(struct view text)
{
    char *copy = must(malloc(text.len + 1));
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    return copy;
}

// A row weighs by the root of its words; a page by a small power of its words; the sum of a page is shared out.
static void add_rows(struct job *job, const struct reading *reading, const bool *in_body,
                     float factor)
{
    struct samples *samples = &job->samples;
    size_t count = reading->page.blocks.len;
    double sum = 0, body = 0;
    reserve_rows(samples, count);
    for (size_t i = 0; i < count; i++) {
        sum += sqrt(reading->page.blocks.at[i].words + 1.0);
        body += in_body[i] ? reading->page.blocks.at[i].words : 0;
    }
    memcpy(samples->values + samples->rows * FEATURE_COUNT, reading->rows,
           count * FEATURE_COUNT * sizeof(float));
    for (size_t i = 0; i < count; i++) {
        double share = sqrt(reading->page.blocks.at[i].words + 1.0) / sum;
        samples->wanted[samples->rows + i] = in_body[i];
        samples->weights[samples->rows + i] = factor * (float)(share * pow(body + 1.0, 0.3) * 20.0);
    }
    samples->rows += count;
}

static struct document *add_document(struct samples *samples, struct view id, struct view url)
{
    if (samples->count == samples->cap) {
        samples->cap = samples->cap * 2 + 256;
        samples->documents =
            must(realloc(samples->documents, samples->cap * sizeof *samples->documents));
    }
    struct document *document = &samples->documents[samples->count++];
    *document = (struct document){.id = copy_text(id), .first = samples->rows};
    document->site = view_hash(host_of(url).len ? host_of(url) : id);
    return document;
}

// Takes the end of the article away: body blocks behind `limit` words, and whatever stands between them.
static void truncate_body(struct page *page, bool *in_body, size_t limit)
{
    size_t words = 0, kept = 0, last = 0, cut = page->blocks.len;
    for (size_t i = 0; i < page->blocks.len; i++) {
        last = in_body[i] ? i : last;
        words += in_body[i] ? page->blocks.at[i].words : 0;
        if (cut == page->blocks.len && words >= limit) {
            cut = i + 1;
        }
    }
    for (size_t i = 0; i < page->blocks.len; i++) {
        if (i < cut || i > last) {
            page->blocks.at[kept] = page->blocks.at[i];
            in_body[kept++] = in_body[i];
        }
    }
    page->blocks.len = kept;
}

static void add_truncated(struct job *job, struct reading *reading, bool *in_body, struct view url)
{
    size_t limit = 40 + (size_t)(view_hash(url) >> 20) % 310;
    truncate_body(&reading->page, in_body, limit);
    reading->about.body = (struct view){"", 0};
    reading_measure(reading, &job->tables);
    struct document *document = add_document(&job->samples, VIEW("-"), url);
    add_rows(job, reading, in_body, 0.4f);
    document->rows = job->samples.rows - document->first;
}

// Takes everything but the body away: plain text that somebody has cleaned already is kept whole.
static void add_bare(struct job *job, struct reading *reading, bool *in_body, struct view url)
{
    struct page *page = &reading->page;
    size_t kept = 0;
    for (size_t i = 0; i < page->blocks.len; i++) {
        if (in_body[i]) {
            page->blocks.at[kept] = page->blocks.at[i];
            in_body[kept++] = true;
        }
    }
    page->blocks.len = kept;
    reading->about.title = (struct view){"", 0};
    reading_measure(reading, &job->tables);
    struct document *document = add_document(&job->samples, VIEW("-"), url);
    add_rows(job, reading, in_body, 0.3f);
    document->rows = job->samples.rows - document->first;
}

static void read_document(struct job *job, const struct article *article, struct arena *arena)
{
    struct reading reading;
    bool is_html = reading_is_html(article->content, article->content_type);
    reading_make(&reading, arena, article->content, is_html, (struct view){"", 0}, article->url,
                 &job->tables);
    size_t count = reading.page.blocks.len;
    bool *in_body = arena_zalloc(arena, count + 1, sizeof *in_body);
    if (!reading.rows || !in_body) {
        return;
    }
    double covered = align_blocks(&reading.page, article->text, in_body);
    struct document *document = add_document(&job->samples, article->id, article->url);
    add_rows(job, &reading, in_body, covered < 0.4 ? 0.1f : 1.0f);
    document->rows = count;
    if (job->keep_texts) {
        document->texts = must(calloc(count + 1, sizeof *document->texts));
        document->signatures = must(calloc(count + 1, sizeof *document->signatures));
        for (size_t i = 0; i < count; i++) {
            document->texts[i] = copy_text(reading.page.blocks.at[i].text);
            document->signatures[i] =
                reading.page.elements[reading.page.blocks.at[i].node].signature;
        }
    }
    if (covered > 0.7 && job->truncated_copies) {
        add_truncated(job, &reading, in_body, article->url);
        if (!is_html) {
            add_bare(job, &reading, in_body, article->url);
        }
    }
}

static void read_file(struct job *job, const char *path)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    struct arena arena;
    struct error why;
    if (!file) {
        fprintf(stderr, "train_clean: cannot read %s\n", path);
        exit(66);
    }
    arena_init(&arena, ARENA_LIMIT);
    while ((len = getline(&line, &cap, file)) > 0) {
        struct article article;
        arena_reset(&arena);
        article_init(&article, &arena);
        if (article_merge(&article, (struct view){line, (size_t)len}, &why) != OK) {
            fprintf(stderr, "train_clean: %s: %s\n", path, why.text);
        } else {
            read_document(job, &article, &arena);
        }
        article_clear(&article);
    }
    arena_clear(&arena);
    free(line);
    fclose(file);
}

static enum status train(const struct samples *samples, int folds, int without, const char *path,
                         struct error *why)
{
    const struct boost_options options = {.trees = 260,
                                          .leaves = 28,
                                          .rate = 0.07f,
                                          .row_share = 0.7f,
                                          .column_share = 0.5f,
                                          .least_hessian = 0.6f,
                                          .ridge = 0.5f,
                                          .seed = 7};
    struct samples part = {0};
    reserve_rows(&part, samples->rows);
    for (size_t i = 0; i < samples->count; i++) {
        const struct document *document = &samples->documents[i];
        if (folds > 0 && (int)(document->site % (uint64_t)folds) == without) {
            continue;
        }
        memcpy(part.values + part.rows * FEATURE_COUNT,
               samples->values + document->first * FEATURE_COUNT,
               document->rows * FEATURE_COUNT * sizeof(float));
        memcpy(part.wanted + part.rows, samples->wanted + document->first, document->rows);
        memcpy(part.weights + part.rows, samples->weights + document->first,
               document->rows * sizeof(float));
        part.rows += document->rows;
    }
    struct boost_data data = {part.rows, FEATURE_COUNT, part.values, part.wanted, part.weights};
    enum status status = boost_train(&data, &options, FEATURES_VERSION, path, why);
    free(part.values);
    free(part.wanted);
    free(part.weights);
    return status;
}

static void write_bodies(const struct samples *samples, int folds, int fold,
                         const struct forest *forest, FILE *out)
{
    struct buf line, body;
    struct arena arena;
    arena_init(&arena, 64 << 20);
    buf_init(&line, 64 << 20);
    buf_init(&body, 64 << 20);
    for (size_t i = 0; i < samples->count; i++) {
        const struct document *document = &samples->documents[i];
        if ((int)(document->site % (uint64_t)folds) != fold || !document->texts) {
            continue;
        }
        buf_reset(&line);
        buf_reset(&body);
        arena_reset(&arena);
        float *scores = must(arena_alloc(&arena, (document->rows + 1) * sizeof *scores));
        for (size_t k = 0; k < document->rows; k++) {
            scores[k] =
                forest_score(forest, samples->values + (document->first + k) * FEATURE_COUNT);
        }
        if (document->signatures[0] != 0) { // plain text has none
            verdict_pool(&arena, scores, document->signatures, document->rows);
        }
        for (size_t k = 0; k < document->rows; k++) {
            if (scores[k] > 0) {
                buf_add(&body, view_of(document->texts[k]));
                buf_add(&body, VIEW("\n\n"));
            }
        }
        buf_add(&line, VIEW("{\"id\":"));
        buf_add_json(&line, view_of(document->id));
        buf_add(&line, VIEW(",\"text\":"));
        buf_add_json(&line, buf_view(&body));
        fprintf(out, "%.*s}\n", VIEW_ARGS(buf_view(&line)));
    }
    buf_clear(&line);
    buf_clear(&body);
    arena_clear(&arena);
}

static enum status cross_validate(const struct samples *samples, int folds, const char *path,
                                  struct error *why)
{
    FILE *out = fopen(path, "w");
    char folder[] = "/tmp/train_cleanXXXXXX";
    char model[64];
    enum status status = OK;
    if (!out || !mkdtemp(folder)) {
        return error_set(why, ERR_IO, "cannot write %s", path);
    }
    snprintf(model, sizeof model, "%s/fold.model", folder);
    for (int fold = 0; status == OK && fold < folds; fold++) {
        struct forest *forest = NULL;
        status = train(samples, folds, fold, model, why);
        if (status == OK) {
            status = forest_open(&forest, folder, "fold", FEATURES_VERSION, FEATURE_COUNT, why);
        }
        if (status == OK) {
            write_bodies(samples, folds, fold, forest, out);
        }
        forest_close(forest);
    }
    unlink(model);
    rmdir(folder);
    fclose(out);
    return status;
}

static void free_samples(struct samples *samples)
{
    for (size_t i = 0; i < samples->count; i++) {
        struct document *document = &samples->documents[i];
        for (size_t k = 0; document->texts && k < document->rows; k++) {
            free(document->texts[k]);
        }
        free(document->texts);
        free(document->signatures);
        free(document->id);
    }
    free(samples->documents);
    free(samples->values);
    free(samples->wanted);
    free(samples->weights);
}

int main(int argc, char **argv)
{
    struct job job = {.truncated_copies = true};
    struct error why = {""};
    uint64_t folds = 0;
    if (argc > 2 && strcmp(argv[1], "--folds") == 0 && view_parse_u64(view_of(argv[2]), &folds)) {
        argv += 2;
        argc -= 2;
    }
    if (argc < 4 || folds > 100) {
        fprintf(stderr, "usage: train_clean [--folds K] DATA_FOLDER OUT FILE...\n");
        return 2;
    }
    enum status status = clean_tables_open(&job.tables, argv[1], &why);
    job.keep_texts = folds > 0;
    for (int i = 3; status == OK && i < argc; i++) {
        read_file(&job, argv[i]);
    }
    if (status == OK) {
        fprintf(stderr, "%zu documents, %zu blocks\n", job.samples.count, job.samples.rows);
        status = folds > 0 ? cross_validate(&job.samples, (int)folds, argv[2], &why)
                           : train(&job.samples, 0, -1, argv[2], &why);
    }
    if (status != OK) {
        fprintf(stderr, "train_clean: %s\n", why.text);
    }
    free_samples(&job.samples);
    clean_tables_close(&job.tables);
    return status_exit_code(status);
}

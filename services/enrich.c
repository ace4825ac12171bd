// The command is a line of jobs: input.c reads documents, crew.c spreads them over threads and keeps their order,
// and whoever finishes the oldest writes it. A job carries its own messages, so these stay in order too.
#include "services/enrich.h"

#include "common/clock.h"
#include "common/options.h"
#include "services/crew.h"
#include "services/enrich_job.h"
#include "services/output.h"
#include "services/paper.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    SLOTS_PER_WORKER = 4,
    ARENA_PER_BYTE = 64, // an article's arena may take this many times its document
    LEAST_ARENA = 64 << 20,
    PROGRESS_US = 200 * 1000,
    PROGRESS_AFTER_US = 1000 * 1000,
};

struct settings {
    const char *only;
    const char *published_at;
    const char *out;
    size_t workers;
    size_t limit_bytes;
    bool json, card, explain, strict, keep_content, no_color, help;
};

#define AT(name) offsetof(struct settings, name)

static const struct option table[] = {
    {"only", '\0', OPTION_TEXT, AT(only), "LIST",
     "run these stages and what they need: clean,dates"},
    {"published-at", '\0', OPTION_TEXT, AT(published_at), "DATE",
     "the publication date of every article given, such as 2020-08-19"},
    {"json", '\0', OPTION_FLAG, AT(json), NULL, "print NDJSON; the default when not on a terminal"},
    {"card", '\0', OPTION_FLAG, AT(card), NULL, "print cards; the default on a terminal"},
    {"explain", '\0', OPTION_FLAG, AT(explain), NULL, "tell which rule made each decision"},
    {"out", 'o', OPTION_TEXT, AT(out), "FILE", "write to FILE, which appears when it is complete"},
    {"keep-content", '\0', OPTION_FLAG, AT(keep_content), NULL, "keep the raw page in the output"},
    {"strict", '\0', OPTION_FLAG, AT(strict), NULL, "stop at the first document that fails"},
    {"jobs", 'j', OPTION_COUNT, AT(workers), "N", "threads; the default is one for each core"},
    {"limit", '\0', OPTION_SIZE, AT(limit_bytes), "SIZE", "largest document that is read (16M)"},
    {"no-color", '\0', OPTION_FLAG, AT(no_color), NULL, "plain cards, as with NO_COLOR=1"},
    {"help", 'h', OPTION_FLAG, AT(help), NULL, "print this"},
};

enum { OPTION_COUNT_ALL = sizeof table / sizeof table[0] };

struct run {
    struct settings settings;
    struct pipeline pipeline;
    struct input *input;
    struct output *output;
    struct job *jobs;
    struct desk *desks;
    size_t slots;
    struct job_rules rules;
    bool progress, tips;
    atomic_bool stopped; // no further document is read

    // Counted in order by finish_job, which never runs twice at once.
    size_t read, ok, failed;
    const char *first_file;
    enum status first_failure;
    enum status output_status;
    int64_t start_us, shown_us;
    bool progress_shown;
    bool wants_date;
};

// ---- The line

static void hide_progress(struct run *run)
{
    if (run->progress_shown) {
        fputs("\r\x1b[K", stderr);
        run->progress_shown = false;
    }
}

static void show_progress(struct run *run)
{
    int64_t now_us = clock_monotonic_us();
    if (!run->progress || now_us - run->start_us < PROGRESS_AFTER_US ||
        now_us - run->shown_us < PROGRESS_US) {
        return;
    }
    double seconds = (double)(now_us - run->start_us) / 1e6;
    uint64_t total = input_total_bytes(run->input);
    fprintf(stderr, "\r\x1b[K%zu articles, %.0f/s", run->read, (double)run->read / seconds);
    if (total > 0) {
        fprintf(stderr, ", %d %%", (int)(100.0 * (double)input_bytes(run->input) / (double)total));
    }
    run->shown_us = now_us;
    run->progress_shown = true;
}

static void tell(struct run *run, struct view messages)
{
    if (messages.len > 0) {
        hide_progress(run);
        fwrite(messages.at, 1, messages.len, stderr);
    }
}

static void stop(struct run *run)
{
    atomic_store(&run->stopped, true);
}

static void count_job(struct run *run, const struct job *job)
{
    bool is_document = job->event.kind == INPUT_DOCUMENT;
    run->read += is_document || (job->event.kind == INPUT_FAILURE && job->event.line > 0);
    run->ok += is_document && job->status == OK && !job->incomplete;
    run->wants_date |= is_document && job->wants_date;
    if (!run->first_file) {
        run->first_file = job->event.file;
    }
    if (job->status != OK || job->incomplete) {
        run->failed++;
        run->first_failure = run->first_failure == OK ? job->status : run->first_failure;
        if (run->settings.strict) {
            stop(run);
        }
    }
}

static void work_job(void *context, size_t worker, size_t slot)
{
    struct run *run = context;
    job_work(&run->jobs[slot], &run->desks[worker], &run->rules);
}

// Writes the oldest job's result; crew.h.
static void finish_job(void *context, size_t slot, bool more)
{
    struct run *run = context;
    struct job *job = &run->jobs[slot];
    struct error why = {""};
    if (run->output_status != OK || (run->settings.strict && run->failed > 0)) {
        return;
    }
    count_job(run, job);
    tell(run, buf_view(&job->messages));
    if (run->rules.cards && run->ok + run->failed > 1 && job->result.len > 0) {
        run->output_status = output_write(run->output, VIEW("\n"), &why);
    }
    if (run->output_status == OK) {
        run->output_status = output_write(run->output, buf_view(&job->result), &why);
    }
    if (run->output_status == OK && (!more || atomic_load(&run->stopped))) {
        run->output_status = output_flush(run->output, &why);
    }
    if (run->output_status != OK) {
        buf_reset(&job->messages);
        buf_printf(&job->messages, "copydesk: %s\n", why.text);
        tell(run, buf_view(&job->messages));
        stop(run);
    }
    show_progress(run);
}

static enum status read_all(struct run *run, struct error *why)
{
    struct crew *crew = NULL;
    struct input_event event;
    struct crew_plan plan = {run->settings.workers, run->slots, run, work_job, finish_job};
    enum status status = crew_open(&crew, &plan, why);
    if (status != OK) {
        return status;
    }
    while (!atomic_load(&run->stopped) && input_next(run->input, &event)) {
        size_t slot = crew_slot(crew);
        bool needs_work = job_fill(&run->jobs[slot], &event, &run->rules);
        crew_submit(crew, needs_work);
    }
    crew_close(crew);
    return OK;
}

// ---- Start and end

static void clear_run(struct run *run)
{
    for (size_t i = 0; run->jobs && i < run->slots; i++) {
        job_clear(&run->jobs[i]);
    }
    for (size_t i = 0; run->desks && i < run->settings.workers; i++) {
        desk_clear(&run->desks[i]);
    }
    free(run->jobs);
    free(run->desks);
    input_close(run->input);
    output_close(run->output);
    pipeline_close(&run->pipeline);
}

static enum status make_desks(struct run *run, struct error *why)
{
    size_t arena_limit = run->settings.limit_bytes * ARENA_PER_BYTE;
    run->slots = run->settings.workers * SLOTS_PER_WORKER;
    run->jobs = calloc(run->slots, sizeof *run->jobs);
    run->desks = calloc(run->settings.workers, sizeof *run->desks);
    if (!run->jobs || !run->desks) {
        return error_set(why, ERR_MEMORY, "no memory for %zu threads", run->settings.workers);
    }
    for (size_t i = 0; i < run->slots; i++) {
        job_init(&run->jobs[i]);
    }
    for (size_t i = 0; i < run->settings.workers; i++) {
        desk_init(&run->desks[i], arena_limit < LEAST_ARENA ? LEAST_ARENA : arena_limit);
    }
    return OK;
}

static bool is_date(struct view text)
{
    static const char pattern[] = "0000-00-00T00:00:00";
    size_t i = 0;
    for (; i < text.len && i < sizeof pattern - 1; i++) {
        bool digit = text.at[i] >= '0' && text.at[i] <= '9';
        if (pattern[i] == '0' ? !digit : text.at[i] != pattern[i]) {
            break;
        }
    }
    return i == 10 ? text.len == 10 : i == 16 || i == 19;
}

static enum status check_settings(struct settings *settings, struct error *why)
{
    if (settings->published_at && !is_date(view_of(settings->published_at))) {
        return error_set(why, ERR_USAGE,
                         "--published-at takes a date such as 2020-08-19 or 2020-08-19T14:30:00Z, "
                         "not '%.80s'",
                         settings->published_at);
    }
    if (settings->limit_bytes > ARTICLE_SIZE_LIMIT) {
        return error_set(why, ERR_USAGE, "--limit goes up to %zuM", ARTICLE_SIZE_LIMIT >> 20);
    }
    if (settings->json && settings->card) {
        return error_set(why, ERR_USAGE, "--json and --card exclude each other");
    }
    if (settings->workers > CREW_WORKER_LIMIT) {
        return error_set(why, ERR_USAGE, "--jobs goes up to %d", CREW_WORKER_LIMIT);
    }
    if (settings->workers == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        settings->workers = cores < 1                   ? 1
                            : cores > CREW_WORKER_LIMIT ? CREW_WORKER_LIMIT
                                                        : (size_t)cores;
    }
    return OK;
}

static enum status start(struct run *run, const char *const *files, size_t count, struct error *why)
{
    char folder[4096];
    const char *plain = getenv("NO_COLOR");
    const struct settings *settings = &run->settings;
    bool on_terminal = isatty(STDOUT_FILENO) && !settings->out;
    bool cards = settings->card || (on_terminal && !settings->json);
    run->rules = (struct job_rules){
        .pipeline = &run->pipeline,
        .published_at = settings->published_at,
        .explain = settings->explain,
        .keep_content = settings->keep_content,
        .strict = settings->strict,
        .cards = cards,
        .color = on_terminal && !settings->no_color && !(plain && *plain),
        .width = paper_width(STDOUT_FILENO),
    };
    run->progress = isatty(STDERR_FILENO) && !on_terminal;
    run->tips = isatty(STDERR_FILENO) && on_terminal && cards;
    run->start_us = clock_monotonic_us();
    pipeline_data_folder(folder, sizeof folder);
    enum status status = pipeline_open(
        &run->pipeline, view_of(run->settings.only ? run->settings.only : ""), folder, why);
    if (status == OK) {
        status = output_open(&run->output, run->settings.out, why);
    }
    if (status == OK) {
        status = input_open(&run->input, files, count, run->settings.limit_bytes, why);
    }
    return status == OK ? make_desks(run, why) : status;
}

static void print_totals(struct run *run, size_t files)
{
    double seconds = (double)(clock_monotonic_us() - run->start_us) / 1e6;
    hide_progress(run);
    if (run->read < 2 && (run->failed == 0 || run->read == 0)) {
        return;
    }
    fprintf(stderr, "%zu read, %zu ok, %zu failed", run->read, run->ok, run->failed);
    if (files > 1) {
        fprintf(stderr, " (%zu files)", files);
    } else if (run->first_file) {
        fprintf(stderr, " (%s)", run->first_file);
    }
    fprintf(stderr, ", %.1f s, %.0f articles/s\n", seconds,
            seconds > 0 ? (double)run->read / seconds : 0.0);
}

static void print_tip(const struct run *run)
{
    struct buf tip;
    struct paper paper = {
        .out = &tip, .width = run->rules.width, .indent = 0, .color = run->rules.color};
    if (!run->tips || run->read != 1 || run->failed > 0) {
        return;
    }
    buf_init(&tip, 4096);
    paper_line(&paper);
    paper_text(&paper, INK_DIM,
               run->wants_date
                   ? VIEW("tip: --published-at 2020-08-19 resolves relative dates; --explain "
                          "says why; --json prints NDJSON")
                   : VIEW("tip: --explain says why; --json prints NDJSON"));
    paper_line(&paper);
    fwrite(tip.at, 1, tip.len, stderr);
    buf_clear(&tip);
}

static int exit_code(const struct run *run)
{
    if (run->output_status != OK) {
        return status_exit_code(run->output_status);
    }
    if (run->failed == 0) {
        return 0;
    }
    // What was written, if only in part, makes it "some documents failed".
    bool some = (run->ok > 0 && !run->settings.strict) || run->first_failure == OK;
    return some ? 1 : status_exit_code(run->first_failure);
}

static int report(const struct error *why, enum status status)
{
    fprintf(stderr, "copydesk: %s\n", why->text);
    return status_exit_code(status);
}

static void print_help(void)
{
    printf("usage: copydesk enrich [FLAGS] [FILE...]\n\n"
           "Cleans, tags, dates and summarizes articles. Reads NDJSON, JSON, HTML and plain text "
           "from\n"
           "the files, or from standard input; prints a card for each on a terminal, else "
           "NDJSON.\n\n");
    options_print(table, OPTION_COUNT_ALL, stdout);
    printf("\nexit codes: 0 all went well; 1 some documents failed; 2 wrong usage; 65 bad input;\n"
           "66 no input; 73 cannot write; 78 a model or table is missing\n\n"
           "examples:\n"
           "  copydesk enrich article.html\n"
           "  copydesk enrich --only dates --published-at 2020-08-19 story.txt\n"
           "  copydesk enrich --json < in.ndjson > out.ndjson\n");
}

int enrich_main(int argc, char **argv)
{
    struct error why = {""};
    struct run run = {.settings = {.limit_bytes = INPUT_LIMIT}};
    int files;
    enum status status =
        options_parse(table, OPTION_COUNT_ALL, &run.settings, argc, argv, &files, &why);
    if (status == OK && run.settings.help) {
        print_help();
        return 0;
    }
    if (status == OK) {
        status = check_settings(&run.settings, &why);
    }
    if (status != OK) {
        return report(&why, status);
    }
    signal(SIGPIPE, SIG_IGN);
    status = start(&run, (const char *const *)argv + 1, (size_t)files, &why);
    if (status == OK && files == 0 && isatty(STDIN_FILENO)) {
        fprintf(stderr, "reading standard input (Ctrl-D to end); try: copydesk enrich FILE\n");
    }
    if (status == OK) {
        status = read_all(&run, &why);
    }
    if (status == OK && run.output_status == OK && !(run.settings.strict && run.failed > 0)) {
        status = output_commit(run.output, &why);
    }
    int code = status == OK ? exit_code(&run) : report(&why, status);
    if (status == OK) {
        print_totals(&run, (size_t)files);
        print_tip(&run);
    }
    clear_run(&run);
    return code;
}

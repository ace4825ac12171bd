#include "services/settings.h"

#include <stdio.h>
#include <stdlib.h>

// Keys are sorted by section, in the order a reader meets the services.
const struct config_key settings[] = {
    {.section = "broker",
     .key = "listen",
     .kind = CONFIG_LIST,
     .fallback = DEFAULT_BROKER,
     .help = "addresses to listen on: tcp://HOST:PORT, ipc://PATH"},
    {.section = "broker",
     .key = "journal",
     .kind = CONFIG_TEXT,
     .fallback = "./copydesk-data/journal",
     .help = "folder of the journal"},
    {.section = "broker",
     .key = "lease",
     .kind = CONFIG_DURATION,
     .fallback = "10s",
     .low = 500,
     .high = 3600000,
     .help = "silence after which a worker has lost its articles"},
    {.section = "broker",
     .key = "heartbeat",
     .kind = CONFIG_DURATION,
     .fallback = "2s",
     .low = 100,
     .high = 600000,
     .help = "time between signs of life"},
    {.section = "broker",
     .key = "max_failures",
     .kind = CONFIG_INTEGER,
     .fallback = "5",
     .low = 1,
     .high = 100,
     .help = "attempts at a stage before the dead letters"},
    {.section = "broker",
     .key = "max_deaths",
     .kind = CONFIG_INTEGER,
     .fallback = "2",
     .low = 1,
     .high = 100,
     .help = "workers an article may take down before the dead letters"},
    {.section = "broker",
     .key = "backoff",
     .kind = CONFIG_DURATION,
     .fallback = "1s",
     .low = 1,
     .high = 3600000,
     .help = "wait after the first failure; doubles each time"},
    {.section = "broker",
     .key = "backoff_limit",
     .kind = CONFIG_DURATION,
     .fallback = "60s",
     .low = 1,
     .high = 86400000,
     .help = "longest wait between attempts"},
    {.section = "broker",
     .key = "document_memory",
     .kind = CONFIG_BYTES,
     .fallback = "12MiB",
     .help = "documents kept in memory; the rest is read back from the journal"},
    {.section = "broker",
     .key = "section_memory",
     .kind = CONFIG_BYTES,
     .fallback = "256MiB",
     .help = "sections kept in memory; above it no new article is begun"},
    {.section = "broker",
     .key = "article",
     .kind = CONFIG_BYTES,
     .fallback = "32MiB",
     .low = 1024,
     .high = 64 << 20,
     .help = "largest article that is accepted"},
    {.section = "broker",
     .key = "disk",
     .kind = CONFIG_BYTES,
     .fallback = "64GiB",
     .help = "size of the journal at which the door closes"},
    {.section = "broker",
     .key = "segment",
     .kind = CONFIG_BYTES,
     .fallback = "64MiB",
     .low = 4096,
     .high = (int64_t)2 << 30,
     .help = "size of a journal segment"},
    {.section = "broker",
     .key = "drain",
     .kind = CONFIG_DURATION,
     .fallback = "25s",
     .help = "time to finish what is under way at SIGTERM"},
    {.section = "broker",
     .key = "ops",
     .env = "COPYDESK_OPS",
     .kind = CONFIG_TEXT,
     .fallback = "",
     .help = "HOST:PORT of /healthz /readyz /metrics"},
    {.section = "pipeline",
     .key = "*",
     .kind = CONFIG_TEXT,
     .help = "STAGE = what it needs: article, stages, or * for a sink"},
    {.section = "worker",
     .key = "broker",
     .env = "COPYDESK_BROKER",
     .kind = CONFIG_TEXT,
     .fallback = DEFAULT_BROKER,
     .help = "address of the broker"},
    {.section = "worker",
     .key = "threads",
     .kind = CONFIG_INTEGER,
     .fallback = "1",
     .low = 1,
     .high = 256,
     .help = "articles worked on at a time; also -j N"},
    {.section = "worker",
     .key = "along",
     .kind = CONFIG_TEXT,
     .fallback = "",
     .help = "stages to run right after its own, which saves handing articles round"},
    {.section = "worker",
     .key = "name",
     .kind = CONFIG_TEXT,
     .fallback = "",
     .help = "name in logs and status; empty: host and process"},
    {.section = "worker",
     .key = "article_timeout",
     .kind = CONFIG_DURATION,
     .fallback = "60s",
     .low = 100,
     .high = 86400000,
     .help = "an article that takes longer ends the worker"},
    {.section = "worker",
     .key = "memory",
     .kind = CONFIG_BYTES,
     .fallback = "4GiB",
     .help = "a worker that needs more leaves and is started anew; 0: no limit"},
    {.section = "worker",
     .key = "core",
     .kind = CONFIG_BOOL,
     .fallback = "no",
     .help = "a crash leaves a core file"},
    {.section = "worker",
     .key = "drain",
     .kind = CONFIG_DURATION,
     .fallback = "25s",
     .help = "time to finish what is under way at SIGTERM"},
    {.section = "worker",
     .key = "ops",
     .env = "COPYDESK_OPS",
     .kind = CONFIG_TEXT,
     .fallback = "",
     .help = "HOST:PORT of /healthz /readyz /metrics"},
    {.section = "export",
     .key = "broker",
     .env = "COPYDESK_BROKER",
     .kind = CONFIG_TEXT,
     .fallback = DEFAULT_BROKER,
     .help = "address of the broker"},
    {.section = "export",
     .key = "folder",
     .kind = CONFIG_TEXT,
     .fallback = "./copydesk-data/export",
     .help = "folder of the NDJSON files"},
    {.section = "export",
     .key = "stage",
     .kind = CONFIG_TEXT,
     .fallback = "export",
     .help = "name of this sink in the pipeline"},
    {.section = "export",
     .key = "rotate",
     .kind = CONFIG_BYTES,
     .fallback = "64MiB",
     .low = 1,
     .high = (int64_t)1 << 40,
     .help = "size at which a new file is begun"},
    {.section = "export",
     .key = "keep_content",
     .kind = CONFIG_BOOL,
     .fallback = "no",
     .help = "write the raw page too"},
    {.section = "export",
     .key = "name",
     .kind = CONFIG_TEXT,
     .fallback = "",
     .help = "name in logs and status; empty: host and process"},
    {.section = "export",
     .key = "ops",
     .env = "COPYDESK_OPS",
     .kind = CONFIG_TEXT,
     .fallback = "",
     .help = "HOST:PORT of /healthz /readyz /metrics"},
    {.section = "submit",
     .key = "broker",
     .env = "COPYDESK_BROKER",
     .kind = CONFIG_TEXT,
     .fallback = DEFAULT_BROKER,
     .help = "address of the broker"},
    {.section = "submit",
     .key = "wait",
     .kind = CONFIG_DURATION,
     .fallback = "30s",
     .help = "how long to wait for a broker that is not up"},
    {.section = "reprocess",
     .key = "broker",
     .env = "COPYDESK_BROKER",
     .kind = CONFIG_TEXT,
     .fallback = DEFAULT_BROKER,
     .help = "address of the broker"},
    {.section = "reprocess",
     .key = "wait",
     .kind = CONFIG_DURATION,
     .fallback = "30s",
     .help = "how long to wait for a broker that is not up"},
    {.section = "reprocess",
     .key = "stage",
     .kind = CONFIG_TEXT,
     .fallback = "",
     .help = "only those this stage did not end ok in the version of this program"},
    {.section = "reprocess",
     .key = "older_than",
     .kind = CONFIG_TEXT,
     .fallback = "",
     .help = "STAGE=VERSION: only those the stage did not end ok in this version or a later one"},
    {.section = "status",
     .key = "broker",
     .env = "COPYDESK_BROKER",
     .kind = CONFIG_TEXT,
     .fallback = DEFAULT_BROKER,
     .help = "address of the broker"},
    {.section = "status",
     .key = "json",
     .kind = CONFIG_BOOL,
     .fallback = "no",
     .help = "print the answer as JSON"},
    {.section = "dlq",
     .key = "broker",
     .env = "COPYDESK_BROKER",
     .kind = CONFIG_TEXT,
     .fallback = DEFAULT_BROKER,
     .help = "address of the broker"},
    {.section = "dlq",
     .key = "json",
     .kind = CONFIG_BOOL,
     .fallback = "no",
     .help = "print the answer as JSON"},
    {.section = "dlq",
     .key = "stage",
     .kind = CONFIG_TEXT,
     .fallback = "",
     .help = "only those given up in this stage"},
    {.section = "dlq",
     .key = "reason",
     .kind = CONFIG_TEXT,
     .fallback = "",
     .help = "only those with this text in their reason, in either case"},
    {.section = "dlq",
     .key = "file",
     .kind = CONFIG_TEXT,
     .fallback = "",
     .help = "edit: take the document from this file, - is standard input; else an editor opens"},
    {.section = "trace",
     .key = "broker",
     .env = "COPYDESK_BROKER",
     .kind = CONFIG_TEXT,
     .fallback = DEFAULT_BROKER,
     .help = "address of the broker"},
    {.section = "trace",
     .key = "json",
     .kind = CONFIG_BOOL,
     .fallback = "no",
     .help = "print the answer as JSON"},
    {.section = "top",
     .key = "broker",
     .env = "COPYDESK_BROKER",
     .kind = CONFIG_TEXT,
     .fallback = DEFAULT_BROKER,
     .help = "address of the broker"},
    {.section = "top",
     .key = "once",
     .kind = CONFIG_BOOL,
     .fallback = "no",
     .help = "print one frame and end"},
    {.section = "up",
     .key = "threads",
     .kind = CONFIG_INTEGER,
     .fallback = "0",
     .low = 0,
     .high = 256,
     .help = "articles worked on at a time; 0: one a processor; also -j N"},
    {.section = "up",
     .key = "listen",
     .kind = CONFIG_TEXT,
     .fallback = DEFAULT_BROKER,
     .help = "address of the broker for submit and status"},
    {.section = "up",
     .key = "drain",
     .kind = CONFIG_DURATION,
     .fallback = "25s",
     .help = "time to finish what is under way at Ctrl-C"},
    {.section = "up",
     .key = "folder",
     .kind = CONFIG_TEXT,
     .fallback = "./copydesk-data",
     .help = "folder for journal and export"},
    {.section = "log",
     .key = "level",
     .flag = "log-level",
     .kind = CONFIG_TEXT,
     .fallback = "info",
     .help = "error, warning, info or debug"},
    {.section = "log",
     .key = "format",
     .flag = "log-format",
     .kind = CONFIG_TEXT,
     .fallback = "auto",
     .help = "text, json, or auto: text on a terminal"},
};

const size_t settings_count = sizeof settings / sizeof settings[0];

static bool open_log(struct log *log, const struct config *config, const char *command,
                     struct error *why)
{
    enum log_level level;
    enum log_format format;
    if (!log_level_parse(view_of(config_text(config, "log.level")), &level)) {
        error_set(why, ERR_CONFIG, "log level '%s': expected error, warning, info or debug",
                  config_text(config, "log.level"));
        return false;
    }
    if (!log_format_parse(view_of(config_text(config, "log.format")), &format)) {
        error_set(why, ERR_CONFIG, "log format '%s': expected auto, text or json",
                  config_text(config, "log.format"));
        return false;
    }
    *log = log_open(command, level, format);
    return true;
}

static void print_help(const char *command, const char *usage)
{
    struct buf help;
    buf_init(&help, 1 << 16);
    buf_printf(&help, "usage: copydesk %s\n\n", usage);
    config_help(settings, settings_count, command, &help);
    config_help(settings, settings_count, "log", &help);
    printf("%.*s", VIEW_ARGS(buf_view(&help)));
    buf_clear(&help);
}

// The arguments with `-j N` and `-jN` written out as `--threads N`, for the caller to free; NULL without memory.
// The strings are the old ones.
static char **spell_out(int argc, char **argv, int *count)
{
    static const char threads[] = "--threads";
    char **out = calloc((size_t)argc * 2 + 1, sizeof *out);
    bool flags_ended = false;
    *count = 0;
    for (int i = 0; out && i < argc; i++) {
        flags_ended = flags_ended || strcmp(argv[i], "--") == 0;
        bool is_short = !flags_ended && i > 0 && argv[i][0] == '-' && argv[i][1] == 'j';
        out[(*count)++] = is_short ? (char *)threads : argv[i];
        if (is_short && argv[i][2] != '\0') {
            out[(*count)++] = argv[i] + 2;
        }
    }
    return out;
}

enum status settings_reload(struct config **config, int argc, char **argv, struct error *why)
{
    int count;
    char **arguments = spell_out(argc, argv, &count);
    *config = NULL;
    enum status status =
        arguments ? config_load(config, settings, settings_count, NULL, count, arguments, why)
                  : error_set(why, ERR_MEMORY, "no memory");
    free(arguments);
    return status;
}

bool settings_load(struct config **config, struct log *log, const char *usage, int argc,
                   char **argv, int *exit_code)
{
    struct error why = {""};
    enum status status = settings_reload(config, argc, argv, &why);
    if (status == OK && config_wants_help(*config)) {
        print_help(argv[0], usage);
        *exit_code = 0;
        return false;
    }
    if (status == OK && !open_log(log, *config, argv[0], &why)) {
        status = ERR_CONFIG;
    }
    if (status != OK) {
        fprintf(stderr, "copydesk %s: %s\n", argv[0], why.text);
        *exit_code = status_exit_code(status);
        return false;
    }
    return true;
}

void settings_pipeline(const struct config *config, struct buf *out)
{
    const char *stage;
    const char *needs;
    for (size_t i = 0; config_entry(config, "pipeline", i, &stage, &needs); i++) {
        buf_printf(out, "%s = %s\n", stage, needs);
    }
    if (out->len == 0) {
        buf_add(out, view_of(DEFAULT_PIPELINE));
    }
}

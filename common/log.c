#include "common/log.h"

#include "common/clock.h"
#include "common/line.h"

#include <assert.h>
#include <stdio.h>
#include <unistd.h>

static const char *const level_names[LEVEL_COUNT] = {"error", "warning", "info", "debug"};
static const char *const format_names[] = {"auto", "text", "json"};

static_assert((int)LOG_LINE_LIMIT == (int)LINE_SIZE, "a line of the log is one struct line");

struct log log_open(const char *service, enum log_level level, enum log_format format)
{
    bool json = format == LOG_JSON || (format == LOG_AUTO && !isatty(STDERR_FILENO));
    return (struct log){
        .file = STDERR_FILENO,
        .level = level,
        .json = json,
        .service = service,
        .now_ms = clock_wall_ms,
    };
}

static bool find_name(struct view name, const char *const *names, int count, int *out)
{
    for (int i = 0; i < count; i++) {
        if (view_equal(name, view_of(names[i]))) {
            *out = i;
            return true;
        }
    }
    return false;
}

bool log_level_parse(struct view name, enum log_level *out)
{
    int found;
    if (!find_name(name, level_names, LEVEL_COUNT, &found)) {
        return false;
    }
    *out = (enum log_level)found;
    return true;
}

bool log_format_parse(struct view name, enum log_format *out)
{
    int found;
    if (!find_name(name, format_names, 3, &found)) {
        return false;
    }
    *out = (enum log_format)found;
    return true;
}

// A field of the line as it is given out: JSON `,"key":"value"`, text ` key=value`.
static void add_field(struct line *line, bool json, const char *key, struct view value)
{
    if (value.len == 0) {
        return;
    }
    line_add(line, json ? VIEW(",\"") : VIEW(" "));
    line_add(line, view_of(key));
    line_add(line, json ? VIEW("\":\"") : VIEW("="));
    line_add_escaped(line, view_slice(value, 0, 600));
    line_add(line, json ? VIEW("\"") : VIEW(""));
}

static void add_version(struct line *line, bool json, int64_t version)
{
    char text[48];
    if (version > 0) {
        int len = snprintf(text, sizeof text, json ? ",\"version\":%lld" : " version=%lld",
                           (long long)version);
        line_add(line, (struct view){text, (size_t)len});
    }
}

static void add_about(struct line *line, bool json, const struct log_about *about)
{
    add_field(line, json, "stage", view_of(about->stage));
    add_field(line, json, "id", about->id);
    add_version(line, json, about->version);
    add_field(line, json, "trace", view_of(about->trace));
    add_field(line, json, "err", view_of(about->error));
}

static void begin_json(struct line *line, const struct log *log, enum log_level level)
{
    line_add(line, VIEW("{\"ts\":\""));
    line_add_time(line, log->now_ms());
    line_add(line, VIEW("\",\"level\":\""));
    line_add(line, view_of(level_names[level]));
    line_add(line, VIEW("\",\"svc\":\""));
    line_add_escaped(line, view_of(log->service));
    line_add(line, VIEW("\""));
}

static void begin_text(struct line *line, const struct log *log, enum log_level level)
{
    line_add_time(line, log->now_ms());
    line_add(line, VIEW(" "));
    line_add(line, view_of(level_names[level]));
    line_add(line, VIEW(" "));
    line_add_escaped(line, view_of(log->service));
    line_add(line, VIEW(":"));
}

void log_write(const struct log *log, enum log_level level, const struct log_about *about,
               const char *format, ...)
{
    if (!log || level > log->level) {
        return;
    }
    struct line line;
    va_list arguments;
    const struct log_about nothing = {0};
    struct view end = log->json ? VIEW("\"}\n") : VIEW("\n");

    line_init(&line);
    line.limit -= end.len;
    va_start(arguments, format);
    if (log->json) {
        begin_json(&line, log, level);
        add_about(&line, true, about ? about : &nothing);
        line_add(&line, VIEW(",\"msg\":\""));
        line_vprintf(&line, format, arguments);
    } else {
        begin_text(&line, log, level);
        line_add(&line, VIEW(" "));
        line_vprintf(&line, format, arguments);
        add_about(&line, false, about ? about : &nothing);
    }
    va_end(arguments);
    line.limit += end.len;
    line_add(&line, end);
    line_write(&line, log->file);
}

#include "services/status_command.h"

#include "services/ask.h"
#include "services/dlq_edit.h"
#include "services/settings.h"
#include "services/tabulate.h"

#include <stdio.h>

#define ANSWER_LIMIT ((size_t)64 << 20)

static int fail(const char *command, enum status status, const struct error *why)
{
    fprintf(stderr, "copydesk %s: %s\n", command, why->text);
    return status_exit_code(status);
}

// What the broker could not do, in its words; false when it did it.
static bool tells_error(struct view answer)
{
    return view_starts(answer, VIEW("{\"error\":"));
}

static bool did_nothing(struct view answer)
{
    return view_equal(answer, VIEW("{\"retried\":0}")) ||
           view_equal(answer, VIEW("{\"discarded\":0}"));
}

static int print_answer(const char *command, struct view answer, bool as_json)
{
    struct error why = {""};
    struct buf tables;
    enum status status = OK;
    buf_init(&tables, ANSWER_LIMIT * 2);
    if (as_json) {
        printf("%.*s\n", VIEW_ARGS(answer));
    } else {
        status = tabulate(answer, &tables, &why);
        fprintf(tells_error(answer) ? stderr : stdout, "%.*s", VIEW_ARGS(buf_view(&tables)));
    }
    buf_clear(&tables);
    return status != OK ? fail(command, status, &why) : tells_error(answer) || did_nothing(answer);
}

static int ask_and_print(const struct config *config, const char *command, struct view question)
{
    char broker[32], json[32];
    struct error why = {""};
    struct buf answer;
    snprintf(broker, sizeof broker, "%s.broker", command);
    snprintf(json, sizeof json, "%s.json", command);
    buf_init(&answer, ANSWER_LIMIT);
    enum status status = ask_broker(config_text(config, broker), question, &answer, &why);
    int code = status == OK ? print_answer(command, buf_view(&answer), config_bool(config, json))
                            : fail(command, status, &why);
    buf_clear(&answer);
    return code;
}

int status_main(int argc, char **argv)
{
    struct config *config;
    struct log log;
    int code;
    if (settings_load(&config, &log, "status [--broker ADDRESS] [--json]", argc, argv, &code)) {
        code = ask_and_print(config, "status", VIEW("status"));
    }
    config_free(config);
    return code;
}

static int misused(const char *usage)
{
    fprintf(stderr, "usage: copydesk %s\n", usage);
    return 2;
}

int trace_main(int argc, char **argv)
{
    static const char usage[] = "trace [--json] ID|HANDLE";
    struct config *config;
    struct log log;
    struct buf command;
    int code;
    buf_init(&command, 1 << 16);
    if (settings_load(&config, &log, usage, argc, argv, &code)) {
        const char *id = config_argument(config, 0);
        buf_printf(&command, "trace %s", id ? id : "");
        code = id && !config_argument(config, 1)
                   ? ask_and_print(config, "trace", buf_view(&command))
                   : misused(usage);
    }
    buf_clear(&command);
    config_free(config);
    return code;
}

// The flags as the broker's words; nothing when there are none.
static void add_filter(const struct config *config, struct buf *out)
{
    const char *stage = config_text(config, "dlq.stage");
    const char *reason = config_text(config, "dlq.reason");
    if (*stage) {
        buf_printf(out, " stage=%s", stage);
    }
    if (*reason) {
        buf_printf(out, " reason=%s", reason);
    }
}

// The arguments as the broker's command; empty when they make none.
static void make_command(const struct config *config, struct buf *out)
{
    // How they take which ones are meant: an argument, flags, or either; the list also takes neither.
    static const struct {
        const char *name;
        bool argument, flags, neither;
    } actions[] = {{"list", false, true, true},
                   {"show", true, false, false},
                   {"retry", true, true, false},
                   {"discard", true, true, false}};
    const char *action = config_argument(config, 0);
    const char *which = config_argument(config, 1);
    bool flagged = *config_text(config, "dlq.stage") || *config_text(config, "dlq.reason");
    action = action ? action : actions[0].name;
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        bool fits = which     ? actions[i].argument && !flagged && !config_argument(config, 2)
                    : flagged ? actions[i].flags
                              : actions[i].neither;
        if (strcmp(action, actions[i].name) == 0 && fits) {
            buf_printf(out, "dlq %s%s%s", action, which ? " " : "", which ? which : "");
            add_filter(config, out);
        }
    }
}

// `edit` and one article; anything else is asked or misused.
static bool is_edit(const struct config *config)
{
    const char *action = config_argument(config, 0);
    return action && strcmp(action, "edit") == 0 && config_argument(config, 1) &&
           !config_argument(config, 2);
}

int dlq_main(int argc, char **argv)
{
    static const char usage[] =
        "dlq list [--stage STAGE] [--reason TEXT] | show HANDLE|ID\n"
        "       copydesk dlq retry|discard HANDLE | all | [--stage STAGE] [--reason TEXT]\n"
        "       copydesk dlq edit [--file FILE|-] HANDLE|ID";
    struct config *config;
    struct log log;
    struct buf command;
    int code;
    buf_init(&command, 1 << 16);
    if (settings_load(&config, &log, usage, argc, argv, &code)) {
        if (is_edit(config)) {
            code = dlq_edit(config, config_argument(config, 1));
        } else {
            make_command(config, &command);
            code =
                command.len > 0 ? ask_and_print(config, "dlq", buf_view(&command)) : misused(usage);
        }
    }
    buf_clear(&command);
    config_free(config);
    return code;
}

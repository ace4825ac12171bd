#include "services/status_command.h"

#include "services/ask.h"
#include "services/settings.h"
#include "services/tabulate.h"

#include <stdio.h>

#define ANSWER_LIMIT ((size_t)64 << 20)

static int fail(const char *command, enum status status, const struct error *why)
{
    fprintf(stderr, "copydesk %s: %s\n", command, why->text);
    return status_exit_code(status);
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
        printf("%.*s", VIEW_ARGS(buf_view(&tables)));
    }
    buf_clear(&tables);
    return status == OK ? 0 : fail(command, status, &why);
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
    if (code == 0 && (view_equal(buf_view(&answer), VIEW("{\"retried\":0}")) ||
                      view_equal(buf_view(&answer), VIEW("{\"discarded\":0}")))) {
        code = 1;
    }
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

// The arguments as the broker's command; empty when they make none.
static void make_command(const struct config *config, struct buf *out)
{
    static const char *const actions[] = {"list", "retry", "discard"};
    const char *action = config_argument(config, 0);
    const char *which = config_argument(config, 1);
    if (!action) {
        action = actions[0];
    }
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(action, actions[i]) == 0 && (i == 0) == (which == NULL)) {
            buf_printf(out, "dlq %s%s%s", action, which ? " " : "", which ? which : "");
        }
    }
}

int dlq_main(int argc, char **argv)
{
    static const char usage[] = "dlq list | retry HANDLE|all | discard HANDLE|all";
    struct config *config;
    struct log log;
    struct buf command;
    int code;
    buf_init(&command, 4096);
    if (settings_load(&config, &log, usage, argc, argv, &code)) {
        make_command(config, &command);
        if (command.len > 0) {
            code = ask_and_print(config, "dlq", buf_view(&command));
        } else {
            fprintf(stderr, "usage: copydesk %s\n", usage);
            code = 2;
        }
    }
    buf_clear(&command);
    config_free(config);
    return code;
}

#include "common/options.h"

#include "common/suggest.h"

enum { COUNT_LIMIT = 4096, HELP_COLUMN = 24 };

static const struct option *find_name(const struct option *table, size_t count, struct view name)
{
    for (size_t i = 0; i < count; i++) {
        if (view_equal(view_of(table[i].name), name)) {
            return &table[i];
        }
    }
    return NULL;
}

static const struct option *find_letter(const struct option *table, size_t count, char letter)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].letter == letter) {
            return &table[i];
        }
    }
    return NULL;
}

static enum status unknown(const struct option *table, size_t count, struct view name,
                           struct error *why)
{
    struct suggestion near = {.word = name};
    for (size_t i = 0; i < count; i++) {
        suggest_offer(&near, table[i].name);
    }
    return near.best
               ? error_set(why, ERR_USAGE, "no flag '--%.*s'. Did you mean '--%s'?",
                           VIEW_ARGS(name), near.best)
               : error_set(why, ERR_USAGE, "no flag '--%.*s'; --help lists them", VIEW_ARGS(name));
}

static bool parse_size(struct view text, size_t *out)
{
    static const char suffixes[] = "KMG";
    uint64_t value;
    unsigned shift = 0;
    const char *suffix = text.len > 0 ? strchr(suffixes, text.at[text.len - 1] & ~0x20) : NULL;
    if (suffix && *suffix) {
        shift = 10 * (unsigned)(suffix - suffixes + 1);
        text.len--;
    }
    if (!view_parse_u64(text, &value) || value == 0 || value > (SIZE_MAX >> shift)) {
        return false;
    }
    *out = (size_t)value << shift;
    return true;
}

static enum status set_value(const struct option *option, void *settings, const char *value,
                             struct error *why)
{
    void *field = (char *)settings + option->offset;
    uint64_t number;
    switch (option->kind) {
    case OPTION_FLAG:
        *(bool *)field = true;
        return OK;
    case OPTION_TEXT:
        *(const char **)field = value;
        return OK;
    case OPTION_COUNT:
        if (!view_parse_u64(view_of(value), &number) || number == 0 || number > COUNT_LIMIT) {
            return error_set(why, ERR_USAGE, "--%s takes a number from 1 to %d, not '%.80s'",
                             option->name, COUNT_LIMIT, value);
        }
        *(size_t *)field = (size_t)number;
        return OK;
    case OPTION_SIZE:
        if (!parse_size(view_of(value), (size_t *)field)) {
            return error_set(why, ERR_USAGE, "--%s takes a size such as 64K or 16M, not '%.80s'",
                             option->name, value);
        }
        return OK;
    }
    return OK;
}

// Splits an argument into its option and the value that stands in it, if any.
static enum status find(const struct option *table, size_t count, const char *argument,
                        const struct option **option, const char **value, struct error *why)
{
    struct view text = view_of(argument);
    *value = NULL;
    if (text.at[1] == '-') {
        size_t equals = view_find(text, VIEW("="), 0);
        struct view name = view_slice(text, 2, equals);
        *option = find_name(table, count, name);
        *value = equals < text.len ? argument + equals + 1 : NULL;
        if (!*option) {
            return unknown(table, count, name, why);
        }
        if (*value && (*option)->kind == OPTION_FLAG) {
            return error_set(why, ERR_USAGE, "--%s takes no value", (*option)->name);
        }
        return OK;
    }
    *option = find_letter(table, count, text.at[1]);
    if (!*option || (text.at[2] && (*option)->kind == OPTION_FLAG)) {
        return error_set(why, ERR_USAGE, "no flag '%.80s'; --help lists them", argument);
    }
    *value = text.at[2] ? argument + 2 : NULL;
    return OK;
}

enum status options_parse(const struct option *table, size_t count, void *settings, int argc,
                          char **argv, int *operands, struct error *why)
{
    bool flags_over = false;
    *operands = 0;
    for (int i = 1; i < argc; i++) {
        const struct option *option;
        const char *value;
        if (flags_over || argv[i][0] != '-' || argv[i][1] == '\0') {
            argv[++*operands] = argv[i];
            continue;
        }
        if (strcmp(argv[i], "--") == 0) {
            flags_over = true;
            continue;
        }
        enum status status = find(table, count, argv[i], &option, &value, why);
        if (status == OK && option->kind != OPTION_FLAG && !value) {
            value = i + 1 < argc ? argv[++i] : NULL;
            if (!value) {
                status = error_set(why, ERR_USAGE, "--%s needs a value: %s", option->name,
                                   option->value);
            }
        }
        status = status == OK ? set_value(option, settings, value, why) : status;
        if (status != OK) {
            return status;
        }
    }
    return OK;
}

void options_print(const struct option *table, size_t count, FILE *out)
{
    for (size_t i = 0; i < count; i++) {
        char flag[64];
        char letter[8] = "    ";
        if (table[i].letter) {
            snprintf(letter, sizeof letter, "-%c, ", table[i].letter);
        }
        snprintf(flag, sizeof flag, "  %s--%s%s%s", letter, table[i].name,
                 table[i].value ? " " : "", table[i].value ? table[i].value : "");
        fprintf(out, "%-*s  %s\n", HELP_COLUMN + 2, flag, table[i].help);
    }
}

#include "common/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct settings {
    bool json;
    const char *only;
    size_t workers, limit_bytes;
};

static const struct option table[] = {
    {"json", '\0', OPTION_FLAG, offsetof(struct settings, json), NULL, "print NDJSON"},
    {"only", '\0', OPTION_TEXT, offsetof(struct settings, only), "LIST", "run these"},
    {"jobs", 'j', OPTION_COUNT, offsetof(struct settings, workers), "N", "threads"},
    {"limit", '\0', OPTION_SIZE, offsetof(struct settings, limit_bytes), "SIZE", "largest"},
};

enum { COUNT = sizeof table / sizeof table[0], ARGUMENTS = 12 };

// Splits `line` at spaces and parses it; operands end up from argv[1] on.
static enum status parse(char *line, struct settings *settings, char **argv, int *operands,
                         struct error *why)
{
    int argc = 0;
    for (char *word = line; word && *word && argc < ARGUMENTS;) {
        char *space = strchr(word, ' ');
        argv[argc++] = word;
        if (space) {
            *space = '\0';
        }
        word = space ? space + 1 : NULL;
    }
    return options_parse(table, COUNT, settings, argc, argv, operands, why);
}

static void expect_refused(const char *given, const char *sentence)
{
    char line[128];
    char *argv[ARGUMENTS];
    int operands;
    struct settings settings = {0};
    struct error why = {""};
    snprintf(line, sizeof line, "%s", given);
    assert_int_equal(parse(line, &settings, argv, &operands, &why), ERR_USAGE);
    assert_string_equal(why.text, sentence);
}

static void flags_and_operands_stand_in_any_order(void **state)
{
    (void)state;
    char line[] = "enrich a --json -j4 b --only=clean,dates --limit 16M - c";
    char *argv[ARGUMENTS];
    int operands;
    struct settings settings = {0};
    assert_int_equal(parse(line, &settings, argv, &operands, NULL), OK);
    assert_true(settings.json);
    assert_int_equal(settings.workers, 4);
    assert_int_equal(settings.limit_bytes, 16 << 20);
    assert_string_equal(settings.only, "clean,dates");
    assert_int_equal(operands, 4);
    assert_string_equal(argv[1], "a");
    assert_string_equal(argv[2], "b");
    assert_string_equal(argv[3], "-");
    assert_string_equal(argv[4], "c");
}

static void behind_two_dashes_nothing_is_a_flag(void **state)
{
    (void)state;
    char line[] = "enrich -j 2 -- --json -x";
    char *argv[ARGUMENTS];
    int operands;
    struct settings settings = {0};
    assert_int_equal(parse(line, &settings, argv, &operands, NULL), OK);
    assert_false(settings.json);
    assert_int_equal(settings.workers, 2);
    assert_int_equal(operands, 2);
    assert_string_equal(argv[1], "--json");
}

static void mistakes_are_answered_in_words(void **state)
{
    (void)state;
    expect_refused("enrich --jsn", "no flag '--jsn'. Did you mean '--json'?");
    expect_refused("enrich --frobnicate", "no flag '--frobnicate'; --help lists them");
    expect_refused("enrich -x", "no flag '-x'; --help lists them");
    expect_refused("enrich --json=yes", "--json takes no value");
    expect_refused("enrich --only", "--only needs a value: LIST");
    expect_refused("enrich -j 0", "--jobs takes a number from 1 to 4096, not '0'");
    expect_refused("enrich --limit 5Q", "--limit takes a size such as 64K or 16M, not '5Q'");
    expect_refused("enrich --limit 99999999999G",
                   "--limit takes a size such as 64K or 16M, not '99999999999G'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_and_operands_stand_in_any_order),
        cmocka_unit_test(behind_two_dashes_nothing_is_a_flag),
        cmocka_unit_test(mistakes_are_answered_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "common/config.h"

#include "common/config_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const struct config_key keys[] = {
    {.section = "broker",
     .key = "listen",
     .kind = CONFIG_TEXT,
     .fallback = "tcp://127.0.0.1:5555",
     .help = "where workers connect"},
    {.section = "broker",
     .key = "queue_size",
     .kind = CONFIG_INTEGER,
     .fallback = "100",
     .low = 1,
     .high = 1000,
     .help = "articles waiting per stage"},
    {.section = "broker",
     .key = "lease",
     .kind = CONFIG_DURATION,
     .fallback = "30s",
     .low = 1000,
     .high = 3600000,
     .help = "how long a worker may keep an article"},
    {.section = "broker", .key = "budget", .kind = CONFIG_BYTES, .fallback = "64MiB", .help = "m"},
    {.section = "broker", .key = "fsync", .kind = CONFIG_BOOL, .fallback = "yes", .help = "sync"},
    {.section = "gateway", .key = "feeds", .kind = CONFIG_LIST, .help = "feeds to read"},
    {.section = "gateway", .key = "token", .kind = CONFIG_TEXT, .secret = true, .help = "secret"},
    {.section = "log",
     .key = "format",
     .flag = "log-format",
     .kind = CONFIG_TEXT,
     .fallback = "auto",
     .help = "text or json"},
    {.section = "pipeline", .key = "*", .kind = CONFIG_TEXT, .help = "STAGE = what it needs"},
};

enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

static const char path[] = "copydesk.ini";

static int go_to_a_new_folder(void **state)
{
    char *folder = strdup("/tmp/test_config.XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    *state = folder;
    return 0;
}

static int leave_the_folder(void **state)
{
    unlink(path);
    assert_int_equal(chdir("/"), 0);
    rmdir(*state);
    free(*state);
    return 0;
}

static void write_ini(const char *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

// Loads with up to three arguments after the command `broker`.
static enum status load(struct config **config, const char *ini, const char *const flags[4],
                        struct error *why)
{
    char *argv[6] = {"broker"};
    int argc = 1;
    for (int i = 0; flags && flags[i]; i++) {
        argv[argc++] = (char *)flags[i];
    }
    if (ini) {
        write_ini(ini);
    }
    return config_load(config, keys, KEY_COUNT, ini ? path : NULL, argc, argv, why);
}

static struct config *must_load(const char *ini, const char *const flags[4])
{
    struct config *config;
    struct error why = {""};
    if (load(&config, ini, flags, &why) != OK) {
        fail_msg("%s", why.text);
    }
    return config;
}

#define FLAGS(...)                                                                                 \
    (const char *const[4])                                                                         \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static void without_anything_the_fallbacks_hold(void **state)
{
    (void)state;
    struct config *config = must_load(NULL, NULL);
    assert_string_equal(config_text(config, "broker.listen"), "tcp://127.0.0.1:5555");
    assert_int_equal(config_int(config, "broker.queue_size"), 100);
    assert_int_equal(config_duration_ms(config, "broker.lease"), 30000);
    assert_int_equal(config_bytes(config, "broker.budget"), 64 << 20);
    assert_true(config_bool(config, "broker.fsync"));
    assert_string_equal(config_list(config, "gateway.feeds"), "");
    assert_false(config_is_set(config, "broker.listen"));
    config_free(config);
}

static void a_flag_beats_the_environment_which_beats_the_file(void **state)
{
    (void)state;
    const char *ini = "[broker]\nqueue_size = 1\n";
    struct config *config = must_load(ini, NULL);
    assert_int_equal(config_int(config, "broker.queue_size"), 1);
    config_free(config);

    setenv("COPYDESK_BROKER_QUEUE_SIZE", "2", 1);
    config = must_load(ini, NULL);
    assert_int_equal(config_int(config, "broker.queue_size"), 2);
    config_free(config);

    config = must_load(ini, FLAGS("--broker-queue-size", "3"));
    assert_int_equal(config_int(config, "broker.queue_size"), 3);
    assert_true(config_is_set(config, "broker.queue_size"));
    config_free(config);
    unsetenv("COPYDESK_BROKER_QUEUE_SIZE");
}

static void a_command_may_leave_out_its_own_name_in_flags(void **state)
{
    (void)state;
    struct config *config = must_load(NULL, FLAGS("--queue-size=5", "--log-format=json"));
    assert_int_equal(config_int(config, "broker.queue_size"), 5);
    assert_string_equal(config_text(config, "log.format"), "json");
    config_free(config);
}

static void a_switch_needs_no_value_and_takes_one_with_an_equals_sign(void **state)
{
    (void)state;
    struct config *config = must_load("[broker]\nfsync = off\n", FLAGS("--fsync", "file.json"));
    assert_true(config_bool(config, "broker.fsync"));
    assert_string_equal(config_argument(config, 0), "file.json");
    config_free(config);
    config = must_load(NULL, FLAGS("--fsync=no"));
    assert_false(config_bool(config, "broker.fsync"));
    config_free(config);
}

static void what_is_no_flag_is_an_argument(void **state)
{
    (void)state;
    struct config *config = must_load(NULL, FLAGS("-", "--", "--listen"));
    assert_string_equal(config_argument(config, 0), "-");
    assert_string_equal(config_argument(config, 1), "--listen");
    assert_null(config_argument(config, 2));
    config_free(config);
}

static void a_list_goes_on_in_indented_lines(void **state)
{
    (void)state;
    struct config *config = must_load("[gateway]\nfeeds = a, b\n    c\n\n    d e ; last\n", NULL);
    static const char *const expected[] = {"a", "b", "c", "d", "e"};
    struct view rest = view_of(config_list(config, "gateway.feeds"));
    struct view item;
    for (size_t i = 0; i < 5; i++) {
        assert_true(config_next(&rest, &item));
        assert_true(view_equal(item, view_of(expected[i])));
    }
    assert_false(config_next(&rest, &item));
    config_free(config);
}

static void an_open_section_takes_any_key_in_order(void **state)
{
    (void)state;
    struct config *config = must_load("[pipeline]\nclean = article\nquotes = clean\n", NULL);
    const char *key, *value;
    assert_true(config_entry(config, "pipeline", 1, &key, &value));
    assert_string_equal(key, "quotes");
    assert_string_equal(value, "clean");
    assert_false(config_entry(config, "pipeline", 2, &key, &value));
    config_free(config);
}

static void mistakes_name_their_place_and_what_was_expected(void **state)
{
    (void)state;
    static const struct {
        const char *ini, *flag, *said;
    } cases[] = {
        {"; head\n[broker]\nlisten = x\nquue_size = 9\n", NULL,
         "copydesk.ini:4: unknown key 'quue_size' in [broker]; did you mean 'queue_size'?"},
        {"[broker]\nnothing_like_it = 1\n", NULL,
         "copydesk.ini:2: unknown key 'nothing_like_it' in [broker]"},
        {"[brokr]\nlisten = x\n", NULL,
         "copydesk.ini:2: unknown section [brokr]; did you mean [broker]?"},
        {"listen = x\n", NULL, "copydesk.ini:1: a key must stand below a section such as [broker]"},
        {"[broker]\nqueue_size = many\n", NULL,
         "copydesk.ini:2: 'queue_size' in [broker] must be a whole number from 1 to 1000, not "
         "'many'"},
        {"[broker]\nqueue_size = 1001\n", NULL, "must be a whole number from 1 to 1000"},
        {"[broker]\nlease = 30\n", NULL,
         "must be a duration such as 30s, 5m or 1h30m from 1s to 1h, not '30'"},
        {"[broker]\nbudget = 64 apples\n", NULL, "must be a size such as 512KiB or 64MiB"},
        {"[broker]\nfsync = maybe\n", NULL, "must be yes or no, not 'maybe'"},
        {"[broker]\nfsync\n", NULL, "copydesk.ini:2: expected '[section]' or 'key = value'"},
        {"[broker]\nfsync = yes\n\nfsync = no\n", NULL,
         "copydesk.ini:4: 'fsync' in [broker] was already set on line 2"},
        {"[pipeline]\na = x\na = y\n", NULL, "copydesk.ini:3: 'a' in [pipeline] was already set"},
        {"[broker]\nlisten = x\n  lease = 30s\n", NULL,
         "copydesk.ini:3: only lists go on in indented lines"},
        {"[gateway]\nfeeds = a\n", "--quue-size=1",
         "unknown flag --quue-size; did you mean --queue-size?"},
        {NULL, "--gateway-fedes", "unknown flag --gateway-fedes; did you mean --gateway-feeds?"},
        {NULL, "-x", "unknown flag -x"},
        {NULL, "--listen", "--listen needs a value"},
        {NULL, "--queue-size=0", "--queue-size must be a whole number from 1 to 1000, not '0'"},
        {NULL, "--config=/nowhere/x.ini", "cannot read /nowhere/x.ini: No such file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config *config;
        struct error why = {""};
        assert_int_not_equal(load(&config, cases[i].ini, FLAGS(cases[i].flag), &why), OK);
        assert_null(config);
        if (!strstr(why.text, cases[i].said)) {
            fail_msg("case %zu: expected '%s', heard '%s'", i, cases[i].said, why.text);
        }
    }
}

static void a_wrong_environment_is_named(void **state)
{
    (void)state;
    struct config *config;
    struct error why = {""};
    setenv("COPYDESK_BROKER_LEASE", "soon", 1);
    assert_int_equal(load(&config, NULL, NULL, &why), ERR_CONFIG);
    assert_non_null(strstr(why.text, "COPYDESK_BROKER_LEASE must be a duration"));
    unsetenv("COPYDESK_BROKER_LEASE");
}

static void a_line_too_long_is_refused_not_cut(void **state)
{
    (void)state;
    struct config *config;
    struct error why = {""};
    char ini[600] = "[broker]\nlisten = ";
    memset(ini + strlen(ini), 'x', 400);
    assert_int_equal(load(&config, ini, NULL, &why), ERR_CONFIG);
    assert_non_null(strstr(why.text, "copydesk.ini:2: the line has 409 bytes"));
    snprintf(ini, sizeof ini, "; %0400d\n[broker]\nlisten = y\n", 0);
    config = must_load(ini, NULL);
    assert_string_equal(config_text(config, "broker.listen"), "y");
    config_free(config);
}

static void help_lists_every_flag_with_its_default(void **state)
{
    (void)state;
    struct buf help;
    buf_init(&help, 1 << 16);
    struct config *config = must_load(NULL, FLAGS("--nonsense", "--help"));
    assert_true(config_wants_help(config));
    config_help(keys, KEY_COUNT, "broker", &help);
    buf_add_char(&help, '\0');
    assert_non_null(strstr(help.at, "  --listen                 where workers connect (default "
                                    "tcp://127.0.0.1:5555)\n"));
    assert_non_null(strstr(help.at, "articles waiting per stage, 1 to 1000 (default 100)"));
    assert_null(strstr(help.at, "feeds"));
    config_free(config);
    buf_clear(&help);
}

static void what_is_in_force_is_shown_with_its_source_and_without_secrets(void **state)
{
    (void)state;
    struct buf shown;
    buf_init(&shown, 1 << 16);
    struct config *config = must_load("[gateway]\ntoken = hunter2\n[pipeline]\nclean = article\n",
                                      FLAGS("--queue-size=7"));
    config_print(config, &shown);
    buf_add_char(&shown, '\n');
    config_print_json(config, &shown);
    buf_add_char(&shown, '\0');
    assert_non_null(strstr(shown.at, "queue_size = 7 ; --queue-size\n"));
    assert_non_null(strstr(shown.at, "lease = 30s ; default\n"));
    assert_non_null(strstr(shown.at, "token = *** ; copydesk.ini:2\n"));
    assert_non_null(strstr(shown.at, "[pipeline]\nclean = article ; copydesk.ini:4\n"));
    assert_non_null(
        strstr(shown.at, "\"token\":{\"value\":\"***\",\"source\":\"copydesk.ini:2\"}"));
    assert_null(strstr(shown.at, "hunter2"));
    config_free(config);
    buf_clear(&shown);
}

static void durations_and_sizes_are_read_as_written(void **state)
{
    (void)state;
    int64_t value;
    assert_true(duration_parse_ms(VIEW("1h30m"), &value) && value == 5400000);
    assert_true(duration_parse_ms(VIEW("250ms"), &value) && value == 250);
    assert_true(duration_parse_ms(VIEW("2min5s"), &value) && value == 125000);
    assert_true(duration_parse_ms(VIEW("0"), &value) && value == 0);
    assert_false(duration_parse_ms(VIEW(""), &value));
    assert_false(duration_parse_ms(VIEW("5"), &value));
    assert_false(duration_parse_ms(VIEW("-5s"), &value));
    assert_false(duration_parse_ms(VIEW("9223372036854775807d"), &value));
    assert_true(bytes_parse(VIEW("1 GiB"), &value) && value == 1 << 30);
    assert_true(bytes_parse(VIEW("10kB"), &value) && value == 10000);
    assert_true(bytes_parse(VIEW("64K"), &value) && value == 65536);
    assert_true(bytes_parse(VIEW("12"), &value) && value == 12);
    assert_false(bytes_parse(VIEW("12 KiBs"), &value));
    assert_false(bytes_parse(VIEW("9999999999TiB"), &value));
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, go_to_a_new_folder, leave_the_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(without_anything_the_fallbacks_hold),
        IN_FOLDER(a_flag_beats_the_environment_which_beats_the_file),
        IN_FOLDER(a_command_may_leave_out_its_own_name_in_flags),
        IN_FOLDER(a_switch_needs_no_value_and_takes_one_with_an_equals_sign),
        IN_FOLDER(what_is_no_flag_is_an_argument),
        IN_FOLDER(a_list_goes_on_in_indented_lines),
        IN_FOLDER(an_open_section_takes_any_key_in_order),
        IN_FOLDER(mistakes_name_their_place_and_what_was_expected),
        IN_FOLDER(a_wrong_environment_is_named),
        IN_FOLDER(a_line_too_long_is_refused_not_cut),
        IN_FOLDER(help_lists_every_flag_with_its_default),
        IN_FOLDER(what_is_in_force_is_shown_with_its_source_and_without_secrets),
        cmocka_unit_test(durations_and_sizes_are_read_as_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

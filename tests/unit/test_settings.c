#include "services/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const char annotated[] = TESTS_FOLDER "/../deploy/copydesk.ini";

static void every_key_has_a_line_of_help_and_one_meaning(void **state)
{
    (void)state;
    for (size_t i = 0; i < settings_count; i++) {
        const struct config_key *key = &settings[i];
        if (!key->help || !key->help[0] || strchr(key->help, '\n')) {
            fail_msg("[%s] %s needs one line of help", key->section, key->key);
        }
        for (size_t j = 0; j < i; j++) {
            const struct config_key *other = &settings[j];
            bool same =
                strcmp(key->section, other->section) == 0 && strcmp(key->key, other->key) == 0;
            if (same || (key->flag && other->flag && strcmp(key->flag, other->flag) == 0)) {
                fail_msg("[%s] %s and [%s] %s are one", key->section, key->key, other->section,
                         other->key);
            }
        }
    }
}

// The value in force and the one without any file, as the text a person would compare.
static void value_text(const struct config *config, const struct config_key *key, char out[256])
{
    char name[128];
    snprintf(name, sizeof name, "%s.%s", key->section, key->key);
    switch (key->kind) {
    case CONFIG_TEXT:
        snprintf(out, 256, "%s", config_text(config, name));
        break;
    case CONFIG_LIST:
        snprintf(out, 256, "%s", config_list(config, name));
        break;
    case CONFIG_INTEGER:
        snprintf(out, 256, "%lld", (long long)config_int(config, name));
        break;
    case CONFIG_DURATION:
        snprintf(out, 256, "%lld ms", (long long)config_duration_ms(config, name));
        break;
    case CONFIG_BYTES:
        snprintf(out, 256, "%lld bytes", (long long)config_bytes(config, name));
        break;
    case CONFIG_BOOL:
        snprintf(out, 256, "%d", config_bool(config, name));
        break;
    }
}

static struct config *load(const char *path)
{
    char *argv[] = {"test"};
    struct config *config;
    struct error why = {""};
    if (config_load(&config, settings, settings_count, path, 1, argv, &why) != OK) {
        fail_msg("%s", why.text);
    }
    return config;
}

// Commands that a person types have no section in the file of the services.
static bool has_section(const struct config *file, const char *section)
{
    bool has = false;
    for (size_t i = 0; i < settings_count; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s.%s", section, settings[i].key);
        has |= strcmp(settings[i].section, section) == 0 && strcmp(settings[i].key, "*") != 0 &&
               config_is_set(file, name);
    }
    return has;
}

static void the_annotated_file_names_every_key_with_its_default(void **state)
{
    (void)state;
    struct config *file = load(annotated);
    struct config *defaults = load(NULL);
    for (size_t i = 0; i < settings_count; i++) {
        const struct config_key *key = &settings[i];
        char name[128], in_file[256], by_default[256];
        if (strcmp(key->key, "*") == 0 || !has_section(file, key->section)) {
            continue;
        }
        snprintf(name, sizeof name, "%s.%s", key->section, key->key);
        if (!config_is_set(file, name)) {
            fail_msg("%s is not in deploy/copydesk.ini", name);
        }
        value_text(file, key, in_file);
        value_text(defaults, key, by_default);
        if (strcmp(in_file, by_default) != 0 && strcmp(key->key, "ops") != 0) {
            fail_msg("%s: deploy/copydesk.ini says '%s', the default is '%s'", name, in_file,
                     by_default);
        }
    }
    config_free(defaults);
    config_free(file);
}

static void the_annotated_pipeline_is_the_default(void **state)
{
    (void)state;
    struct config *file = load(annotated);
    struct buf lines;
    buf_init(&lines, 4096);
    settings_pipeline(file, &lines);
    if (!view_equal(buf_view(&lines), view_of(DEFAULT_PIPELINE))) {
        fail_msg("%.*s", VIEW_ARGS(buf_view(&lines)));
    }
    buf_clear(&lines);
    config_free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_has_a_line_of_help_and_one_meaning),
        cmocka_unit_test(the_annotated_file_names_every_key_with_its_default),
        cmocka_unit_test(the_annotated_pipeline_is_the_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// Reads settings: see common/config.h. Text of every source ends in config_set, which checks it.
//
// libinih (Debian's build) cuts lines at 200 bytes in silence and does not tell line numbers. Both are mended
// by handing it the lines one by one from memory: the reader counts them and refuses long ones.
#include "common/config.h"

#include "common/arena.h"
#include "common/config_value.h"
#include "common/suggest.h"
#include "common/vec.h"

#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    FILE_LIMIT = 1 << 20,   // bytes of the INI file
    MEMORY_LIMIT = 8 << 20, // of one struct config
    LINE_LIMIT = 198,       // what libinih takes
    NAME_LIMIT = 128,       // of "section.key" and the like
};

// In order of precedence.
enum source { FROM_FALLBACK, FROM_FILE, FROM_ENVIRONMENT, FROM_FLAG };

struct value {
    const char *text;
    int64_t number; // of integers, durations, bytes and bools
    enum source source;
    size_t line;        // of the file
    const char *origin; // file, environment name or flag
};

// A line of an open section.
struct entry {
    const char *section, *key, *value;
    size_t line;
};

struct config {
    struct arena arena;
    const struct config_key *keys;
    size_t key_count;
    struct value *values; // beside keys
    struct {
        struct entry *at;
        size_t len, cap;
    } entries;
    struct {
        const char **at;
        size_t len, cap;
    } arguments;
    const char *command;
    const char *path;
    bool wants_help;
};

static enum status no_memory(struct error *why)
{
    return error_set(why, ERR_MEMORY, "no memory for the configuration");
}

static const char *keep(struct config *config, struct view text)
{
    struct view copy = arena_copy(&config->arena, text);
    return copy.at;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static bool is_open(const struct config_key *key)
{
    return strcmp(key->key, "*") == 0;
}

// Checks `text` and takes it as the value of key n, unless a stronger source has set it. `origin` must outlive
// the config.
static enum status set(struct config *config, size_t n, struct value value, struct error *why)
{
    const struct config_key *key = &config->keys[n];
    char expected[160];
    if (!config_value_parse(key, view_of(value.text), &value.number)) {
        config_value_expected(key, expected, sizeof expected);
        if (value.source == FROM_FILE) {
            return error_set(why, ERR_CONFIG, "%s:%zu: '%s' in [%s] must be %s, not '%.80s'",
                             value.origin, value.line, key->key, key->section, expected,
                             key->secret ? "***" : value.text);
        }
        return error_set(why, value.source == FROM_FLAG ? ERR_USAGE : ERR_CONFIG,
                         "%s must be %s, not '%.80s'", value.origin, expected,
                         key->secret ? "***" : value.text);
    }
    value.text = keep(config, view_of(value.text));
    if (arena_is_full(&config->arena)) {
        return no_memory(why);
    }
    if (value.source >= config->values[n].source) {
        config->values[n] = value;
    }
    return OK;
}

// ---- the file

struct reading {
    struct config *config;
    struct view rest;
    size_t line;
    bool continues; // the present line is indented: it belongs to the key before
    size_t last;    // key that was set last, for continued lists
    enum status status;
    struct error *why;
};

static bool is_comment(struct view line)
{
    struct view text = view_trim(line);
    return text.len == 0 || text.at[0] == ';' || text.at[0] == '#';
}

// Hands out the next line as fgets would.
static char *next_line(char *out, int size, void *stream)
{
    struct reading *reading = stream;
    struct view line;
    if (reading->status != OK || !view_next_line(&reading->rest, &line)) {
        return NULL;
    }
    reading->line++;
    if (is_comment(line)) {
        line.len = 0;
    }
    if (line.len > LINE_LIMIT || line.len + 2 > (size_t)size) {
        reading->status =
            error_set(reading->why, ERR_CONFIG,
                      "%s:%zu: the line has %zu bytes, the limit is %d; lists go on in indented "
                      "lines, long texts fit into the environment",
                      reading->config->path, reading->line, line.len, LINE_LIMIT);
        return NULL;
    }
    reading->continues = line.len > 0 && (line.at[0] == ' ' || line.at[0] == '\t');
    memcpy(out, line.at, line.len);
    memcpy(out + line.len, "\n", 2);
    return out;
}

static size_t find_key(const struct config *config, const char *section, const char *key)
{
    size_t n = 0;
    while (n < config->key_count && (strcmp(config->keys[n].section, section) != 0 ||
                                     strcmp(config->keys[n].key, key) != 0)) {
        n++;
    }
    return n;
}

static bool has_section(const struct config *config, const char *section)
{
    for (size_t n = 0; n < config->key_count; n++) {
        if (strcmp(config->keys[n].section, section) == 0) {
            return true;
        }
    }
    return false;
}

static enum status unknown_section(const struct reading *reading, const char *section)
{
    const struct config *config = reading->config;
    struct suggestion near = {.word = view_of(section)};
    for (size_t n = 0; n < config->key_count; n++) {
        suggest_offer(&near, config->keys[n].section);
    }
    if (section[0] == '\0') {
        return error_set(reading->why, ERR_CONFIG,
                         "%s:%zu: a key must stand below a section such as [%s]", config->path,
                         reading->line, config->keys[0].section);
    }
    return error_set(reading->why, ERR_CONFIG, "%s:%zu: unknown section [%.60s]%s%s%s",
                     config->path, reading->line, section, near.best ? "; did you mean [" : "",
                     or_empty(near.best), near.best ? "]?" : "");
}

static enum status unknown_key(const struct reading *reading, const char *section, const char *key)
{
    const struct config *config = reading->config;
    struct suggestion near = {.word = view_of(key)};
    for (size_t n = 0; n < config->key_count; n++) {
        if (strcmp(config->keys[n].section, section) == 0) {
            suggest_offer(&near, config->keys[n].key);
        }
    }
    return error_set(reading->why, ERR_CONFIG, "%s:%zu: unknown key '%.60s' in [%s]%s%s%s",
                     config->path, reading->line, key, section, near.best ? "; did you mean '" : "",
                     or_empty(near.best), near.best ? "'?" : "");
}

static enum status add_entry(struct reading *reading, const char *section, const char *key,
                             const char *value)
{
    struct config *config = reading->config;
    struct entry entry = {keep(config, view_of(section)), keep(config, view_of(key)),
                          keep(config, view_of(value)), reading->line};
    for (size_t i = 0; i < config->entries.len; i++) {
        const struct entry *other = &config->entries.at[i];
        if (strcmp(other->section, section) == 0 && strcmp(other->key, key) == 0) {
            return error_set(reading->why, ERR_CONFIG,
                             "%s:%zu: '%.60s' in [%s] was already set on line %zu", config->path,
                             reading->line, key, section, other->line);
        }
    }
    return vec_push(&config->arena, &config->entries, entry) ? OK : no_memory(reading->why);
}

// An indented line adds to the list above it.
static enum status continue_list(struct reading *reading, const char *more)
{
    struct config *config = reading->config;
    size_t n = reading->last;
    struct value value = n < config->key_count ? config->values[n] : (struct value){0};
    if (n >= config->key_count || config->keys[n].kind != CONFIG_LIST) {
        return error_set(reading->why, ERR_CONFIG,
                         "%s:%zu: only lists go on in indented lines; is this a key of its own?",
                         config->path, reading->line);
    }
    if (value.source != FROM_FILE) {
        return OK; // a flag or the environment says otherwise
    }
    // libinih takes comments off first lines only.
    struct view added = view_slice(view_of(more), 0, view_find(view_of(more), VIEW(" ;"), 0));
    size_t len = strlen(value.text) + added.len + 2;
    char *joined = arena_alloc(&config->arena, len);
    if (!joined) {
        return no_memory(reading->why);
    }
    snprintf(joined, len, "%s %.*s", value.text, VIEW_ARGS(added));
    value.text = joined;
    return set(config, n, value, reading->why);
}

static enum status read_pair(struct reading *reading, const char *section, const char *key,
                             const char *text)
{
    struct config *config = reading->config;
    if (!has_section(config, section)) {
        return unknown_section(reading, section);
    }
    if (reading->continues) {
        return continue_list(reading, text);
    }
    size_t n = find_key(config, section, key);
    reading->last = n;
    if (n == config->key_count) {
        bool open = find_key(config, section, "*") < config->key_count;
        return open ? add_entry(reading, section, key, text) : unknown_key(reading, section, key);
    }
    if (config->values[n].source == FROM_FILE) {
        return error_set(reading->why, ERR_CONFIG,
                         "%s:%zu: '%s' in [%s] was already set on line %zu", config->path,
                         reading->line, key, section, config->values[n].line);
    }
    struct value value = {
        .text = text, .source = FROM_FILE, .line = reading->line, .origin = config->path};
    return set(config, n, value, reading->why);
}

// libinih's callback: 0 is failure.
static int on_pair(void *user, const char *section, const char *key, const char *value)
{
    struct reading *reading = user;
    if (reading->status == OK) {
        reading->status = read_pair(reading, section, key, or_empty(value));
    }
    return reading->status == OK;
}

static enum status slurp(const char *path, struct buf *text, struct error *why)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        return error_set(why, ERR_CONFIG, "cannot read %s: %s", path, strerror(errno));
    }
    char *room;
    size_t got = 1;
    while (got > 0 && (room = buf_reserve(text, 4096))) {
        got = fread(room, 1, 4096, file);
        text->len += got;
    }
    bool failed = ferror(file) != 0;
    fclose(file);
    if (failed) {
        return error_set(why, ERR_CONFIG, "cannot read %s: %s", path, strerror(errno));
    }
    return text->full ? error_set(why, ERR_CONFIG, "%s is larger than %d bytes", path, FILE_LIMIT)
                      : OK;
}

static enum status read_file(struct config *config, struct error *why)
{
    struct buf text;
    buf_init(&text, FILE_LIMIT);
    enum status status = slurp(config->path, &text, why);
    if (status != OK) {
        goto done;
    }
    if (memchr(buf_view(&text).at, '\0', text.len)) {
        status = error_set(why, ERR_CONFIG, "%s is not a text file", config->path);
        goto done;
    }
    struct reading reading = {
        .config = config, .rest = buf_view(&text), .last = config->key_count, .why = why};
    int line = ini_parse_stream(next_line, &reading, on_pair, &reading);
    status = reading.status;
    if (status == OK && line != 0) {
        status = line < 0
                     ? no_memory(why)
                     : error_set(why, ERR_CONFIG, "%s:%d: expected '[section]' or 'key = value'",
                                 config->path, line);
    }
done:
    buf_clear(&text);
    return status;
}

// ---- environment and flags

// "broker.queue_size" as prefix + "BROKER_QUEUE_SIZE" or "broker-queue-size".
static void spell(const struct config_key *key, const char *prefix, bool upper, char *out,
                  size_t size)
{
    int len = snprintf(out, size, "%s%s_%s", prefix, key->section, key->key);
    assert(len > 0 && (size_t)len < size);
    for (char *c = out + strlen(prefix); *c; c++) {
        if (upper && *c >= 'a' && *c <= 'z') {
            *c = (char)(*c - 32);
        } else if (!upper && *c == '_') {
            *c = '-';
        }
    }
}

static enum status read_environment(struct config *config, struct error *why)
{
    for (size_t n = 0; n < config->key_count; n++) {
        char name[NAME_LIMIT];
        if (is_open(&config->keys[n])) {
            continue;
        }
        spell(&config->keys[n], "COPYDESK_", true, name, sizeof name);
        const char *text = getenv(name);
        if (!text && config->keys[n].env) {
            snprintf(name, sizeof name, "%s", config->keys[n].env);
            text = getenv(name);
        }
        if (!text) {
            continue;
        }
        struct value value = {
            .text = text, .source = FROM_ENVIRONMENT, .origin = keep(config, view_of(name))};
        enum status status = set(config, n, value, why);
        if (status != OK) {
            return status;
        }
    }
    return OK;
}

// `flag` without its dashes; '_' and '-' are the same.
static bool flag_is(struct view flag, struct view name)
{
    bool same = flag.len == name.len;
    for (size_t i = 0; same && i < flag.len; i++) {
        char a = flag.at[i] == '_' ? '-' : flag.at[i];
        char b = name.at[i] == '_' ? '-' : name.at[i];
        same = a == b;
    }
    return same;
}

static bool key_has_flag(const struct config *config, const struct config_key *key,
                         struct view flag)
{
    char full[NAME_LIMIT];
    if (is_open(key)) {
        return false;
    }
    spell(key, "", false, full, sizeof full);
    return flag_is(flag, view_of(full)) || (key->flag && flag_is(flag, view_of(key->flag))) ||
           (strcmp(key->section, config->command) == 0 && flag_is(flag, view_of(key->key)));
}

static enum status unknown_flag(const struct config *config, struct view flag, struct error *why)
{
    char full[NAME_LIMIT];
    struct suggestion near = {.word = flag};
    suggest_offer(&near, "config");
    suggest_offer(&near, "help");
    for (size_t n = 0; n < config->key_count; n++) {
        const struct config_key *key = &config->keys[n];
        if (strcmp(key->section, config->command) == 0) {
            suggest_offer(&near, key->key);
        }
        suggest_offer(&near, or_empty(key->flag));
    }
    char hint[NAME_LIMIT + 32] = "";
    if (near.best) {
        snprintf(hint, sizeof hint, "; did you mean --%s?", near.best);
    }
    for (size_t n = 0; n < config->key_count && !hint[0]; n++) {
        spell(&config->keys[n], "", false, full, sizeof full);
        suggest_offer(&near, full);
        if (near.best) {
            snprintf(hint, sizeof hint, "; did you mean --%s?", full);
        }
    }
    for (char *c = hint; *c; c++) {
        *c = *c == '_' ? '-' : *c;
    }
    return error_set(why, ERR_USAGE, "unknown flag --%.*s%s", VIEW_ARGS(flag), hint);
}

// Reads the flag argv[*i] and moves *i to its value when that is an argument of its own.
static enum status read_flag(struct config *config, int argc, char **argv, int *i,
                             struct error *why)
{
    struct view whole = view_of(argv[*i] + 2);
    size_t equals = view_find(whole, VIEW("="), 0);
    struct view flag = view_slice(whole, 0, equals);
    const char *text = equals < whole.len ? whole.at + equals + 1 : NULL;
    size_t n = 0;
    while (n < config->key_count && !key_has_flag(config, &config->keys[n], flag)) {
        n++;
    }
    bool is_path = flag_is(flag, VIEW("config"));
    if (n == config->key_count && !is_path) {
        return unknown_flag(config, flag, why);
    }
    if (!text && !is_path && config->keys[n].kind == CONFIG_BOOL) {
        text = "yes";
    } else if (!text && *i + 1 < argc) {
        text = argv[++*i];
    } else if (!text) {
        return error_set(why, ERR_USAGE, "--%.*s needs a value", VIEW_ARGS(flag));
    }
    if (is_path) {
        config->path = text;
        return OK;
    }
    char origin[NAME_LIMIT];
    snprintf(origin, sizeof origin, "--%.*s", VIEW_ARGS(flag));
    struct value value = {
        .text = text, .source = FROM_FLAG, .origin = keep(config, view_of(origin))};
    return set(config, n, value, why);
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

static enum status read_flags(struct config *config, int argc, char **argv, struct error *why)
{
    bool flags_ended = false;
    for (int i = 1; i < argc; i++) {
        enum status status = OK;
        if (!flags_ended && strcmp(argv[i], "--") == 0) {
            flags_ended = true;
        } else if (!flags_ended && strncmp(argv[i], "--", 2) == 0) {
            status = read_flag(config, argc, argv, &i, why);
        } else if (!flags_ended && argv[i][0] == '-' && argv[i][1] != '\0') {
            status = error_set(why, ERR_USAGE, "unknown flag %.60s; flags begin with --", argv[i]);
        } else if (!vec_push(&config->arena, &config->arguments, argv[i])) {
            status = no_memory(why);
        }
        if (status != OK) {
            return status;
        }
    }
    return OK;
}

// ---- loading

static void set_fallbacks(struct config *config)
{
    for (size_t n = 0; n < config->key_count; n++) {
        const struct config_key *key = &config->keys[n];
        struct value *value = &config->values[n];
        *value = (struct value){.text = or_empty(key->fallback), .origin = "default"};
        if (key->fallback && key->fallback[0]) {
            bool fallback_is_sound =
                config_value_parse(key, view_of(key->fallback), &value->number);
            assert(fallback_is_sound);
        }
    }
}

static enum status load(struct config *config, int argc, char **argv, struct error *why)
{
    config->values = arena_zalloc(&config->arena, config->key_count, sizeof *config->values);
    if (!config->values) {
        return no_memory(why);
    }
    set_fallbacks(config);
    config->wants_help = asks_for_help(argc, argv);
    if (config->wants_help) {
        return OK;
    }
    const char *named = getenv("COPYDESK_CONFIG");
    if (named && named[0]) {
        config->path = named;
    }
    enum status status = read_flags(config, argc, argv, why);
    if (status != OK) {
        return status;
    }
    status = read_environment(config, why);
    if (status != OK || !config->path) {
        return status;
    }
    return read_file(config, why);
}

enum status config_load(struct config **out, const struct config_key *keys, size_t key_count,
                        const char *path, int argc, char **argv, struct error *why)
{
    struct config *config = calloc(1, sizeof *config);
    *out = NULL;
    if (!config) {
        return no_memory(why);
    }
    arena_init(&config->arena, MEMORY_LIMIT);
    config->keys = keys;
    config->key_count = key_count;
    config->command = argc > 0 ? argv[0] : "";
    config->path = path;
    enum status status = load(config, argc, argv, why);
    if (status == OK) {
        *out = config;
        config = NULL; // now the caller's
    }
    config_free(config);
    return status;
}

void config_free(struct config *config)
{
    if (config) {
        arena_clear(&config->arena);
        free(config);
    }
}

// ---- asking

static const struct value *value_of(const struct config *config, const char *name,
                                    enum config_kind kind)
{
    const char *point = strchr(name, '.');
    assert(point);
    for (size_t n = 0; n < config->key_count; n++) {
        const struct config_key *key = &config->keys[n];
        if (view_equal(view_of(key->section), (struct view){name, (size_t)(point - name)}) &&
            strcmp(key->key, point + 1) == 0) {
            assert(key->kind == kind);
            return &config->values[n];
        }
    }
    assert(false && "the key is in the table");
    return NULL;
}

const char *config_text(const struct config *config, const char *name)
{
    return value_of(config, name, CONFIG_TEXT)->text;
}

int64_t config_int(const struct config *config, const char *name)
{
    return value_of(config, name, CONFIG_INTEGER)->number;
}

int64_t config_duration_ms(const struct config *config, const char *name)
{
    return value_of(config, name, CONFIG_DURATION)->number;
}

int64_t config_bytes(const struct config *config, const char *name)
{
    return value_of(config, name, CONFIG_BYTES)->number;
}

bool config_bool(const struct config *config, const char *name)
{
    return value_of(config, name, CONFIG_BOOL)->number != 0;
}

const char *config_list(const struct config *config, const char *name)
{
    return value_of(config, name, CONFIG_LIST)->text;
}

static bool parts_items(char c)
{
    return c == ',' || c == ' ' || (c >= '\t' && c <= '\r');
}

bool config_next(struct view *rest, struct view *item)
{
    size_t start = 0;
    while (start < rest->len && parts_items(rest->at[start])) {
        start++;
    }
    size_t end = start;
    while (end < rest->len && !parts_items(rest->at[end])) {
        end++;
    }
    *item = view_slice(*rest, start, end);
    *rest = view_slice(*rest, end, rest->len);
    return item->len > 0;
}

bool config_is_set(const struct config *config, const char *name)
{
    for (size_t n = 0; n < config->key_count; n++) {
        char full[NAME_LIMIT];
        snprintf(full, sizeof full, "%s.%s", config->keys[n].section, config->keys[n].key);
        if (strcmp(full, name) == 0) {
            return config->values[n].source != FROM_FALLBACK;
        }
    }
    assert(false && "the key is in the table");
    return false;
}

bool config_entry(const struct config *config, const char *section, size_t n, const char **key,
                  const char **value)
{
    for (size_t i = 0; i < config->entries.len; i++) {
        const struct entry *entry = &config->entries.at[i];
        if (strcmp(entry->section, section) == 0 && n-- == 0) {
            *key = entry->key;
            *value = entry->value;
            return true;
        }
    }
    return false;
}

const char *config_argument(const struct config *config, size_t n)
{
    return n < config->arguments.len ? config->arguments.at[n] : NULL;
}

bool config_wants_help(const struct config *config)
{
    return config->wants_help;
}

// ---- showing

void config_help(const struct config_key *keys, size_t key_count, const char *section,
                 struct buf *out)
{
    for (size_t n = 0; n < key_count; n++) {
        const struct config_key *key = &keys[n];
        char flag[NAME_LIMIT];
        char range[80];
        if (is_open(key) || (section && strcmp(section, key->section) != 0)) {
            continue;
        }
        if (key->flag) {
            snprintf(flag, sizeof flag, "%s", key->flag);
        } else if (section) {
            snprintf(flag, sizeof flag, "%s", key->key);
        } else {
            spell(key, "", false, flag, sizeof flag);
        }
        for (char *c = flag; *c; c++) {
            *c = *c == '_' ? '-' : *c;
        }
        config_value_range(key, range, sizeof range);
        buf_printf(out, "  --%-22s %s%s%s", flag, or_empty(key->help), range[0] ? ", " : "", range);
        if (key->fallback && key->fallback[0]) {
            buf_printf(out, " (default %s)", key->fallback);
        }
        buf_add_char(out, '\n');
    }
}

static void source_text(const struct value *value, char *out, size_t size)
{
    if (value->source == FROM_FILE) {
        snprintf(out, size, "%s:%zu", value->origin, value->line);
    } else {
        snprintf(out, size, "%s", value->origin);
    }
}

static const char *shown(const struct config_key *key, const struct value *value)
{
    return key->secret && value->text[0] ? "***" : value->text;
}

// Calls for a section's first key only, so that each section is shown once and whole.
static bool is_first_of_section(const struct config *config, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(config->keys[i].section, config->keys[n].section) == 0) {
            return false;
        }
    }
    return true;
}

static void print_section(const struct config *config, const char *section, struct buf *out)
{
    buf_printf(out, "[%s]\n", section);
    for (size_t n = 0; n < config->key_count; n++) {
        const struct config_key *key = &config->keys[n];
        char source[512];
        if (strcmp(key->section, section) != 0 || is_open(key)) {
            continue;
        }
        source_text(&config->values[n], source, sizeof source);
        buf_printf(out, "%s = %s ; %s\n", key->key, shown(key, &config->values[n]), source);
    }
    for (size_t i = 0; i < config->entries.len; i++) {
        const struct entry *entry = &config->entries.at[i];
        if (strcmp(entry->section, section) == 0) {
            buf_printf(out, "%s = %s ; %s:%zu\n", entry->key, entry->value, config->path,
                       entry->line);
        }
    }
}

void config_print(const struct config *config, struct buf *out)
{
    for (size_t n = 0; n < config->key_count; n++) {
        if (is_first_of_section(config, n)) {
            buf_add(out, n > 0 ? VIEW("\n") : VIEW(""));
            print_section(config, config->keys[n].section, out);
        }
    }
}

static void print_json_pair(struct buf *out, bool *first, const char *key, const char *value,
                            const char *source)
{
    buf_add(out, *first ? VIEW("") : VIEW(","));
    *first = false;
    buf_add_json(out, view_of(key));
    buf_add(out, VIEW(":{\"value\":"));
    buf_add_json(out, view_of(value));
    buf_add(out, VIEW(",\"source\":"));
    buf_add_json(out, view_of(source));
    buf_add_char(out, '}');
}

static void print_json_section(const struct config *config, const char *section, struct buf *out)
{
    char source[512];
    bool first = true;
    buf_add_json(out, view_of(section));
    buf_add(out, VIEW(":{"));
    for (size_t n = 0; n < config->key_count; n++) {
        const struct config_key *key = &config->keys[n];
        if (strcmp(key->section, section) == 0 && !is_open(key)) {
            source_text(&config->values[n], source, sizeof source);
            print_json_pair(out, &first, key->key, shown(key, &config->values[n]), source);
        }
    }
    for (size_t i = 0; i < config->entries.len; i++) {
        const struct entry *entry = &config->entries.at[i];
        if (strcmp(entry->section, section) == 0) {
            snprintf(source, sizeof source, "%s:%zu", config->path, entry->line);
            print_json_pair(out, &first, entry->key, entry->value, source);
        }
    }
    buf_add_char(out, '}');
}

void config_print_json(const struct config *config, struct buf *out)
{
    bool first = true;
    buf_add_char(out, '{');
    for (size_t n = 0; n < config->key_count; n++) {
        if (is_first_of_section(config, n)) {
            buf_add(out, first ? VIEW("") : VIEW(","));
            first = false;
            print_json_section(config, config->keys[n].section, out);
        }
    }
    buf_add_char(out, '}');
}

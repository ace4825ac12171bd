#include "services/entities/aliases.h"

#include "common/map.h"

// A name that several others could be meant by.
#define AMBIGUOUS UINT64_C(0xffffffff)

enum { WORD_BYTES = 64, INITIALS_LIMIT = 10, NAME_WORDS = 16 };

// Kinds of keys in the one map of known forms.
enum form { FORM_FAMILY, FORM_GIVEN, FORM_FULL, FORM_INITIALS, FORM_COMPANY };

// The words of a name that carry it: no marks, no particles at its head, no "Jr.".
struct core {
    uint32_t at[NAME_WORDS]; // tokens
    size_t len;
};

// Folds a word without its periods, and for groups without the s of the plural.
static uint64_t fold_plain(struct view word, bool singular)
{
    char plain[WORD_BYTES];
    size_t len = 0;
    if (word.len > WORD_BYTES) {
        return lexicon_fold(word);
    }
    for (size_t i = 0; i < word.len; i++) {
        if (word.at[i] != '.') {
            plain[len++] = word.at[i];
        }
    }
    len -= singular && len > 4 && (plain[len - 1] == 's' || plain[len - 1] == 'S');
    return lexicon_fold((struct view){plain, len});
}

uint64_t aliases_key(const struct words *words, enum entity_type type, uint32_t first, uint32_t end)
{
    uint64_t phrase = LEXICON_EMPTY;
    uint64_t plain = LEXICON_EMPTY;
    for (uint32_t i = first; i < end; i++) {
        bool singular = type == NORP && i + 1 == end;
        phrase = lexicon_join(phrase, words->at[i].fold);
        plain = lexicon_join(plain, fold_plain(words_text(words, i), singular));
    }
    uint64_t alias = type == LOC ? lexicon_alias(words->lexicon, phrase) : 0;
    return (alias ? alias : plain) * 31 + (uint64_t)type;
}

static bool is_suffix(struct view word)
{
    static const char *const suffixes[] = {"jr", "jr.", "sr", "sr.", "ii", "iii", "iv", "phd"};
    return words_is_one_of(word, suffixes, sizeof suffixes / sizeof *suffixes);
}

static bool is_legal_form(struct view word)
{
    static const char *const forms[] = {
        "inc", "inc.", "corp", "corp.", "co", "co.",   "ltd",      "ltd.",    "limited",     "llc",
        "plc", "gmbh", "ag",   "sa",    "nv", "group", "holdings", "company", "corporation",
    };
    return words_is_one_of(word, forms, sizeof forms / sizeof *forms);
}

static struct core core_of(const struct words *words, const struct name *name)
{
    struct core core = {.len = 0};
    for (uint32_t i = name->first; i < name->end && core.len < NAME_WORDS; i++) {
        bool particle = core.len == 0 && words_in(words, i, lexicon_bit(LIST_PARTICLES));
        bool bare = words->at[i].shape == SHAPE_MARK || particle;
        if (!bare && !(core.len > 0 && is_suffix(words_text(words, i)))) {
            core.at[core.len++] = i;
        }
    }
    return core;
}

struct linker {
    struct names *names;
    const struct words *words;
    struct arena *arena;
    struct explain *explain;
    struct map forms;
};

static uint64_t form_key(enum form form, enum entity_type type, uint64_t a, uint64_t b)
{
    return lexicon_join(lexicon_join((uint64_t)form * 64 + (uint64_t)type + 1, a), b);
}

// Says that `name` can be meant by `key`; when another one can, too, nobody is.
static void offer(struct linker *linker, uint64_t key, uint32_t name)
{
    struct view at = arena_copy(linker->arena, (struct view){(const char *)&key, sizeof key});
    uint64_t *known = at.len ? map_add(&linker->forms, at, name) : NULL;
    if (known && *known != name && *known != AMBIGUOUS) {
        bool same =
            aliases_root(linker->names, (uint32_t)*known) == aliases_root(linker->names, name);
        *known = same ? *known : AMBIGUOUS;
    }
}

static bool link_to(struct linker *linker, uint64_t key, uint32_t name, const char *rule)
{
    const uint64_t *known = map_find(&linker->forms, (struct view){(const char *)&key, sizeof key});
    if (!known || *known == AMBIGUOUS) {
        return false;
    }
    uint32_t root = aliases_root(linker->names, (uint32_t)*known);
    if (root == aliases_root(linker->names, name)) {
        return true;
    }
    struct names *names = linker->names;
    names->at[aliases_root(names, name)].into = root;
    explain_add(
        linker->explain, "entities", rule,
        view_at(linker->words->text,
                words_span(linker->words, names->at[name].first, names->at[name].end)),
        "means '%.*s'",
        VIEW_ARGS(view_at(linker->words->text,
                          words_span(linker->words, names->at[root].first, names->at[root].end))));
    return true;
}

uint32_t aliases_root(struct names *names, uint32_t name)
{
    while (names->at[name].into != name) {
        names->at[name].into = names->at[names->at[name].into].into; // halves the chain
        name = names->at[name].into;
    }
    return name;
}

static uint64_t fold_of(const struct linker *linker, const struct core *core, size_t i)
{
    return fold_plain(words_text(linker->words, core->at[i]), false);
}

// "Ashraf Ghani Ahmadzai" before "Ashraf Ghani": a full name means a longer one that has its first word as
// its first, and its last word somewhere.
static void link_full_name(struct linker *linker, const struct core *core, uint32_t name)
{
    uint64_t given = fold_of(linker, core, 0);
    uint64_t family = fold_of(linker, core, core->len - 1);
    link_to(linker, form_key(FORM_FULL, PER, given, family), name, "same person");
    for (size_t i = 1; i < core->len; i++) {
        offer(linker, form_key(FORM_FULL, PER, given, fold_of(linker, core, i)), name);
    }
    offer(linker, form_key(FORM_FAMILY, PER, family, 0), name);
    offer(linker, form_key(FORM_GIVEN, PER, given, 0), name);
}

static void link_short_name(struct linker *linker, const struct core *core, uint32_t name)
{
    uint64_t word = fold_of(linker, core, 0);
    if (!link_to(linker, form_key(FORM_FAMILY, PER, word, 0), name, "surname")) {
        link_to(linker, form_key(FORM_GIVEN, PER, word, 0), name, "given name");
    }
}

// The initials of a long name, joined; with the small words ("of") or without them. 0 when it has too few.
static uint64_t initials_of(const struct words *words, const struct core *core, bool small_words)
{
    char initials[INITIALS_LIMIT];
    size_t len = 0;
    for (size_t i = 0; i < core->len && len < INITIALS_LIMIT; i++) {
        struct view text = words_text(words, core->at[i]);
        if (small_words || words->at[core->at[i]].role == ROLE_NAME) {
            initials[len++] = text.at[0];
        }
    }
    return len >= 2 ? lexicon_fold((struct view){initials, len}) : 0;
}

static void offer_initials(struct linker *linker, const struct core *core, uint32_t name)
{
    enum entity_type type = linker->names->at[name].type;
    uint64_t without = initials_of(linker->words, core, false);
    uint64_t with = initials_of(linker->words, core, true);
    if (without) {
        offer(linker, form_key(FORM_INITIALS, type, without, 0), name);
    }
    if (with && with != without) {
        offer(linker, form_key(FORM_INITIALS, type, with, 0), name);
    }
}

static void offer_company(struct linker *linker, const struct core *core, uint32_t name)
{
    uint64_t key = LEXICON_EMPTY;
    size_t len = core->len;
    while (len > 1 && is_legal_form(words_text(linker->words, core->at[len - 1]))) {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        key = lexicon_join(key, fold_of(linker, core, i));
    }
    link_to(linker, form_key(FORM_COMPANY, ORG, key, 0), name, "legal form");
    offer(linker, form_key(FORM_COMPANY, ORG, key, 0), name);
}

static bool is_initialism(const struct words *words, const struct core *core)
{
    uint8_t shape = core->len == 1 ? words->at[core->at[0]].shape : SHAPE_MARK;
    return shape == SHAPE_UPPER || shape == SHAPE_INITIALISM;
}

// Long forms first, so that a short one finds them wherever it stands.
static void link_long(struct linker *linker, uint32_t name)
{
    struct core core = core_of(linker->words, &linker->names->at[name]);
    enum entity_type type = linker->names->at[name].type;
    if (type == PER && core.len > 1) {
        link_full_name(linker, &core, name);
    } else if (type != PER && type != MONEY && core.len > 1) {
        offer_initials(linker, &core, name);
    }
    if (type == ORG && core.len > 0) {
        offer_company(linker, &core, name);
    }
}

static void link_short(struct linker *linker, uint32_t name)
{
    struct core core = core_of(linker->words, &linker->names->at[name]);
    enum entity_type type = linker->names->at[name].type;
    if (type == PER && core.len == 1) {
        link_short_name(linker, &core, name);
    } else if (type != PER && is_initialism(linker->words, &core)) {
        uint64_t letters = fold_of(linker, &core, 0);
        link_to(linker, form_key(FORM_INITIALS, type, letters, 0), name, "initialism");
    }
}

void aliases_link(struct names *names, const struct words *words, struct arena *arena,
                  struct explain *explain)
{
    struct linker linker = {names, words, arena, explain, {0}};
    map_init(&linker.forms, arena);
    for (uint32_t i = 0; i < names->len; i++) {
        link_long(&linker, i);
    }
    for (uint32_t i = 0; i < names->len; i++) {
        link_short(&linker, i);
    }
}

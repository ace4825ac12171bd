#include "services/entities/foreign.h"

// English news has 35 to 50 function words in a hundred; other languages that share some of their spellings
// ("in", "me", "no", "an") stay below 12.
enum { FEWEST_WORDS = 30, FUNCTION_PERCENT = 15 };

static const float DOUBT = 0.7F; // factor on the chance of a mention

// Which list says which type; the first that holds the name decides.
static const struct {
    enum lexicon_list list;
    enum entity_type type;
} list_types[] = {
    {LIST_COUNTRIES, LOC},     {LIST_CITIES, LOC},    {LIST_REGIONS, LOC},
    {LIST_ORGANISATIONS, ORG}, {LIST_DEMONYMS, NORP}, {LIST_GROUPS, NORP},
};

static bool is_english_tag(struct view lang)
{
    return view_starts_nocase(lang, VIEW("en")) &&
           (lang.len == 2 || lang.at[2] == '-' || lang.at[2] == '_');
}

bool foreign_is(const struct words *words, struct view lang)
{
    size_t count = 0;
    size_t function = 0;
    if (lang.len > 0) {
        return !is_english_tag(lang);
    }
    for (size_t i = 0; i < words->len; i++) {
        bool lower = words->at[i].shape == SHAPE_LOWER;
        count += lower;
        function += lower && words_in(words, i, lexicon_bit(LIST_FUNCTION_WORDS));
    }
    return count >= FEWEST_WORDS && function * 100 < count * FUNCTION_PERCENT;
}

// A person is borne out by a title before the name, or by a first name at its head.
static bool is_known_person(const struct words *words, const struct mention *mention)
{
    bool several = mention->end - mention->first > 1;
    bool titled = mention->first > 0 && !words->tokens[mention->first].starts_sentence &&
                  words_in(words, mention->first - 1, lexicon_bit(LIST_TITLES));
    return titled || (several && words_in(words, mention->first, lexicon_bit(LIST_FIRST_NAMES)));
}

static bool is_borne_out(const struct words *words, struct mention *mention)
{
    uint64_t phrase = LEXICON_EMPTY;
    for (uint32_t i = mention->first; i < mention->end; i++) {
        phrase = lexicon_join(phrase, words->at[i].fold);
    }
    uint32_t lists = lexicon_phrase(words->lexicon, phrase);
    bool capital = words->at[mention->first].shape != SHAPE_LOWER;
    for (size_t i = 0; capital && i < sizeof list_types / sizeof *list_types; i++) {
        if (lists & lexicon_bit(list_types[i].list)) {
            mention->type = list_types[i].type;
            return true;
        }
    }
    return mention->type == PER && is_known_person(words, mention);
}

void foreign_keep_listed(const struct words *words, struct mentions *mentions,
                         struct explain *explain)
{
    size_t kept = 0;
    for (size_t i = 0; i < mentions->len; i++) {
        struct mention mention = mentions->at[i];
        struct view text = view_at(words->text, words_span(words, mention.first, mention.end));
        if (is_borne_out(words, &mention)) {
            mention.chance *= DOUBT;
            mentions->at[kept++] = mention;
        } else {
            explain_add(explain, "entities", "not english", text, "dropped: no list knows it");
        }
    }
    mentions->len = kept;
}

#include "services/summary/rate.h"

#include <stdio.h>

enum { TOP_TERMS = 10, NAME_COUNT_LEAST = 3 };

const char *sentence_feature_name(enum sentence_feature feature)
{
#define FEATURE_NAME(name) #name,
    static const char *const names[] = {SENTENCE_FEATURES(FEATURE_NAME)};
#undef FEATURE_NAME
    return names[feature];
}

enum status rate_load(struct sentence_weights *weights, const struct lists *lists,
                      const char *prefix, struct error *why)
{
    enum status status = OK;
    for (int i = 0; i < SENTENCE_FEATURE_COUNT && status == OK; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.%s", prefix,
                 sentence_feature_name((enum sentence_feature)i));
        status = lists_weight(lists, name, &weights->at[i], why);
    }
    return status;
}

// What is the same for all sentences of a story.
struct scene {
    const struct story *story;
    const uint32_t *usable; // numbers of the usable sentences
    uint32_t count;
    uint32_t words;     // of all sentences
    uint32_t top_count; // a term that occurs so often is among the top terms
    bool has_paragraphs;
};

static const struct token *token_at(const struct scene *scene, uint32_t i)
{
    return &scene->story->article->segments.tokens.at[i];
}

static struct view text_at(const struct scene *scene, uint32_t i)
{
    return view_at(scene->story->article->text, token_at(scene, i)->span);
}

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static double above(double value, double limit)
{
    return value > limit ? value - limit : 0;
}

static void rate_place(const struct scene *scene, const struct sentence *sentence, double *f)
{
    double place = sentence->place;
    f[SENTENCE_constant] = 1;
    f[SENTENCE_first] = sentence->place == 0;
    f[SENTENCE_second] = sentence->place == 1;
    f[SENTENCE_third] = sentence->place == 2;
    f[SENTENCE_fourth] = sentence->place == 3;
    f[SENTENCE_place_log] = story_log2(place);
    f[SENTENCE_place_inverse] = 1 / (1 + place);
    f[SENTENCE_place_relative] = place / scene->count;
    f[SENTENCE_late] = sentence->place + 3 >= scene->count;
    f[SENTENCE_starts_paragraph] = scene->has_paragraphs && sentence->starts_paragraph;
}

static void rate_length(const struct scene *scene, const struct sentence *sentence, uint32_t number,
                        double *f)
{
    const struct sentence *sentences = scene->story->sentences;
    double words = sentence->words;
    f[SENTENCE_words_log] = story_log2(words);
    f[SENTENCE_words_under_10] = words < 10 ? (10 - words) / 10 : 0;
    f[SENTENCE_words_over_20] = above(words, 20) / 10;
    f[SENTENCE_words_over_30] = above(words, 30) / 10;
    f[SENTENCE_words_over_40] = above(words, 40) / 10;
    f[SENTENCE_previous_words_log] = number > 0 ? story_log2(sentences[number - 1].words) : 0;
    f[SENTENCE_next_words_log] =
        number + 1 < scene->story->count ? story_log2(sentences[number + 1].words) : 0;
}

static void rate_likeness(const struct scene *scene, const struct sentence *sentence,
                          uint32_t number, double *f)
{
    const struct story *story = scene->story;
    double sum = 0, later = 0, earlier = 0, lead = 0;
    uint32_t lead_count = scene->count < 3 ? scene->count : 3;
    for (uint32_t i = 0; i < scene->count; i++) {
        uint32_t other = scene->usable[i];
        double cosine = story_likeness(story, number, other);
        if (i < lead_count) {
            lead += cosine;
        }
        if (other == number) {
            continue;
        }
        sum += cosine;
        later += other > number ? cosine : 0;
        earlier = other < number && cosine > earlier ? cosine : earlier;
    }
    for (uint32_t i = 0; i < sentence->part_count; i++) {
        f[SENTENCE_centrality] += sentence->parts[i].weight * story->whole[sentence->parts[i].term];
    }
    f[SENTENCE_mean_likeness] = share(sum, scene->count - 1);
    f[SENTENCE_later_likeness] = later / 4;
    f[SENTENCE_earlier_likeness] = earlier;
    f[SENTENCE_like_first] = story_likeness(story, number, scene->usable[0]);
    f[SENTENCE_like_lead] = lead / lead_count;
}

static void rate_title(const struct scene *scene, const struct sentence *sentence, uint32_t number,
                       double *f)
{
    const struct story *story = scene->story;
    uint32_t shared = 0;
    for (uint32_t i = 0; i < sentence->part_count; i++) {
        shared += story->terms[sentence->parts[i].term].in_title;
    }
    f[SENTENCE_like_title] = story_title_likeness(story, number);
    f[SENTENCE_title_share] = share(shared, story->title_count);
    f[SENTENCE_title_repeat] = above(f[SENTENCE_like_title], 0.7);
}

static void rate_terms(const struct scene *scene, const struct sentence *sentence, uint32_t number,
                       double *f)
{
    const struct story *story = scene->story;
    double frequency = 0, rarity = 0;
    uint32_t content = 0, top = 0, fresh = 0;
    for (uint32_t i = 0; i < sentence->term_count; i++) {
        const struct term *term = &story->terms[sentence->terms[i]];
        content += term->content;
        frequency += term->content ? term->count : 0;
    }
    for (uint32_t i = 0; i < sentence->part_count; i++) {
        const struct term *term = &story->terms[sentence->parts[i].term];
        rarity += term->weight;
        top += term->count >= scene->top_count && term->count > 1;
        // `first` is the sentence that had the term first, from 1.
        fresh += term->first == number + 1 && term->sentences > 1;
    }
    f[SENTENCE_content_share] = share(content, sentence->words);
    f[SENTENCE_frequency] = share(frequency * 100, (double)content * scene->words);
    f[SENTENCE_top_terms] = (top > TOP_TERMS ? TOP_TERMS : top) / (double)TOP_TERMS;
    f[SENTENCE_rarity] = share(rarity, sentence->part_count) / 4;
    f[SENTENCE_fresh] = share(fresh, sentence->part_count);
}

// Counts of one pass over the tokens of a sentence.
struct shape {
    uint32_t capitals, names, numbers, money, quotes, quoted, brackets, days, sayings, negatives,
        commas, dashes, colons;
};

static void count_mark(const struct scene *scene, uint32_t i, bool early, struct shape *shape)
{
    struct view mark = text_at(scene, i);
    switch (mark.at[0]) {
    case ',':
        shape->commas++;
        break;
    case '(':
        shape->brackets++;
        break;
    case '-':
        shape->dashes++;
        break;
    case ':':
        shape->colons += early;
        break;
    case '"':
        shape->quotes++;
        break;
    case '$':
    case '%':
        shape->money++;
        break;
    default:
        shape->quotes += view_equal(mark, VIEW("“")) || view_equal(mark, VIEW("”"));
        shape->dashes += view_equal(mark, VIEW("–")) || view_equal(mark, VIEW("—"));
        shape->money += view_equal(mark, VIEW("€")) || view_equal(mark, VIEW("£"));
    }
}

static struct shape count_shape(const struct scene *scene, const struct sentence *sentence)
{
    const struct story *story = scene->story;
    struct shape shape = {0};
    for (uint32_t i = sentence->first; i < sentence->end; i++) {
        const struct token *token = token_at(scene, i);
        const struct word *word = &story->words[i];
        if (token->kind == TOKEN_PUNCTUATION || token->kind == TOKEN_SYMBOL) {
            count_mark(scene, i, i < sentence->first + 5, &shape);
        }
        bool capital = token->kind == TOKEN_WORD && token->letters != CASE_LOWER &&
                       token->letters != CASE_NONE && i > sentence->first;
        shape.capitals += capital;
        shape.names += capital && story->terms[word->term].content &&
                       story->terms[word->term].count >= NAME_COUNT_LEAST;
        shape.numbers += token->kind == TOKEN_NUMBER;
        shape.days += (word->classes & WORD_DAY) != 0;
        shape.sayings += (word->classes & WORD_SAYING) != 0;
        shape.negatives += (word->classes & WORD_NEGATIVE) != 0;
        shape.quoted += shape.quotes % 2;
    }
    return shape;
}

static void rate_shape(const struct scene *scene, const struct sentence *sentence, double *f)
{
    struct shape shape = count_shape(scene, sentence);
    struct view first = text_at(scene, sentence->first);
    uint32_t classes = scene->story->words[sentence->first].classes;
    double words = sentence->words;
    f[SENTENCE_capitals] = share(shape.capitals, words);
    f[SENTENCE_names] = shape.names / 5.0;
    f[SENTENCE_numbers] = shape.numbers / 3.0;
    f[SENTENCE_money] = shape.money > 0;
    f[SENTENCE_has_quote] = shape.quotes > 0;
    f[SENTENCE_opens_quote] = first.at[0] == '"' || first.at[0] == '\'' ||
                              view_equal(first, VIEW("“")) || view_equal(first, VIEW("‘"));
    f[SENTENCE_quote_share] = share(shape.quoted, sentence->end - sentence->first);
    f[SENTENCE_pronoun] = (classes & WORD_PRONOUN) != 0;
    f[SENTENCE_connective] = (classes & WORD_CONNECTIVE) != 0;
    f[SENTENCE_colon] = shape.colons > 0;
    f[SENTENCE_bracket] = shape.brackets > 0;
    f[SENTENCE_days] = shape.days > 0;
    f[SENTENCE_saying] = shape.sayings > 0;
    f[SENTENCE_negative] = shape.negatives > 0;
    f[SENTENCE_commas] = share(shape.commas * 10, words);
    f[SENTENCE_dashes] = shape.dashes / 2.0;
}

// Adds to each usable sentence the relevance of the entities it names, each once.
static void rate_entities(const struct scene *scene, struct rating *ratings)
{
    const struct article *article = scene->story->article;
    for (size_t e = 0; e < article->entity_count; e++) {
        const struct entity *entity = &article->entities[e];
        uint32_t i = 0;
        uint32_t counted = scene->count;
        for (size_t m = 0; m < entity->mentions.len && i < scene->count; m++) {
            uint32_t start = entity->mentions.at[m].start;
            while (i < scene->count &&
                   scene->story->sentences[ratings[i].sentence].span.end <= start) {
                i++;
            }
            if (i < scene->count && i != counted &&
                scene->story->sentences[ratings[i].sentence].span.start <= start) {
                ratings[i].features[SENTENCE_entities] += entity->relevance;
                counted = i;
            }
        }
    }
    for (uint32_t i = 0; i < scene->count; i++) {
        double *sum = &ratings[i].features[SENTENCE_entities];
        *sum = (*sum > 3 ? 3 : *sum) / 3;
    }
}

static void rate_ranks(const struct scene *scene, struct rating *ratings)
{
    static const enum sentence_feature ranked[][2] = {
        {SENTENCE_centrality, SENTENCE_rank_centrality},
        {SENTENCE_frequency, SENTENCE_rank_frequency},
        {SENTENCE_like_lead, SENTENCE_rank_lead},
        {SENTENCE_later_likeness, SENTENCE_rank_later},
    };
    for (size_t r = 0; r < sizeof ranked / sizeof ranked[0]; r++) {
        for (uint32_t i = 0; i < scene->count; i++) {
            uint32_t better = 0;
            for (uint32_t j = 0; j < scene->count; j++) {
                better += ratings[j].features[ranked[r][0]] > ratings[i].features[ranked[r][0]];
            }
            ratings[i].features[ranked[r][1]] = better / (double)scene->count;
        }
    }
}

// How often the TOP_TERMSth most frequent content term occurs.
static uint32_t find_top_count(const struct story *story)
{
    uint32_t top[TOP_TERMS] = {0};
    for (uint32_t i = 0; i < story->term_count; i++) {
        uint32_t count = story->terms[i].content ? story->terms[i].count : 0;
        int at = TOP_TERMS;
        while (at > 0 && top[at - 1] < count) {
            at--;
        }
        if (at < TOP_TERMS) {
            memmove(top + at + 1, top + at, (size_t)(TOP_TERMS - 1 - at) * sizeof *top);
            top[at] = count;
        }
    }
    return top[TOP_TERMS - 1];
}

static bool set_scene(struct scene *scene, const struct story *story)
{
    uint32_t *usable = arena_alloc(story->arena, (story->usable + 1) * sizeof *usable);
    *scene = (struct scene){.story = story, .usable = usable, .count = story->usable};
    if (!usable) {
        return false;
    }
    for (uint32_t i = 0; i < story->count; i++) {
        const struct sentence *sentence = &story->sentences[i];
        scene->words += sentence->words;
        if (sentence->fault == FAULT_NONE) {
            usable[sentence->place] = i;
        }
    }
    scene->top_count = find_top_count(story);
    scene->has_paragraphs = story->sentences[story->count - 1].paragraph > 0;
    return true;
}

double rate_again(const struct rating *rating, const struct sentence_weights *weights)
{
    double score = 0;
    for (int i = 0; i < SENTENCE_FEATURE_COUNT; i++) {
        score += weights->at[i] * rating->features[i];
    }
    return score;
}

struct rating *rate_sentences(const struct story *story, const struct sentence_weights *weights)
{
    struct scene scene;
    struct rating *ratings = arena_zalloc(story->arena, story->usable + 1, sizeof *ratings);
    if (!ratings || !set_scene(&scene, story)) {
        return NULL;
    }
    for (uint32_t i = 0; i < scene.count; i++) {
        uint32_t number = scene.usable[i];
        const struct sentence *sentence = &story->sentences[number];
        double *f = ratings[i].features;
        ratings[i].sentence = number;
        rate_place(&scene, sentence, f);
        rate_length(&scene, sentence, number, f);
        rate_likeness(&scene, sentence, number, f);
        rate_title(&scene, sentence, number, f);
        rate_terms(&scene, sentence, number, f);
        rate_shape(&scene, sentence, f);
    }
    rate_entities(&scene, ratings);
    rate_ranks(&scene, ratings);
    for (uint32_t i = 0; i < scene.count; i++) {
        ratings[i].score = rate_again(&ratings[i], weights);
    }
    return ratings;
}

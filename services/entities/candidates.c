#include "services/entities/candidates.h"

static bool may_start(uint8_t role)
{
    return role == ROLE_NAME || role == ROLE_NUMBER || role == ROLE_START;
}

static bool may_end(uint8_t role)
{
    return role == ROLE_NAME || role == ROLE_NUMBER || role == ROLE_TAIL;
}

// The end of the run that starts at `first`: behind its last token that may end a name.
static size_t run_end(const struct words *words, size_t first)
{
    size_t end = first + 1;
    size_t joins = 0;
    for (size_t i = first + 1; i < words->len && i - first < RUN_LIMIT; i++) {
        if (words->tokens[i].starts_sentence || words->at[i].role == ROLE_OTHER) {
            break;
        }
        joins = may_end(words->at[i].role) ? 0 : joins + 1;
        if (joins > JOIN_LIMIT) {
            break;
        }
        end = joins == 0 ? i + 1 : end;
    }
    return end;
}

static bool has_name(const struct words *words, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        if (words->at[i].role == ROLE_NAME) {
            return true;
        }
    }
    return false;
}

bool candidates_next_run(const struct words *words, size_t *from, struct run *run)
{
    for (size_t i = *from; i < words->len;) {
        if (!may_start(words->at[i].role)) {
            i++;
            continue;
        }
        size_t end = run_end(words, i);
        if (has_name(words, i, end)) {
            *run = (struct run){(uint32_t)i, (uint32_t)end};
            *from = end;
            return true;
        }
        i = end;
    }
    *from = words->len;
    return false;
}

// "Tuesday", "March": a date, unless people are called so, too.
static bool is_date_word(const struct words *words, size_t i)
{
    uint32_t people = lexicon_bit(LIST_FIRST_NAMES) | lexicon_bit(LIST_SURNAMES);
    return words_in(words, i, lexicon_bit(LIST_CALENDAR)) && !words_in(words, i, people);
}

bool candidates_allow(const struct words *words, size_t first, size_t end)
{
    return end > first && end - first <= CANDIDATE_LIMIT && may_start(words->at[first].role) &&
           may_end(words->at[end - 1].role) && has_name(words, first, end) &&
           !(end == first + 1 && is_date_word(words, first));
}

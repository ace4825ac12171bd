#include "services/clean/credit.h"

enum { LINE_LIMIT = 500, NAME_LIMIT = 60 };

static struct view strip(struct view name)
{
    static const char marks[] = ",.;:()[]-*|/";
    name = view_trim(name);
    while (name.len > 0 && strchr(marks, name.at[0])) {
        name = view_trim(view_slice(name, 1, name.len));
    }
    while (name.len > 0 && strchr(marks, name.at[name.len - 1])) {
        name = view_trim(view_slice(name, 0, name.len - 1));
    }
    return name;
}

void credit_add(struct credits *credits, struct view name, const char *role, bool in_byline)
{
    name = strip(name);
    if (name.len < 2 || name.len > NAME_LIMIT || credits->len == CREDIT_LIMIT) {
        return;
    }
    for (size_t i = 0; i < credits->len; i++) {
        if (view_equal_nocase(credits->at[i].name, name)) {
            return;
        }
    }
    credits->at[credits->len++] = (struct credit){name, role, in_byline};
}

bool credit_is_agency(struct view name, const struct table_list *agencies, struct view *known_as)
{
    char key[NAME_LIMIT];
    name = strip(name);
    if (name.len == 0 || name.len > sizeof key) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        key[i] = name.at[i] >= 'A' && name.at[i] <= 'Z' ? (char)(name.at[i] + 32) : name.at[i];
    }
    return table_find(agencies, (struct view){key, name.len}, known_as);
}

// Adds the names of "Ana Brito in Lisbon and Luc Fabre in Paris".
static void add_people(struct credits *credits, struct view text, const char *role, bool in_byline,
                       const struct table_list *agencies)
{
    while (text.len > 0) {
        size_t cut = view_find(text, VIEW(" and "), 0), size = 5;
        size_t comma = view_find(text, VIEW(", "), 0);
        size_t amp = view_find(text, VIEW(" & "), 0);
        if (comma < cut) {
            cut = comma;
            size = 2;
        }
        if (amp < cut) {
            cut = amp;
            size = 3;
        }
        struct view name = view_slice(text, 0, cut);
        name = view_slice(name, 0, view_find(name, VIEW(" in "), 0));
        bool agency = credit_is_agency(name, agencies, NULL);
        credit_add(credits, name, agency ? "agency" : role, in_byline || agency);
        text = view_slice(text, cut + size, text.len);
    }
}

static const struct {
    const char *opening;
    const char *role;
    bool in_byline;
} clauses[] = {
    {"additional reporting by ", "additional", false},
    {"additional reporting and ", "additional", false},
    {"additional writing by ", "additional", false},
    {"reporting and writing by ", "reporting", true},
    {"reporting by ", "reporting", true},
    {"reported by ", "reporting", true},
    {"writing by ", "writing", false},
    {"written by ", "writing", true},
    {"editing by ", "editing", false},
    {"edited by ", "editing", false},
    {"compiled by ", "writing", false},
    {"with additional reporting by ", "additional", false},
    {"with reporting by ", "additional", false},
    {"with additional input by ", "additional", true},
    {"with additional input from ", "additional", true},
    {"with input from ", "additional", false},
    {"with inputs from ", "additional", false},
    {"with agency inputs", "additional", false},
};

static bool read_clause(struct credits *credits, struct view clause,
                        const struct table_list *agencies)
{
    clause = strip(clause);
    for (size_t i = 0; i < sizeof clauses / sizeof clauses[0]; i++) {
        if (view_starts_nocase(clause, view_of(clauses[i].opening))) {
            struct view people = view_slice(clause, strlen(clauses[i].opening), clause.len);
            add_people(credits, people, clauses[i].role, clauses[i].in_byline, agencies);
            return true;
        }
    }
    return false;
}

// "Reporting by A; Additional reporting by B; Editing by C"
static bool read_block(struct credits *credits, struct view line, const struct table_list *agencies)
{
    bool any = false;
    while (line.len > 0) {
        size_t cut = view_find(line, VIEW(";"), 0);
        bool read = read_clause(credits, view_slice(line, 0, cut), agencies);
        if (!read && !any) {
            return false;
        }
        any = true;
        line = view_slice(line, cut + 1, line.len);
    }
    return any;
}

// "NNP": an agency that no list knows still signs with its initials.
static bool is_initials(struct view name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] < 'A' || name.at[i] > 'Z') {
            return false;
        }
    }
    return name.len >= 2 && name.len <= 6;
}

// "AFP with additional input by GVS News Desk"
static bool read_agency_with(struct credits *credits, struct view line,
                             const struct table_list *agencies)
{
    size_t with = view_find(line, VIEW(" with "), 0);
    struct view head = view_slice(line, 0, with);
    if (with == line.len || !(credit_is_agency(head, agencies, NULL) || is_initials(head))) {
        return false;
    }
    size_t before = credits->len;
    credit_add(credits, head, "agency", true);
    if (!read_clause(credits, view_slice(line, with + 1, line.len), agencies)) {
        credits->len = before;
        return false;
    }
    return true;
}

// "The Associated Press contributed to this report."
static bool read_contributed(struct credits *credits, struct view line,
                             const struct table_list *agencies)
{
    static const char *const endings[] = {
        " contributed to this report", " contributed to this story", " contributed to this article",
        " contributed reporting", " contributed to reporting"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t hit = view_find(line, view_of(endings[i]), 0);
        if (hit < line.len && hit + strlen(endings[i]) + 2 >= line.len) {
            add_people(credits, view_slice(line, 0, hit), "additional", false, agencies);
            return true;
        }
    }
    return false;
}

// "Source: AFP", "With inputs from AFP", "- Reuters", "AFP"
static bool read_agencies(struct credits *credits, struct view line,
                          const struct table_list *agencies)
{
    static const char *const openings[] = {
        "source: ", "sources: ", "quelle: ", "fuente: ", "fonte: ", "source : ", "agency: "};
    struct view text = line, name;
    for (size_t i = 0; i < sizeof openings / sizeof openings[0]; i++) {
        if (view_starts_nocase(text, view_of(openings[i]))) {
            text = view_slice(text, strlen(openings[i]), text.len);
        }
    }
    struct credits found = {.len = 0};
    struct view rest = strip(text);
    while (rest.len > 0) {
        size_t cut = 0;
        while (cut < rest.len && !strchr("/,;+&", rest.at[cut])) {
            cut++;
        }
        name = strip(view_slice(rest, 0, cut));
        if (!credit_is_agency(name, agencies, NULL)) {
            return false;
        }
        credit_add(&found, name, "agency", true);
        rest = view_slice(rest, cut + 1, rest.len);
    }
    for (size_t i = 0; i < found.len; i++) {
        credit_add(credits, found.at[i].name, "agency", true);
    }
    return found.len > 0;
}

bool credit_of_line(struct credits *credits, struct view line, const struct table_list *agencies)
{
    struct view text = strip(line);
    if (text.len == 0 || line.len > LINE_LIMIT) {
        return false;
    }
    return read_block(credits, text, agencies) || read_agency_with(credits, text, agencies) ||
           read_contributed(credits, text, agencies) || read_agencies(credits, text, agencies);
}

bool credit_is_signoff(struct view line)
{
    size_t slashes = 0, run = 0;
    line = view_trim(line);
    for (size_t i = 0; i < line.len; i++) {
        char c = line.at[i];
        if (c == '/' && run > 0) {
            slashes++;
            run = 0;
        } else if (c >= 'a' && c <= 'z' && run < 4) {
            run++;
        } else {
            return false;
        }
    }
    return slashes > 0 && run > 0;
}

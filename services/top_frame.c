#include "services/top_frame.h"

#include <stdio.h>

enum { CELL = 24, LINE_BYTES = 512, NAME_BYTES = 96 };

// What is being printed.
struct sheet {
    const struct top_frame *frame;
    struct buf *out;
    size_t lines;
    double seconds; // between the two answers; 0: no rates
};

// ---- Cells

// Counts in at most five columns: 12345, 123k, 4.1M.
static void write_count(double value, char cell[CELL])
{
    static const char units[] = "kMGT";
    size_t unit = 0;
    if (value < 100000) {
        snprintf(cell, CELL, "%.0f", value);
        return;
    }
    for (value /= 1000; value >= 1000 && unit < 3; unit++) {
        value /= 1000;
    }
    snprintf(cell, CELL, value < 10 ? "%.1f%c" : "%.0f%c", value, units[unit]);
}

static void write_duration(double ms, char cell[CELL])
{
    if (ms < 1000) {
        snprintf(cell, CELL, "%.0fms", ms);
    } else if (ms < 120000) {
        snprintf(cell, CELL, "%.1fs", ms / 1000);
    } else if (ms < 7200000) {
        snprintf(cell, CELL, "%.0fmin", ms / 60000);
    } else {
        snprintf(cell, CELL, "%.1fh", ms / 3600000);
    }
}

static void write_rate(const struct sheet *sheet, double now, double before, char cell[CELL])
{
    double rate = sheet->seconds > 0 ? (now - before) / sheet->seconds : 0;
    if (sheet->seconds <= 0 || rate < 0) {
        snprintf(cell, CELL, "-");
    } else if (rate < 10000) {
        snprintf(cell, CELL, "%.1f", rate);
    } else {
        write_count(rate, cell);
    }
}

// Cuts a name to `columns` and fills it up; what is not printable becomes '?'.
static void write_name(struct view name, size_t columns, char out[NAME_BYTES])
{
    size_t used = 0;
    size_t shown = 0;
    for (size_t i = 0; i < name.len && used + 5 < NAME_BYTES; i++) {
        unsigned char c = (unsigned char)name.at[i];
        unsigned char next = i + 1 < name.len ? (unsigned char)name.at[i + 1] : 0;
        bool begins = (c & 0xc0) != 0x80;
        bool steers = c < 0x20 || c == 0x7f || (c == 0xc2 && next < 0xa0);
        if (begins && shown == columns) {
            break;
        }
        shown += begins;
        out[used++] = steers ? '?' : (char)c;
        i += steers && c == 0xc2;
    }
    while (shown < columns && used + 1 < NAME_BYTES) {
        out[used++] = ' ';
        shown++;
    }
    out[used] = '\0';
}

// ---- Lines

static bool is_full(const struct sheet *sheet)
{
    return sheet->lines >= sheet->frame->rows;
}

// Ends a line, cut to the width of the terminal between two characters.
static void print_line(struct sheet *sheet, const char *line)
{
    size_t len = 0;
    size_t columns = 0;
    if (is_full(sheet)) {
        return;
    }
    while (line[len]) {
        bool begins = ((unsigned char)line[len] & 0xc0) != 0x80;
        if (begins && columns == sheet->frame->width) {
            break;
        }
        columns += begins;
        len++;
    }
    buf_add(sheet->out, (struct view){line, len});
    buf_add_char(sheet->out, '\n');
    sheet->lines++;
}

static void print_head(struct sheet *sheet)
{
    const struct node *now = sheet->frame->now;
    char line[LINE_BYTES], up[CELL];
    write_duration(node_number(now, VIEW("up_ms")), up);
    snprintf(line, sizeof line, "copydesk at %.200s   session %.*s   up %s", sheet->frame->broker,
             VIEW_ARGS(view_slice(node_text(now, VIEW("session")), 0, 16)), up);
    print_line(sheet, line);
}

static void print_away(struct sheet *sheet)
{
    char line[LINE_BYTES], since[CELL];
    write_duration((double)sheet->frame->away_ms, since);
    snprintf(line, sizeof line, "the broker is away for %s; trying again", since);
    print_line(sheet, line);
    snprintf(line, sizeof line, "%.400s", sheet->frame->away);
    print_line(sheet, line);
}

static void print_totals(struct sheet *sheet)
{
    const struct node *now = sheet->frame->now;
    const struct node *articles = node_member(now, VIEW("articles"));
    const struct node *door = node_member(now, VIEW("door"));
    const struct node *earlier = node_member(sheet->frame->before, VIEW("articles"));
    char line[LINE_BYTES], state[NAME_BYTES], rate[CELL];
    double complete = node_number(articles, VIEW("complete"));
    write_rate(sheet, complete, node_number(earlier, VIEW("complete")), rate);
    struct view text = view_slice(node_text(door, VIEW("state")), 0, 60);
    write_name(text, text.len, state);
    snprintf(line, sizeof line,
             "door %s   accepted %.0f   complete %.0f (%s/s)   live %.0f   dead %.0f", state,
             node_number(door, VIEW("accepted")), complete, rate,
             node_number(articles, VIEW("live")), node_number(articles, VIEW("dead")));
    print_line(sheet, line);
}

static void print_journal(struct sheet *sheet)
{
    const struct node *journal = node_member(sheet->frame->now, VIEW("journal"));
    const struct node *memory = node_member(sheet->frame->now, VIEW("memory"));
    const double mib = 1024.0 * 1024.0;
    char line[LINE_BYTES];
    int used = snprintf(
        line, sizeof line, "journal %.1f MiB   articles in memory %.1f MiB",
        node_number(journal, VIEW("bytes")) / mib,
        (node_number(memory, VIEW("documents")) + node_number(memory, VIEW("sections"))) / mib);
    if (node_member(journal, VIEW("sync_p50_us"))) {
        snprintf(line + used, sizeof line - (size_t)used, "   sync p50 %.1f ms p99 %.1f ms",
                 node_number(journal, VIEW("sync_p50_us")) / 1000,
                 node_number(journal, VIEW("sync_p99_us")) / 1000);
    }
    print_line(sheet, line);
}

// ---- Stages

// The element of an array whose `key` and `second` are as those of `like`, or NULL.
static const struct node *find_like(const struct node *array, const struct node *like,
                                    struct view key, struct view second)
{
    const struct node *node = array ? array->child : NULL;
    while (node && !(view_equal(node_text(node, key), node_text(like, key)) &&
                     view_equal(node_text(node, second), node_text(like, second)))) {
        node = node->next;
    }
    return node;
}

static void print_stage(struct sheet *sheet, const struct node *stage)
{
    const struct node *ready = node_member(stage, VIEW("ready"));
    const struct node *earlier = find_like(node_member(sheet->frame->before, VIEW("stages")), stage,
                                           VIEW("name"), VIEW("name"));
    const double counts[] = {
        node_number(ready, VIEW("flash")),   node_number(ready, VIEW("urgent")),
        node_number(ready, VIEW("routine")), node_number(ready, VIEW("backfill")),
        node_number(stage, VIEW("delayed")), node_number(stage, VIEW("leased")),
    };
    char line[LINE_BYTES], name[NAME_BYTES], cell[CELL];
    write_name(node_text(stage, VIEW("name")), 11, name);
    write_count(node_number(stage, VIEW("workers")), cell);
    size_t used = (size_t)snprintf(line, sizeof line, "%s%c%4s", name,
                                   node_member(stage, VIEW("note")) ? '!' : ' ', cell);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        write_count(counts[i], cell);
        used += (size_t)snprintf(line + used, sizeof line - used, " %5s", cell);
    }
    write_duration(node_number(stage, VIEW("oldest_ms")), cell);
    used += (size_t)snprintf(line + used, sizeof line - used, " %7s", cell);
    write_rate(sheet, node_number(stage, VIEW("done")), node_number(earlier, VIEW("done")), cell);
    used += (size_t)snprintf(line + used, sizeof line - used, " %7s", cell);
    write_count(node_number(stage, VIEW("failed")), cell);
    used += (size_t)snprintf(line + used, sizeof line - used, " %5s", cell);
    write_count(node_number(stage, VIEW("dead")), cell);
    snprintf(line + used, sizeof line - used, " %5s", cell);
    print_line(sheet, line);
}

static void print_note(struct sheet *sheet, const struct node *stage)
{
    char line[LINE_BYTES], name[NAME_BYTES];
    struct view text = node_text(stage, VIEW("name"));
    write_name(text, text.len, name);
    snprintf(line, sizeof line, "! stage %s: %.*s", name,
             VIEW_ARGS(node_text(stage, VIEW("note"))));
    print_line(sheet, line);
}

static void print_stages(struct sheet *sheet)
{
    const struct node *stages = node_member(sheet->frame->now, VIEW("stages"));
    print_line(sheet, "");
    print_line(sheet, "STAGE        WRK FLASH   URG  ROUT  BACK DELAY LEASE  OLDEST  RATE/S  FAIL"
                      "  DEAD");
    for (const struct node *stage = stages ? stages->child : NULL; stage; stage = stage->next) {
        print_stage(sheet, stage);
    }
    for (const struct node *stage = stages ? stages->child : NULL; stage; stage = stage->next) {
        if (node_member(stage, VIEW("note"))) {
            print_note(sheet, stage);
        }
    }
}

// ---- Workers

static void print_worker(struct sheet *sheet, const struct node *peer)
{
    const struct node *earlier = find_like(node_member(sheet->frame->before, VIEW("peers")), peer,
                                           VIEW("name"), VIEW("stage"));
    char line[LINE_BYTES], name[NAME_BYTES], stage[NAME_BYTES];
    char credit[CELL], done[CELL], rate[CELL], heard[CELL];
    write_name(node_text(peer, VIEW("name")), 32, name);
    write_name(node_text(peer, VIEW("stage")), 11, stage);
    write_count(node_number(peer, VIEW("credit")), credit);
    write_count(node_number(peer, VIEW("done")), done);
    write_rate(sheet, node_number(peer, VIEW("done")), node_number(earlier, VIEW("done")), rate);
    write_duration(node_number(peer, VIEW("heard_ms")), heard);
    snprintf(line, sizeof line, "%s %s %6s %7s %7s %7s", name, stage, credit, done, rate, heard);
    print_line(sheet, line);
}

// In the order of the pipeline. Leaves the last line for the number of those that find no place.
static void print_workers(struct sheet *sheet)
{
    const struct node *stages = node_member(sheet->frame->now, VIEW("stages"));
    const struct node *peers = node_member(sheet->frame->now, VIEW("peers"));
    char line[LINE_BYTES];
    size_t left_out = 0;
    print_line(sheet, "");
    print_line(sheet,
               "WORKER                           STAGE       CREDIT    DONE  RATE/S   HEARD");
    for (const struct node *stage = stages ? stages->child : NULL; stage; stage = stage->next) {
        for (const struct node *peer = peers ? peers->child : NULL; peer; peer = peer->next) {
            if (!view_equal(node_text(peer, VIEW("stage")), node_text(stage, VIEW("name")))) {
                continue;
            }
            if (sheet->lines + 1 < sheet->frame->rows) {
                print_worker(sheet, peer);
            } else {
                left_out++;
            }
        }
    }
    if (left_out > 0) {
        snprintf(line, sizeof line, "and %zu more; copydesk status lists all", left_out);
        print_line(sheet, line);
    }
}

void top_frame_print(const struct top_frame *frame, struct buf *out)
{
    struct sheet sheet = {.frame = frame, .out = out};
    if (frame->now && frame->before) {
        sheet.seconds =
            (node_number(frame->now, VIEW("up_ms")) - node_number(frame->before, VIEW("up_ms"))) /
            1000;
    }
    if (frame->away) {
        print_away(&sheet);
    }
    if (frame->now) {
        print_head(&sheet);
        print_totals(&sheet);
        print_journal(&sheet);
        print_stages(&sheet);
        print_workers(&sheet);
    }
}

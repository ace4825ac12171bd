#include "services/parcel.h"

#include "common/calendar.h"

static enum status read_pubstatus(struct view name, enum wire_pubstatus *out, struct error *why)
{
    static const char *const names[] = {
        [WIRE_USABLE] = "usable", [WIRE_WITHHELD] = "withheld", [WIRE_CANCELED] = "canceled"};
    *out = WIRE_USABLE;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (view_equal(name, view_of(names[i]))) {
            *out = (enum wire_pubstatus)i;
            return OK;
        }
    }
    return name.len == 0 ? OK
                         : error_set(why, ERR_FORMAT,
                                     "1:1: 'pubstatus' is '%.*s'; expected usable, withheld or "
                                     "canceled",
                                     VIEW_ARGS(view_slice(name, 0, 40)));
}

static enum status read_embargo(struct view text, int64_t *out_ms, struct error *why)
{
    struct instant until;
    *out_ms = 0;
    if (text.len == 0) {
        return OK;
    }
    if (!calendar_parse(text, &until)) {
        return error_set(why, ERR_FORMAT,
                         "1:1: 'embargoed_until' is '%.*s'; expected a time such as "
                         "2020-08-20T06:00:00Z",
                         VIEW_ARGS(view_slice(text, 0, 40)));
    }
    *out_ms = calendar_unix_ms(&until);
    return OK;
}

static void set_trace(struct client_article *out, struct view header, struct trace_random random)
{
    struct trace_context context;
    if (!trace_parse(header, &context)) {
        context = trace_start(random);
    }
    memcpy(out->trace_id, context.trace_id, sizeof out->trace_id);
    memcpy(out->span_id, context.span_id, sizeof out->span_id);
    out->trace_flags = context.flags;
}

enum status parcel_make(struct client_article *out, struct article *article, struct view json,
                        struct view default_id, struct trace_random random, struct buf *printed,
                        struct error *why)
{
    enum status status = article_accept(article, json, default_id, why);
    *out = (struct client_article){.document = json};
    if (status == OK) {
        status = read_pubstatus(article->pubstatus, &out->pubstatus, why);
    }
    if (status == OK) {
        status = read_embargo(article->embargoed_until, &out->embargo_ms, why);
    }
    if (status != OK) {
        return status;
    }
    if (view_equal(article->id, default_id)) {
        buf_reset(printed);
        status = article_print(article, false, printed);
        if (status != OK) {
            return error_set(why, status, "no memory for an article");
        }
        out->document = buf_view(printed);
    }
    out->id = article->id;
    out->version = article->version > 0 ? (uint64_t)article->version : 1;
    out->lane = wire_lane_of_urgency((int)article->urgency);
    set_trace(out, article->traceparent, random);
    return OK;
}

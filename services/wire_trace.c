#include "services/wire_trace.h"

#include "proto/wire.h"

#include <inttypes.h>
#include <stdio.h>

// " stage 2", or nothing for a message that is about none.
static void write_stage(uint16_t stage, char *out, size_t size)
{
    out[0] = '\0';
    if (stage != WIRE_NO_STAGE) {
        snprintf(out, size, " stage %u", stage);
    }
}

void wire_trace(const struct tracer *tracer, const char *direction, uint64_t peer,
                struct view envelope, struct view body)
{
    struct wire_message message;
    char stage[16];
    if (!trace_is_on(tracer, TRACE_WIRE)) {
        return;
    }
    enum wire_fault fault = wire_parse(&message, envelope.at, envelope.len, body.at, body.len);
    if (fault != WIRE_OK) {
        trace_line(tracer, TRACE_WIRE, "%s peer %" PRIx64 " unreadable (%s): %zu + %zu bytes",
                   direction, peer, wire_fault_text(fault), envelope.len, body.len);
        return;
    }
    const struct wire_header *header = &message.header;
    write_stage(header->stage, stage, sizeof stage);
    trace_line(tracer, TRACE_WIRE,
               "%s peer %" PRIx64 " %s%s number %" PRIu64 ": %u articles, %u sections, %zu bytes",
               direction, peer, wire_type_name(header->type), stage, header->number,
               header->item_count, header->section_count, envelope.len + body.len);
}

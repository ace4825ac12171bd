// The broker's core against whatever a peer may send: messages cut out of the input, from three peers in turn, time
// moving on. Its invariants are checked after each.
#include "services/broker/core.h"

#include <stdlib.h>

static void run(struct core *core, int64_t now_ms)
{
    struct action action;
    core_tick(core, now_ms);
    core_turn(core, now_ms);
    while (core_take_action(core, &action)) {
        if (action.kind == ACTION_SEND) {
            frames_clear(&action.frames);
        } else if (action.kind == ACTION_COMMIT) {
            core_committed(core, now_ms);
        }
    }
    core_check(core);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct graph graph;
    struct core_config config = core_defaults;
    config.queue = queue_defaults;
    config.journal = journal_defaults;
    if (graph_parse(&graph, VIEW("clean = article\nexport = *\n"), NULL) != OK) {
        abort();
    }
    struct core *core = core_new(&graph, &config);
    struct view rest = {(const char *)data, size};
    int64_t now_ms = 0;
    // Each message: peer, time step, two lengths, then the bytes.
    while (core && rest.len >= 6) {
        uint64_t peer = 1 + (uint8_t)rest.at[0] % 3;
        size_t envelope_len = (uint8_t)rest.at[2] | (size_t)(uint8_t)rest.at[3] << 8;
        size_t body_len = (uint8_t)rest.at[4] | (size_t)(uint8_t)rest.at[5] << 8;
        now_ms += (uint8_t)rest.at[1] * 50;
        struct view envelope = view_slice(rest, 6, 6 + envelope_len);
        struct view body = view_slice(rest, 6 + envelope.len, 6 + envelope.len + body_len);
        core_message(core, peer, envelope, body, now_ms);
        run(core, now_ms);
        rest = view_slice(rest, 6 + envelope.len + body.len, rest.len);
    }
    core_free(core);
    return 0;
}

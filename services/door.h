// One ZeroMQ socket on a libuv loop: where messages enter and leave a process.
//
// A **router** binds and answers many peers (the broker); a dealer connects to one router (everyone else).
// Every message is two frames, [envelope][body]; proto/wire.h says what is in them, the door does not look.
//
// What it promises
//   - Everything runs in the loop's thread, except door_wake.
//   - No message waits unseen. ZMQ_FD is edge-triggered, and any send or receive may swallow its signal;
//     door.c tells how that is met. tests/unit/test_door.c floods it.
//   - Nothing blocks and nothing is dropped silently: high-water marks are off (our credit bounds what is
//     under way), sends never wait, and a peer that is gone is an error of door_send.
//   - Messages are drained a bounded number per turn of the loop, so that timers get theirs.
#ifndef COPYDESK_DOOR_H
#define COPYDESK_DOOR_H

#include "common/status.h"
#include "services/message.h"

#include <uv.h>

enum { DOOR_ENDPOINT_LIMIT = 8, DOOR_ADDRESS_BYTES = 256 };

struct door;

struct door_config {
    uv_loop_t *loop; // borrowed; must be run for the door to work
    bool router;
    const char *const *endpoints; // "tcp://127.0.0.1:5750", "ipc:///run/copydesk/broker"; copied
    size_t endpoint_count;        // a dealer has exactly one
    size_t
        frame_limit_bytes; // a peer that sends a larger frame is disconnected; 0: MESSAGE_BYTES_LIMIT
    const char *flag;      // the option that changes the endpoints, for sentences: "--listen"
    void *user;            // handed to the calls below

    // A message came. `peer` says to whom an answer goes; it names a connection, not a program: whoever
    // reconnects is another peer. 0 for a dealer. The views are lent for the call. A message that does not have
    // two frames comes as two empty views, so that its sender is told like any other.
    void (*on_message)(void *user, uint64_t peer, struct view envelope, struct view body);

    // Once per turn in which messages came, or after door_touch or door_wake: when the messages are drained and before the
    // loop may sleep. The place to answer in batches. NULL is fine.
    void (*on_turn)(void *user);

    // A dealer's connection came up or went down; on_turn follows. NULL is fine.
    void (*on_link)(void *user, bool up);
};

// What went through since the door was opened; only ever grows.
struct door_counts {
    uint64_t received, received_bytes;
    uint64_t sent, sent_bytes;
    uint64_t unreachable; // sends to a peer that was gone
    uint64_t full;        // sends that found no room
    uint64_t
        refused; // messages that did not have two frames, or came from a peer that named itself
};

// Opens the socket and binds or connects it; a dealer need not find its router up. The config is copied.
// ERR_UNREACHABLE when an address is taken, ERR_USAGE when one is malformed, ERR_IO or ERR_MEMORY when the system refuses;
// `why` names the address and the next step. A socket file that a dead process left behind is replaced.
MUST_CHECK enum status door_open(struct door **out, const struct door_config *config,
                                 struct error *why);

// Sends what is under way for at most a second, then closes; NULL is fine. The memory goes when the loop has run the
// handles' close callbacks, so run the loop until it ends. May be called from the calls above.
void door_close(struct door *door);

// Sends two frames and takes them in any case. `peer` is 0 for a dealer.
// ERR_UNREACHABLE: the peer is gone, or the dealer is not connected (as if on_link had said so). ERR_FULL: no room. ERR_MEMORY.
// Only OK means that the message is on its way, and even then it may be lost with the connection.
enum status door_send(struct door *door, uint64_t peer, struct frames *frames);

// on_turn will be called before the loop sleeps. From the loop's thread.
void door_touch(struct door *door);

// The same from any thread, and wakes the loop. Several wakes may become one on_turn. The caller sees to it that the door
// is not closed at the same time.
void door_wake(struct door *door);

// Gives up a dealer's connection and makes a new socket: what was under way is gone. on_link says when it is up again.
MUST_CHECK enum status door_reopen(struct door *door, struct error *why);

// True while a dealer is connected.
bool door_is_up(const struct door *door);

// The address of endpoint `i` as the system gave it: the port in place of '*'.
const char *door_address(const struct door *door, size_t i);

// What went through so far, borrowed from the door.
const struct door_counts *door_counts(const struct door *door);

// Why nobody answers at `endpoint`, in words for people: a name that does not resolve, a connection refused, no socket file.
// Tries to connect for at most `timeout_ms`, so only for when there is nothing else to do. False when somebody does listen.
bool door_explain(const char *endpoint, int timeout_ms, struct error *why);

#endif

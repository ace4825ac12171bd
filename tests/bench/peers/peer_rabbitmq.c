// RabbitMQ quorum queues over AMQP 0-9-1: persistent messages, publisher confirms, prefetch, cumulative acks. The endpoint is
// HOST:PORT. A stage has two connections, one that consumes and one that publishes, as its documentation advises.
#include "tests/bench/peers/peers.h"

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <stdio.h>
#include <sys/time.h>

enum { CHANNEL = 1, FRAME_BYTES = 131072, WINDOW = 2 * PEER_UNCONFIRMED };

struct peer_link {
    amqp_connection_state_t in, out;
    char to[16];
    uint64_t published;      // number of the last message; the broker counts them the same way
    uint64_t confirmed_upto; // all before it and itself are confirmed
    bool confirmed[WINDOW];  // by number modulo WINDOW, for those after confirmed_upto
    amqp_envelope_t batch[PEER_BATCH];
    size_t batch_count;
};

static void check(amqp_connection_state_t connection, const char *what)
{
    amqp_rpc_reply_t reply = amqp_get_rpc_reply(connection);
    if (reply.reply_type != AMQP_RESPONSE_NORMAL) {
        peer_fail("rabbitmq: cannot %s", what);
    }
}

static amqp_connection_state_t connect_to(const char *endpoint)
{
    amqp_connection_state_t connection = amqp_new_connection();
    amqp_socket_t *socket = amqp_tcp_socket_new(connection);
    char host[64];
    int port;
    if (sscanf(endpoint, "%63[^:]:%d", host, &port) != 2 || !socket ||
        amqp_socket_open(socket, host, port) != AMQP_STATUS_OK) {
        peer_fail("rabbitmq: cannot connect to %s", endpoint);
    }
    amqp_rpc_reply_t reply =
        amqp_login(connection, "/", 0, FRAME_BYTES, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest");
    if (reply.reply_type != AMQP_RESPONSE_NORMAL) {
        peer_fail("rabbitmq: cannot log in");
    }
    amqp_channel_open(connection, CHANNEL);
    check(connection, "open a channel");
    return connection;
}

static void rabbitmq_prepare(const char *endpoint)
{
    amqp_connection_state_t connection = connect_to(endpoint);
    for (int queue = 1; queue <= PEER_QUEUES; queue++) {
        char name[16];
        amqp_table_entry_t type = {.key = amqp_cstring_bytes("x-queue-type")};
        type.value.kind = AMQP_FIELD_KIND_UTF8;
        type.value.value.bytes = amqp_cstring_bytes("quorum");
        snprintf(name, sizeof name, "q%d", queue);
        amqp_queue_declare(connection, CHANNEL, amqp_cstring_bytes(name), 0, 1, 0, 0,
                           (amqp_table_t){1, &type});
        check(connection, "declare a queue");
    }
    amqp_connection_close(connection, AMQP_REPLY_SUCCESS);
}

static struct peer_link *rabbitmq_open(const char *endpoint, int from, int to)
{
    struct peer_link *link = peer_memory(1, sizeof *link);
    if (to > 0) {
        snprintf(link->to, sizeof link->to, "q%d", to);
        link->out = connect_to(endpoint);
        amqp_confirm_select(link->out, CHANNEL);
        check(link->out, "ask for confirms");
    }
    if (from > 0) {
        char name[16];
        snprintf(name, sizeof name, "q%d", from);
        link->in = connect_to(endpoint);
        amqp_basic_qos(link->in, CHANNEL, 0, 2 * PEER_BATCH, 0);
        check(link->in, "set the prefetch");
        amqp_basic_consume(link->in, CHANNEL, amqp_cstring_bytes(name), amqp_empty_bytes, 0, 0, 0,
                           amqp_empty_table);
        check(link->in, "consume");
    }
    return link;
}

static void rabbitmq_publish(struct peer_link *link, const struct view *bodies, size_t count)
{
    amqp_basic_properties_t properties = {._flags = AMQP_BASIC_DELIVERY_MODE_FLAG,
                                          .delivery_mode = AMQP_DELIVERY_PERSISTENT};
    for (size_t i = 0; i < count; i++) {
        amqp_bytes_t body = {bodies[i].len, (void *)(uintptr_t)bodies[i].at};
        link->published++;
        link->confirmed[link->published % WINDOW] = false;
        if (amqp_basic_publish(link->out, CHANNEL, amqp_empty_bytes, amqp_cstring_bytes(link->to),
                               0, 0, &properties, body) != AMQP_STATUS_OK) {
            peer_fail("rabbitmq: cannot publish");
        }
    }
}

static void note_confirm(struct peer_link *link, const amqp_basic_ack_t *ack)
{
    uint64_t first = ack->multiple ? link->confirmed_upto + 1 : ack->delivery_tag;
    for (uint64_t i = first; i <= ack->delivery_tag; i++) {
        link->confirmed[i % WINDOW] = true;
    }
    while (link->confirmed_upto < link->published &&
           link->confirmed[(link->confirmed_upto + 1) % WINDOW]) {
        link->confirmed_upto++;
    }
}

static void rabbitmq_confirm(struct peer_link *link, size_t left)
{
    while (link->published - link->confirmed_upto > left) {
        amqp_frame_t frame;
        if (amqp_simple_wait_frame(link->out, &frame) != AMQP_STATUS_OK) {
            peer_fail("rabbitmq: the connection broke");
        }
        if (frame.frame_type == AMQP_FRAME_METHOD) {
            if (frame.payload.method.id != AMQP_BASIC_ACK_METHOD) {
                peer_fail("rabbitmq: publishing was refused");
            }
            note_confirm(link, frame.payload.method.decoded);
        }
        amqp_maybe_release_buffers(link->out);
    }
}

static size_t rabbitmq_receive(struct peer_link *link, struct view bodies[PEER_BATCH])
{
    size_t count = 0;
    for (; count < PEER_BATCH; count++) {
        struct timeval wait = {0, count == 0 ? 500000 : 0};
        amqp_envelope_t *envelope = &link->batch[count];
        amqp_rpc_reply_t reply = amqp_consume_message(link->in, envelope, &wait, 0);
        if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION &&
            reply.library_error == AMQP_STATUS_TIMEOUT) {
            break;
        }
        if (reply.reply_type != AMQP_RESPONSE_NORMAL) {
            peer_fail("rabbitmq: cannot receive");
        }
        bodies[count] = (struct view){envelope->message.body.bytes, envelope->message.body.len};
    }
    link->batch_count = count;
    return count;
}

static void rabbitmq_ack(struct peer_link *link)
{
    if (amqp_basic_ack(link->in, CHANNEL, link->batch[link->batch_count - 1].delivery_tag, 1) !=
        0) {
        peer_fail("rabbitmq: cannot acknowledge");
    }
    for (size_t i = 0; i < link->batch_count; i++) {
        amqp_destroy_envelope(&link->batch[i]);
    }
    amqp_maybe_release_buffers(link->in);
}

const struct peer peer = {rabbitmq_prepare, rabbitmq_open,    rabbitmq_publish,
                          rabbitmq_confirm, rabbitmq_receive, rabbitmq_ack};

// Clients of the probe, see probe.c. The endpoint is ZeroMQ's. A result is an acknowledgement too, and the broker routes, so
// publishing from a stage is sending the result. Sixteen articles a message.
#include "tests/bench/peers/peers.h"
#include "tests/bench/peers/probe.h"

#include <zmq.h>

struct peer_link {
    void *socket;
    uint32_t from;
    size_t unconfirmed;
    struct probe_head head; // of what receive lent
    zmq_msg_t bodies;
};

static void probe_prepare(const char *endpoint)
{
    (void)endpoint;
}

static void send_parts(struct peer_link *link, const struct probe_head *head, zmq_msg_t *bodies)
{
    if (zmq_send(link->socket, head, sizeof *head, ZMQ_SNDMORE) < 0 ||
        zmq_msg_send(bodies, link->socket, 0) < 0) {
        peer_fail("probe: cannot send");
    }
}

static void send_empty(struct peer_link *link, struct probe_head head)
{
    zmq_msg_t none;
    zmq_msg_init(&none);
    send_parts(link, &head, &none);
}

static struct peer_link *probe_open(const char *endpoint, int from, int to)
{
    struct peer_link *link = peer_memory(1, sizeof *link);
    int none = 0;
    int half_second = 500;
    (void)to;
    link->from = (uint32_t)from;
    link->socket = zmq_socket(zmq_ctx_new(), ZMQ_DEALER);
    zmq_setsockopt(link->socket, ZMQ_SNDHWM, &none, sizeof none);
    zmq_setsockopt(link->socket, ZMQ_RCVHWM, &none, sizeof none);
    if (zmq_connect(link->socket, endpoint) != 0) {
        peer_fail("probe: cannot connect to %s", endpoint);
    }
    if (from > 0) {
        zmq_setsockopt(link->socket, ZMQ_RCVTIMEO, &half_second, sizeof half_second);
        send_empty(link, (struct probe_head){PROBE_READY, link->from, 0, 0});
    }
    return link;
}

static void send_batch(struct peer_link *link, const struct view *bodies, uint32_t count)
{
    struct probe_head head = {PROBE_PUT, 0, count, (uint32_t)bodies[0].len};
    zmq_msg_t message;
    if (zmq_msg_init_size(&message, count * bodies[0].len) != 0) {
        peer_fail("probe: no memory");
    }
    for (uint32_t i = 0; i < count; i++) {
        memcpy((char *)zmq_msg_data(&message) + i * bodies[0].len, bodies[i].at, bodies[0].len);
    }
    if (link->from > 0) {
        head.type = PROBE_RESULT;
        head.queue = link->from;
    }
    send_parts(link, &head, &message);
}

static void probe_publish(struct peer_link *link, const struct view *bodies, size_t count)
{
    for (size_t i = 0; i < count; i += PROBE_BATCH) {
        size_t some = count - i < PROBE_BATCH ? count - i : PROBE_BATCH;
        send_batch(link, bodies + i, (uint32_t)some);
    }
    link->unconfirmed += count;
}

static void probe_confirm(struct peer_link *link, size_t left)
{
    while (link->from == 0 && link->unconfirmed > left) {
        struct probe_head head;
        if (zmq_recv(link->socket, &head, sizeof head, 0) != (int)sizeof head) {
            peer_fail("probe: cannot receive");
        }
        link->unconfirmed -= head.count;
    }
}

static size_t probe_receive(struct peer_link *link, struct view bodies[PEER_BATCH])
{
    if (zmq_recv(link->socket, &link->head, sizeof link->head, 0) != (int)sizeof link->head) {
        return 0;
    }
    zmq_msg_init(&link->bodies);
    if (zmq_msg_recv(&link->bodies, link->socket, 0) < 0 ||
        zmq_msg_size(&link->bodies) != (size_t)link->head.count * link->head.body_bytes) {
        peer_fail("probe: a message that is cut");
    }
    for (size_t i = 0; i < link->head.count; i++) {
        bodies[i] = (struct view){(char *)zmq_msg_data(&link->bodies) + i * link->head.body_bytes,
                                  link->head.body_bytes};
    }
    return link->head.count;
}

static void probe_ack(struct peer_link *link)
{
    zmq_msg_close(&link->bodies);
    if (link->from == PEER_QUEUES) {
        link->head.type = PROBE_RESULT;
        send_empty(link, link->head);
    }
}

const struct peer peer = {probe_prepare, probe_open,    probe_publish,
                          probe_confirm, probe_receive, probe_ack};

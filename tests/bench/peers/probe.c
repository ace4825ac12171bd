// The probe: the least that a durable router must do, as a measure of what is within reach. Not a product: no leases, no
// retries, no recovery, one worker a queue.
//
//     probe ENDPOINT JOURNAL
//
// One ROUTER. Articles are written to the journal once when they come in, and 16 bytes each when the sink has them; a thread
// writes and syncs one buffer while the other fills (group commit), and the ingest is told what is on disk. Between, articles
// live in memory: what a stage made is handed to the next stage as the same message, never parsed and never copied. The
// journal was written before and is used again from its start, so that a sync changes no metadata.
#include "tests/bench/peers/probe.h"
#include "tests/bench/peers/peers.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

enum { JOURNAL_BYTES = 256 << 20, BUFFER_BYTES = 32 << 20, DONE_BYTES = 16, ADDRESS_BYTES = 16 };

struct address {
    char bytes[ADDRESS_BYTES];
    size_t len;
};

struct parcel {
    struct parcel *next;
    struct probe_head head;
    zmq_msg_t bodies;
};

struct line {
    struct parcel *first, **last;
    struct address worker;
    uint32_t credit;
};

// What waits to be written, and how many articles the ingest is told of afterwards.
struct commit {
    char *bytes;
    size_t len;
    uint32_t stored;
};

struct probe {
    void *socket;
    struct line lines[PEER_QUEUES + 1]; // by queue; 0 is not used
    struct parcel *spare;
    struct address ingest;
    struct commit filling;
    struct commit writing; // the thread's while `busy`
    bool busy;
    int journal, wake;
    off_t at;
    pthread_mutex_t lock;
    pthread_cond_t begin;
    bool begun;
};

// --- the journal

static void write_commit(struct probe *probe)
{
    const struct commit *commit = &probe->writing;
    if (probe->at + (off_t)commit->len > JOURNAL_BYTES) {
        probe->at = 0; // a real journal begins its next segment here
    }
    if (pwrite(probe->journal, commit->bytes, commit->len, probe->at) != (ssize_t)commit->len ||
        fdatasync(probe->journal) != 0) {
        peer_fail("probe: the journal cannot be written");
    }
    probe->at += (off_t)commit->len;
}

static void *run_journal(void *user)
{
    struct probe *probe = user;
    for (;;) {
        pthread_mutex_lock(&probe->lock);
        while (!probe->begun) {
            pthread_cond_wait(&probe->begin, &probe->lock);
        }
        probe->begun = false;
        pthread_mutex_unlock(&probe->lock);
        write_commit(probe);
        if (eventfd_write(probe->wake, 1) != 0) {
            peer_fail("probe: the loop cannot be woken");
        }
    }
}

static void append(struct probe *probe, const void *bytes, size_t len)
{
    struct commit *commit = &probe->filling;
    if (commit->len + len > BUFFER_BYTES) {
        peer_fail("probe: more than %d bytes wait for the disk", BUFFER_BYTES);
    }
    memcpy(commit->bytes + commit->len, bytes, len);
    commit->len += len;
}

static void begin_commit(struct probe *probe)
{
    if (probe->busy || probe->filling.len == 0) {
        return;
    }
    struct commit empty = {.bytes = probe->writing.bytes};
    probe->writing = probe->filling;
    probe->filling = empty;
    probe->busy = true;
    pthread_mutex_lock(&probe->lock);
    probe->begun = true;
    pthread_cond_signal(&probe->begin);
    pthread_mutex_unlock(&probe->lock);
}

static void end_commit(struct probe *probe)
{
    eventfd_t count;
    if (eventfd_read(probe->wake, &count) != 0) {
        return;
    }
    struct probe_head head = {.type = PROBE_STORED, .count = probe->writing.stored};
    if (head.count > 0) {
        zmq_send(probe->socket, probe->ingest.bytes, probe->ingest.len, ZMQ_SNDMORE);
        zmq_send(probe->socket, &head, sizeof head, 0);
    }
    probe->busy = false;
}

// --- routing

static void hand_out(struct probe *probe, uint32_t queue)
{
    struct line *line = &probe->lines[queue];
    while (line->credit > 0 && line->first) {
        struct parcel *parcel = line->first;
        line->first = parcel->next;
        if (!line->first) {
            line->last = &line->first;
        }
        line->credit--;
        zmq_send(probe->socket, line->worker.bytes, line->worker.len, ZMQ_SNDMORE);
        zmq_send(probe->socket, &parcel->head, sizeof parcel->head, ZMQ_SNDMORE);
        zmq_msg_send(&parcel->bodies, probe->socket, 0);
        parcel->next = probe->spare;
        probe->spare = parcel;
    }
}

static void enqueue(struct probe *probe, uint32_t queue, const struct probe_head *head,
                    zmq_msg_t *bodies)
{
    struct line *line = &probe->lines[queue];
    struct parcel *parcel = probe->spare ? probe->spare : peer_memory(1, sizeof *parcel);
    if (parcel == probe->spare) {
        probe->spare = parcel->next;
    }
    *parcel = (struct parcel){.head = *head};
    parcel->head.type = PROBE_WORK;
    parcel->head.queue = queue;
    zmq_msg_init(&parcel->bodies);
    zmq_msg_move(&parcel->bodies, bodies);
    *line->last = parcel;
    line->last = &parcel->next;
    hand_out(probe, queue);
}

static void on_put(struct probe *probe, const struct address *from, const struct probe_head *head,
                   zmq_msg_t *bodies)
{
    probe->ingest = *from;
    append(probe, head, sizeof *head);
    append(probe, zmq_msg_data(bodies), zmq_msg_size(bodies));
    probe->filling.stored += head->count;
    enqueue(probe, 1, head, bodies);
}

static void on_result(struct probe *probe, const struct probe_head *head, zmq_msg_t *bodies)
{
    static const char done[PROBE_BATCH * DONE_BYTES] = {0};
    probe->lines[head->queue].credit++;
    if (head->queue == PEER_QUEUES) {
        append(probe, done, head->count * DONE_BYTES);
    } else {
        enqueue(probe, head->queue + 1, head, bodies);
    }
    hand_out(probe, head->queue);
}

static bool receive_one(struct probe *probe)
{
    struct address from;
    struct probe_head head;
    zmq_msg_t bodies;
    int len = zmq_recv(probe->socket, from.bytes, sizeof from.bytes, ZMQ_DONTWAIT);
    if (len < 0) {
        return false;
    }
    from.len = (size_t)len;
    zmq_msg_init(&bodies);
    if (zmq_recv(probe->socket, &head, sizeof head, 0) != (int)sizeof head ||
        zmq_msg_recv(&bodies, probe->socket, 0) < 0 || head.queue > PEER_QUEUES ||
        head.count > PROBE_BATCH) {
        peer_fail("probe: a message that is none of ours");
    }
    if (head.type == PROBE_READY) {
        probe->lines[head.queue].worker = from;
        probe->lines[head.queue].credit = PROBE_CREDIT;
        hand_out(probe, head.queue);
    } else if (head.type == PROBE_PUT) {
        on_put(probe, &from, &head, &bodies);
    } else {
        on_result(probe, &head, &bodies);
    }
    zmq_msg_close(&bodies);
    return true;
}

static void open_probe(struct probe *probe, const char *endpoint, const char *path)
{
    int none = 0;
    probe->socket = zmq_socket(zmq_ctx_new(), ZMQ_ROUTER);
    zmq_setsockopt(probe->socket, ZMQ_SNDHWM, &none, sizeof none);
    zmq_setsockopt(probe->socket, ZMQ_RCVHWM, &none, sizeof none);
    probe->journal = open(path, O_CREAT | O_RDWR | O_TRUNC, 0600);
    probe->wake = eventfd(0, EFD_NONBLOCK);
    probe->filling.bytes = peer_memory(1, BUFFER_BYTES);
    probe->writing.bytes = peer_memory(1, BUFFER_BYTES);
    for (off_t at = 0; at < JOURNAL_BYTES; at += BUFFER_BYTES) {
        if (pwrite(probe->journal, probe->filling.bytes, BUFFER_BYTES, at) != BUFFER_BYTES) {
            peer_fail("probe: cannot write %s", path);
        }
    }
    for (int i = 0; i <= PEER_QUEUES; i++) {
        probe->lines[i].last = &probe->lines[i].first;
    }
    if (fsync(probe->journal) != 0 || zmq_bind(probe->socket, endpoint) != 0) {
        peer_fail("probe: cannot serve %s", endpoint);
    }
}

int main(int argc, char **argv)
{
    struct probe probe = {.lock = PTHREAD_MUTEX_INITIALIZER, .begin = PTHREAD_COND_INITIALIZER};
    pthread_t thread;
    if (argc != 3) {
        peer_fail("usage: probe ENDPOINT JOURNAL");
    }
    open_probe(&probe, argv[1], argv[2]);
    if (pthread_create(&thread, NULL, run_journal, &probe) != 0) {
        peer_fail("probe: no thread");
    }
    zmq_pollitem_t wait[] = {{probe.socket, 0, ZMQ_POLLIN, 0}, {NULL, probe.wake, ZMQ_POLLIN, 0}};
    for (;;) {
        zmq_poll(wait, 2, -1);
        for (int i = 0; i < 256 && receive_one(&probe); i++) {
        }
        end_commit(&probe);
        begin_commit(&probe);
    }
}

// beanstalkd: its text protocol over plain sockets, every command pipelined. The endpoint is HOST:PORT. A stage has two
// connections: one reserves and deletes, one puts. Its server syncs every 50 ms, not before it answers.
#include "tests/bench/peers/peers.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OUT_BYTES = 1 << 20, IN_BYTES = 1 << 16, LINE_BYTES = 64 };

struct stream {
    int socket;
    char *out;
    size_t out_len;
    char in[IN_BYTES];
    size_t in_at, in_len;
};

struct body {
    char *bytes;
    size_t len, room;
    uint64_t id;
};

struct peer_link {
    struct stream in, out;
    size_t unconfirmed, undeleted;
    size_t asked; // reserves in the next batch
    struct body batch[PEER_BATCH];
    size_t batch_count;
};

static void send_now(struct stream *stream)
{
    for (size_t at = 0; at < stream->out_len;) {
        ssize_t sent = write(stream->socket, stream->out + at, stream->out_len - at);
        if (sent <= 0) {
            peer_fail("beanstalkd: cannot write");
        }
        at += (size_t)sent;
    }
    stream->out_len = 0;
}

static void add(struct stream *stream, struct view bytes)
{
    if (stream->out_len + bytes.len > OUT_BYTES) {
        send_now(stream);
    }
    if (bytes.len > OUT_BYTES) {
        peer_fail("beanstalkd: an article of %zu bytes is too large", bytes.len);
    }
    memcpy(stream->out + stream->out_len, bytes.at, bytes.len);
    stream->out_len += bytes.len;
}

static void take(struct stream *stream, char *to, size_t len)
{
    for (size_t got = 0; got < len;) {
        if (stream->in_at == stream->in_len) {
            ssize_t received = read(stream->socket, stream->in, sizeof stream->in);
            if (received <= 0) {
                peer_fail("beanstalkd: the connection broke");
            }
            stream->in_at = 0;
            stream->in_len = (size_t)received;
        }
        size_t here = stream->in_len - stream->in_at;
        size_t some = len - got < here ? len - got : here;
        memcpy(to + got, stream->in + stream->in_at, some);
        stream->in_at += some;
        got += some;
    }
}

// A line without its end.
static void take_line(struct stream *stream, char line[LINE_BYTES])
{
    for (size_t len = 0; len < LINE_BYTES; len++) {
        take(stream, line + len, 1);
        if (line[len] == '\n') {
            line[len] = '\0';
            return;
        }
    }
    peer_fail("beanstalkd: a line is too long");
}

static void expect(struct stream *stream, const char *word)
{
    char line[LINE_BYTES];
    take_line(stream, line);
    if (strncmp(line, word, strlen(word)) != 0) {
        peer_fail("beanstalkd: %s in place of %s", line, word);
    }
}

static void connect_to(struct stream *stream, const char *endpoint)
{
    char host[64];
    uint16_t port;
    int one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET};
    if (sscanf(endpoint, "%63[^:]:%" SCNu16, host, &port) != 2 ||
        inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        peer_fail("beanstalkd: no HOST:PORT in %s", endpoint);
    }
    address.sin_port = htons(port);
    stream->socket = socket(AF_INET, SOCK_STREAM, 0);
    stream->out = peer_memory(1, OUT_BYTES);
    if (connect(stream->socket, (struct sockaddr *)&address, sizeof address) != 0) {
        peer_fail("beanstalkd: cannot connect to %s", endpoint);
    }
    setsockopt(stream->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

// Queues come into being when they are used.
static void beanstalkd_prepare(const char *endpoint)
{
    (void)endpoint;
}

static struct peer_link *beanstalkd_open(const char *endpoint, int from, int to)
{
    struct peer_link *link = peer_memory(1, sizeof *link);
    char command[LINE_BYTES];
    link->asked = 1;
    if (from > 0) {
        connect_to(&link->in, endpoint);
        snprintf(command, sizeof command, "watch q%d\r\nignore default\r\n", from);
        add(&link->in, view_of(command));
        send_now(&link->in);
        expect(&link->in, "WATCHING");
        expect(&link->in, "WATCHING");
    }
    if (to > 0) {
        connect_to(&link->out, endpoint);
        snprintf(command, sizeof command, "use q%d\r\n", to);
        add(&link->out, view_of(command));
        send_now(&link->out);
        expect(&link->out, "USING");
    }
    return link;
}

static void beanstalkd_publish(struct peer_link *link, const struct view *bodies, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char command[LINE_BYTES];
        snprintf(command, sizeof command, "put 1000 0 60 %zu\r\n", bodies[i].len);
        add(&link->out, view_of(command));
        add(&link->out, bodies[i]);
        add(&link->out, VIEW("\r\n"));
    }
    send_now(&link->out);
    link->unconfirmed += count;
}

static void beanstalkd_confirm(struct peer_link *link, size_t left)
{
    for (; link->unconfirmed > left; link->unconfirmed--) {
        expect(&link->out, "INSERTED");
    }
}

// Reads one answer to a reserve; false when there was nothing to reserve.
static bool take_job(struct peer_link *link, struct body *body)
{
    char line[LINE_BYTES];
    char end[2];
    take_line(&link->in, line);
    if (sscanf(line, "RESERVED %" SCNu64 " %zu", &body->id, &body->len) != 2) {
        return false;
    }
    if (body->len > body->room) {
        free(body->bytes);
        body->bytes = peer_memory(1, body->len);
        body->room = body->len;
    }
    take(&link->in, body->bytes, body->len);
    take(&link->in, end, sizeof end);
    return true;
}

static size_t beanstalkd_receive(struct peer_link *link, struct view bodies[PEER_BATCH])
{
    size_t count = 0;
    add(&link->in, VIEW("reserve-with-timeout 1\r\n"));
    for (size_t i = 1; i < link->asked; i++) {
        add(&link->in, VIEW("reserve-with-timeout 0\r\n"));
    }
    send_now(&link->in);
    for (; link->undeleted > 0; link->undeleted--) {
        expect(&link->in, "DELETED");
    }
    for (size_t i = 0; i < link->asked; i++) {
        struct body *body = &link->batch[count];
        if (take_job(link, body)) {
            bodies[count++] = (struct view){body->bytes, body->len};
        }
    }
    link->asked = count == 0 ? 1 : count * 2 < PEER_BATCH ? count * 2 : PEER_BATCH;
    link->batch_count = count;
    return count;
}

// The deletes travel with the next reserves, which follow at once.
static void beanstalkd_ack(struct peer_link *link)
{
    for (size_t i = 0; i < link->batch_count; i++) {
        char command[LINE_BYTES];
        snprintf(command, sizeof command, "delete %" PRIu64 "\r\n", link->batch[i].id);
        add(&link->in, view_of(command));
    }
    link->undeleted = link->batch_count;
}

const struct peer peer = {beanstalkd_prepare, beanstalkd_open,    beanstalkd_publish,
                          beanstalkd_confirm, beanstalkd_receive, beanstalkd_ack};

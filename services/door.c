// The pattern that never loses an edge
//
// ZMQ_FD becomes readable when the socket's state may have changed, once; any zmq call, a send too, may take that signal away.
// So the poll callback does nothing but end the sleep. Messages are received in `uv_check`, after
// the sleep, at most TURN_LIMIT at once. The last thing before sleeping, `uv_prepare`, asks for ZMQ_EVENTS
// again: when there is something, an idle handle makes libuv poll without waiting. Timers and other callbacks may send
// at will, for prepare comes after them. Measured against receiving in the poll callback: that one stalls after
// 3 messages (one per callback) or some hundred (drained in the callback).
//
// Every question to ZeroMQ costs two system calls, so none is asked whose answer is known: after ZMQ_EVENTS was read nothing changes
// unseen until the next zmq call or the descriptor's signal (`known`, `signalled`).
//
// A dealer's link: with ZMQ_IMMEDIATE a socket is writable exactly while a connection stands. A change of ZMQ_POLLOUT is therefore
// the connection coming or going, seen in the same places where messages are.
//
// Other threads ring a bell, an eventfd, and not uv_async: its receiver spins until the sender has come back from its write, and
// on a processor that both share that is when the receiver's time is over. Measured with workers that compute: a fifth of
// their CPU.
#include "services/door.h"

#include "common/trace.h"
#include "services/wire_trace.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

enum {
    TURN_LIMIT = 256,   // messages per turn of the loop
    COPY_LIMIT = 256,   // bytes: below, copying is cheaper than a hand-over with its own free
    LINGER_MS = 1000,   // how long the last messages may take to leave
    RECONNECT_MS = 100, // first pause between attempts; doubled up to the next
    RECONNECT_LIMIT_MS = 2000,
    PING_MS = 5000, // transport heartbeat: finds dead TCP connections
    PING_LIMIT_MS = 15000,
    BACKLOG = 1024,
    PEER_BYTES = 7, // of a routing id; ZeroMQ's own have 5
    FRAMES = 2,
};

// The poll handle is apart, for door_reopen leaves the old one to close while the new one works.
struct watch {
    uv_poll_t poll;
    struct door *door;
};

struct door {
    struct door_config config;
    struct tracer tracer;   // COPYDESK_TRACE=wire
    void *context, *socket; // NULL once closed
    struct watch *watch;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    uv_poll_t bell;
    int bell_file;
    atomic_bool rung; // the loop has not heard it yet
    int open_handles; // freed at 0; counts the four above and the watches
    bool touched, up, closing;
    int found;      // ZMQ_EVENTS when it was read last
    bool known;     // no zmq call since it was read
    bool signalled; // the descriptor was readable
    char addresses[DOOR_ENDPOINT_LIMIT][DOOR_ADDRESS_BYTES];
    struct door_counts counts;
};

static int ask_events(void *socket)
{
    int found = 0;
    size_t size = sizeof found;
    while (zmq_getsockopt(socket, ZMQ_EVENTS, &found, &size) != 0) {
        if (errno != EINTR) {
            return 0;
        }
    }
    return found;
}

static int events(struct door *door)
{
    if (!door->known) {
        door->found = door->socket ? ask_events(door->socket) : 0;
        door->known = true;
    }
    return door->found;
}

// A routing id as a number: its length in the lowest byte, then its bytes. 0 when it is longer than ZeroMQ makes them.
static uint64_t peer_pack(zmq_msg_t *id)
{
    uint8_t bytes[8] = {0};
    uint64_t peer;
    size_t len = zmq_msg_size(id);
    if (len == 0 || len > PEER_BYTES) {
        return 0;
    }
    bytes[0] = (uint8_t)len;
    memcpy(bytes + 1, zmq_msg_data(id), len);
    memcpy(&peer, bytes, sizeof peer);
    return peer;
}

static size_t peer_unpack(uint64_t peer, uint8_t bytes[PEER_BYTES])
{
    uint8_t packed[8];
    memcpy(packed, &peer, sizeof packed);
    memcpy(bytes, packed + 1, PEER_BYTES);
    return packed[0];
}

static struct view frame_view(zmq_msg_t *frame)
{
    return (struct view){zmq_msg_data(frame), zmq_msg_size(frame)};
}

// Receives all frames of one message: the first `wanted` into `frames`, all initialised; the rest is thrown away.
// How many there were, or 0 when no message was waiting.
static size_t receive_frames(void *socket, zmq_msg_t *frames, size_t wanted)
{
    zmq_msg_t rest;
    size_t count = 0;
    bool more = true;
    zmq_msg_init(&rest);
    while (more) {
        zmq_msg_t *frame = count < wanted ? &frames[count] : &rest;
        if (zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) < 0) {
            if (errno == EINTR) {
                continue;
            }
            break;
        }
        count++;
        more = zmq_msg_more(frame) != 0;
    }
    zmq_msg_close(&rest);
    return count;
}

static void hand_over(struct door *door, zmq_msg_t *frames, size_t count)
{
    size_t first = door->config.router ? 1 : 0;
    uint64_t peer = first ? peer_pack(&frames[0]) : 0;
    struct view envelope = VIEW(""), body = VIEW("");
    door->counts.received++;
    if (first && peer == 0) {
        door->counts.refused++; // it set a routing id of its own: PROTOCOL.md says not to
        return;
    }
    if (count == first + FRAMES) {
        envelope = frame_view(&frames[first]);
        body = frame_view(&frames[first + 1]);
        door->counts.received_bytes += envelope.len + body.len;
    } else {
        door->counts.refused++;
    }
    wire_trace(&door->tracer, "in", peer, envelope, body);
    door->config.on_message(door->config.user, peer, envelope, body);
}

// False when nothing was waiting.
static bool receive_one(struct door *door)
{
    zmq_msg_t frames[FRAMES + 1];
    size_t wanted = FRAMES + (door->config.router ? 1 : 0);
    if (!door->socket) {
        return false;
    }
    for (size_t i = 0; i < wanted; i++) {
        zmq_msg_init(&frames[i]);
    }
    door->known = false;
    size_t count = receive_frames(door->socket, frames, wanted);
    if (count > 0) {
        hand_over(door, frames, count);
    }
    for (size_t i = 0; i < wanted; i++) {
        zmq_msg_close(&frames[i]);
    }
    return count > 0;
}

static bool link_differs(const struct door *door, int found)
{
    return !door->config.router && door->socket && door->up != ((found & ZMQ_POLLOUT) != 0);
}

static void tell_link(struct door *door)
{
    if (!door->config.router && link_differs(door, events(door))) {
        door->up = !door->up;
        door->touched = true;
        if (door->config.on_link) {
            door->config.on_link(door->config.user, door->up);
        }
    }
}

// Gives the owner its turn when something happened.
static void take_turn(struct door *door)
{
    if (door->touched && !door->closing) {
        door->touched = false;
        if (door->config.on_turn) {
            door->config.on_turn(door->config.user);
        }
    }
}

static void on_poll(uv_poll_t *poll, int status, int found)
{
    // ends the sleep, no more
    struct watch *watch = poll->data;
    watch->door->signalled = true;
    (void)status;
    (void)found;
}

static void on_idle(uv_idle_t *idle)
{
    // its presence makes libuv poll without waiting
    (void)idle;
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct door *door = prepare->data;
    if (door->closing) {
        return;
    }
    int found = events(door);
    if (found & ZMQ_POLLIN || link_differs(door, found) || door->touched) {
        uv_idle_start(&door->idle, on_idle);
    } else {
        uv_idle_stop(&door->idle);
    }
}

static void on_check(uv_check_t *check)
{
    struct door *door = check->data;
    bool differs = link_differs(door, door->found); // as on_prepare saw it
    bool may_have = door->signalled || door->touched || door->found & ZMQ_POLLIN;
    int n = 0;
    door->signalled = false;
    while (may_have && n < TURN_LIMIT && receive_one(door)) {
        door->touched = true;
        n++;
    }
    if (differs || n == 0) { // what else the signal may have been for
        tell_link(door);
    }
    take_turn(door);
}

static void on_bell(uv_poll_t *bell, int status, int found)
{
    struct door *door = bell->data;
    eventfd_t rings;
    (void)status;
    (void)found;
    (void)eventfd_read(door->bell_file, &rings);
    atomic_exchange(&door->rung, false); // and sees what the ringing thread wrote before
    door->touched = true;
}

static void option_int(void *socket, int option, int value)
{
    int failed = zmq_setsockopt(socket, option, &value, sizeof value);
    assert(!failed); // a wrong option is our mistake
    (void)failed;
}

static void set_options(const struct door *door)
{
    void *socket = door->socket;
    int64_t limit = (int64_t)door->config.frame_limit_bytes;
    option_int(socket, ZMQ_SNDHWM, 0);
    option_int(socket, ZMQ_RCVHWM, 0);
    option_int(socket, ZMQ_LINGER, LINGER_MS);
    option_int(socket, ZMQ_HEARTBEAT_IVL, PING_MS);
    option_int(socket, ZMQ_HEARTBEAT_TIMEOUT, PING_LIMIT_MS);
    option_int(socket, ZMQ_BACKLOG, BACKLOG);
    option_int(socket, ZMQ_RECONNECT_IVL, RECONNECT_MS);
    option_int(socket, ZMQ_RECONNECT_IVL_MAX, RECONNECT_LIMIT_MS);
    if (door->config.router) {
        option_int(socket, ZMQ_ROUTER_MANDATORY, 1);
    } else {
        option_int(socket, ZMQ_IMMEDIATE, 1);
    }
    zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &limit, sizeof limit);
}

// The file of an ipc endpoint, or NULL.
static const char *ipc_path(const char *endpoint)
{
    return strncmp(endpoint, "ipc://", 6) == 0 ? endpoint + 6 : NULL;
}

// 0 when somebody accepts connections at the socket file, else the errno.
static int try_ipc(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        return ENAMETOOLONG;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int found = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
    close(fd);
    return found;
}

static enum status taken(const struct door *door, const char *endpoint, struct error *why)
{
    return error_set(why, ERR_UNREACHABLE,
                     "%s is taken by another program; stop that one, or choose another address "
                     "with %s",
                     endpoint, door->config.flag ? door->config.flag : "the configuration");
}

// ZeroMQ would take a socket file away from a living process: so look whether somebody listens there.
static enum status check_ipc(const struct door *door, const char *endpoint, struct error *why)
{
    const char *path = ipc_path(endpoint);
    if (!path) {
        return OK;
    }
    int found = try_ipc(path);
    if (found == ENAMETOOLONG) {
        return error_set(why, ERR_USAGE,
                         "%s is too long for a socket file (%zu characters at most); choose a "
                         "folder nearer to the root",
                         endpoint, sizeof((struct sockaddr_un *)0)->sun_path - 1);
    }
    return found == 0 ? taken(door, endpoint, why) : OK;
}

static enum status endpoint_failed(const struct door *door, const char *endpoint, int code,
                                   struct error *why)
{
    switch (code) {
    case EADDRINUSE:
        return taken(door, endpoint, why);
    case EADDRNOTAVAIL:
    case ENODEV:
        return error_set(why, ERR_UNREACHABLE, "%s: this machine has no such address", endpoint);
    case EINVAL:
    case EPROTONOSUPPORT:
    case ENOCOMPATPROTO:
        return error_set(why, ERR_USAGE, "%s is no address; write tcp://HOST:PORT or ipc://FILE",
                         endpoint);
    case ENOENT:
        return error_set(why, ERR_IO, "%s: its folder does not exist; make it first", endpoint);
    default:
        return error_set(why, code == EACCES ? ERR_UNREACHABLE : ERR_IO, "%s: %s", endpoint,
                         zmq_strerror(code));
    }
}

static enum status attach(struct door *door, size_t i, struct error *why)
{
    const char *endpoint = door->config.endpoints[i];
    size_t size = DOOR_ADDRESS_BYTES;
    if (strlen(endpoint) >= DOOR_ADDRESS_BYTES) {
        return error_set(why, ERR_USAGE, "%.80s... is too long for an address", endpoint);
    }
    if (!door->config.router) {
        if (endpoint != door->addresses[i]) {
            snprintf(door->addresses[i], DOOR_ADDRESS_BYTES, "%s", endpoint);
        }
        return zmq_connect(door->socket, endpoint) == 0
                   ? OK
                   : endpoint_failed(door, endpoint, errno, why);
    }
    enum status status = check_ipc(door, endpoint, why);
    if (status != OK) {
        return status;
    }
    if (zmq_bind(door->socket, endpoint) != 0) {
        return endpoint_failed(door, endpoint, errno, why);
    }
    if (ipc_path(endpoint)) {
        chmod(ipc_path(endpoint), S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP);
    }
    zmq_getsockopt(door->socket, ZMQ_LAST_ENDPOINT, door->addresses[i], &size);
    return OK;
}

static void on_closed(struct door *door)
{
    if (--door->open_handles == 0 && door->closing) {
        free(door);
    }
}

static void handle_closed(uv_handle_t *handle)
{
    on_closed(handle->data);
}

static void watch_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;
    on_closed(watch->door);
    free(watch);
}

// The descriptor is out of the loop's set as soon as uv_close returns, so the socket may go right after.
static void close_socket(struct door *door)
{
    if (door->watch) {
        uv_close((uv_handle_t *)&door->watch->poll, watch_closed);
        door->watch = NULL;
    }
    if (door->socket) {
        zmq_close(door->socket);
        door->socket = NULL;
    }
    door->known = false;
    door->up = false;
}

static enum status start_watch(struct door *door, struct error *why)
{
    int fd;
    size_t size = sizeof fd;
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch) {
        return error_set(why, ERR_MEMORY, "no memory for a socket");
    }
    watch->door = door;
    zmq_getsockopt(door->socket, ZMQ_FD, &fd, &size);
    int failed = uv_poll_init(door->config.loop, &watch->poll, fd);
    if (failed) {
        free(watch);
        return error_set(why, ERR_IO, "cannot watch a socket: %s", uv_strerror(failed));
    }
    watch->poll.data = watch;
    door->watch = watch;
    door->open_handles++;
    uv_poll_start(&watch->poll, UV_READABLE, on_poll);
    return OK;
}

static enum status open_socket(struct door *door, struct error *why)
{
    door->socket = zmq_socket(door->context, door->config.router ? ZMQ_ROUTER : ZMQ_DEALER);
    if (!door->socket) {
        return error_set(why, ERR_IO, "cannot make a socket: %s", zmq_strerror(errno));
    }
    set_options(door);
    for (size_t i = 0; i < door->config.endpoint_count; i++) {
        enum status status = attach(door, i, why);
        if (status != OK) {
            return status;
        }
    }
    return start_watch(door, why);
}

static void start_handles(struct door *door)
{
    uv_loop_t *loop = door->config.loop;
    uv_prepare_init(loop, &door->prepare);
    uv_check_init(loop, &door->check);
    uv_idle_init(loop, &door->idle);
    uv_poll_init(loop, &door->bell, door->bell_file);
    door->prepare.data = door->check.data = door->idle.data = door->bell.data = door;
    door->open_handles = 4;
    uv_poll_start(&door->bell, UV_READABLE, on_bell);
    uv_prepare_start(&door->prepare, on_prepare);
    uv_check_start(&door->check, on_check);
}

enum status door_open(struct door **out, const struct door_config *config, struct error *why)
{
    assert(config->on_message);
    assert(config->endpoint_count >= 1 && config->endpoint_count <= DOOR_ENDPOINT_LIMIT);
    assert(config->router || config->endpoint_count == 1);
    struct door *door = calloc(1, sizeof *door);
    *out = NULL;
    if (!door) {
        return error_set(why, ERR_MEMORY, "no memory for a socket");
    }
    door->bell_file = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (door->bell_file < 0) {
        free(door);
        return error_set(why, ERR_IO, "cannot make a socket: %s", strerror(errno));
    }
    door->config = *config;
    if (config->frame_limit_bytes == 0) {
        door->config.frame_limit_bytes = MESSAGE_BYTES_LIMIT;
    }
    start_handles(door);
    door->context = zmq_ctx_new();
    enum status status = trace_open(&door->tracer, getenv("COPYDESK_TRACE"), why);
    if (status == OK) {
        status = door->context
                     ? open_socket(door, why)
                     : error_set(why, ERR_IO, "cannot start ZeroMQ: %s", zmq_strerror(errno));
    }
    if (status != OK) {
        door_close(door);
        return status;
    }
    // The copy in `addresses` serves door_reopen: the caller's strings may be gone by then.
    for (size_t i = 0; i < config->endpoint_count; i++) {
        assert(door->addresses[i][0]);
    }
    door->config.endpoints = NULL;
    *out = door;
    return OK;
}

void door_close(struct door *door)
{
    if (!door || door->closing) {
        return;
    }
    door->closing = true;
    close_socket(door);
    if (door->context) {
        while (zmq_ctx_term(door->context) != 0 && errno == EINTR) {
        }
    }
    uv_close((uv_handle_t *)&door->prepare, handle_closed);
    uv_close((uv_handle_t *)&door->check, handle_closed);
    uv_close((uv_handle_t *)&door->idle, handle_closed);
    uv_close((uv_handle_t *)&door->bell, handle_closed);
    close(door->bell_file);
}

enum status door_reopen(struct door *door, struct error *why)
{
    assert(!door->config.router);
    const char *endpoint = door->addresses[0];
    int none = 0;
    // What was under way is given up, or the old connection would go on delivering it.
    if (door->socket) {
        zmq_setsockopt(door->socket, ZMQ_LINGER, &none, sizeof none);
    }
    if (door->up && door->config.on_link) {
        door->up = false;
        door->config.on_link(door->config.user, false);
    }
    close_socket(door);
    door->config.endpoints = &endpoint;
    enum status status = open_socket(door, why);
    door->config.endpoints = NULL;
    door->touched = true;
    return status;
}

static void free_frame(void *bytes, void *hint)
{
    (void)hint;
    free(bytes);
}

// Makes a frame of heap bytes and takes them.
static bool make_frame(zmq_msg_t *frame, char **bytes, size_t len)
{
    char *taken_bytes = *bytes;
    *bytes = NULL;
    if (len > COPY_LIMIT) {
        if (zmq_msg_init_data(frame, taken_bytes, len, free_frame, NULL) == 0) {
            return true;
        }
        free(taken_bytes);
        return false;
    }
    bool made = zmq_msg_init_size(frame, len) == 0;
    if (made && len > 0) {
        memcpy(zmq_msg_data(frame), taken_bytes, len);
    }
    free(taken_bytes);
    return made;
}

static int send_retrying(zmq_msg_t *frame, void *socket, int flags)
{
    int sent;
    do {
        sent = zmq_msg_send(frame, socket, flags | ZMQ_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return sent;
}

static enum status send_failed(struct door *door, int code)
{
    // A dealer without high-water mark is only "full" while it has no connection.
    if (code == EAGAIN && door->config.router) {
        door->counts.full++;
        return ERR_FULL;
    }
    // Whoever sends learns of the loss by the error; on_link tells when there is a connection again, even if that
    // came back before the loop looked.
    door->up = false;
    door->touched = true;
    door->counts.unreachable++;
    return ERR_UNREACHABLE;
}

// A multipart message is taken or refused as a whole; the refusal comes with its first part.
static enum status send_parts(struct door *door, zmq_msg_t *parts, size_t count)
{
    door->known = false;
    for (size_t i = 0; i < count; i++) {
        if (send_retrying(&parts[i], door->socket, i + 1 < count ? ZMQ_SNDMORE : 0) < 0) {
            return send_failed(door, errno);
        }
    }
    return OK;
}

enum status door_send(struct door *door, uint64_t peer, struct frames *frames)
{
    zmq_msg_t parts[FRAMES + 1];
    uint8_t id[PEER_BYTES];
    size_t bytes = frames->envelope_len + frames->body_len, count = 0;
    enum status status = ERR_MEMORY;
    bool made = true;
    wire_trace(&door->tracer, "out", peer, (struct view){frames->envelope, frames->envelope_len},
               (struct view){frames->body, frames->body_len});
    if (!door->socket) {
        frames_clear(frames);
        return send_failed(door, ENOTSOCK);
    }
    if (door->config.router) {
        size_t len = peer_unpack(peer, id);
        assert(len > 0 && len <= PEER_BYTES);
        made = zmq_msg_init_size(&parts[0], len) == 0;
        if (made) {
            memcpy(zmq_msg_data(&parts[count++]), id, len);
        }
    }
    made = made && make_frame(&parts[count], &frames->envelope, frames->envelope_len);
    count += made;
    made = made && make_frame(&parts[count], &frames->body, frames->body_len);
    count += made;
    if (made) {
        status = send_parts(door, parts, count);
    }
    for (size_t i = 0; i < count; i++) {
        zmq_msg_close(&parts[i]);
    }
    frames_clear(frames);
    if (status == OK) {
        door->counts.sent++;
        door->counts.sent_bytes += bytes;
    }
    return status;
}

void door_touch(struct door *door)
{
    door->touched = true;
}

void door_wake(struct door *door)
{
    if (!atomic_exchange(&door->rung, true)) {
        (void)eventfd_write(door->bell_file, 1);
    }
}

bool door_is_up(const struct door *door)
{
    return door->up;
}

const char *door_address(const struct door *door, size_t i)
{
    assert(i < door->config.endpoint_count);
    return door->addresses[i];
}

const struct door_counts *door_counts(const struct door *door)
{
    return &door->counts;
}

static int connect_within(const struct addrinfo *to, int timeout_ms)
{
    int code = 0;
    socklen_t size = sizeof code;
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return errno;
    }
    if (connect(fd, to->ai_addr, to->ai_addrlen) != 0) {
        struct pollfd waiting = {.fd = fd, .events = POLLOUT};
        code = errno;
        if (code == EINPROGRESS) {
            code = poll(&waiting, 1, timeout_ms) == 1 ? 0 : ETIMEDOUT;
        }
        if (code == 0) {
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size);
        }
    }
    close(fd);
    return code;
}

static bool explain_tcp(const char *address, int timeout_ms, struct error *why)
{
    char host[DOOR_ADDRESS_BYTES];
    const char *colon = strrchr(address, ':');
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (!colon || colon == address || (size_t)(colon - address) >= sizeof host) {
        error_set(why, ERR_USAGE, "tcp://%s is no address; write tcp://HOST:PORT", address);
        return true;
    }
    memcpy(host, address, (size_t)(colon - address));
    host[colon - address] = '\0';
    int failed = getaddrinfo(host, colon + 1, &hints, &found);
    if (failed) {
        error_set(why, ERR_UNREACHABLE, "the name '%s' does not resolve: %s", host,
                  gai_strerror(failed));
        return true;
    }
    int code = connect_within(found, timeout_ms);
    freeaddrinfo(found);
    if (code) {
        error_set(why, ERR_UNREACHABLE, "%s",
                  code == ECONNREFUSED ? "nothing listens there" : strerror(code));
    }
    return code != 0;
}

bool door_explain(const char *endpoint, int timeout_ms, struct error *why)
{
    const char *path = ipc_path(endpoint);
    if (path) {
        int code = try_ipc(path);
        if (code) {
            error_set(why, ERR_UNREACHABLE, "%s",
                      code == ENOENT         ? "there is no such socket file"
                      : code == ECONNREFUSED ? "its socket file is left over, nothing listens"
                                             : strerror(code));
        }
        return code != 0;
    }
    return strncmp(endpoint, "tcp://", 6) == 0 && explain_tcp(endpoint + 6, timeout_ms, why);
}

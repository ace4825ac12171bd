// libmicrohttpd with one thread of its own, so that a stalled loop still answers, with 503.
#include "common/ops.h"

#include "common/clock.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CONNECTION_LIMIT = 32, TIMEOUT_S = 10, ANSWER_LIMIT = 4 << 20 };

struct condition {
    const char *name;
    char reason[OPS_REASON_SIZE]; // empty: it holds
    bool is_note;                 // told, and no reason for a 503
};

struct page {
    const char *path, *content_type;
    char *body;
    size_t len;
};

struct ops {
    struct MHD_Daemon *daemon;
    struct metrics *metrics;
    uint16_t port;
    _Atomic int64_t ticked_us;

    pthread_mutex_t lock; // for all below
    struct condition conditions[OPS_CONDITION_LIMIT];
    size_t condition_count;
    struct page pages[OPS_PAGE_LIMIT];
    size_t page_count;
};

// ---- what is answered

struct answer {
    unsigned code;
    const char *content_type;
    struct buf body;
};

static void answer_health(struct ops *ops, struct answer *answer)
{
    int64_t still_ms = (clock_monotonic_us() - atomic_load(&ops->ticked_us)) / 1000;
    if (still_ms < OPS_STALL_MS) {
        buf_add(&answer->body, VIEW("ok\n"));
        return;
    }
    answer->code = MHD_HTTP_SERVICE_UNAVAILABLE;
    buf_printf(&answer->body, "the loop has not ticked for %lld ms\n", (long long)still_ms);
}

static void answer_ready(struct ops *ops, struct answer *answer)
{
    bool ready = true;
    struct buf *body = &answer->body;
    pthread_mutex_lock(&ops->lock);
    for (size_t i = 0; i < ops->condition_count; i++) {
        ready &= ops->conditions[i].is_note || ops->conditions[i].reason[0] == '\0';
    }
    buf_printf(body, "{\"ready\":%s,\"conditions\":{", ready ? "true" : "false");
    for (size_t i = 0; i < ops->condition_count; i++) {
        const struct condition *condition = &ops->conditions[i];
        buf_add(body, i > 0 ? VIEW(",") : VIEW(""));
        buf_add_json(body, view_of(condition->name));
        buf_add_char(body, ':');
        buf_add_json(body, condition->reason[0] ? view_of(condition->reason) : VIEW("ok"));
    }
    pthread_mutex_unlock(&ops->lock);
    buf_add(body, VIEW("}}\n"));
    answer->code = ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
    answer->content_type = "application/json";
}

static void answer_metrics(struct ops *ops, struct answer *answer)
{
    answer->content_type = "text/plain; version=0.0.4; charset=utf-8";
    if (ops->metrics) {
        metrics_print(ops->metrics, &answer->body);
    }
}

static void answer_version(struct ops *ops, struct answer *answer)
{
    (void)ops;
    answer->content_type = "application/json";
    buf_add(&answer->body, VIEW("{\"name\":\"copydesk\",\"version\":\"" COPYDESK_VERSION "\"}\n"));
}

static void answer_page(struct ops *ops, const char *path, struct answer *answer)
{
    answer->code = MHD_HTTP_NOT_FOUND;
    pthread_mutex_lock(&ops->lock);
    for (size_t i = 0; i < ops->page_count; i++) {
        const struct page *page = &ops->pages[i];
        if (strcmp(page->path, path) == 0) {
            answer->code = MHD_HTTP_OK;
            answer->content_type = page->content_type;
            buf_add(&answer->body, (struct view){page->body, page->len});
        }
    }
    pthread_mutex_unlock(&ops->lock);
    if (answer->code == MHD_HTTP_NOT_FOUND) {
        buf_add(&answer->body, VIEW("there are /healthz /readyz /metrics /version\n"));
    }
}

static const struct {
    const char *path;
    void (*answer)(struct ops *ops, struct answer *answer);
} routes[] = {
    {"/healthz", answer_health},
    {"/readyz", answer_ready},
    {"/metrics", answer_metrics},
    {"/version", answer_version},
};

static void answer_path(struct ops *ops, const char *path, struct answer *answer)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (strcmp(path, routes[i].path) == 0) {
            routes[i].answer(ops, answer);
            return;
        }
    }
    answer_page(ops, path, answer);
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct answer *answer)
{
    if (answer->body.full) {
        buf_clear(&answer->body);
        answer->code = MHD_HTTP_INTERNAL_SERVER_ERROR;
    }
    struct view body = buf_view(&answer->body);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.len, (void *)body.at, MHD_RESPMEM_MUST_COPY);
    if (!response) {
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->content_type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    enum MHD_Result result = MHD_queue_response(connection, answer->code, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
    (void)version;
    (void)upload;
    static const char seen;
    if (*state != &seen) { // first call: headers only; answering now would close the connection
        *state = (void *)&seen;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        *upload_size = 0;
        return MHD_YES;
    }
    struct answer answer = {.code = MHD_HTTP_OK, .content_type = "text/plain; charset=utf-8"};
    buf_init(&answer.body, ANSWER_LIMIT);
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) {
        answer_path(user, path, &answer);
    } else {
        answer.code = MHD_HTTP_METHOD_NOT_ALLOWED;
    }
    enum MHD_Result result = send_answer(connection, &answer);
    buf_clear(&answer.body);
    return result;
}

// ---- listening

// Cuts "host:port", "[host]:port" or ":port" in two.
static bool split_address(const char *listen, char *host, size_t host_size, const char **port)
{
    const char *colon = strrchr(listen, ':');
    if (!colon || colon[1] == '\0') {
        return false;
    }
    struct view name = {listen, (size_t)(colon - listen)};
    if (view_starts(name, VIEW("[")) && view_ends(name, VIEW("]"))) {
        name = view_slice(name, 1, name.len - 1);
    }
    int len = snprintf(host, host_size, "%.*s", VIEW_ARGS(name));
    *port = colon + 1;
    return len >= 0 && (size_t)len < host_size;
}

static int bind_to(const struct addrinfo *address)
{
    int on = 1;
    int file = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (file < 0) {
        return -1;
    }
    setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(file, address->ai_addr, address->ai_addrlen) != 0 || listen(file, 64) != 0) {
        int cause = errno;
        close(file);
        errno = cause;
        return -1;
    }
    return file;
}

static enum status open_socket(const char *listen, int *file, struct error *why)
{
    char host[256];
    const char *port;
    struct addrinfo *addresses = NULL;
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    if (!split_address(listen, host, sizeof host, &port) ||
        getaddrinfo(host[0] ? host : NULL, port, &hints, &addresses) != 0) {
        return error_set(why, ERR_USAGE, "cannot listen on '%s': expected host:port such as %s",
                         listen, OPS_DEFAULT_LISTEN);
    }
    *file = bind_to(addresses);
    int cause = errno;
    freeaddrinfo(addresses);
    if (*file >= 0) {
        return OK;
    }
    if (cause == EADDRINUSE) {
        return error_set(why, ERR_UNREACHABLE,
                         "%s is taken by another program: stop it, or give another address for "
                         "health and metrics",
                         listen);
    }
    return error_set(why, ERR_UNREACHABLE, "cannot listen on %s: %s", listen, strerror(cause));
}

static enum status start(struct ops *ops, const char *listen, struct error *why)
{
    int file = -1;
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    enum status status = open_socket(listen, &file, why);
    if (status != OK) {
        return status;
    }
    char port[16] = "0";
    if (getsockname(file, (struct sockaddr *)&bound, &size) == 0) {
        getnameinfo((struct sockaddr *)&bound, size, NULL, 0, port, sizeof port, NI_NUMERICSERV);
    }
    ops->port = (uint16_t)strtoul(port, NULL, 10);
    ops->daemon =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC, 0, NULL,
                         NULL, on_request, ops, MHD_OPTION_LISTEN_SOCKET, file,
                         MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTION_LIMIT,
                         MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S, MHD_OPTION_END);
    if (!ops->daemon) {
        close(file);
        return error_set(why, ERR_UNREACHABLE, "cannot serve health and metrics on %s", listen);
    }
    return OK;
}

enum status ops_open(struct ops **out, const char *listen, struct metrics *metrics,
                     struct error *why)
{
    struct ops *ops = calloc(1, sizeof *ops);
    *out = NULL;
    if (!ops || pthread_mutex_init(&ops->lock, NULL) != 0) {
        free(ops);
        return error_set(why, ERR_MEMORY, "no memory to serve health and metrics");
    }
    ops->metrics = metrics;
    ops_tick(ops);
    enum status status = start(ops, listen, why);
    if (status != OK) {
        ops_close(ops);
        return status;
    }
    *out = ops;
    return OK;
}

void ops_close(struct ops *ops)
{
    if (!ops) {
        return;
    }
    if (ops->daemon) {
        MHD_stop_daemon(ops->daemon);
    }
    for (size_t i = 0; i < ops->page_count; i++) {
        free(ops->pages[i].body);
    }
    pthread_mutex_destroy(&ops->lock);
    free(ops);
}

uint16_t ops_port(const struct ops *ops)
{
    return ops->port;
}

void ops_tick(struct ops *ops)
{
    if (ops) {
        atomic_store_explicit(&ops->ticked_us, clock_monotonic_us(), memory_order_relaxed);
    }
}

static void set_condition(struct ops *ops, const char *name, const char *reason, bool is_note)
{
    pthread_mutex_lock(&ops->lock);
    size_t i = 0;
    while (i < ops->condition_count && strcmp(ops->conditions[i].name, name) != 0) {
        i++;
    }
    assert(i < OPS_CONDITION_LIMIT);
    ops->conditions[i].name = name;
    ops->conditions[i].is_note = is_note;
    snprintf(ops->conditions[i].reason, OPS_REASON_SIZE, "%s", reason ? reason : "");
    ops->condition_count += i == ops->condition_count;
    pthread_mutex_unlock(&ops->lock);
}

void ops_condition(struct ops *ops, const char *name, const char *reason)
{
    if (ops) {
        set_condition(ops, name, reason, false);
    }
}

void ops_note(struct ops *ops, const char *name, const char *reason)
{
    if (ops) {
        set_condition(ops, name, reason, true);
    }
}

void ops_page(struct ops *ops, const char *path, const char *content_type, struct view body)
{
    char *copy = ops ? malloc(body.len + 1) : NULL;
    if (!copy) {
        return;
    }
    if (body.len > 0) {
        memcpy(copy, body.at, body.len);
    }
    pthread_mutex_lock(&ops->lock);
    size_t i = 0;
    while (i < ops->page_count && strcmp(ops->pages[i].path, path) != 0) {
        i++;
    }
    assert(i < OPS_PAGE_LIMIT);
    free(ops->pages[i].body);
    ops->pages[i] = (struct page){path, content_type, copy, body.len};
    ops->page_count += i == ops->page_count;
    pthread_mutex_unlock(&ops->lock);
}

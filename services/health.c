#include "services/health.h"

#include "common/ops.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

enum { TIMEOUT_S = 3, ANSWER_SIZE = 8192 };

static const char usage[] =
    "usage: copydesk health [--ready] [HOST:PORT]\n"
    "Exit code 0 when the service there is alive (with --ready: takes work), 1 when not.\n"
    "Without an address: " OPS_DEFAULT_LISTEN "\n";

// "http://host:port/path" to host and port.
static bool split_address(struct view address, char host[256], char port[16])
{
    if (view_starts(address, VIEW("http://"))) {
        address = view_slice(address, 7, address.len);
    }
    address = view_slice(address, 0, view_find(address, VIEW("/"), 0));
    size_t colon = address.len;
    while (colon > 0 && address.at[colon - 1] != ':') {
        colon--;
    }
    if (colon == 0) {
        return false;
    }
    struct view name = view_slice(address, 0, colon - 1);
    struct view number = view_slice(address, colon, address.len);
    if (view_starts(name, VIEW("[")) && view_ends(name, VIEW("]"))) {
        name = view_slice(name, 1, name.len - 1);
    }
    uint64_t value;
    if (name.len == 0 || name.len > 255 || !view_parse_u64(number, &value) || value > 65535) {
        return false;
    }
    snprintf(host, 256, "%.*s", VIEW_ARGS(name));
    snprintf(port, 16, "%.*s", VIEW_ARGS(number));
    return true;
}

static int connect_to(const char *host, const char *port)
{
    struct addrinfo *addresses = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    const struct timeval timeout = {.tv_sec = TIMEOUT_S};
    int file = -1;
    if (getaddrinfo(host, port, &hints, &addresses) != 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    for (const struct addrinfo *at = addresses; at && file < 0; at = at->ai_next) {
        file = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (file < 0) {
            continue;
        }
        setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
        setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
        if (connect(file, at->ai_addr, at->ai_addrlen) != 0) {
            int cause = errno;
            close(file);
            errno = cause;
            file = -1;
        }
    }
    freeaddrinfo(addresses);
    return file;
}

// Sends the request and reads the whole answer, terminated. False when the other side falls silent.
static bool ask(int file, const char *path, char answer[ANSWER_SIZE])
{
    char request[128];
    int len = snprintf(request, sizeof request,
                       "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
    size_t used = 0;
    if (send(file, request, (size_t)len, MSG_NOSIGNAL) != len) {
        return false;
    }
    while (used + 1 < ANSWER_SIZE) {
        ssize_t got = recv(file, answer + used, ANSWER_SIZE - 1 - used, 0);
        if (got < 0) {
            return false;
        }
        if (got == 0) {
            break;
        }
        used += (size_t)got;
    }
    answer[used] = '\0';
    return used > 0;
}

static int report(const char *address, const char *answer)
{
    if (strncmp(answer, "HTTP/1.1 200", 12) == 0) {
        return 0;
    }
    const char *body = strstr(answer, "\r\n\r\n");
    fprintf(stderr, "%s: %s", address,
            body && body[4] ? body + 4 : "not well, and no reason given\n");
    return 1;
}

int health_main(int argc, char **argv)
{
    const char *address = OPS_DEFAULT_LISTEN;
    const char *path = "/healthz";
    char host[256], port[16];
    char answer[ANSWER_SIZE];
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return 0;
        }
        if (strcmp(argv[i], "--ready") == 0) {
            path = "/readyz";
        } else {
            address = argv[i];
        }
    }
    if (address[0] == '-' || !split_address(view_of(address), host, port)) {
        fprintf(stderr, "health: '%s' is no address\n%s", address, usage);
        return 2;
    }
    int file = connect_to(host, port);
    if (file < 0) {
        fprintf(stderr, "%s: %s\n", address, strerror(errno));
        return 1;
    }
    bool heard = ask(file, path, answer);
    close(file);
    if (!heard) {
        fprintf(stderr, "%s: no answer within %d seconds\n", address, TIMEOUT_S);
        return 1;
    }
    return report(address, answer);
}

#include "services/door.h"

#include "common/clock.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

static struct frames frames_of(const char *envelope, struct view body)
{
    struct frames frames = {.envelope = strdup(envelope), .envelope_len = strlen(envelope)};
    if (body.len > 0) {
        frames.body = malloc(body.len);
        assert_non_null(frames.body);
        memcpy(frames.body, body.at, body.len);
        frames.body_len = body.len;
    }
    return frames;
}

// Answers every message with the same two frames and stops after the last one expected.
struct echo {
    uv_loop_t loop;
    struct door *door;
    uint64_t expected, seen, timers;
    uint64_t last_peer;
    size_t largest;
    bool odd;
};

static void echo_message(void *user, uint64_t peer, struct view envelope, struct view body)
{
    struct echo *echo = user;
    echo->seen++;
    echo->last_peer = peer;
    echo->largest = body.len > echo->largest ? body.len : echo->largest;
    if (envelope.len == 0) {
        echo->odd = true;
    } else {
        char head[64];
        snprintf(head, sizeof head, "%.*s", VIEW_ARGS(envelope));
        struct frames frames = frames_of(head, body);
        assert_int_equal(door_send(echo->door, peer, &frames), OK);
    }
    if (echo->seen == echo->expected) {
        uv_stop(&echo->loop);
    }
}

static void echo_open(struct echo *echo, const char *endpoint)
{
    struct error why = {""};
    *echo = (struct echo){.expected = 1};
    uv_loop_init(&echo->loop);
    const struct door_config config = {.loop = &echo->loop,
                                       .router = true,
                                       .endpoints = &endpoint,
                                       .endpoint_count = 1,
                                       .frame_limit_bytes = 1 << 20,
                                       .user = echo,
                                       .on_message = echo_message};
    if (door_open(&echo->door, &config, &why) != OK) {
        fail_msg("%s", why.text);
    }
}

static void echo_close(struct echo *echo)
{
    door_close(echo->door);
    uv_run(&echo->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&echo->loop), 0);
}

static void *raw_dealer(void *context, const char *address, int patience_ms)
{
    void *socket = zmq_socket(context, ZMQ_DEALER);
    int none = 0;
    zmq_setsockopt(socket, ZMQ_SNDHWM, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms);
    assert_int_equal(zmq_connect(socket, address), 0);
    return socket;
}

enum { FLOODERS = 4, BURSTS = 60, BURST_LIMIT = 700 };

struct flooder {
    pthread_t thread;
    char address[DOOR_ADDRESS_BYTES];
    uint64_t to_send, received;
    unsigned seed;
    int patience_ms; // for an answer
};

static size_t burst_size(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return 1 + (*seed >> 16) % BURST_LIMIT;
}

// The length of the next answer's body; -1 when none comes. What the timer sent is skipped.
static int receive_answer(void *socket)
{
    char room[64];
    int envelope_len, body_len;
    do {
        envelope_len = zmq_recv(socket, room, sizeof room, 0);
        body_len = envelope_len < 0 ? -1 : zmq_recv(socket, room, sizeof room, 0);
    } while (envelope_len == 1);
    return body_len;
}

// Sends in bursts, takes all answers to each, pauses now and then.
static void *flood(void *argument)
{
    struct flooder *flooder = argument;
    void *context = zmq_ctx_new();
    void *socket = raw_dealer(context, flooder->address, flooder->patience_ms);
    unsigned seed = flooder->seed;
    for (int burst = 0; burst < BURSTS; burst++) {
        size_t count = burst_size(&seed);
        for (size_t i = 0; i < count; i++) {
            zmq_send(socket, "envelope", 8, ZMQ_SNDMORE);
            zmq_send(socket, "body", 4, 0);
        }
        for (size_t i = 0; i < count; i++) {
            int len = receive_answer(socket);
            if (len < 0) {
                burst = BURSTS; // stalled: the count tells
                break;
            }
            flooder->received += len == 4;
        }
        if (seed % 3 == 0) {
            usleep(2000);
        }
    }
    zmq_close(socket);
    zmq_ctx_term(context);
    return NULL;
}

static void on_timer(uv_timer_t *timer)
{
    struct echo *echo = timer->data;
    echo->timers++;
    if (echo->last_peer) { // a send outside of the drain: it may swallow the socket's signal
        struct frames frames = frames_of("t", VIEW(""));
        door_send(echo->door, echo->last_peer, &frames);
    }
}

// How many messages they will send in all.
static uint64_t start_flood(struct flooder flooders[FLOODERS], const char *address, int patience_ms)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < FLOODERS; i++) {
        struct flooder *flooder = &flooders[i];
        *flooder = (struct flooder){.seed = 7 + i, .patience_ms = patience_ms};
        snprintf(flooder->address, sizeof flooder->address, "%s", address);
        unsigned seed = flooder->seed;
        for (int burst = 0; burst < BURSTS; burst++) {
            flooder->to_send += burst_size(&seed);
        }
        sum += flooder->to_send;
        pthread_create(&flooder->thread, NULL, flood, flooder);
    }
    return sum;
}

static void a_flood_of_bursts_never_stalls(void **state)
{
    (void)state;
    static struct flooder flooders[FLOODERS];
    struct echo echo;
    uv_timer_t timer;
    echo_open(&echo, "tcp://127.0.0.1:*");
    echo.expected = 0;
    uv_timer_init(&echo.loop, &timer);
    timer.data = &echo;
    uv_timer_start(&timer, on_timer, 3, 3);
    echo.expected = start_flood(flooders, door_address(echo.door, 0), 20000);
    uv_run(&echo.loop, UV_RUN_DEFAULT);
    echo.expected = UINT64_MAX;
    uv_timer_stop(&timer);
    // The last answers are on their way; linger delivers them.
    uv_close((uv_handle_t *)&timer, NULL);
    echo_close(&echo);
    for (int i = 0; i < FLOODERS; i++) {
        pthread_join(flooders[i].thread, NULL);
        assert_int_equal(flooders[i].received, flooders[i].to_send);
    }
    assert_true(echo.timers > 0);
}

static void stop_loop(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

// The obvious way, as a proof that the flood finds what it is for: receive in the poll callback, as many as there
// seem to be at once.
struct naive {
    void *socket;
    int per_callback;
};

static bool naive_echo(void *socket)
{
    char id[8], envelope[64], body[64];
    int id_len = zmq_recv(socket, id, sizeof id, ZMQ_DONTWAIT);
    if (id_len < 0) {
        return false;
    }
    int envelope_len = zmq_recv(socket, envelope, sizeof envelope, 0);
    int body_len = zmq_recv(socket, body, sizeof body, 0);
    zmq_send(socket, id, (size_t)id_len, ZMQ_SNDMORE);
    zmq_send(socket, envelope, (size_t)envelope_len, ZMQ_SNDMORE);
    zmq_send(socket, body, (size_t)body_len, 0);
    return true;
}

static void naive_poll(uv_poll_t *poll, int status, int found)
{
    struct naive *naive = poll->data;
    (void)status;
    (void)found;
    for (int i = 0; i < naive->per_callback && naive_echo(naive->socket); i++) {
    }
}

static uint64_t missing_after_flood(int per_callback)
{
    static struct flooder flooders[FLOODERS];
    char address[DOOR_ADDRESS_BYTES];
    size_t size = sizeof address, fd_size = sizeof(int);
    int fd, none = 0;
    uint64_t missing;
    uv_loop_t loop;
    uv_poll_t poll;
    uv_timer_t timer;
    void *context = zmq_ctx_new();
    struct naive naive = {zmq_socket(context, ZMQ_ROUTER), per_callback};
    uv_loop_init(&loop);
    zmq_setsockopt(naive.socket, ZMQ_SNDHWM, &none, sizeof none);
    zmq_setsockopt(naive.socket, ZMQ_RCVHWM, &none, sizeof none);
    zmq_setsockopt(naive.socket, ZMQ_LINGER, &none, sizeof none);
    assert_int_equal(zmq_bind(naive.socket, "tcp://127.0.0.1:*"), 0);
    zmq_getsockopt(naive.socket, ZMQ_LAST_ENDPOINT, address, &size);
    zmq_getsockopt(naive.socket, ZMQ_FD, &fd, &fd_size);
    uv_poll_init(&loop, &poll, fd);
    poll.data = &naive;
    uv_poll_start(&poll, UV_READABLE, naive_poll);
    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, stop_loop, 1500, 0);
    missing = start_flood(flooders, address, 500);
    uv_run(&loop, UV_RUN_DEFAULT);
    for (int i = 0; i < FLOODERS; i++) {
        pthread_join(flooders[i].thread, NULL);
        missing -= flooders[i].received;
    }
    uv_close((uv_handle_t *)&poll, NULL);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    zmq_close(naive.socket);
    zmq_ctx_term(context);
    assert_int_equal(uv_loop_close(&loop), 0);
    return missing;
}

static void receiving_in_the_poll_callback_stalls_under_the_same_flood(void **state)
{
    (void)state;
    assert_true(missing_after_flood(1) > 0);
    assert_true(missing_after_flood(256) > 0);
}

static void an_idle_door_uses_no_processor_time(void **state)
{
    (void)state;
    struct echo echo;
    uv_timer_t timer;
    echo_open(&echo, "tcp://127.0.0.1:*");
    uv_timer_init(&echo.loop, &timer);
    uv_timer_start(&timer, stop_loop, 1000, 0);
    int64_t before_us = clock_thread_cpu_us();
    uv_run(&echo.loop, UV_RUN_DEFAULT);
    assert_in_range(clock_thread_cpu_us() - before_us, 0, 5000); // 0.5 % of a second
    uv_close((uv_handle_t *)&timer, NULL);
    echo_close(&echo);
}

static void exchange(struct echo *echo, void *socket, const char *body, size_t len)
{
    zmq_send(socket, "e", 1, ZMQ_SNDMORE);
    zmq_send(socket, body, len, 0);
    echo->expected = echo->seen + 1;
    uv_run(&echo->loop, UV_RUN_DEFAULT);
    uv_run(&echo->loop, UV_RUN_NOWAIT);
}

static void large_and_empty_bodies_come_back_whole(void **state)
{
    (void)state;
    struct echo echo;
    void *context = zmq_ctx_new();
    static char large[300000], back[300000];
    memset(large, 'a', sizeof large);
    echo_open(&echo, "tcp://127.0.0.1:*");
    void *socket = raw_dealer(context, door_address(echo.door, 0), 20000);
    exchange(&echo, socket, large, sizeof large);
    assert_int_equal(zmq_recv(socket, back, sizeof back, 0), 1);
    assert_int_equal(zmq_recv(socket, back, sizeof back, 0), sizeof large);
    assert_memory_equal(large, back, sizeof large);
    exchange(&echo, socket, "", 0);
    assert_int_equal(zmq_recv(socket, back, sizeof back, 0), 1);
    assert_int_equal(zmq_recv(socket, back, sizeof back, 0), 0);
    zmq_close(socket);
    zmq_ctx_term(context);
    echo_close(&echo);
}

static void a_message_of_other_than_two_frames_is_handed_over_empty(void **state)
{
    (void)state;
    struct echo echo;
    void *context = zmq_ctx_new();
    echo_open(&echo, "tcp://127.0.0.1:*");
    void *socket = raw_dealer(context, door_address(echo.door, 0), 20000);
    zmq_send(socket, "a", 1, ZMQ_SNDMORE);
    zmq_send(socket, "b", 1, ZMQ_SNDMORE);
    zmq_send(socket, "c", 1, 0);
    uv_run(&echo.loop, UV_RUN_DEFAULT);
    assert_true(echo.odd);
    assert_int_equal(door_counts(echo.door)->refused, 1);
    exchange(&echo, socket, "next", 4);
    assert_int_equal(echo.largest, 4);
    zmq_close(socket);
    zmq_ctx_term(context);
    echo_close(&echo);
}

static void a_peer_that_is_gone_is_an_error_of_the_send(void **state)
{
    (void)state;
    struct echo echo;
    echo_open(&echo, "tcp://127.0.0.1:*");
    struct frames frames = frames_of("hello", VIEW("body"));
    assert_int_equal(door_send(echo.door, 0x0102030400000005u, &frames), ERR_UNREACHABLE);
    assert_null(frames.envelope);
    assert_int_equal(door_counts(echo.door)->unreachable, 1);
    echo_close(&echo);
}

static void a_taken_port_is_named_with_the_next_step(void **state)
{
    (void)state;
    struct echo echo;
    struct door *second;
    struct error why = {""};
    echo_open(&echo, "tcp://127.0.0.1:*");
    const char *address = door_address(echo.door, 0);
    const struct door_config config = {.loop = &echo.loop,
                                       .router = true,
                                       .endpoints = &address,
                                       .endpoint_count = 1,
                                       .flag = "--listen",
                                       .on_message = echo_message};
    assert_int_equal(door_open(&second, &config, &why), ERR_UNREACHABLE);
    assert_null(second);
    assert_non_null(strstr(why.text, address));
    assert_non_null(strstr(why.text, "--listen"));
    echo_close(&echo);
}

static void make_stale_socket_file(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    close(fd);
}

static void a_stale_socket_file_is_replaced_and_a_living_one_is_not(void **state)
{
    (void)state;
    char folder[] = "/tmp/copydesk-door-XXXXXX";
    char path[64], endpoint[80];
    const char *endpoints = endpoint;
    struct echo echo;
    struct door *second;
    struct error why = {""};
    struct stat found;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/broker", folder);
    snprintf(endpoint, sizeof endpoint, "ipc://%s", path);
    make_stale_socket_file(path);
    echo_open(&echo, endpoint);
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 07, 0); // nobody else's business
    const struct door_config config = {.loop = &echo.loop,
                                       .router = true,
                                       .endpoints = &endpoints,
                                       .endpoint_count = 1,
                                       .on_message = echo_message};
    assert_int_equal(door_open(&second, &config, &why), ERR_UNREACHABLE);
    assert_non_null(strstr(why.text, "taken"));
    assert_false(door_explain(endpoint, 100, &why));
    echo_close(&echo);
    assert_true(door_explain(endpoint, 100, &why));
    unlink(path);
    rmdir(folder);
}

// A dealer that says hello whenever its link is up.
struct caller {
    struct door *door;
    int ups, downs, answers;
};

static void caller_message(void *user, uint64_t peer, struct view envelope, struct view body)
{
    struct caller *caller = user;
    (void)body;
    assert_int_equal(peer, 0);
    assert_true(view_equal(envelope, VIEW("hello")));
    caller->answers++;
}

static void caller_link(void *user, bool up)
{
    struct caller *caller = user;
    if (!up) {
        caller->downs++;
        return;
    }
    caller->ups++;
    struct frames frames = frames_of("hello", VIEW(""));
    assert_int_equal(door_send(caller->door, 0, &frames), OK);
}

static void run_until(uv_loop_t *loop, const int *count, int wanted)
{
    uv_timer_t timer;
    uv_timer_init(loop, &timer);
    uv_timer_start(&timer, stop_loop, 10000, 0);
    while (*count < wanted && uv_is_active((uv_handle_t *)&timer)) {
        uv_run(loop, UV_RUN_ONCE);
    }
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(loop, UV_RUN_NOWAIT);
    assert_int_equal(*count, wanted);
}

static void a_dealer_notices_its_router_coming_going_and_coming_back(void **state)
{
    (void)state;
    char endpoint[DOOR_ADDRESS_BYTES];
    const char *endpoints = endpoint;
    struct echo echo;
    struct caller caller = {0};
    struct error why = {""};
    uv_loop_t loop;
    uv_loop_init(&loop);
    echo_open(&echo, "tcp://127.0.0.1:*");
    snprintf(endpoint, sizeof endpoint, "%s", door_address(echo.door, 0));
    echo_close(&echo);

    const struct door_config config = {.loop = &loop,
                                       .endpoints = &endpoints,
                                       .endpoint_count = 1,
                                       .user = &caller,
                                       .on_message = caller_message,
                                       .on_link = caller_link};
    assert_int_equal(door_open(&caller.door, &config, &why), OK);
    struct frames frames = frames_of("early", VIEW(""));
    assert_int_equal(door_send(caller.door, 0, &frames), ERR_UNREACHABLE);
    for (int round = 1; round <= 2; round++) {
        echo_open(&echo, endpoint);
        run_until(&loop, &caller.ups, round);
        uv_run(&echo.loop, UV_RUN_DEFAULT); // until the hello is answered
        run_until(&loop, &caller.answers, round);
        assert_true(door_is_up(caller.door));
        echo_close(&echo);
        run_until(&loop, &caller.downs, round);
    }
    echo_open(&echo, endpoint);
    run_until(&loop, &caller.ups, 3);
    assert_int_equal(door_reopen(caller.door, &why), OK);
    run_until(&loop, &caller.downs, 3);
    run_until(&loop, &caller.ups, 4);
    door_close(caller.door);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    echo_close(&echo);
}

struct waker {
    struct door *door;
    int turns;
};

static void waker_turn(void *user)
{
    struct waker *waker = user;
    waker->turns++;
}

static void *wake_from_elsewhere(void *argument)
{
    door_wake(((struct waker *)argument)->door);
    return NULL;
}

static void another_thread_can_ask_for_a_turn(void **state)
{
    (void)state;
    const char *endpoint = "tcp://127.0.0.1:*";
    struct waker waker = {0};
    struct error why = {""};
    uv_loop_t loop;
    pthread_t thread;
    uv_loop_init(&loop);
    const struct door_config config = {.loop = &loop,
                                       .router = true,
                                       .endpoints = &endpoint,
                                       .endpoint_count = 1,
                                       .user = &waker,
                                       .on_message = echo_message,
                                       .on_turn = waker_turn};
    assert_int_equal(door_open(&waker.door, &config, &why), OK);
    pthread_create(&thread, NULL, wake_from_elsewhere, &waker);
    run_until(&loop, &waker.turns, 1);
    pthread_join(thread, NULL);
    door_touch(waker.door);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(waker.turns, 2);
    door_close(waker.door);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void addresses_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"localhost:5750", "http://localhost", "tcp://", "ipc://"};
    uv_loop_t loop;
    uv_loop_init(&loop);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct door *door;
        struct error why = {""};
        const struct door_config config = {.loop = &loop,
                                           .router = true,
                                           .endpoints = &bad[i],
                                           .endpoint_count = 1,
                                           .on_message = echo_message};
        assert_int_not_equal(door_open(&door, &config, &why), OK);
        assert_true(why.text[0] != '\0');
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void why_nobody_answers_is_said_in_words(void **state)
{
    (void)state;
    struct error why = {""};
    struct echo echo;
    char endpoint[DOOR_ADDRESS_BYTES];
    echo_open(&echo, "tcp://127.0.0.1:*");
    snprintf(endpoint, sizeof endpoint, "%s", door_address(echo.door, 0));
    assert_false(door_explain(endpoint, 500, &why));
    echo_close(&echo);
    assert_true(door_explain(endpoint, 500, &why));
    assert_string_equal(why.text, "nothing listens there");
    assert_true(door_explain("ipc:///nowhere/at/all", 500, &why));
    assert_string_equal(why.text, "there is no such socket file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_of_bursts_never_stalls),
        cmocka_unit_test(receiving_in_the_poll_callback_stalls_under_the_same_flood),
        cmocka_unit_test(an_idle_door_uses_no_processor_time),
        cmocka_unit_test(large_and_empty_bodies_come_back_whole),
        cmocka_unit_test(a_message_of_other_than_two_frames_is_handed_over_empty),
        cmocka_unit_test(a_peer_that_is_gone_is_an_error_of_the_send),
        cmocka_unit_test(a_taken_port_is_named_with_the_next_step),
        cmocka_unit_test(a_stale_socket_file_is_replaced_and_a_living_one_is_not),
        cmocka_unit_test(a_dealer_notices_its_router_coming_going_and_coming_back),
        cmocka_unit_test(another_thread_can_ask_for_a_turn),
        cmocka_unit_test(addresses_that_are_none_are_refused),
        cmocka_unit_test(why_nobody_answers_is_said_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// NATS JetStream: one file-stored work-queue stream a queue, pull consumers, asynchronous publishing. The endpoint is a URL.
// Pull and not push: more articles/s and less CPU, at the cost of some latency.
#include "tests/bench/peers/peers.h"

#include <nats/nats.h>
#include <stdio.h>
#include <unistd.h>

struct peer_link {
    natsConnection *connection;
    jsCtx *stream;
    natsSubscription *subscription;
    natsMsgList batch; // what receive lent
    char to[16];
    size_t published;
    _Atomic size_t confirmed;
};

static void check(natsStatus status, const char *what)
{
    if (status != NATS_OK) {
        peer_fail("nats: %s: %s", what, natsStatus_GetText(status));
    }
}

static void on_confirmed(jsCtx *stream, natsMsg *message, jsPubAck *ack, jsPubAckErr *error,
                         void *user)
{
    struct peer_link *link = user;
    (void)stream;
    if (!ack) {
        peer_fail("nats: publishing was refused: %s", error ? error->ErrText : "no reason given");
    }
    natsMsg_Destroy(message);
    link->confirmed++;
}

static void connect_to(struct peer_link *link, const char *endpoint)
{
    jsOptions options;
    check(natsConnection_ConnectTo(&link->connection, endpoint), "connect");
    jsOptions_Init(&options);
    options.PublishAsync.MaxPending = 65536;
    options.PublishAsync.AckHandler = on_confirmed;
    options.PublishAsync.AckHandlerClosure = link;
    check(natsConnection_JetStream(&link->stream, link->connection, &options), "JetStream");
}

static void nats_prepare(const char *endpoint)
{
    struct peer_link *link = peer_memory(1, sizeof *link);
    connect_to(link, endpoint);
    for (int queue = 1; queue <= PEER_QUEUES; queue++) {
        char name[16];
        const char *subjects[] = {name};
        jsStreamConfig config;
        snprintf(name, sizeof name, "q%d", queue);
        jsStreamConfig_Init(&config);
        config.Name = name;
        config.Subjects = subjects;
        config.SubjectsLen = 1;
        config.Retention = js_WorkQueuePolicy;
        config.Storage = js_FileStorage;
        check(js_AddStream(NULL, link->stream, &config, NULL, NULL), "add a stream");
    }
}

static struct peer_link *nats_open(const char *endpoint, int from, int to)
{
    struct peer_link *link = peer_memory(1, sizeof *link);
    connect_to(link, endpoint);
    snprintf(link->to, sizeof link->to, "q%d", to);
    if (from > 0) {
        char name[16];
        jsSubOptions options;
        snprintf(name, sizeof name, "q%d", from);
        jsSubOptions_Init(&options);
        options.Stream = name;
        options.ManualAck = true;
        options.Config.AckPolicy = js_AckExplicit;
        options.Config.AckWait = 60 * (int64_t)1000000000;
        options.Config.MaxAckPending = 8192;
        check(
            js_PullSubscribe(&link->subscription, link->stream, name, "one", NULL, &options, NULL),
            "subscribe");
    }
    return link;
}

static void nats_publish(struct peer_link *link, const struct view *bodies, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check(js_PublishAsync(link->stream, link->to, bodies[i].at, (int)bodies[i].len, NULL),
              "publish");
    }
    link->published += count;
}

static void nats_confirm(struct peer_link *link, size_t left)
{
    if (left == 0) {
        check(js_PublishAsyncComplete(link->stream, NULL), "confirm");
    }
    while (link->published - link->confirmed > left) {
        usleep(50);
    }
}

static size_t nats_receive(struct peer_link *link, struct view bodies[PEER_BATCH])
{
    link->batch = (natsMsgList){0};
    natsStatus status =
        natsSubscription_Fetch(&link->batch, link->subscription, PEER_BATCH, 500, NULL);
    if (status == NATS_TIMEOUT) {
        return 0;
    }
    check(status, "fetch");
    for (int i = 0; i < link->batch.Count; i++) {
        const natsMsg *message = link->batch.Msgs[i];
        bodies[i] = (struct view){natsMsg_GetData(message), (size_t)natsMsg_GetDataLength(message)};
    }
    return (size_t)link->batch.Count;
}

static void nats_ack(struct peer_link *link)
{
    for (int i = 0; i < link->batch.Count; i++) {
        check(natsMsg_Ack(link->batch.Msgs[i], NULL), "ack");
    }
    natsMsgList_Destroy(&link->batch);
}

const struct peer peer = {nats_prepare, nats_open,    nats_publish,
                          nats_confirm, nats_receive, nats_ack};

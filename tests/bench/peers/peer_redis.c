// Redis Streams: one stream with one consumer group a queue. The endpoint is HOST:PORT.
//
// A stage sends its XADDs, the XACK and an XDEL of what it received as one transaction (MULTI .. EXEC), together with its next
// XREADGROUP. A refused XADD (out of memory, disk full) refuses them all, and they reach the append-only file as one: no XACK
// without its XADDs, so there is nothing to wait for in between. It is the fastest safe way: with appendfsync always it takes
// about half the syncs of waiting for the XADDs first, or of the same commands without a transaction. Answers are read, and
// checked, with the next batch.
#include "tests/bench/peers/peers.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

struct peer_link {
    redisContext *context;
    char from[16], to[16];
    redisReply *batch; // what receive lent
    size_t owed;       // replies not yet read
    bool is_stage;     // receives and publishes
    const char *ids[PEER_BATCH + 3];
};

static redisReply *take_reply(struct peer_link *link)
{
    void *reply = NULL;
    if (redisGetReply(link->context, &reply) != REDIS_OK) {
        peer_fail("redis: %s", link->context->errstr);
    }
    redisReply *typed = reply;
    if (typed->type == REDIS_REPLY_ERROR) {
        peer_fail("redis: %s", typed->str);
    }
    for (size_t i = 0; typed->type == REDIS_REPLY_ARRAY && i < typed->elements; i++) {
        if (typed->element[i]->type == REDIS_REPLY_ERROR) { // of a transaction
            peer_fail("redis: %s", typed->element[i]->str);
        }
    }
    return typed;
}

static struct peer_link *redis_open(const char *endpoint, int from, int to)
{
    struct peer_link *link = peer_memory(1, sizeof *link);
    char host[64];
    int port;
    if (sscanf(endpoint, "%63[^:]:%d", host, &port) != 2) {
        peer_fail("redis: no HOST:PORT in %s", endpoint);
    }
    link->context = redisConnect(host, port);
    if (!link->context || link->context->err) {
        peer_fail("redis: cannot connect to %s", endpoint);
    }
    link->is_stage = from > 0 && to > 0;
    snprintf(link->from, sizeof link->from, "q%d", from);
    snprintf(link->to, sizeof link->to, "q%d", to);
    return link;
}

static void redis_prepare(const char *endpoint)
{
    struct peer_link *link = redis_open(endpoint, 0, 0);
    for (int queue = 1; queue <= PEER_QUEUES; queue++) {
        redisAppendCommand(link->context, "XGROUP CREATE q%d group $ MKSTREAM", queue);
        freeReplyObject(take_reply(link));
    }
}

static void send_now(struct peer_link *link)
{
    int done = 0;
    while (!done) {
        if (redisBufferWrite(link->context, &done) != REDIS_OK) {
            peer_fail("redis: %s", link->context->errstr);
        }
    }
}

static void append(struct peer_link *link, const char *command)
{
    redisAppendCommand(link->context, command);
    link->owed++;
}

static void redis_publish(struct peer_link *link, const struct view *bodies, size_t count)
{
    if (link->is_stage) {
        append(link, "MULTI");
    }
    for (size_t i = 0; i < count; i++) {
        const char *words[] = {"XADD", link->to, "*", "b", bodies[i].at};
        size_t lengths[] = {4, strlen(link->to), 1, 1, bodies[i].len};
        redisAppendCommandArgv(link->context, 5, words, lengths);
    }
    link->owed += count;
    if (!link->is_stage) {
        send_now(link);
    }
}

static void redis_confirm(struct peer_link *link, size_t left)
{
    while (!link->is_stage && link->owed > left) {
        freeReplyObject(take_reply(link));
        link->owed--;
    }
}

static size_t redis_receive(struct peer_link *link, struct view bodies[PEER_BATCH])
{
    redisAppendCommand(link->context, "XREADGROUP GROUP group one COUNT %d BLOCK 500 STREAMS %s >",
                       PEER_BATCH, link->from);
    for (; link->owed > 0; link->owed--) {
        freeReplyObject(take_reply(link));
    }
    link->batch = take_reply(link);
    if (link->batch->type == REDIS_REPLY_NIL) {
        freeReplyObject(link->batch);
        return 0;
    }
    const redisReply *entries = link->batch->element[0]->element[1];
    for (size_t i = 0; i < entries->elements; i++) {
        const redisReply *body = entries->element[i]->element[1]->element[1];
        bodies[i] = (struct view){body->str, body->len};
        link->ids[3 + i] = entries->element[i]->element[0]->str;
    }
    return entries->elements;
}

static void redis_ack(struct peer_link *link)
{
    int count = (int)link->batch->element[0]->element[1]->elements;
    link->ids[0] = "XACK";
    link->ids[1] = link->from;
    link->ids[2] = "group";
    redisAppendCommandArgv(link->context, count + 3, link->ids, NULL);
    link->ids[1] = "XDEL"; // the same ids, one word less in front of them
    link->ids[2] = link->from;
    redisAppendCommandArgv(link->context, count + 2, link->ids + 1, NULL);
    link->owed += 2;
    if (link->is_stage) {
        append(link, "EXEC");
    }
    freeReplyObject(link->batch);
}

const struct peer peer = {redis_prepare, redis_open,    redis_publish,
                          redis_confirm, redis_receive, redis_ack};

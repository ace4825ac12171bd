// Any file ends after finitely many events; documents are valid UTF-8 within bounds, failures have a sentence.
#include "services/input.h"

#include "common/utf8.h"

#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LIMIT = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct input_event *event)
{
    switch (event->kind) {
    case INPUT_DOCUMENT:
        assert(event->status == OK);
        assert(event->json.len <= 8 * LIMIT);
        assert(utf8_invalid_at(event->json) == event->json.len);
        assert(event->default_id.len > 0);
        break;
    case INPUT_FAILURE:
        assert(event->status != OK && event->why.text[0]);
        break;
    case INPUT_NOTE:
        assert(event->why.text[0]);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    const char *files[] = {path};
    struct input *input = NULL;
    struct input_event event;
    size_t events = 0;
    int fd = memfd_create("fuzz", 0);
    assert(fd >= 0);
    ssize_t put = write(fd, data, size);
    assert(put == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    enum status status = input_open(&input, files, 1, LIMIT, NULL);
    assert(status == OK);
    while (input_next(input, &event)) {
        check(&event);
        assert(++events <= size + 8);
    }
    input_close(input);
    close(fd);
    return 0;
}

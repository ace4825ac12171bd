#include "services/entities/mapped.h"

#include "proto/crc32c.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHECKED_FROM = 20, PATH_BYTES = 4096 };

static_assert(sizeof(struct mapped_header) == 24, "the header is part of the file formats");
static_assert(offsetof(struct mapped_header, scale) == CHECKED_FROM,
              "the checksum covers the rest");

static enum status map_file(struct mapped *mapped, const char *path, struct error *why)
{
    struct stat info;
    enum status status = OK;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &info) != 0) {
        status = error_set(why, ERR_CONFIG, "cannot read %s: %s", path, strerror(errno));
        goto done;
    }
    if ((size_t)info.st_size < sizeof(struct mapped_header)) {
        status = error_set(why, ERR_FORMAT, "%s is too short to be a model", path);
        goto done;
    }
    mapped->size = (size_t)info.st_size;
    mapped->at = mmap(NULL, mapped->size, PROT_READ, MAP_SHARED, file, 0);
    if (mapped->at == MAP_FAILED) {
        mapped->at = NULL;
        status = error_set(why, ERR_CONFIG, "cannot map %s: %s", path, strerror(errno));
    }
done:
    if (file >= 0) {
        close(file);
    }
    return status;
}

static enum status check(const struct mapped *mapped, const char *path, const char magic[8],
                         uint32_t version, size_t item_bytes, struct error *why)
{
    const struct mapped_header *header = &mapped->header;
    if (memcmp(header->magic, magic, sizeof header->magic) != 0) {
        return error_set(why, ERR_FORMAT, "%s is no model of this kind", path);
    }
    if (header->version != version) {
        return error_set(why, ERR_VERSION, "%s has version %u, this program reads %u", path,
                         header->version, version);
    }
    if (mapped->size != sizeof *header + (size_t)header->count * item_bytes) {
        return error_set(why, ERR_FORMAT, "%s has the wrong size", path);
    }
    const char *bytes = mapped->at;
    if (crc32c(0, bytes + CHECKED_FROM, mapped->size - CHECKED_FROM) != header->checksum) {
        return error_set(why, ERR_FORMAT, "%s is damaged: its checksum does not match", path);
    }
    return OK;
}

enum status mapped_open(struct mapped *mapped, const char *folder, const char *name,
                        const char magic[8], uint32_t version, size_t item_bytes, struct error *why)
{
    char path[PATH_BYTES];
    *mapped = (struct mapped){0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    enum status status = map_file(mapped, path, why);
    if (status == OK) {
        memcpy(&mapped->header, mapped->at, sizeof mapped->header);
        status = check(mapped, path, magic, version, item_bytes, why);
    }
    if (status != OK) {
        mapped_close(mapped);
    }
    return status;
}

void mapped_close(struct mapped *mapped)
{
    if (mapped->at) {
        munmap(mapped->at, mapped->size);
    }
    *mapped = (struct mapped){0};
}

enum status mapped_write(const char *path, struct mapped_header header, const void *items,
                         size_t item_bytes, struct error *why)
{
    header.checksum = crc32c(0, &header.scale, sizeof header.scale);
    header.checksum = crc32c(header.checksum, items, (size_t)header.count * item_bytes);
    FILE *file = fopen(path, "wb");
    bool written = file && fwrite(&header, sizeof header, 1, file) == 1 &&
                   fwrite(items, item_bytes, header.count, file) == header.count;
    if (file && fclose(file) != 0) {
        written = false;
    }
    return written ? OK : error_set(why, ERR_IO, "cannot write %s: %s", path, strerror(errno));
}

// Word classes: for 400,000 words of running text the clusters that words of similar use fall into, at five
// grains. They tell the tagger that "Kumasi" is used like "Nairobi" though neither was in its training data.
//
// The file entities-clusters.model, little-endian, is made by `entities_train --clusters` from text lines
// "word<TAB>id64<TAB>id256<TAB>id1024<TAB>id4096<TAB>id12000". Behind the header of mapped.h ("CDCLUSTR") stand
// slots of 10 bytes: check (16 bits of the hash), ids (6 + 8 + 10 + 12 + 14 bits, plus 1 so that a used slot is
// never all zero).
// A word lies in the first slots from hash * count / 2^32 on; a free slot ends the search. One lookup in 30,000
// of a word that is not there finds another's classes: harmless, and the price of half the size.
#ifndef COPYDESK_ENTITIES_CLUSTERS_H
#define COPYDESK_ENTITIES_CLUSTERS_H

#include "services/entities/mapped.h"

enum { CLUSTERS_VERSION = 1, CLUSTER_GRAINS = 5 };

struct clusters {
    struct mapped file;
    const uint16_t *slots; // five each: check, ids
};

// Maps the file read-only. ERR_CONFIG when it cannot be read, ERR_VERSION, ERR_FORMAT when damaged.
MUST_CHECK enum status clusters_open(struct clusters *clusters, const char *folder,
                                     struct error *why);
void clusters_close(struct clusters *clusters);

// The packed ids of a word by its folded hash (lexicon_fold); 0 when it is not known.
uint64_t clusters_find(const struct clusters *clusters, uint64_t fold);

// The id at one grain, 0 (coarse) to 4, out of packed ids that are not 0.
static inline uint32_t clusters_id(uint64_t packed, int grain)
{
    static const uint8_t shift[CLUSTER_GRAINS] = {0, 6, 14, 24, 36};
    static const uint8_t bits[CLUSTER_GRAINS] = {6, 8, 10, 12, 14};
    return (uint32_t)((packed - 1) >> shift[grain]) & ((UINT32_C(1) << bits[grain]) - 1);
}

// Writes the file from the text lines in `source`, at most `limit` of them. For the trainer.
MUST_CHECK enum status clusters_write(const char *path, struct view source, size_t limit,
                                      struct error *why);

#endif

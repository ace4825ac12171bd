// How single settings are written: "30s", "64MiB", "yes".
#ifndef COPYDESK_CONFIG_VALUE_H
#define COPYDESK_CONFIG_VALUE_H

#include "common/config.h"

// Reads `text` as the kind of `key`. Its number (milliseconds, bytes, 0 or 1) goes to `*number`; 0 for text and lists.
// False when it is not of that kind or outside low..high.
bool config_value_parse(const struct config_key *key, struct view text, int64_t *number);

// What config_value_parse would have taken, such as "a whole number from 1 to 64".
void config_value_expected(const struct config_key *key, char *out, size_t size);

// The bounds of the key's numbers, such as "1s to 1h"; empty when there are none.
void config_value_range(const struct config_key *key, char *out, size_t size);

// Reads "250ms", "30s", "5m", "1h30m", "2d", or a plain 0. False on anything else or overflow.
bool duration_parse_ms(struct view text, int64_t *ms);

// Reads "512", "64KiB", "64K", "10kB", "1MiB" up to TiB. False on anything else or overflow.
bool bytes_parse(struct view text, int64_t *bytes);

#endif

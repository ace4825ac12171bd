// Every key of copydesk.ini, for all commands: one file serves all services of a machine.
#ifndef COPYDESK_SETTINGS_H
#define COPYDESK_SETTINGS_H

#include "common/config.h"
#include "common/log.h"

#define DEFAULT_BROKER "tcp://127.0.0.1:5750"

// The pipeline when no file says otherwise.
#define DEFAULT_PIPELINE                                                                           \
    "clean = article\nentities = clean\ndates = clean\nsummary = clean entities\nexport = *\n"

extern const struct config_key settings[];
extern const size_t settings_count;

// Reads the settings for a command and opens its log. `*config` is the caller's to free.
// False when the command is to end now: help was asked for (*exit_code 0) or a flag or the file is wrong (the
// sentence was printed).
bool settings_load(struct config **config, struct log *log, const char *usage, int argc,
                   char **argv, int *exit_code);

// Reads them again, as on SIGHUP: `*config` is another one, the caller's to free. Errors as config_load.
MUST_CHECK enum status settings_reload(struct config **config, int argc, char **argv,
                                       struct error *why);

// Copies the [pipeline] of the file, or the default, to `out` as lines `stage = needs`.
void settings_pipeline(const struct config *config, struct buf *out);

#endif

// Outcomes of functions that can fail, and the sentence a person reads when one did.
//
// A function that can fail returns `enum status`; OK is 0. Results leave through the first pointer.
// Where a person will have to act, the function also takes a `struct error *why` and writes the cause
// and the next step there, at the place that knows both. NULL is allowed for `why` everywhere.
#ifndef COPYDESK_STATUS_H
#define COPYDESK_STATUS_H

#define MUST_CHECK __attribute__((warn_unused_result))

enum status {
    OK = 0,
    ERR_MEMORY,      // the system gave no memory
    ERR_LIMIT,       // a limit of ours was reached: arena, depth, size
    ERR_IO,          // a file or socket failed
    ERR_FORMAT,      // the input is not what it should be
    ERR_VERSION,     // another version of a format, protocol or model
    ERR_USAGE,       // the command line is wrong
    ERR_CONFIG,      // the configuration is wrong, or a table or model is missing
    ERR_NOT_FOUND,   // there is no such file, article or stage
    ERR_UNREACHABLE, // the other side does not answer, or the port is taken
    ERR_FULL,        // no room: disk, queue or budget; try later
    STATUS_COUNT
};

// The sentence about a failure. Text is always terminated; empty when nothing was said.
struct error {
    char text[512];
};

// Writes the formatted sentence into `why` (NULL is fine) and returns `status`, so that a failing
// function can end with `return error_set(why, ERR_IO, "cannot open %s: %s", path, reason)`.
// Text beyond the room of struct error is cut.
__attribute__((format(printf, 3, 4))) enum status error_set(struct error *why, enum status status,
                                                            const char *format, ...);

// Puts "prefix: " before what `why` already says, e.g. the name of the file being read.
void error_prefix(struct error *why, const char *prefix);

// The name of a status for logs and JSON, such as "limit"; never NULL.
const char *status_name(enum status status);

// The process exit code for a status, as sysexits has it: 0, 2 usage, 65 bad input, 66 no input,
// 69 not reachable, 73 cannot write, 78 configuration, 70 otherwise.
int status_exit_code(enum status status);

#endif

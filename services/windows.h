// Commands that show one step alone, to look inside: `copydesk sentences` and `copydesk tokens`.
#ifndef COPYDESK_WINDOWS_H
#define COPYDESK_WINDOWS_H

// copydesk sentences [FILE...]: one line of JSON per article, {"id", "sentences": [{"start", "end"}, ...]}.
//
// The files (or standard input) are NDJSON or JSON with "text", or plain text; see services/input.h.
// Offsets are code points. Returns the exit code.
int sentences_main(int argc, char **argv);

// copydesk tokens [FILE...]: as sentences_main, {"id", "tokens": [{"start", "end", "text", "kind"}, ...]}.
int tokens_main(int argc, char **argv);

#endif

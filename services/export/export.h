// `copydesk export`: a sink that writes finished articles to NDJSON files.
#ifndef COPYDESK_EXPORT_H
#define COPYDESK_EXPORT_H

// Runs the command with its own arguments (argv[0] is "export"); returns the exit code.
int export_main(int argc, char **argv);

#endif

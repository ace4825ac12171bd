// `copydesk submit`: hands documents to the broker and tells what became of each.
#ifndef COPYDESK_SUBMIT_H
#define COPYDESK_SUBMIT_H

// Runs the command with its own arguments (argv[0] is "submit"). Exit code 0 when the broker has every document (accepted,
// duplicate, or overtaken by a newer version), 1 when some were refused or could not be read, 65 or 66 when all were, 69 when
// the broker could not be reached for the time of --wait.
int submit_main(int argc, char **argv);

#endif

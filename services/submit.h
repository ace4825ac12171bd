// `copydesk submit`: hands documents to the broker and tells what became of each. `copydesk reprocess`: hands in finished
// articles to be run again.
#ifndef COPYDESK_SUBMIT_H
#define COPYDESK_SUBMIT_H

// Runs the command with its own arguments (argv[0] is "submit"). Exit code 0 when the broker has every document (accepted,
// duplicate, or overtaken by a newer version), 1 when some were refused or could not be read, 65 or 66 when all were, 69 when
// the broker could not be reached for the time of --wait.
int submit_main(int argc, char **argv);

// Likewise (argv[0] is "reprocess") for the articles in the export's files, or those of them that --stage or --older-than
// choose: reprocess.h. Killed stories are left out. 2 for a wrong choice.
int reprocess_main(int argc, char **argv);

#endif

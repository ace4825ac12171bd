// The program: picks the command.
#include "services/enrich.h"
#include "services/windows.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "enrich") == 0) {
        return enrich_main(argc - 1, argv + 1);
    }
    if (argc > 1 && strcmp(argv[1], "sentences") == 0) {
        return sentences_main(argc - 1, argv + 1);
    }
    if (argc > 1 && strcmp(argv[1], "tokens") == 0) {
        return tokens_main(argc - 1, argv + 1);
    }
    fprintf(stderr, "usage: copydesk enrich\n");
    return 2;
}

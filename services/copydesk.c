// The program: picks the command.
#include "services/enrich.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "enrich") == 0) {
        return enrich_main(argc - 1, argv + 1);
    }
    fprintf(stderr, "usage: copydesk enrich\n");
    return 2;
}

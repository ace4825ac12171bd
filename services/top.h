// `copydesk top`: what a broker is doing, redrawn each second.
#ifndef COPYDESK_TOP_H
#define COPYDESK_TOP_H

// On a terminal until q, Ctrl-C or SIGTERM, and leaves it as it was; elsewhere one frame after the other. While the broker
// is away it says so and tries again. With --once one frame, of two answers a second apart for the rates.
// argv[0] is "top". Exit code 0, 69 when --once got no answer, 2 for a wrong command line.
int top_main(int argc, char **argv);

#endif

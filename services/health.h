// `copydesk health`: is the service on this machine alive? For container health checks, without curl.
#ifndef COPYDESK_HEALTH_H
#define COPYDESK_HEALTH_H

// Asks /healthz of the address in argv[1] ("127.0.0.1:9750", "http://127.0.0.1:9750", "[::1]:9750"; without one the
// default address of common/ops.h), or /readyz with --ready. Prints what it heard when that is not good.
// Exit code 0 when the answer is 200 within 3 seconds, 1 when not, 2 for a wrong command line.
int health_main(int argc, char **argv);

#endif

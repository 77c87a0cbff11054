#include "experiments/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include "experiments/exit_status.h"

static volatile int received; /* the signal's number; a lock-free int, so also fit for handlers */

static int status_of(int number) {
    return number == 0 ? EXIT_FINE : number == SIGINT ? EXIT_INTERRUPTED : EXIT_TERMINATED;
}

static void on_signal(int number) {
    if (received != 0) {
        _exit(status_of(number));
    }
    received = number;
}

void interrupt_install(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

const volatile int *interrupt_flag(void) {
    return &received;
}

int interrupt_exit_status(void) {
    return status_of(received);
}

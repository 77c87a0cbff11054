/* SIGINT and SIGTERM: the first asks for an orderly end, the second ends the program at once.
 *
 * The one place of the program with a variable that a signal handler writes. Runs look at
 * interrupt_flag(); what was complete by then is written and the exit status says by which signal.
 */
#ifndef KNOCKON_EXPERIMENTS_INTERRUPT_H
#define KNOCKON_EXPERIMENTS_INTERRUPT_H

/* Installs the handlers, for the whole process. */
void interrupt_install(void);

/* Not 0 once a signal has come; for WorldOptions.interrupt. */
const volatile int *interrupt_flag(void);

/* EXIT_INTERRUPTED or EXIT_TERMINATED; EXIT_FINE while no signal has come. */
int interrupt_exit_status(void);

#endif

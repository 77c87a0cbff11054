/* Checks for our own mistakes, never for the user's.
 *
 * CHECK stays on in release builds: a simulator that goes on after a broken invariant prints wrong
 * numbers, which is worse than stopping. One predictable branch each. DCHECK is for what is too
 * slow for the event path; it is on when KNOCKON_DCHECK is defined (sanitizer builds and tests).
 */
#ifndef KNOCKON_SIM_CHECK_H
#define KNOCKON_SIM_CHECK_H

#ifdef __FAST_MATH__
#error "knockon promises equal bits everywhere: never build it with -ffast-math"
#endif

/* Reports the broken invariant on stderr and aborts: a bug of ours, exit by SIGABRT. */
_Noreturn void check_fail(const char *file, int line, const char *claim);

#define CHECK(claim)                                                                               \
    (__builtin_expect(!(claim), 0) ? check_fail(__FILE__, __LINE__, #claim) : (void)0)

#ifdef KNOCKON_DCHECK
#define DCHECK(claim) CHECK(claim)
#else
#define DCHECK(claim) ((void)sizeof(claim))
#endif

#endif

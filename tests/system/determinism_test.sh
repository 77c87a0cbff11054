#!/bin/sh
# The same scenario gives the same bytes in every table, fingerprints included, whatever the number of
# threads, the C library's choice of log and exp (it chooses by processor), the locale that a library
# may have set, the compiler and the level of optimisation.
#
# KNOCKON names the program, KNOCKON_OTHERS other builds of it; tests/run.sh tells the form of the output.
set -u
cd "$(dirname "$0")/../.." || exit 1
program=${KNOCKON:-build/gcc/knockon}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checks=0
failures=0
echo "Running suite(s): system/determinism"

# Without gnuplot in its PATH a run ends with status 7: everything but the pictures.
run() { # DIRECTORY PROGRAM JOBS [VARIABLE=VALUE...]
    directory=$1
    run_program=$2
    jobs=$3
    shift 3
    env PATH=/nonexistent "$@" "$run_program" run -q --requests -r 2 -j "$jobs" \
        -o "$work/$directory" "$scenario" >"$work/$directory.log" 2>&1
    echo "status $?" >>"$work/$directory.log"
    grep -qE '^status (3|7)$' "$work/$directory.log" || cat "$work/$directory.log"
}

same_tables() { # WHAT DIRECTORY
    checks=$((checks + 1))
    differing=""
    for table in "$work"/reference/*.csv; do
        cmp "$table" "$work/$2/$(basename "$table")" >&2 || differing="$differing $(basename "$table")"
    done
    if [ "$(find "$work/$2" -name '*.csv' | wc -l)" -ne 5 ] || [ -n "$differing" ]; then
        failures=$((failures + 1))
        echo "$0:$1 changes the results of $scenario:$differing"
    fi
    rm -rf "${work:?}/$2"
}

# ---- What changes the machine under the program
no_fma=GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2
german="" # what sets a locale with a decimal comma before main
if [ "${KNOCKON_SHORT:-}" = 1 ]; then
    echo "skipped: nothing can be loaded before a sanitizer, so no locale"
elif ! localedef -i de_DE -f UTF-8 "$work/de_DE.UTF-8" 2>"$work/localedef.log"; then
    echo "skipped: no German locale can be made (package locales)"
else
    cat >"$work/german.c" <<'END'
#include <locale.h>
#include <stdlib.h>
__attribute__((constructor)) static void speak_german(void) {
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL || localeconv()->decimal_point[0] != ',') {
        abort();
    }
}
END
    ${CC:-gcc} -shared -fPIC -o "$work/german.so" "$work/german.c" && german="$work/german.so"
    [ -n "$german" ] || failures=$((failures + 1))
fi

for scenario in tests/system/data/every-law.yaml experiments/scenarios/retry-storm.yaml \
    experiments/scenarios/batch-spike.yaml; do
    rm -rf "$work/reference"
    run reference "$program" 1
    for threads in 2 7; do
        run jobs "$program" "$threads"
        same_tables "--jobs $threads" jobs
    done
    run no-fma "$program" 1 "$no_fma"
    same_tables "a processor without FMA" no-fma
    if [ -n "$german" ]; then
        run german "$program" 1 LOCPATH="$work" LD_PRELOAD="$german"
        same_tables "a German locale" german
    fi
    for other in ${KNOCKON_OTHERS:-}; do
        if [ -x "$other" ]; then
            run other "$other" 2
            same_tables "$other" other
        fi
    done
done
for other in ${KNOCKON_OTHERS:-}; do
    [ -x "$other" ] || echo "skipped: $other was not built (is its compiler installed?)"
done
echo "$((100 * (checks - failures) / checks))%: Checks: $checks, Failures: $failures, Errors: 0"
[ "$failures" -eq 0 ]

#!/bin/sh
# Runs the test programs and scripts given as arguments, on as many lanes as there are processors;
# shows the output of what failed and closes with `N passed, N failed` over all tests, with what was
# skipped and why when there is any. Status 1 if any failed.
#
# A program ends with Check's own line, `100%: Checks: 7, Failures: 0, Errors: 0`. One that dies, hangs
# or says nothing of the kind counts as one failed test, and so does one whose exit status is not 0.
# A line that begins with `skipped:` counts as one skipped test.
# usage: tests/run.sh LOG_DIRECTORY PROGRAM...
set -u
logs=$1
shift
rm -rf "$logs"
mkdir -p "$logs"
lanes=${KNOCKON_TEST_LANES:-$(nproc)}
# Check ends a single test that hangs after 120 s; this is for a program that hangs between tests.
limit_s=${KNOCKON_TEST_LIMIT_S:-1800}

# Each lane takes the next program when it is free, so the caller names the slowest first.
export logs limit_s
# shellcheck disable=SC2016 # expanded by the inner shell
printf '%s\0' "$@" | xargs -0 -P "$lanes" -n 1 sh -c '
    name=$(printf %s "$1" | sed "s|^build/[^/]*/||; s|^tests/||; s|/|-|g; s|^[.-]*||")
    timeout -k 10 "$limit_s" "$1" >"$logs/$name.log" 2>&1 </dev/null
    status=$?
    echo "exit status $status" >>"$logs/$name.log"
    line=$(grep "^[0-9]*%: Checks:" "$logs/$name.log" | tail -n 1)
    [ "$status" -eq 124 ] && line="hung: ended after $limit_s s"
    echo "${line:-died with status $status} $name"
' sh

passed=0
failed=0
skipped=0
for log in "$logs"/*.log; do
    [ -f "$log" ] || continue
    line=$(grep '^[0-9]*%: Checks:' "$log" | tail -n 1)
    checks=$(echo "$line" | sed -n 's/.*Checks: \([0-9]*\),.*/\1/p')
    failures=$(echo "$line" | sed -n 's/.*Failures: \([0-9]*\),.*/\1/p')
    errors=$(echo "$line" | sed -n 's/.*Errors: \([0-9]*\).*/\1/p')
    bad=$((${failures:-0} + ${errors:-0}))
    passed=$((passed + ${checks:-0} - bad))
    if [ "$bad" -eq 0 ] && ! { [ -n "$line" ] && grep -q '^exit status 0$' "$log"; }; then
        bad=1
    fi
    failed=$((failed + bad))
    skipped=$((skipped + $(grep -c '^skipped:' "$log")))
    if [ "$bad" -gt 0 ]; then
        echo "== $log"
        cat "$log"
    fi
done
[ "$skipped" -eq 0 ] || grep -h '^skipped:' "$logs"/*.log | sort | uniq
if [ $((passed + failed)) -eq 0 ]; then
    echo "tests/run.sh: no test was run"
    failed=1
fi
echo "$passed passed, $failed failed$([ "$skipped" -eq 0 ] || echo ", $skipped skipped")"
[ "$failed" -eq 0 ]

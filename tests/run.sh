#!/bin/sh
# Runs the test programs given as arguments, one after the other on each of two lanes, shows what
# failed, and closes with `N passed, N failed, N skipped` over all tests. Exit status 1 if any failed.
# usage: tests/run.sh LOG_DIR PROGRAM...
set -u
logs=$1
shift
mkdir -p "$logs"
rm -f "$logs"/*.log
lanes=${KNOCKON_TEST_LANES:-$(nproc)}

# The slowest program decides how long the lanes take, so each lane takes the next one when it is free.
export logs
printf '%s\n' "$@" | xargs -P "$lanes" -I{} sh -c '
    name=$(echo "{}" | sed "s|^build/[^/]*/tests/||; s|/|-|g")
    "{}" >"$logs/$name.log" 2>&1
    status=$?
    echo "exit status $status" >>"$logs/$name.log"
    echo "$(grep -h "^[0-9]*%: Checks:" "$logs/$name.log" || echo "died with status $status") $name"
'

passed=0
failed=0
skipped=0
for log in "$logs"/*.log; do
    line=$(grep -h '^[0-9]*%: Checks:' "$log")
    skipped=$((skipped + $(grep -c '^skipped' "$log")))
    if [ -z "$line" ]; then
        failed=$((failed + 1))
        echo "== $log"
        cat "$log"
        continue
    fi
    checks=$(echo "$line" | sed 's/.*Checks: \([0-9]*\).*/\1/')
    bad=$(echo "$line" | sed 's/.*Failures: \([0-9]*\), Errors: \([0-9]*\).*/\1 + \2/')
    bad=$((bad))
    passed=$((passed + checks - bad))
    failed=$((failed + bad))
    if [ "$bad" -gt 0 ] || ! grep -q '^exit status 0$' "$log"; then
        echo "== $log"
        cat "$log"
        grep -q '^exit status 0$' "$log" || [ "$bad" -gt 0 ] || failed=$((failed + 1))
    fi
done
grep -h '^skipped' "$logs"/*.log | sort -u
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]

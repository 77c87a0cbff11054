#!/bin/sh
# The code's own properties, as design and style promise them. Prints what breaks them; status 1 if any.
# usage: tests/tidy.sh BUILD_DIRECTORY (whose objects are looked at for static data)
set -u
build=$1
broken=0
complain() {
    echo "tidy: $1"
    broken=1
}

# Layers: sim <- models <- experiments.
grep -nE '#include "(models|experiments|tests)/' sim/*.[ch] && complain "sim/ includes what is above it"
grep -nE '#include "(experiments|tests)/' models/*.[ch] models/*/*.[ch] &&
    complain "models/ includes what is above it"
grep -nE '#include "\.' sim/*.[ch] models/*.[ch] models/*/*.[ch] experiments/*.[ch] &&
    complain "includes are written from the root"

# No static, global or thread-local variable in sim/ and models/: nothing in .data, .bss and their kin
# but constants that hold addresses (.data.rel.ro), which the loader makes read-only.
# Objects made for link-time optimisation hold the same sections besides.
objects=$(for source in sim/*.c models/*.c models/*/*.c; do echo "$build/${source%.c}.o"; done)
# shellcheck disable=SC2086 # a list of files
objdump -h -t $objects | awk '
    / file format / { object = $1 }
    $2 ~ /^\.(data|bss|tdata|tbss|ldata|lbss)/ && $2 !~ /^\.data\.rel\.ro/ && $3 !~ /^0+$/ {
        print "tidy: " object " " $2 " holds variables: 0x" $3 " bytes"; found = 1 }
    / \*COM\*/ { print "tidy: " object " holds the variable " $NF; found = 1 }
    END { exit found }' || broken=1
for object in $objects; do
    [ -f "$object" ] || complain "$object is not there to be looked at"
done

# Sizes: files 600 lines, functions 70, p95 within 40.
wc -l sim/*.[ch] models/*.[ch] models/*/*.[ch] experiments/*.[ch] tests/*/*.[ch] | awk '
    $2 != "total" && $2 !~ /_tables\.c$/ && $1 > 600 {
        print "tidy: " $2 " has " $1 " lines (600 at most)"; found = 1 }
    END { exit found }' || broken=1
if command -v ctags >/dev/null && ctags --version | grep -q Universal; then
    ctags -x --c-kinds=f --fields=+e --_xformat='%F:%n %N %{end}' sim/*.c models/*.c models/*/*.c \
        experiments/*.c | awk '
        { split($1, at, ":"); length_ = $3 - at[2] + 1; all[NR] = length_
          if (length_ > 70) { print "tidy: " $1 " " $2 " has " length_ " lines (70 at most)"; bad = 1 } }
        END { n = asort_(all, NR); if (n > 40) { print "tidy: p95 of functions is " n " lines (40)"; bad = 1 }
              exit bad }
        function asort_(a, count,   i, j, k, t) {   # counting sort: lengths are small
            for (i = 1; i <= count; i++) { bins[a[i]]++ }
            for (k = 0; k < 1000; k++) { t += bins[k]; if (t >= 0.95 * count) { return k } }
            return k
        }' || broken=1
    # One CHECK a function in sim/ and models/, on average in each of the two.
    for room in sim models; do
        files=$(find $room -name '*.c' -o -name '*.h')
        # shellcheck disable=SC2086 # a list of files
        functions=$(ctags -x --c-kinds=f --kinds-c=f $files | wc -l)
        # shellcheck disable=SC2086
        checks=$(cat $files | grep -v '^#define' | grep -cE '\b(CHECK|DCHECK)\(')
        [ "$checks" -ge "$functions" ] ||
            complain "$room/ has $checks checks in $functions functions"
    done
fi

# Work that was left.
grep -nE '\b(TODO|FIXME|XXX|HACK)\b' sim/*.[ch] models/*.[ch] models/*/*.[ch] experiments/*.[ch] &&
    complain "work was left behind"
exit $broken

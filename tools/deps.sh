#!/bin/sh
# Installs by apt what is missing of the Debian packages named as arguments, after saying so.
# Quiet when nothing is missing. Needs root, or sudo.
set -eu
missing=""
for package in "$@"; do
    if ! dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed$'; then
        missing="$missing $package"
    fi
done
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null; then
    echo "knockon: these packages are needed and this is no Debian system; install their like:$missing" >&2
    exit 1
fi
echo "knockon: installing with apt-get:$missing"
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "knockon: that needs root: run 'apt-get install$missing' as root, then try again" >&2
        exit 1
    fi
    as_root=sudo
fi
# A fresh machine may still be busy with its own updates: wait for the lock.
set -- -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get "$@" update
# dpkg tells of each file it unpacks; what goes wrong is on stderr.
# shellcheck disable=SC2086 # the list is meant to be split
$as_root apt-get "$@" install -y --no-install-recommends $missing >/dev/null

#!/usr/bin/env bash
# Fetches PostgreSQL from Debian when it is missing and we may install packages; starts no server.
set -eu
if compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    mkdir -p /etc/postgresql-common
    test -e /etc/postgresql-common/createcluster.conf ||
        printf 'create_main_cluster = false\nstart_conf = manual\n' >/etc/postgresql-common/createcluster.conf
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null
else
    echo "PostgreSQL is missing: its half of the review tests will be skipped. Install the package 'postgresql' to run it." >&2
fi

#!/usr/bin/env bash
# Fetches Chromium from Debian when it is missing and we may install packages.
set -eu
if command -v chromium >/dev/null 2>&1; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
else
    echo "Chromium is missing: browser tests will be skipped. Install the package 'chromium' to run them." >&2
fi

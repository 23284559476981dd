# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# The Debian packages that the project needs, and how they get installed. Sourced by deploy/quickstart
# and tests/run; docs/architecture.md says what each is for.

RUN_PACKAGES=(redis-server)
BUILD_PACKAGES=(cmake ninja-build gcc libc6-dev pkg-config libuv1-dev libhiredis-dev libssl-dev
    libjansson-dev libinih-dev uthash-dev libnng-dev libprotobuf-c-dev protobuf-c-compiler libedit-dev libsystemd-dev
    libunistring-dev)
TEST_PACKAGES=(libcmocka-dev redis-server clang libclang-rt-dev llvm nginx
    libnginx-mod-stream chromium chromium-driver zsh fish tmux prometheus libyaml-dev debootstrap
    dpkg-dev lintian systemd nodejs node-ws)

# The programs are wanted, not the services that come with some packages: none is started by the
# installation. Until the end of the subshell; `as` is packages_install's.
packages_start_nothing() {
    policy=/usr/sbin/policy-rc.d
    [ ! -e "$policy" ] || return 0
    trap '"${as[@]}" rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as[@]}" tee "$policy" >/dev/null && "${as[@]}" chmod 755 "$policy"
}

# packages_install NAME...: installs those that are missing; says what to do where it must not.
packages_install() {
    local missing=() name
    for name in "$@"; do
        if ! dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed'; then
            missing+=("$name")
        fi
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    local as=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
            printf 'These packages are missing and installing them needs root:\n  apt-get install %s\n' \
                "${missing[*]}" >&2
            return 1
        fi
        as=(sudo -n)
    fi
    printf 'installing: %s\n' "${missing[*]}"
    local apt=("${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -qq)
    local log
    log=$(mktemp)
    if ! (packages_start_nothing && "${apt[@]}" update &&
        "${apt[@]}" install -y --no-install-recommends "${missing[@]}") >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        rm -f "$log"
        printf 'Installing failed; see above. By hand: apt-get install %s\n' "${missing[*]}" >&2
        return 1
    fi
    rm -f "$log"
}

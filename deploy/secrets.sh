#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes the secrets of deploy/docker-compose.yml, those that are not there yet. See --help.
set -euo pipefail

usage() {
    cat <<'EOT'
usage: deploy/secrets.sh [--hand-out TO] [FOLDER]

Makes the secrets that deploy/docker-compose.yml takes from FOLDER (deploy/secrets), and leaves alone
those that are there:

  auth_key        the key of all clients; in a second line, while keys are rotated, the one before
  bus_key         the key that nodes prove to each other, and that seals accounts; two lines as well
  control_tokens  the tokens of hgtpctl, one to a line: role, token, name
  node_conf       settings of the nodes: where these are, Redis with its password
  redis_conf      settings of Redis: its password

Only you can read them. With --hand-out, which the compose file's service `secrets` gives, each
container's are copied to TO/node, TO/ctl and TO/redis, where only its own user can read them.
EOT
}

hand_out=
case ${1:-} in
    -h|--help) usage; exit 0 ;;
    --hand-out) hand_out=${2:?"--hand-out needs a folder"}; shift 2 ;;
    -*) usage >&2; exit 2 ;;
esac
folder=${1:-$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/secrets}
random() { od -An -v -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

# put NAME: a file that appears whole or not at all, from stdin.
put() {
    cat >"$folder/.$1.new"
    chmod 600 "$folder/.$1.new"
    mv "$folder/.$1.new" "$folder/$1"
    printf 'made %s\n' "$folder/$1"
}

mkdir -p "$folder"
chmod 700 "$folder"
for key in auth_key bus_key; do
    [ -s "$folder/$key" ] || printf '%s\n' "$(random 16)" | put "$key"
done
if [ ! -s "$folder/control_tokens" ]; then
    printf 'administer %s compose\n' "$(random 24)" | put control_tokens
fi
# The two know one password.
if [ ! -s "$folder/node_conf" ] || [ ! -s "$folder/redis_conf" ]; then
    password=$(random 24)
    printf 'requirepass %s\n' "$password" | put redis_conf
    put node_conf <<EOT
[auth]
key_file = /run/secrets/auth_key
[bus]
key_file = /run/secrets/bus_key
[redis]
url = redis://:$password@redis:6379/0
EOT
fi

# give CONTAINER USER NAME...: in place, because a container that runs keeps the file that it has seen.
give() {
    local to=$hand_out/$1 user=$2 name
    shift 2
    chown "$user" "$to"
    chmod 500 "$to"
    for name in "$@"; do
        cat "$folder/$name" >"$to/$name"
        chown "$user" "$to/$name"
        chmod 400 "$to/$name"
    done
}
if [ -n "$hand_out" ]; then
    give node 10001:10001 auth_key bus_key control_tokens node_conf
    give ctl 10001:10001 control_tokens
    give redis 999:999 redis_conf
fi

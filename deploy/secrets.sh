#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes the secrets of deploy/docker-compose.yml, those that are not there yet. See --help.
set -euo pipefail

usage() {
    cat <<'EOT'
usage: deploy/secrets.sh [FOLDER]

Makes the secrets that deploy/docker-compose.yml takes from FOLDER (deploy/secrets), and leaves alone
those that are there:

  auth_key        the key of all clients; in a second line, while keys are rotated, the one before
  control_tokens  the tokens of hgtpctl, one to a line: role, token, name
  node_conf       settings of the nodes: the bus' key, Redis with its password
  redis_conf      settings of Redis: its password

Only you can enter the folder. The files in it can be read by everybody who gets them handed: the
programs in the containers have user ids of their own.
EOT
}

case ${1:-} in
    -h|--help) usage; exit 0 ;;
    -*) usage >&2; exit 2 ;;
esac
folder=${1:-$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/secrets}
random() { od -An -v -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

# put NAME: a file that appears whole or not at all, from stdin.
put() {
    cat >"$folder/.$1.new"
    chmod 644 "$folder/.$1.new"
    mv "$folder/.$1.new" "$folder/$1"
    printf 'made %s\n' "$folder/$1"
}

mkdir -p "$folder"
chmod 700 "$folder"
if [ ! -s "$folder/auth_key" ]; then
    printf '%s\n' "$(random 16)" | put auth_key
fi
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
key = $(random 24)
[redis]
url = redis://:$password@redis:6379/0
EOT
fi

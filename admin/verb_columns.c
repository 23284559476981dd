/* SPDX-License-Identifier: MIT */
/*
 * verb_columns: headings, fields and formats. Which verb shows what is in verb_table.c, and how a
 * format looks in output.c.
 */
#include "admin/verb_columns.h"

/* clang-format off */
#define END {NULL, NULL, FORMAT_TEXT}

const struct output_column verb_columns_nodes[] = {
    {"NODE", "id", FORMAT_TEXT},
    {"STATE", "state", FORMAT_STATE},
    {"SESSIONS", "sessions", FORMAT_COUNT},
    {"LINES", "lines", FORMAT_COUNT},
    {"ROOMS", "rooms", FORMAT_COUNT},
    {"MESSAGES", "messages_per_s", FORMAT_RATE},
    {"DELIVERED", "deliveries_per_s", FORMAT_RATE},
    {"QUEUED", "queued_bytes", FORMAT_BYTES},
    {"MEMORY", "memory_bytes", FORMAT_BYTES},
    {"CPU", "cpu_percent", FORMAT_PERCENT},
    {"BEAT", "beat_age_ms", FORMAT_AGE},
    {"HTTP", "http", FORMAT_TEXT},
    {"ERROR", "error", FORMAT_TEXT},
    END,
};

const struct output_column verb_columns_node[] = {
    {"node", "id", FORMAT_TEXT},
    {"state", "state", FORMAT_STATE},
    {"error", "error", FORMAT_TEXT},
    {"version", "version", FORMAT_TEXT},
    {"incarnation", "incarnation", FORMAT_TEXT},
    {"since", "since_ms", FORMAT_TIME},
    {"last beat", "beat_age_ms", FORMAT_AGE},
    {"hgtp", "hgtp", FORMAT_TEXT},
    {"http", "http", FORMAT_TEXT},
    {"bus", "bus", FORMAT_TEXT},
    {"sessions", "sessions", FORMAT_COUNT},
    {"lines", "lines", FORMAT_COUNT},
    {"rooms", "rooms", FORMAT_COUNT},
    {"messages", "messages_per_s", FORMAT_RATE},
    {"deliveries", "deliveries_per_s", FORMAT_RATE},
    {"queued", "queued_bytes", FORMAT_BYTES},
    {"store round trip", "store_ms", FORMAT_AGE},
    {"memory", "memory_bytes", FORMAT_BYTES},
    {"cpu", "cpu_percent", FORMAT_PERCENT},
    END,
};

const struct output_column verb_columns_metrics[] = {
    {"METRIC", "name", FORMAT_TEXT},
    {"LABELS", "labels", FORMAT_TEXT},
    {"VALUE", "value", FORMAT_VALUE},
    {"MEANING", "help", FORMAT_TEXT},
    END,
};

const struct output_column verb_columns_rooms[] = {
    {"ROOM", "room", FORMAT_TEXT},
    {"MEMBERS", "members", FORMAT_COUNT},
    {"LIMIT", "limit", FORMAT_COUNT},
    {"MESSAGES", "messages", FORMAT_COUNT},
    {"AGE", "age_ms", FORMAT_AGE},
    {"IDLE", "idle_ms", FORMAT_AGE},
    {"KIND", "kind", FORMAT_TEXT},
    {"MANAGER", "manager", FORMAT_TEXT},
    END,
};

const struct output_column verb_columns_room[] = {
    {"room", "room", FORMAT_TEXT},
    {"id", "id", FORMAT_TEXT},
    {"kind", "kind", FORMAT_TEXT},
    {"manager", "manager", FORMAT_TEXT},
    {"members", "members", FORMAT_COUNT},
    {"limit", "limit", FORMAT_COUNT},
    {"messages", "messages", FORMAT_COUNT},
    {"kept", "kept", FORMAT_COUNT},
    {"created", "created_ms", FORMAT_TIME},
    {"age", "age_ms", FORMAT_AGE},
    {"idle", "idle_ms", FORMAT_AGE},
    {"nodes", "nodes", FORMAT_TEXT},
    END,
};

const struct output_column verb_columns_members[] = {
    {"USER", "user", FORMAT_TEXT},
    {"JOINED", "joined_ms", FORMAT_TIME},
    {"NODE", "node", FORMAT_TEXT},
    {"TRANSPORT", "transport", FORMAT_TEXT},
    {"MANAGER", "manager", FORMAT_TEXT},
    END,
};

const struct output_column verb_columns_entries[] = {
    {"SEQ", "seq", FORMAT_COUNT},
    {"TIME", "time_ms", FORMAT_TIME},
    {"KIND", "kind", FORMAT_TEXT},
    {"USER", "user", FORMAT_TEXT},
    {"TEXT", "text", FORMAT_TEXT},
    END,
};

const struct output_column verb_columns_sessions[] = {
    {"USER", "user", FORMAT_TEXT},
    {"STATE", "state", FORMAT_TEXT},
    {"ROOM", "room", FORMAT_TEXT},
    {"NODE", "node", FORMAT_TEXT},
    {"TRANSPORT", "transport", FORMAT_TEXT},
    {"SINCE", "since_ms", FORMAT_TIME},
    {"EXPIRES", "expires_in_ms", FORMAT_AGE},
    {"ADDRESS", "address", FORMAT_TEXT},
    {"WAITING", "waiting", FORMAT_TEXT},
    END,
};

const struct output_column verb_columns_session[] = {
    {"user", "user", FORMAT_TEXT},
    {"id", "id", FORMAT_TEXT},
    {"state", "state", FORMAT_TEXT},
    {"room", "room", FORMAT_TEXT},
    {"node", "node", FORMAT_TEXT},
    {"transport", "transport", FORMAT_TEXT},
    {"address", "address", FORMAT_TEXT},
    {"auth", "auth", FORMAT_TEXT},
    {"since", "since_ms", FORMAT_TIME},
    {"expires in", "expires_in_ms", FORMAT_AGE},
    {"waiting", "waiting", FORMAT_TEXT},
    END,
};

const struct output_column verb_columns_accounts[] = {
    {"USER", "user", FORMAT_TEXT},
    {"ADDED", "added_ms", FORMAT_TIME},
    {"BY", "added_by", FORMAT_TEXT},
    {"KEY", "key", FORMAT_TEXT},
    END,
};

const struct output_column verb_columns_key[] = {
    {"user", "user", FORMAT_TEXT},
    {"key", "key", FORMAT_TEXT},
    END,
};

const struct output_column verb_columns_settings[] = {
    {"KEY", "key", FORMAT_TEXT},
    {"VALUE", "value", FORMAT_TEXT},
    {"DEFAULT", "default_value", FORMAT_TEXT},
    {"RESTART", "restart", FORMAT_TEXT},
    {"MEANING", "help", FORMAT_TEXT},
    END,
};

const struct output_column verb_columns_settings_of[] = {
    {"node", "node", FORMAT_TEXT},
    END,
};

const struct output_column verb_columns_results[] = {
    {"NODE", "node", FORMAT_TEXT},
    {"RESULT", "result", FORMAT_TEXT},
    {"OK", "ok", FORMAT_TEXT},
    END,
};

const struct output_column verb_columns_stats[] = {
    {"nodes", "nodes", FORMAT_COUNT},
    {"silent", "silent", FORMAT_COUNT},
    {"sessions", "sessions", FORMAT_COUNT},
    {"rooms", "rooms", FORMAT_COUNT},
    {"members", "members", FORMAT_COUNT},
    {"messages", "messages_per_s", FORMAT_RATE},
    {"deliveries", "deliveries_per_s", FORMAT_RATE},
    {"redis memory", "redis_memory_bytes", FORMAT_BYTES},
    {"redis calls", "redis_ops_per_s", FORMAT_RATE},
    END,
};

const struct output_column verb_columns_events[] = {
    {"TIME", "time_ms", FORMAT_TIME},
    {"EVENT", "event", FORMAT_TEXT},
    {"USER", "user", FORMAT_TEXT},
    {"ROOM", "room", FORMAT_TEXT},
    {"NODE", "node", FORMAT_TEXT},
    {"ACTOR", "actor", FORMAT_TEXT},
    {"ARGS", "args", FORMAT_TEXT},
    {"RESULT", "result", FORMAT_TEXT},
    END,
};

const struct output_column verb_columns_findings[] = {
    {"SEVERITY", "severity", FORMAT_STATE},
    {"CHECK", "check", FORMAT_TEXT},
    {"WHAT", "what", FORMAT_TEXT},
    {"MEANS", "means", FORMAT_TEXT},
    {"FIXED", "fixed", FORMAT_TEXT},
    END,
};

const struct output_column verb_columns_checked[] = {
    {"things looked at", "checked", FORMAT_COUNT},
    {"checks", "checks", FORMAT_TEXT},
    END,
};

const struct output_column verb_columns_contexts[] = {
    {"NAME", "name", FORMAT_TEXT},
    {"IN USE", "current", FORMAT_TEXT},
    {"URLS", "urls", FORMAT_TEXT},
    {"TOKEN FILE", "token_file", FORMAT_TEXT},
    {"CA FILE", "ca_file", FORMAT_TEXT},
    {"TLS NAME", "tls_name", FORMAT_TEXT},
    END,
};

const struct output_column verb_columns_versions[] = {
    {"hgtpctl", "tool", FORMAT_TEXT},
    {"node", "node", FORMAT_TEXT},
    {"its version", "version", FORMAT_TEXT},
    {"realm", "realm", FORMAT_TEXT},
    END,
};

const struct output_column verb_columns_restarts[] = {
    {"NODE", "node", FORMAT_TEXT},
    {"RESULT", "result", FORMAT_STATE},
    {"TOOK", "took_ms", FORMAT_AGE},
    {"SESSIONS", "sessions", FORMAT_COUNT},
    {"INCARNATION", "incarnation", FORMAT_TEXT},
    {"ERROR", "error", FORMAT_TEXT},
    END,
};

const struct output_column verb_columns_top[] = {
    {"nodes", "nodes", FORMAT_COUNT},
    {"silent", "silent", FORMAT_COUNT},
    {"draining", "draining", FORMAT_COUNT},
    {"sessions", "sessions", FORMAT_COUNT},
    {"lines", "lines", FORMAT_COUNT},
    {"rooms", "rooms", FORMAT_COUNT},
    {"members", "members", FORMAT_COUNT},
    {"messages", "messages_per_s", FORMAT_RATE},
    {"deliveries", "deliveries_per_s", FORMAT_RATE},
    {"queued", "queued_bytes", FORMAT_BYTES},
    {"store round trip", "store_ms", FORMAT_AGE},
    {"memory", "memory_bytes", FORMAT_BYTES},
    {"cpu", "cpu_percent", FORMAT_PERCENT},
    {"Redis memory", "redis_memory_bytes", FORMAT_BYTES},
    {"Redis calls", "redis_ops_per_s", FORMAT_RATE},
    END,
};

const struct output_column verb_columns_bench[] = {
    {"users", "users", FORMAT_COUNT},
    {"rooms", "rooms", FORMAT_COUNT},
    {"sessions of others", "foreign_sessions", FORMAT_COUNT},
    {"set-up", "set_up_ms", FORMAT_AGE},
    {"talk", "talk_ms", FORMAT_AGE},
    {"messages", "messages", FORMAT_COUNT},
    {"messages/s", "messages_per_s", FORMAT_RATE},
    {"deliveries", "deliveries", FORMAT_COUNT},
    {"deliveries/s", "deliveries_per_s", FORMAT_RATE},
    {"lost", "lost", FORMAT_COUNT},
    {"twice", "twice", FORMAT_COUNT},
    {"out of order", "out_of_order", FORMAT_COUNT},
    {"wrong", "wrong", FORMAT_COUNT},
    {"unacknowledged", "unacknowledged", FORMAT_COUNT},
    {"refused", "refused", FORMAT_COUNT},
    {"held back", "held_back", FORMAT_COUNT},
    {"due but not said", "unsaid", FORMAT_COUNT},
    {"reconnects", "reconnects", FORMAT_COUNT},
    {"sessions lost", "sessions_lost", FORMAT_COUNT},
    {"latency p50, ms", "latency_p50_ms", FORMAT_VALUE},
    {"latency p99, ms", "latency_p99_ms", FORMAT_VALUE},
    {"latency max, ms", "latency_max_ms", FORMAT_VALUE},
    {"CPU of this tool", "tool_cpu_percent", FORMAT_PERCENT},
    END,
};
/* clang-format on */

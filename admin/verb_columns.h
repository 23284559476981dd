/* SPDX-License-Identifier: MIT */
/* verb_columns: what of each reply people are shown, for the table of verbs. */
#ifndef ADMIN_VERB_COLUMNS_H
#define ADMIN_VERB_COLUMNS_H

#include "admin/output.h"

/* In capitals: columns of tables; in small letters: fields of one thing. */
extern const struct output_column verb_columns_nodes[], verb_columns_node[], verb_columns_metrics[],
    verb_columns_rooms[], verb_columns_room[], verb_columns_members[], verb_columns_entries[],
    verb_columns_sessions[], verb_columns_session[], verb_columns_accounts[], verb_columns_key[],
    verb_columns_settings[], verb_columns_settings_of[], verb_columns_results[],
    verb_columns_stats[], verb_columns_events[], verb_columns_findings[], verb_columns_checked[],
    verb_columns_contexts[], verb_columns_versions[], verb_columns_restarts[], verb_columns_top[],
    verb_columns_bench[];

#endif

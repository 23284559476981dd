/* SPDX-License-Identifier: MIT */
/*
 * lists_read: when lists are read from Redis, and the reading of long ones, piece by piece. However
 * many changes there are and whoever waits, each list is read once at a time, and rests in
 * proportion to what it has cost. What becomes of a list that has come is deliver_lists.c's.
 */
#include <utlist.h>

#include "channel.h"

#define LISTS_PRESENCE_MS 1000 /* most who lose their connection have another one by then */
#define LISTS_BATCH       500
#define LISTS_WORD_MAX    40
/* What reading and telling may take of a node and of Redis: about a tenth; a list is that old at
 * most. */
#define LISTS_NAMES_PER_MS 1000
#define LISTS_PIECE_MS     20
#define LISTS_REST_MOST_MS 5000
#define LISTS_TURN_MS      1

/* A long list on its way. */
struct lists_scan {
    struct core *core;
    struct lists_scan *prev, *next;
    enum listing_kind list;
    uint8_t room[HGTP_ROOM_ID_BYTES];
    size_t room_bytes; /* 0: of the realm */
    char epoch[ROSTER_EPOCH_MAX];
    int64_t version;
    uint64_t at;
    char cursor[24];
    size_t piece_count;
    size_t *ends; /* of the fields in `text` */
    size_t field_count, field_cap;
    uint8_t *text;
    size_t text_bytes, text_cap;
};

/* When a list is read ----------------------------------------------------------------------------
 */

static void lists_due(struct core *core, enum listing_kind list, struct room *room,
                      int64_t pause_ms)
{
    bool is_of_nobody =
        list == LIST_MEMBERS ? room == NULL : list == LIST_COUNTS && core->line_count == 0;
    if (is_of_nobody) {
        return;
    }
    int64_t free_ms = list == LIST_MEMBERS ? room->list_free_ms : core->list_free_ms[list];
    int64_t *due_ms = list == LIST_MEMBERS ? &room->list_due_ms : &core->list_due_ms[list];
    int64_t now_ms = core_now_ms(core);
    int64_t at_ms = now_ms + pause_ms > free_ms ? now_ms + pause_ms : free_ms;
    if (*due_ms == 0 || at_ms < *due_ms) {
        *due_ms = at_ms;
    }
    if (core->lists_due_ms == 0 || *due_ms < core->lists_due_ms) {
        core->lists_due_ms = *due_ms;
        core->options.clock.wake_in(core->options.clock.ctx, *due_ms - now_ms);
    }
}

void lists_dirty(struct core *core, enum listing_kind list, struct room *room)
{
    lists_due(core, list, room, core->options.config->lists_coalesce_ms);
}

void lists_presence_dirty(struct core *core, enum listing_kind list, struct room *room)
{
    int64_t coalesce_ms = core->options.config->lists_coalesce_ms;
    lists_due(core, list, room, coalesce_ms > LISTS_PRESENCE_MS ? coalesce_ms : LISTS_PRESENCE_MS);
}

void lists_wanted(struct core *core, enum listing_kind list, struct room *room)
{
    lists_due(core, list, room, 0);
}

static void lists_rest(struct core *core, enum listing_kind list, struct room *room, int64_t ms)
{
    int64_t *free_ms = list == LIST_MEMBERS ? &room->list_free_ms : &core->list_free_ms[list];
    int64_t until_ms = core_now_ms(core) + (ms < LISTS_REST_MOST_MS ? ms : LISTS_REST_MOST_MS);
    if (until_ms > *free_ms) {
        *free_ms = until_ms;
    }
}

void lists_told(struct core *core, enum listing_kind list, struct room *room, size_t name_count)
{
    lists_rest(core, list, room, (int64_t)(name_count / LISTS_NAMES_PER_MS));
}

void lists_args(struct core *core, struct script_args *args, struct bytes uid)
{
    const struct client *client = roster_client(&core->roster, uid);
    struct sink out = sink_into(core->lists_had, sizeof core->lists_had - 1);
    for (int list = 0; list < LIST_COUNT; list++) {
        const struct listing *here = core->lists[list];
        int64_t version = here != NULL ? here->version : -1;
        if (list == LIST_MEMBERS && client != NULL && client->room != NULL) {
            version = client->room->members != NULL ? client->room->members_version : -1;
        }
        char text[24];
        snprintf(text, sizeof text, "%s%" PRId64, list > 0 ? " " : "", version);
        sink_text(&out, text);
    }
    core->lists_had[out.len < out.cap ? out.len : out.cap] = '\0';
    script_args_str(args, "has", core->lists_had);
}

/* Long lists -------------------------------------------------------------------------------------
 */

static void lists_scan_over(struct lists_scan *scan)
{
    DL_DELETE(scan->core->scans, scan);
    free(scan->ends);
    free(scan->text);
    free(scan);
}

static bool lists_scan_grow(void **array, size_t *cap, size_t wanted, size_t size)
{
    if (wanted <= *cap) {
        return true;
    }
    size_t more = wanted * 2;
    void *grown = realloc(*array, more * size);
    if (grown != NULL) {
        *array = grown;
        *cap = more;
    }
    return grown != NULL;
}

static bool lists_scan_take(struct lists_scan *scan, const struct effect *names)
{
    for (size_t i = 1; i < names->count; i++) {
        struct bytes field = names->fields[i];
        if (!lists_scan_grow((void **)&scan->text, &scan->text_cap, scan->text_bytes + field.len,
                             1) ||
            !lists_scan_grow((void **)&scan->ends, &scan->field_cap, scan->field_count + 1,
                             sizeof scan->ends[0])) {
            return false;
        }
        sink_put(&(struct sink){scan->text, scan->text_cap, scan->text_bytes}, field);
        scan->text_bytes += field.len;
        scan->ends[scan->field_count++] = scan->text_bytes;
    }
    return true;
}

/* All pieces are here. It is as of its beginning: what has changed since then has a later version.
 */
static void lists_scan_done(struct lists_scan *scan)
{
    struct core *core = scan->core;
    struct room *room = roster_room(&core->roster, bytes_of(scan->room, scan->room_bytes));
    bool is_of_nobody =
        scan->list == LIST_MEMBERS && (room == NULL || strcmp(room->epoch, scan->epoch) != 0);
    struct bytes *names = is_of_nobody ? NULL : malloc((scan->field_count + 1) * sizeof names[0]);
    if (names == NULL) {
        return;
    }
    for (size_t i = 0, from = 0; i < scan->field_count; from = scan->ends[i++]) {
        names[i] = bytes_of(scan->text + from, scan->ends[i] - from);
    }
    const struct deliver_list as = {scan->list, room, scan->version, scan->at, true};
    deliver_list(core, &as, names, scan->field_count);
    lists_rest(core, scan->list, room, (int64_t)scan->piece_count * LISTS_PIECE_MS);
    free(names);
}

static void lists_scan_ask(struct lists_scan *scan);

static void lists_scan_on_piece(const struct result *result, void *arg)
{
    struct lists_scan *scan = arg;
    struct core *core = scan->core;
    core_call_over(core);
    bool is_good = result != NULL && result->code == ERR_NONE && result->extra.len > 0 &&
                   result->extra.len < sizeof scan->cursor;
    for (size_t i = 0; is_good && i < result->effect_count; i++) {
        is_good =
            !effect_is(&result->effects[i], "names") || lists_scan_take(scan, &result->effects[i]);
    }
    if (!is_good) {
        lists_scan_over(scan);
        upkeep_missed(core);
        return;
    }
    scan->piece_count++;
    memcpy(scan->cursor, result->extra.ptr, result->extra.len);
    scan->cursor[result->extra.len] = '\0';
    if (strcmp(scan->cursor, "0") != 0) {
        lists_scan_ask(scan);
        return;
    }
    lists_scan_done(scan);
    lists_scan_over(scan);
}

static void lists_scan_ask(struct lists_scan *scan)
{
    struct script_args args;
    core_args_init(scan->core, &args, bytes_of(NULL, 0));
    script_args_str(&args, "what", listing_words[scan->list]);
    script_args_bytes(&args, "room", bytes_of(scan->room, scan->room_bytes));
    script_args_str(&args, "cursor", scan->cursor);
    core_call(scan->core, SCRIPT_piece, &args, lists_scan_on_piece, scan);
}

static struct lists_scan *lists_scan_of(struct core *core, enum listing_kind list,
                                        struct bytes room)
{
    struct lists_scan *scan = core->scans;
    while (scan != NULL &&
           (scan->list != list || !bytes_equal(bytes_of(scan->room, scan->room_bytes), room))) {
        scan = scan->next;
    }
    return scan;
}

void lists_on_long(struct core *core, const struct effect *effect)
{
    const struct bytes *f = effect->fields;
    enum listing_kind list;
    bool is_wrong =
        !listing_of(f[1], &list) || f[2].len > HGTP_ROOM_ID_BYTES || f[4].len >= ROSTER_EPOCH_MAX;
    struct lists_scan *scan = is_wrong ? NULL : calloc(1, sizeof *scan);
    if (scan == NULL) {
        return;
    }
    scan->core = core;
    scan->list = list;
    memcpy(scan->room, f[2].ptr, f[2].len);
    scan->room_bytes = f[2].len;
    memcpy(scan->epoch, f[4].ptr, f[4].len);
    scan->version = effects_number(f[3], 0);
    scan->at = (uint64_t)effects_number(f[5], 0);
    scan->cursor[0] = '0';
    DL_APPEND(core->scans, scan);
    lists_scan_ask(scan);
}

/* The clock --------------------------------------------------------------------------------------
 */

static void lists_on_read(const struct result *result, void *arg)
{
    struct core *core = arg;
    core_call_over(core);
    core->lists_reading = false;
    if (result == NULL) {
        upkeep_missed(core);
        return;
    }
    effects_apply(core, result, NULL, NULL);
    if (core->lists_due_ms != 0) {
        core->options.clock.wake_in(core->options.clock.ctx, 0);
    }
}

/* One word more, if its list is due and there is room; else the next time it is looked at. */
static void lists_put(struct core *core, int64_t now_ms, int64_t *due_ms, struct bytes word,
                      int64_t known, bool is_under_way, struct sink *out)
{
    if (*due_ms == 0) {
        return;
    }
    if (*due_ms <= now_ms && !is_under_way && out->cap - out->len >= LISTS_WORD_MAX) {
        char text[24] = " ";
        if (known > 0) {
            snprintf(text, sizeof text, ":%" PRId64 " ", known);
        }
        sink_put(out, word);
        sink_text(out, text);
        *due_ms = 0;
    } else if (core->lists_due_ms == 0 || *due_ms < core->lists_due_ms) {
        core->lists_due_ms = *due_ms;
    }
}

static void lists_words(struct core *core, int64_t now_ms, struct sink *out)
{
    core->lists_due_ms = 0;
    for (int list = 0; list < LIST_COUNT; list++) {
        lists_put(core, now_ms, &core->list_due_ms[list], bytes_str(listing_words[list]),
                  core->lists_told[list],
                  lists_scan_of(core, (enum listing_kind)list, bytes_of(NULL, 0)) != NULL, out);
    }
    struct room *room, *next;
    HASH_ITER(hh, core->roster.rooms, room, next)
    {
        struct bytes id = bytes_of(room->id, sizeof room->id);
        lists_put(core, now_ms, &room->list_due_ms, id,
                  room->members != NULL ? room->members->version : 0,
                  lists_scan_of(core, LIST_MEMBERS, id) != NULL, out);
    }
}

int64_t lists_tick(struct core *core, int64_t now_ms, int64_t wait_ms)
{
    if (deliver_lists_in_turn(core)) {
        wait_ms = LISTS_TURN_MS;
    }
    if (core->lists_due_ms != 0 && now_ms >= core->lists_due_ms && !core->lists_reading) {
        uint8_t words[LISTS_BATCH * LISTS_WORD_MAX];
        struct sink out = sink_into(words, sizeof words);
        lists_words(core, now_ms, &out);
        if (out.len > 0) {
            core->lists_reading = true;
            struct script_args args;
            core_args_init(core, &args, bytes_of(NULL, 0));
            script_args_bytes(&args, "what", sink_bytes(&out));
            core_call(core, SCRIPT_lists, &args, lists_on_read, core);
        }
    }
    bool is_next_known = core->lists_due_ms != 0 && !core->lists_reading;
    return is_next_known && core->lists_due_ms - now_ms < wait_ms ? core->lists_due_ms - now_ms
                                                                  : wait_ms;
}

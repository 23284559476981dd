/* SPDX-License-Identifier: MIT */
/*
 * Tests of node/core/deliver with a fake store that has a room log in memory and fake push
 * connections of limited size: order, gaps, clients that cannot keep up, and logs that have
 * forgotten.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/core/core_state.h"

#define ROOM "roomroomroom"

/* The outside -------------------------------------------------------------------------------------
 */

struct fake_push {
    size_t capacity; /* how many more it takes now */
    size_t got_count;
    size_t list_count;
    uint64_t mark; /* of the last message */
    bool is_closed;
};

static struct {
    struct core *core;
    struct config config;
    int64_t now_ms;
    uint64_t log_first, log_last; /* the log holds these numbers */
    const char *members; /* the one who is in the room, where the log has forgotten; or NULL */
    bool store_is_away;
    char first[24], last[24];
    store_on_result_fn *on_result;
    void *arg;
    size_t read_count, piece_count;
    size_t asked[SCRIPT_COUNT];   /* what is answered by nothing, at once */
    store_on_result_fn *on_piece; /* the piece that waits for its answer */
    void *piece_arg;
    struct fake_push pushes[3];
} fake;

static enum err fake_refusal(void *ctx)
{
    (void)ctx;
    return ERR_STORE_AWAY;
}

static void fake_call(void *ctx, enum script script, const struct script_args *args,
                      store_on_result_fn *on_result, void *arg)
{
    (void)ctx;
    if (script == SCRIPT_piece) {
        fake.piece_count++;
        fake.on_piece = on_result;
        fake.piece_arg = arg;
        return;
    }
    if (script == SCRIPT_adopt || script == SCRIPT_look || script == SCRIPT_tops ||
        script == SCRIPT_lists) {
        const struct result nothing = {.code = ERR_NONE, .extra = bytes_str("0")};
        fake.asked[script]++;
        on_result(&nothing, arg);
        return;
    }
    assert_int_equal(script, SCRIPT_log_read);
    assert_null(fake.on_result);
    fake.read_count++;
    for (size_t i = 0; i + 1 < args->count; i += 2) {
        char *into = bytes_equal(args->items[i], bytes_str("first"))  ? fake.first
                     : bytes_equal(args->items[i], bytes_str("last")) ? fake.last
                                                                      : NULL;
        if (into != NULL) {
            snprintf(into, 24, "%.*s", (int)args->items[i + 1].len,
                     (const char *)args->items[i + 1].ptr);
        }
    }
    fake.on_result = on_result;
    fake.arg = arg;
}

static struct room *fake_room(void);

/* Answers the read that is open, as the script does, at most 50 entries at a time. */
static void fake_answer(void)
{
    static char numbers[50][24];
    static struct bytes fields[51][11];
    static struct effect effects[51];
    store_on_result_fn *on_result = fake.on_result;
    assert_non_null(on_result);
    fake.on_result = NULL;
    if (fake.store_is_away) {
        on_result(NULL, fake.arg);
        return;
    }
    uint64_t first = strtoull(fake.first, NULL, 10), last = strtoull(fake.last, NULL, 10);
    size_t count = 0;
    if (first < fake.log_first && fake.members != NULL) {
        const struct bytes row[8] = {
            bytes_str("members"), bytes_str(ROOM),         bytes_str("1"), bytes_str("60"),
            bytes_str("bob"),     bytes_str(fake.members), bytes_str("5"), bytes_str("1")};
        memcpy(fields[50], row, sizeof row);
        effects[count++] = (struct effect){fields[50], 8};
    }
    for (uint64_t seq = first; seq <= last && count < 50; seq++) {
        if (seq < fake.log_first || seq > fake.log_last) {
            continue;
        }
        snprintf(numbers[count], sizeof numbers[0], "%llu", (unsigned long long)seq);
        const struct bytes row[11] = {bytes_str("entry"),
                                      bytes_str(ROOM),
                                      bytes_str(fake_room()->epoch),
                                      bytes_str(numbers[count]),
                                      bytes_str("message"),
                                      bytes_str("u"),
                                      bytes_str("hello"),
                                      bytes_str("1"),
                                      bytes_str("1"),
                                      bytes_str(""),
                                      bytes_str("")};
        memcpy(fields[count], row, sizeof row);
        effects[count] = (struct effect){fields[count], 11};
        count++;
    }
    const struct result result = {
        .code = ERR_NONE, .extra = bytes_str("0"), .effects = effects, .effect_count = count};
    on_result(&result, fake.arg);
}

/* Time passes, and what has to be read from the log is read. */
static void fake_answer_all(void)
{
    fake.now_ms += 100;
    deliver_gaps(fake.core, fake.now_ms);
    for (int rounds = 0; fake.on_result != NULL; rounds++) {
        assert_true(rounds < 1000);
        fake_answer();
    }
}

static bool fake_send(void *push, enum push_type type, struct frame *body, uint64_t mark)
{
    struct fake_push *to = push;
    assert_false(to->is_closed);
    assert_true(body->len > 0);
    if (to->capacity == 0) {
        return false;
    }
    to->capacity--;
    if (type == PUSH_MESSAGE) {
        assert_true(mark > to->mark);
        to->got_count++;
        to->mark = mark;
    } else {
        to->list_count++;
    }
    return true;
}

static bool fake_alive(const void *push)
{
    (void)push;
    return true;
}

/* It answers everything at once. */
static struct push_health fake_health(const void *push)
{
    (void)push;
    return (struct push_health){.is_up = true};
}

static uint64_t fake_confirmed(const void *push)
{
    return ((const struct fake_push *)push)->mark;
}

static bool fake_idle(const void *push)
{
    (void)push;
    return true;
}

static void fake_close(void *push)
{
    ((struct fake_push *)push)->is_closed = true;
}

static int64_t fake_now(void *ctx)
{
    (void)ctx;
    return fake.now_ms;
}

static void fake_wake(void *ctx, int64_t ms)
{
    (void)ctx;
    (void)ms;
}

static void fake_random(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    memset(out, 7, len);
}

static struct client *fake_client(size_t at, uint64_t first)
{
    uint8_t uid[8] = "client0";
    uid[7] = (uint8_t)('0' + at);
    struct client *client = roster_client_add(&fake.core->roster, bytes_of(uid, 8));
    client->core = fake.core;
    client->push = &fake.pushes[at];
    assert_true(roster_enter(
        &fake.core->roster, client,
        &(const struct roster_room){.id = bytes_str(ROOM), .epoch = bytes_str("1"), .next = first},
        first));
    return client;
}

static struct room *fake_room(void)
{
    return roster_room(&fake.core->roster, bytes_str(ROOM));
}

static int set_up(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof fake);
    fake.log_first = 1;
    fake.now_ms = 1000;
    fake.config.lists_max = 1000;
    for (size_t i = 0; i < 3; i++) {
        fake.pushes[i].capacity = SIZE_MAX;
    }
    const struct core_options options = {
        .config = &fake.config,
        .node = "n",
        .bus_address = "",
        .store = {NULL, fake_call, fake_refusal},
        .push = {.send = fake_send,
                 .alive = fake_alive,
                 .health = fake_health,
                 .confirmed = fake_confirmed,
                 .idle = fake_idle,
                 .close = fake_close},
        .clock = {NULL, fake_now, fake_now, fake_wake, fake_random}};
    fake.core = core_new(&options);
    return fake.core == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    core_free(fake.core);
    return 0;
}

static void arrives(uint64_t seq)
{
    struct entry *entry = entry_new(seq, ENTRY_message, bytes_str("u"), bytes_str("hello"), 1, 1);
    if (seq > fake.log_last) {
        fake.log_last = seq;
    }
    deliver_entry(fake.core, fake_room(), entry);
    entry_unref(entry);
}

/* Tests
 * -------------------------------------------------------------------------------------------- */

static void deliver_entry_reaches_every_member_once(void **state)
{
    (void)state;
    fake_client(0, 1);
    fake_client(1, 1);
    arrives(1);
    arrives(2);
    arrives(2);
    assert_int_equal(fake.pushes[0].got_count, 2);
    assert_int_equal(fake.pushes[1].got_count, 2);
}

static void deliver_newcomer_gets_nothing_from_before_its_entering(void **state)
{
    (void)state;
    fake_client(0, 1);
    arrives(1);
    fake_client(1, 3);
    arrives(2);
    arrives(3);
    assert_int_equal(fake.pushes[0].got_count, 3);
    assert_int_equal(fake.pushes[1].got_count, 1);
}

static void deliver_gap_is_read_from_the_log_before_anything_later_is_delivered(void **state)
{
    (void)state;
    fake_client(0, 1);
    arrives(1);
    arrives(5);
    arrives(4);
    assert_int_equal(fake.pushes[0].got_count, 1);
    fake_answer_all();
    assert_int_equal(fake.read_count, 1);
    assert_int_equal(fake.pushes[0].got_count, 5);
    assert_int_equal(fake.pushes[0].mark & 0xffffffffffff, 5);
    assert_int_equal(fake_room()->feed.next, 6);
}

static void deliver_gap_that_is_filled_soon_is_not_read_from_the_log(void **state)
{
    (void)state;
    fake_client(0, 1);
    arrives(2);
    fake.now_ms += 19;
    deliver_gaps(fake.core, fake.now_ms);
    assert_int_equal(fake.read_count, 0);
    assert_int_not_equal(fake.core->gaps_ms, 0);
    arrives(1);
    assert_int_equal(fake.pushes[0].got_count, 2);
    fake_answer_all();
    assert_int_equal(fake.read_count, 0);
    assert_int_equal(fake.core->gaps_ms, 0);
}

static void has_effect(const struct bytes *fields, size_t count)
{
    const struct effect effect = {fields, count};
    const struct result result = {
        .code = ERR_NONE, .extra = bytes_str(""), .effects = &effect, .effect_count = 1};
    effects_apply(fake.core, &result, NULL, NULL);
}

static void deliver_entries_behind_what_redis_has_kept_are_delivered_anew(void **state)
{
    (void)state;
    struct client *client = fake_client(0, 1);
    for (uint64_t seq = 1; seq <= 10; seq++) {
        arrives(seq);
    }
    uint16_t turn = client->turn;
    const struct bytes epoch[] = {bytes_str("epoch"), bytes_str(ROOM), bytes_str("1"),
                                  bytes_str("2"), bytes_str("7")};
    has_effect(epoch, 5);
    assert_int_equal(fake_room()->feed.next, 8);
    assert_int_not_equal(client->turn, turn);
    assert_int_equal(fake.asked[SCRIPT_adopt], 1); /* who is where, by entries that are lost */
    has_effect(epoch, 5);                          /* told twice */
    arrives(8);
    arrives(9);
    assert_int_equal(fake.pushes[0].got_count, 12);
}

static void deliver_newcomer_gets_nothing_from_before_its_entering_in_another_epoch(void **state)
{
    (void)state;
    fake_client(0, 1);
    struct client *newcomer = fake_client(1, 15);
    for (uint64_t seq = 1; seq <= 10; seq++) {
        arrives(seq);
    }
    const struct bytes epoch[] = {bytes_str("epoch"), bytes_str(ROOM), bytes_str("1"),
                                  bytes_str("2"), bytes_str("16")};
    has_effect(epoch, 5);
    fake.log_last = 16;
    deliver_repair(fake.core, fake_room());
    fake_answer_all();
    core_on_drained(newcomer);
    fake_answer_all();
    assert_int_equal(fake.pushes[0].got_count, 16);
    assert_int_equal(fake.pushes[1].got_count, 2);
}

static void deliver_what_was_not_asked_for_is_not_taken_for_lost(void **state)
{
    (void)state;
    fake_client(0, 1);
    arrives(1);
    fake.log_first = 50;
    room_feed_top(&fake_room()->feed, 59);
    deliver_repair(fake.core, fake_room());
    room_feed_top(&fake_room()->feed, 120); /* said meanwhile */
    fake.log_first = 60;
    fake.log_last = 120;
    fake_answer_all();
    assert_int_equal(fake.pushes[0].got_count, 1 + 61);
}

static void deliver_epoch_in_which_nothing_was_lost_costs_nothing(void **state)
{
    (void)state;
    struct client *client = fake_client(0, 1);
    for (uint64_t seq = 1; seq <= 5; seq++) {
        arrives(seq);
    }
    uint16_t turn = client->turn;
    const struct bytes epoch[] = {bytes_str("epoch"), bytes_str(ROOM), bytes_str("1"),
                                  bytes_str("2"), bytes_str("9")};
    has_effect(epoch, 5);
    assert_int_equal(fake_room()->feed.next, 6);
    assert_int_equal(client->turn, turn);
    uint64_t first, last;
    assert_true(room_feed_gap(&fake_room()->feed, &first, &last));
    assert_int_equal(first, 6);
    assert_int_equal(last, 9);
}

static void deliver_top_tells_of_an_epoch_that_was_missed(void **state)
{
    (void)state;
    fake_client(0, 1);
    for (uint64_t seq = 1; seq <= 10; seq++) {
        arrives(seq);
    }
    const struct bytes top[] = {bytes_str("top"), bytes_str(ROOM), bytes_str("1"),
                                bytes_str("2"),   bytes_str("4"),  bytes_str("4")};
    has_effect(top, 6);
    assert_string_equal(fake_room()->epoch, "2");
    assert_int_equal(fake_room()->feed.next, 5);
    has_effect(top, 6); /* asked before that was known */
    assert_string_equal(fake_room()->epoch, "2");
}

/* `fields` of an entry that changes who is in the room. */
static void membership_entry_arrives(const char *seq, const char *kind, const char *uid,
                                     const char *stay)
{
    const struct bytes fields[] = {bytes_str("entry"), bytes_str(ROOM), bytes_str("1"),
                                   bytes_str(seq),     bytes_str(kind), bytes_str("u"),
                                   bytes_str(""),      bytes_str("1"),  bytes_str("0"),
                                   bytes_str(uid),     bytes_str(stay)};
    has_effect(fields, 11);
}

static void deliver_entry_that_takes_one_out_is_the_last_it_could_have_had(void **state)
{
    (void)state;
    struct client *vic = fake_client(0, 1);
    fake_client(1, 1);
    vic->stay = 5;
    arrives(1);
    arrives(4); /* said after it was removed, and early here */
    membership_entry_arrives("3", "removed", "client00", "5");
    assert_int_equal(fake.pushes[0].got_count, 1);
    arrives(2);
    assert_null(vic->room);
    assert_int_equal(fake.pushes[0].got_count, 2);
    assert_int_equal(fake.pushes[1].got_count, 3);
}

static void deliver_entry_that_takes_one_in_is_the_first_it_gets(void **state)
{
    (void)state;
    fake_client(0, 1);
    struct client *joiner = fake_client(1, 1);
    roster_leave(&fake.core->roster, joiner);
    arrives(1);
    arrives(3);
    membership_entry_arrives("2", "joined", "client01", "7");
    assert_non_null(joiner->room);
    assert_int_equal(fake.pushes[0].got_count, 2);
    assert_int_equal(fake.pushes[1].got_count, 1);
    const struct bytes earlier[] = {bytes_str("leave"), bytes_str("client01"), bytes_str("6")};
    has_effect(earlier, 3);
    assert_non_null(joiner->room);
    const struct bytes leave[] = {bytes_str("leave"), bytes_str("client01"), bytes_str("7")};
    has_effect(leave, 3);
    assert_null(joiner->room);
    membership_entry_arrives("4", "joined", "client01", "7"); /* that stay is over */
    assert_null(joiner->room);
}

static void deliver_members_are_shown_with_their_entry_and_to_who_is_in_then(void **state)
{
    (void)state;
    struct client *vic = fake_client(0, 1);
    fake_client(1, 1);
    vic->stay = 5;
    arrives(1);
    const struct bytes list[] = {bytes_str("list"), bytes_str("members"), bytes_str(ROOM),
                                 bytes_str("1"),    bytes_str("1"),       bytes_str("2"),
                                 bytes_str("b")};
    has_effect(list, 7);
    assert_int_equal(fake.pushes[1].list_count, 0);
    membership_entry_arrives("2", "removed", "client00", "5");
    assert_int_equal(fake.pushes[0].list_count, 0);
    assert_true(fake.pushes[1].list_count >= 1);
}

static void deliver_members_of_another_epoch_are_not_shown(void **state)
{
    (void)state;
    fake_client(0, 1);
    arrives(1);
    const struct bytes list[] = {bytes_str("list"), bytes_str("members"), bytes_str(ROOM),
                                 bytes_str("1"),    bytes_str("2"),       bytes_str("1"),
                                 bytes_str("b")};
    has_effect(list, 7);
    assert_int_equal(fake.pushes[0].list_count, 0);
    assert_true(fake_room()->list_due_ms > 0);
}

/* Redis' word that she is in the room was made before she was removed, and comes after it. */
static void deliver_one_who_catches_up_gets_nothing_behind_her_own_removal(void **state)
{
    (void)state;
    struct client *vic = fake_client(0, 1);
    fake_client(1, 1);
    roster_leave(&fake.core->roster, vic);
    arrives(1);
    arrives(2);
    membership_entry_arrives("3", "removed", "client00", "5");
    arrives(4);
    const struct bytes join[] = {bytes_str("join"), bytes_str("client00"), bytes_str(ROOM),
                                 bytes_str("1"),    bytes_str("2"),        bytes_str("hall"),
                                 bytes_str(""),     bytes_str("5"),        bytes_str("users")};
    vic->stay = 0;
    vic->is_stay_over = false;
    has_effect(join, 9);
    assert_null(vic->room);
    assert_int_equal(fake.pushes[0].got_count, 1); /* the second, which is hers */
    assert_int_equal(fake.pushes[1].got_count, 3);
}

static void deliver_members_are_taken_from_redis_where_the_log_has_forgotten(void **state)
{
    (void)state;
    struct client *vic = fake_client(0, 1);
    struct client *stays = fake_client(1, 1);
    vic->stay = stays->stay = 5;
    arrives(1);
    fake.log_first = 40;
    fake.members = "client01";
    arrives(60);
    fake_answer_all();
    assert_null(vic->room);
    assert_int_equal(fake.pushes[0].got_count, 1);
    assert_int_equal(fake.pushes[1].got_count, 1 + 21);
}

static void entry_of_arrives(const char *seq, const char *kind, const char *who)
{
    const struct bytes fields[] = {bytes_str("entry"), bytes_str(ROOM), bytes_str("1"),
                                   bytes_str(seq),     bytes_str(kind), bytes_str(who),
                                   bytes_str(""),      bytes_str("1"),  bytes_str("0"),
                                   bytes_str(""),      bytes_str("")};
    has_effect(fields, 11);
}

static void manages(const char *name)
{
    assert_true(bytes_equal(fake_room()->manager, bytes_str(name)));
}

/* Issue 12, item 19. */
static void deliver_manager_changes_where_the_log_says_so(void **state)
{
    (void)state;
    fake_client(0, 1);
    roster_set_manager(fake_room(), bytes_str("alice"));
    arrives(1);
    entry_of_arrives("4", "manager", "bob");
    entry_of_arrives("3", "left", "alice");
    manages("alice"); /* both wait for their turn */
    arrives(2);
    manages("bob");
    entry_of_arrives("5", "left", "carol");
    manages("bob");
    entry_of_arrives("6", "removed", "bob");
    manages("");
    const struct bytes list[] = {bytes_str("list"), bytes_str("members"), bytes_str(ROOM),
                                 bytes_str("1"),    bytes_str("1"),       bytes_str("7"),
                                 bytes_str("b"),    bytes_str("")};
    has_effect(list, 8);
    entry_of_arrives("7", "manager", "dave");
    assert_true(bytes_equal(fake_room()->members->manager, bytes_str("dave")));
}

static void deliver_manager_is_as_redis_has_it_where_the_log_has_forgotten(void **state)
{
    (void)state;
    fake_client(0, 1)->stay = 5;
    roster_set_manager(fake_room(), bytes_str("alice"));
    arrives(1);
    fake.log_first = 40;
    fake.members = "client00";
    arrives(60);
    fake_answer_all();
    manages("bob");
}

static void deliver_closed_room_is_left_behind_its_last_entry(void **state)
{
    (void)state;
    struct client *member = fake_client(0, 1);
    membership_entry_arrives("2", "closed", "", "");
    assert_non_null(member->room);
    arrives(1);
    assert_null(member->room);
    assert_int_equal(fake.pushes[0].got_count, 1);
    assert_null(fake_room());
}

static void deliver_gap_that_the_log_has_forgotten_is_skipped(void **state)
{
    (void)state;
    fake_client(0, 1);
    arrives(1);
    fake.log_first = 40;
    arrives(60);
    fake_answer_all();
    assert_int_equal(fake.pushes[0].got_count, 1 + 21);
    assert_int_equal(fake_room()->feed.next, 61);
}

static void deliver_failed_read_is_tried_again_at_the_next_check(void **state)
{
    (void)state;
    fake_client(0, 1);
    arrives(3);
    fake.store_is_away = true;
    fake_answer_all();
    assert_int_equal(fake.read_count, 1);
    assert_true(fake_room()->check_due);
    fake.store_is_away = false;
    deliver_repair(fake.core, fake_room());
    fake_answer_all();
    assert_int_equal(fake.pushes[0].got_count, 3);
}

static void deliver_slow_client_holds_up_nobody_and_catches_up_from_recent_entries(void **state)
{
    (void)state;
    struct client *slow = fake_client(0, 1);
    fake_client(1, 1);
    fake.pushes[0].capacity = 2;
    for (uint64_t seq = 1; seq <= 20; seq++) {
        arrives(seq);
    }
    assert_int_equal(fake.pushes[0].got_count, 2);
    assert_int_equal(fake.pushes[1].got_count, 20);
    assert_true(slow->behind);
    fake.pushes[0].capacity = 5;
    core_on_drained(slow);
    assert_int_equal(fake.pushes[0].got_count, 7);
    fake.pushes[0].capacity = SIZE_MAX;
    core_on_drained(slow);
    assert_int_equal(fake.pushes[0].got_count, 20);
    assert_int_equal(fake.read_count, 0);
    arrives(21);
    assert_int_equal(fake.pushes[0].got_count, 21);
}

static void deliver_very_slow_client_catches_up_from_the_log_while_talk_goes_on(void **state)
{
    (void)state;
    struct client *slow = fake_client(0, 1);
    fake_client(1, 1);
    fake.pushes[0].capacity = 3;
    for (uint64_t seq = 1; seq <= 500; seq++) {
        arrives(seq);
    }
    fake.pushes[0].capacity = SIZE_MAX;
    core_on_drained(slow);
    for (uint64_t seq = 501; fake.on_result != NULL; seq++) {
        arrives(seq);
        fake_answer();
    }
    assert_false(slow->behind);
    assert_int_equal(fake.pushes[0].got_count, fake.log_last);
    assert_int_equal(fake.pushes[1].got_count, fake.log_last);
}

/* The log is not read for one that would not take what is read: a hundred who had stopped reading
 * kept Redis from everything else. */
static void deliver_full_client_costs_redis_nothing_until_it_takes_something(void **state)
{
    (void)state;
    struct client *slow = fake_client(0, 1);
    fake_client(1, 1);
    fake.pushes[0].capacity = 3;
    for (uint64_t seq = 1; seq <= 500; seq++) {
        arrives(seq);
    }
    deliver_catch_up(fake.core, slow); /* as upkeep does all the time */
    assert_int_equal(fake.read_count, 0);
    fake.pushes[0].capacity = 10;
    core_on_drained(slow);
    fake_answer_all();
    assert_int_equal(fake.pushes[0].got_count, 13);
    assert_int_equal(fake.read_count, 1);
    deliver_catch_up(fake.core, slow);
    assert_int_equal(fake.read_count, 1);
    fake.pushes[0].capacity = SIZE_MAX;
    core_on_drained(slow);
    fake_answer_all();
    assert_int_equal(fake.pushes[0].got_count, 500);
}

static void deliver_client_that_leaves_while_catching_up_gets_nothing_more(void **state)
{
    (void)state;
    struct client *slow = fake_client(0, 1);
    fake_client(1, 1);
    fake.pushes[0].capacity = 1;
    for (uint64_t seq = 1; seq <= 200; seq++) {
        arrives(seq);
    }
    fake.pushes[0].capacity = SIZE_MAX;
    core_on_drained(slow);
    assert_non_null(fake.on_result);
    roster_leave(&fake.core->roster, slow);
    fake_answer_all();
    assert_int_equal(fake.pushes[0].got_count, 1);
}

static void deliver_session_that_ends_while_catching_up_is_not_touched(void **state)
{
    (void)state;
    struct client *slow = fake_client(0, 1);
    fake_client(1, 1);
    fake.pushes[0].capacity = 1;
    for (uint64_t seq = 1; seq <= 200; seq++) {
        arrives(seq);
    }
    fake.pushes[0].capacity = SIZE_MAX;
    core_on_drained(slow);
    effects_gone(fake.core, slow, WS_CLOSE_ENDED);
    assert_true(fake.pushes[0].is_closed);
    fake_answer_all();
}

/* Lists ------------------------------------------------------------------------------------------
 */

/* `count` users, n00, n01 and so on, as of that version. */
static void fake_users(int64_t version, size_t count, bool is_told)
{
    static char text[20][8];
    struct bytes names[40];
    assert_true(count <= 20);
    for (size_t i = 0; i < count; i++) {
        snprintf(text[i], sizeof text[i], "n%02d", (int)i);
        names[2 * i] = bytes_str(text[i]);
        names[2 * i + 1] = bytes_str("");
    }
    const struct deliver_list as = {.list = LIST_USERS, .version = version, .is_told = is_told};
    deliver_list(fake.core, &as, names, 2 * count);
}

static void deliver_list_that_is_here_is_given_without_being_read(void **state)
{
    (void)state;
    struct client *client = fake_client(0, 1);
    fake_users(5, 3, false);
    assert_int_equal(fake.pushes[0].list_count, 0);
    deliver_give(fake.core, client, LIST_USERS, 5, true);
    assert_int_equal(fake.pushes[0].list_count, 1);
    assert_int_equal(fake.core->list_due_ms[LIST_USERS], 0);
}

static void deliver_list_that_is_older_than_what_was_done_is_not_given(void **state)
{
    (void)state;
    struct client *client = fake_client(0, 1);
    fake_users(5, 3, false);
    deliver_give(fake.core, client, LIST_USERS, 7, false);
    assert_int_equal(fake.pushes[0].list_count, 0);
    assert_true(fake.core->list_due_ms[LIST_USERS] > 0);
    fake_users(6, 4, false);
    assert_int_equal(fake.pushes[0].list_count, 0);
    fake_users(7, 4, false);
    assert_int_equal(fake.pushes[0].list_count, 1);
    fake_users(7, 4, false); /* once */
    assert_int_equal(fake.pushes[0].list_count, 1);
}

static void deliver_earlier_list_does_not_take_the_place_of_a_later_one(void **state)
{
    (void)state;
    fake_client(0, 1);
    fake_users(7, 4, true);
    fake_users(6, 3, true);
    assert_int_equal(fake.pushes[0].list_count, 1);
    assert_int_equal(fake.core->lists[LIST_USERS]->total, 4);
}

/* Issue 13, item 18. */
static void deliver_long_list_is_told_by_its_first_page_to_an_original_client(void **state)
{
    (void)state;
    struct client *client = fake_client(0, 1);
    fake.config.lists_max = 3;
    fake_users(5, 10, true);
    assert_false(deliver_lists_in_turn(fake.core));
    assert_int_equal(fake.pushes[0].list_count, 1);
    deliver_give(fake.core, client, LIST_USERS, 5, true);
    assert_int_equal(fake.pushes[0].list_count, 2); /* pages would replace each other */
}

static void deliver_long_list_is_told_to_a_few_clients_at_a_time(void **state)
{
    (void)state;
    for (uint8_t i = 0; i < 12; i++) {
        const uint8_t uid[8] = {'c', 'l', 'i', 'e', 'n', 't', '+', (uint8_t)('a' + i)};
        struct client *client = roster_client_add(&fake.core->roster, bytes_of(uid, 8));
        client->core = fake.core;
        client->push = &fake.pushes[0];
    }
    fake.config.lists_max = 3;
    fake_users(5, 10, true);
    assert_int_equal(fake.pushes[0].list_count, 0);
    assert_true(deliver_lists_in_turn(fake.core));
    assert_in_range(fake.pushes[0].list_count, 1, 11);
    fake_users(6, 11, true); /* those who were not told yet come first, and all once more */
    size_t before = fake.pushes[0].list_count;
    while (deliver_lists_in_turn(fake.core)) {
    }
    assert_int_equal(fake.pushes[0].list_count, before + 12);
    assert_false(deliver_lists_in_turn(fake.core));
    assert_int_equal(fake.pushes[0].list_count, before + 12);
}

static void fake_piece(const char *name, const char *cursor)
{
    const struct bytes names[] = {bytes_str("names"), bytes_str(name), bytes_str("")};
    const struct effect effects[] = {{names, 3}};
    const struct result result = {
        .code = ERR_NONE, .extra = bytes_str(cursor), .effects = effects, .effect_count = 1};
    store_on_result_fn *on_piece = fake.on_piece;
    assert_non_null(on_piece);
    fake.on_piece = NULL;
    on_piece(&result, fake.piece_arg);
}

static void deliver_long_list_is_read_by_pieces_and_has_each_name_once(void **state)
{
    (void)state;
    fake_client(0, 1);
    fake.config.lists_max = 2;
    const struct bytes is_long[] = {bytes_str("long"), bytes_str("users"), bytes_str(""),
                                    bytes_str("9"),    bytes_str(""),      bytes_str("0")};
    has_effect(is_long, 6);
    fake_piece("zoe", "12");
    fake_piece("amy", "7");
    fake_piece("zoe", "3");
    assert_null(fake.core->lists[LIST_USERS]);
    fake_piece("max", "0");
    assert_null(fake.on_piece);
    const struct listing *users = fake.core->lists[LIST_USERS];
    assert_int_equal(users->total, 3);
    assert_int_equal(users->version, 9);
    assert_true(bytes_equal(users->names[0], bytes_str("amy")));
    assert_true(bytes_equal(users->names[4], bytes_str("zoe")));
    assert_false(deliver_lists_in_turn(fake.core));
    assert_int_equal(fake.pushes[0].list_count, 1);
}

static void deliver_missed_list_is_sent_in_its_latest_form_when_there_is_space(void **state)
{
    (void)state;
    struct client *slow = fake_client(0, 1);
    const struct bytes names[] = {bytes_str("a"), bytes_str("")};
    const struct deliver_list members = {
        .list = LIST_MEMBERS, .room = fake_room(), .version = 1, .is_told = true};
    fake.pushes[0].capacity = 0;
    fake_users(1, 1, true);
    fake_users(2, 2, true);
    deliver_list(fake.core, &members, names, 2);
    assert_int_equal(fake.pushes[0].list_count, 0);
    fake.pushes[0].capacity = SIZE_MAX;
    core_on_drained(slow);
    assert_int_equal(fake.pushes[0].list_count, 2);
    core_on_drained(slow);
    assert_int_equal(fake.pushes[0].list_count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(deliver_entry_reaches_every_member_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deliver_newcomer_gets_nothing_from_before_its_entering,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            deliver_gap_is_read_from_the_log_before_anything_later_is_delivered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            deliver_entries_behind_what_redis_has_kept_are_delivered_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            deliver_newcomer_gets_nothing_from_before_its_entering_in_another_epoch, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(deliver_what_was_not_asked_for_is_not_taken_for_lost,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(deliver_epoch_in_which_nothing_was_lost_costs_nothing,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(deliver_top_tells_of_an_epoch_that_was_missed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            deliver_entry_that_takes_one_out_is_the_last_it_could_have_had, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deliver_entry_that_takes_one_in_is_the_first_it_gets,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            deliver_members_are_shown_with_their_entry_and_to_who_is_in_then, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            deliver_members_are_taken_from_redis_where_the_log_has_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deliver_members_of_another_epoch_are_not_shown, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            deliver_one_who_catches_up_gets_nothing_behind_her_own_removal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deliver_manager_changes_where_the_log_says_so, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            deliver_manager_is_as_redis_has_it_where_the_log_has_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deliver_closed_room_is_left_behind_its_last_entry, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(deliver_gap_that_is_filled_soon_is_not_read_from_the_log,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(deliver_gap_that_the_log_has_forgotten_is_skipped, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(deliver_failed_read_is_tried_again_at_the_next_check,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            deliver_slow_client_holds_up_nobody_and_catches_up_from_recent_entries, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            deliver_very_slow_client_catches_up_from_the_log_while_talk_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            deliver_full_client_costs_redis_nothing_until_it_takes_something, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            deliver_client_that_leaves_while_catching_up_gets_nothing_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deliver_session_that_ends_while_catching_up_is_not_touched,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(deliver_list_that_is_here_is_given_without_being_read,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(deliver_list_that_is_older_than_what_was_done_is_not_given,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(deliver_earlier_list_does_not_take_the_place_of_a_later_one,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            deliver_long_list_is_told_by_its_first_page_to_an_original_client, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deliver_long_list_is_told_to_a_few_clients_at_a_time,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(deliver_long_list_is_read_by_pieces_and_has_each_name_once,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            deliver_missed_list_is_sent_in_its_latest_form_when_there_is_space, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * company: olga says one message after the other and waits for each answer, as an original client
 * does; wanda and will pour, and come back when their connection ends. A message of olga's counts
 * when it was answered by 200; what was not, may be there or not.
 */
#include "company.h"

#define COMPANY_STEP_MS    20
#define COMPANY_RETRY_MS   250
#define COMPANY_ANSWER_MS  4000
#define COMPANY_ARRIVES_MS 30000

/* Entering ------------------------------------------------------------------------------------- */

static const char *company_name(struct company *company, size_t at, const char *name,
                                const char *suffix)
{
    snprintf(company->names[at], sizeof company->names[at], "%s%s", name, suffix);
    return company->names[at];
}

static struct original *company_original(struct company *company, const struct stack *stack,
                                         uint32_t ip, const char *name)
{
    const struct original_options options = {.name = name, .key = stack->key, .own_ip = ip};
    return e2e_user_with(company->e, &options);
}

static struct talker *company_talker(struct company *company, const struct stack *stack,
                                     const char *name)
{
    const struct talker_options options = {
        .name = name, .key = stack->key, .port = stack->http_port};
    return e2e_talker_with(company->e, &options);
}

void company_open(struct company *company, struct e2e *e, const struct stack *stack,
                  uint32_t outside_ip, const char *suffix)
{
    char room[32];
    company->e = e;
    const char *names[] = {
        company_name(company, 0, "olga", suffix), company_name(company, 1, "oscar", suffix),
        company_name(company, 2, "wanda", suffix), company_name(company, 3, "will", suffix)};
    company->olga = company_original(company, stack, outside_ip, names[0]);
    company->oscar = company_original(company, stack, outside_ip, names[1]);
    company->wanda = company_talker(company, stack, names[2]);
    company->will = company_talker(company, stack, names[3]);
    snprintf(room, sizeof room, "room%s", suffix);
    e2e_open_room(company->olga, room);
    e2e_join_room(company->oscar, room);
    e2e_talk_join_room(company->wanda, room);
    e2e_talk_join_room(company->will, room);
}

/* Talking -------------------------------------------------------------------------------------- */

static bool company_is_answer(const struct original_event *event, const void *arg)
{
    (void)arg;
    return event->kind == ORIGINAL_ANSWER;
}

static void company_say(struct company *company)
{
    char text[64];
    int64_t attempt = company->attempts++;
    assert_true(attempt < COMPANY_SAID_MAX);
    snprintf(text, sizeof text, "%s %lld ", company->names[0], (long long)attempt);
    const struct original_event *answer = NULL;
    if (original_say(company->olga, text)) {
        answer = original_wait(company->olga, company_is_answer, NULL, COMPANY_ANSWER_MS);
    }
    company->is_acknowledged[attempt] = answer != NULL && answer->status == 200;
}

/* As a client that is told to reconnect, or finds itself cut off: again and again, with pauses. */
static void company_keep(struct company *company)
{
    struct talker *const talkers[] = {company->wanda, company->will};
    for (size_t i = 0; i < sizeof talkers / sizeof talkers[0]; i++) {
        struct talker *talker = talkers[i];
        int64_t now_ms = pump_now_ms(), *again_ms = &company->again_ms[i];
        if (*again_ms == 0 && (talker->ws->ended || talker->reconnect_after_ms >= 0)) {
            *again_ms = now_ms + (talker->ws->ended ? 0 : talker->reconnect_after_ms);
        }
        if (*again_ms == 0 || now_ms < *again_ms) {
            continue;
        }
        bool is_back = talker_resume(talker, talker->options.port) == 101;
        company->resumes += is_back;
        company->refused += !is_back;
        *again_ms = is_back ? 0 : now_ms + COMPANY_RETRY_MS;
    }
}

static void company_step(struct company *company)
{
    company_keep(company);
    talker_pour(company->wanda, company->wanda->goal + 1, 16);
    talker_pour(company->will, company->will->goal + 1, 16);
    company_say(company);
}

int company_talk_while(struct company *company, struct process *process, int64_t timeout_ms)
{
    int64_t deadline_ms = pump_deadline_ms(timeout_ms);
    int code = -1;
    while (code < 0 && pump_now_ms() < deadline_ms) {
        company_step(company);
        pump_pause(COMPANY_STEP_MS);
        code = process_wait_exit(process, 0);
    }
    return code;
}

void company_talk_for(struct company *company, int64_t ms)
{
    int64_t until_ms = pump_now_ms() + ms;
    while (pump_now_ms() < until_ms) {
        company_step(company);
        e2e_retry_pause();
    }
}

/* Account -------------------------------------------------------------------------------------- */

struct company_count {
    bool is_heard[COMPANY_SAID_MAX];
    int64_t next; /* what has not come yet, in order */
    size_t twice;
};

/* What an original client has heard of one who speaks; in order, but for what comes again. */
static void company_hear(const struct original *client, const char *who,
                         struct company_count *count)
{
    memset(count, 0, sizeof *count);
    for (size_t i = 0; i < client->log.count; i++) {
        const struct original_event *event = client->log.events[i];
        long long number;
        char name[32];
        if (event->kind != ORIGINAL_PUSH || event->push != PUSH_MESSAGE ||
            sscanf(event->text, "%31s %lld", name, &number) != 2 || strcmp(name, who) != 0) {
            continue;
        }
        assert_true(number >= 0 && number < COMPANY_SAID_MAX);
        if (count->is_heard[number]) {
            count->twice++;
            continue;
        }
        if (number < count->next) {
            fail_msg("%s hears %s %lld behind %lld", client->options.name, who, number,
                     (long long)count->next - 1);
        }
        count->is_heard[number] = true;
        count->next = number + 1;
    }
}

struct company_end {
    struct company *company;
    char text[64];
};

static bool company_has_end(void *arg)
{
    const struct company_end *end = arg;
    const struct company *company = end->company;
    static struct company_count count;
    const struct original *const originals[] = {company->olga, company->oscar};
    const struct talker *const talkers[] = {company->wanda, company->will};
    for (size_t i = 0; i < 2; i++) {
        company_hear(originals[i], company->names[0], &count);
        if (count.next != company->attempts ||
            talk_record_message(&talkers[i]->record, end->text, NULL) == NULL) {
            return false;
        }
    }
    return true;
}

/* Until olga's last message was taken and everybody has it. */
static void company_finish(struct company *company)
{
    struct talker *const talkers[] = {company->wanda, company->will};
    int64_t deadline_ms = pump_deadline_ms(COMPANY_ARRIVES_MS);
    for (size_t i = 0; i < 2; i++) {
        while (!talker_poured(talkers[i], 0)) {
            assert_true(pump_now_ms() < deadline_ms);
            pump_pause(100);
            company_keep(company);
        }
    }
    do {
        assert_true(pump_now_ms() < deadline_ms);
        company_say(company);
    } while (!company->is_acknowledged[company->attempts - 1]);
    struct company_end end = {.company = company};
    snprintf(end.text, sizeof end.text, "%s %lld ", company->names[0],
             (long long)company->attempts - 1);
    while (!pump_within(company_has_end, &end, 200)) {
        assert_true(pump_now_ms() < deadline_ms);
        company_keep(company);
    }
}

/* Every one of the talkers' messages, and those of olga's that were acknowledged. */
static size_t company_check_original(const struct company *company, const struct original *client)
{
    static struct company_count count;
    const struct talker *const talkers[] = {company->wanda, company->will};
    size_t twice = 0;
    for (size_t i = 0; i < 2; i++) {
        company_hear(client, talkers[i]->options.name, &count);
        for (int64_t number = 0; number < talkers[i]->goal; number++) {
            if (!count.is_heard[number]) {
                fail_msg("%s lacks %s %lld", client->options.name, talkers[i]->options.name,
                         (long long)number);
            }
        }
        twice += count.twice;
    }
    company_hear(client, company->names[0], &count);
    for (int64_t number = 0; number < company->attempts; number++) {
        if (company->is_acknowledged[number] && !count.is_heard[number]) {
            fail_msg("%s lacks %s %lld", client->options.name, company->names[0],
                     (long long)number);
        }
    }
    return twice + count.twice;
}

static void company_check_talker(const struct company *company, const struct talker *talker)
{
    assert_null(talker_broken(talker));
    assert_int_equal(talk_record_account(&talker->record).gaps, 0);
    assert_true(talk_record_has_numbers(&talker->record, company->names[2], company->wanda->goal));
    assert_true(talk_record_has_numbers(&talker->record, company->names[3], company->will->goal));
    for (int64_t number = 0; number < company->attempts; number++) {
        char text[64];
        size_t times;
        snprintf(text, sizeof text, "%s %lld ", company->names[0], (long long)number);
        (void)talk_record_message(&talker->record, text, &times);
        if (times > 1 || (times == 0 && company->is_acknowledged[number])) {
            fail_msg("%s has %s%zu times", talker->options.name, text, times);
        }
    }
}

size_t company_account(struct company *company)
{
    company_finish(company);
    size_t twice = company_check_original(company, company->olga) +
                   company_check_original(company, company->oscar);
    company_check_talker(company, company->wanda);
    company_check_talker(company, company->will);
    for (int64_t number = 0; number < company->attempts; number++) {
        company->unanswered += !company->is_acknowledged[number];
    }
    print_message("%lld messages, none lost; %lld of olga's unanswered; %zu came twice to original "
                  "clients; talkers reconnected %zu times, refused %zu times\n",
                  (long long)(company->wanda->goal + company->will->goal + company->attempts),
                  (long long)company->unanswered, twice, company->resumes, company->refused);
    return twice;
}

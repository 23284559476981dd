/* SPDX-License-Identifier: MIT */
/* err: the catalogue keeps its promises, row by row, and look-ups show what stands in the table. */
#include "proto/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct row {
    int code;
    const char *name;
    enum hgtp_type hgtp;
    int http;
    bool is_worth_repeating;
    const char *text;
};

static const struct row rows[] = {
#define ERR(name, code, hgtp, http, control, retry, text)                                          \
    {code, #name, HGTP_##hgtp, http, retry, text},
#include "proto/err.def"
};

#define ROW_COUNT (sizeof rows / sizeof rows[0])

static void err_codes_and_names_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        for (size_t k = i + 1; k < ROW_COUNT; k++) {
            assert_int_not_equal(rows[i].code, rows[k].code);
            assert_string_not_equal(rows[i].name, rows[k].name);
        }
    }
}

static void err_look_ups_show_each_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        enum err err = (enum err)rows[i].code;
        assert_string_equal(err_name(err), rows[i].name);
        assert_string_equal(err_text(err), rows[i].text);
        assert_int_equal(err_http_status(err), rows[i].http);
        assert_int_equal(err_is_worth_repeating(err), rows[i].is_worth_repeating);
        assert_int_equal(err_hgtp_type(err, HGTP_REGISTER), rows[i].hgtp);
    }
}

static void err_known_rows_are_as_clients_know_them(void **state)
{
    (void)state;
    assert_string_equal(err_name(ERR_NAME_TAKEN), "NAME_TAKEN");
    assert_int_equal(ERR_NAME_TAKEN, 12);
    assert_int_equal(err_hgtp_type(ERR_NAME_TAKEN, HGTP_REGISTER), HGTP_DECLINE);
    assert_int_equal(err_http_status(ERR_STORE_AWAY), 503);
    assert_true(err_is_worth_repeating(ERR_STORE_AWAY));
    assert_false(err_is_worth_repeating(ERR_WRONG_DIGEST));
}

static void err_texts_are_sentences_without_full_stop(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        size_t len = strlen(rows[i].text);
        assert_true(len > 0);
        assert_int_not_equal(rows[i].text[len - 1], '.');
        assert_int_not_equal(rows[i].text[len - 1], ' ');
        /* routes.c puts it into JSON as it is; Markdown tables end a cell at a bar. */
        assert_null(strpbrk(rows[i].text, "\"\\|\n"));
    }
}

static void err_codes_fit_the_wire(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        assert_in_range(rows[i].code, 0, INT16_MAX);
    }
}

static void err_to_create_and_join_is_never_server_unavailable(void **state)
{
    (void)state;
    for (int code = -1; code <= UINT8_MAX; code++) {
        assert_int_not_equal(err_hgtp_type((enum err)code, HGTP_CREATE_ROOM),
                             HGTP_SERVER_UNAVAILABLE);
        assert_int_not_equal(err_hgtp_type((enum err)code, HGTP_JOIN_ROOM),
                             HGTP_SERVER_UNAVAILABLE);
    }
    assert_int_equal(err_hgtp_type(ERR_STORE_AWAY, HGTP_CREATE_ROOM), HGTP_BAD_REQUEST);
    assert_int_equal(err_hgtp_type(ERR_ROOM_NAME_TAKEN, HGTP_CREATE_ROOM), HGTP_DECLINE);
    assert_int_equal(err_hgtp_type(ERR_NONE, HGTP_JOIN_ROOM), HGTP_OK);
}

static void err_to_other_requests_may_be_server_unavailable(void **state)
{
    (void)state;
    for (int type = 0; type <= UINT8_MAX; type++) {
        if (type != HGTP_CREATE_ROOM && type != HGTP_JOIN_ROOM) {
            assert_int_equal(err_hgtp_type(ERR_STORE_AWAY, (uint8_t)type), HGTP_SERVER_UNAVAILABLE);
        }
    }
}

static void err_unknown_code_is_shown_as_internal(void **state)
{
    (void)state;
    static const int strangers[] = {-1, 14, 44, 56, 89, 97, 1000, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        enum err err = (enum err)strangers[i];
        assert_string_equal(err_name(err), "INTERNAL");
        assert_string_equal(err_text(err), err_text(ERR_INTERNAL));
        assert_int_equal(err_http_status(err), 500);
        assert_true(err_is_worth_repeating(err));
        assert_int_equal(err_hgtp_type(err, HGTP_REFRESH), HGTP_SERVER_UNAVAILABLE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(err_codes_and_names_are_unique),
        cmocka_unit_test(err_look_ups_show_each_row),
        cmocka_unit_test(err_known_rows_are_as_clients_know_them),
        cmocka_unit_test(err_texts_are_sentences_without_full_stop),
        cmocka_unit_test(err_codes_fit_the_wire),
        cmocka_unit_test(err_to_create_and_join_is_never_server_unavailable),
        cmocka_unit_test(err_to_other_requests_may_be_server_unavailable),
        cmocka_unit_test(err_unknown_code_is_shown_as_internal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

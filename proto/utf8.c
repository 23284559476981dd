/* SPDX-License-Identifier: MIT */
/*
 * utf8: one reader of sequences behind all three questions: is it well-formed, may it be shown as a
 * name, and what does Java's lossy conversion make of it. The reader follows Java in how many bytes
 * an ill-formed sequence takes: the maximal subpart, but all three bytes of an encoded surrogate.
 * How long a name may be is the caller's policy.
 */
#include "proto/utf8.h"

/* The sequence at the front of some bytes: well-formed and its code point, or ill-formed. */
struct utf8_sequence {
    size_t bytes;
    bool valid;
    uint32_t code;
};

/* What a lead byte asks for; `more` is 0 for ASCII and for bytes that cannot lead. */
struct utf8_lead {
    unsigned more;
    uint8_t first_low; /* range of the first continuation; later ones are 80..BF */
    uint8_t first_high;
    uint8_t code_mask;
};

static struct utf8_lead utf8_lead(uint8_t byte)
{
    if (byte >= 0xc2 && byte <= 0xdf) {
        return (struct utf8_lead){1, 0x80, 0xbf, 0x1f};
    }
    if (byte >= 0xe0 && byte <= 0xef) {
        /* ED is not narrowed: surrogates are read in full, then refused. */
        return (struct utf8_lead){2, byte == 0xe0 ? 0xa0 : 0x80, 0xbf, 0x0f};
    }
    if (byte >= 0xf0 && byte <= 0xf4) {
        return (struct utf8_lead){3, byte == 0xf0 ? 0x90 : 0x80, byte == 0xf4 ? 0x8f : 0xbf, 0x07};
    }
    return (struct utf8_lead){0, 0, 0, 0x7f};
}

/* `in` is not empty. */
static struct utf8_sequence utf8_first(struct bytes in)
{
    struct utf8_lead lead = utf8_lead(in.ptr[0]);
    if (lead.more == 0) {
        return (struct utf8_sequence){1, in.ptr[0] < 0x80, in.ptr[0]};
    }
    uint32_t code = in.ptr[0] & lead.code_mask;
    for (size_t i = 1; i <= lead.more; i++) {
        uint8_t low = i == 1 ? lead.first_low : 0x80;
        uint8_t high = i == 1 ? lead.first_high : 0xbf;
        if (i >= in.len || in.ptr[i] < low || in.ptr[i] > high) {
            return (struct utf8_sequence){i, false, 0};
        }
        code = code << 6 | (in.ptr[i] & 0x3f);
    }
    bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
    return (struct utf8_sequence){lead.more + 1, !is_surrogate, code};
}

/* `in` is the beginning of a sequence, cut off by the end of what has come. */
static bool utf8_may_become_valid(struct bytes in)
{
    struct utf8_lead lead = utf8_lead(in.ptr[0]);
    bool is_surrogate = in.ptr[0] == 0xed && in.len > 1 && in.ptr[1] >= 0xa0;
    return utf8_first(in).bytes == in.len && in.len <= lead.more && !is_surrogate;
}

bool utf8_begins_valid(struct bytes in, size_t *ret_whole)
{
    size_t at = 0;
    while (at < in.len) {
        if (in.ptr[at] < 0x80) {
            at++;
            continue;
        }
        struct utf8_sequence sequence = utf8_first(bytes_from(in, at));
        if (!sequence.valid) {
            break;
        }
        at += sequence.bytes;
    }
    *ret_whole = at;
    return at == in.len || utf8_may_become_valid(bytes_from(in, at));
}

bool utf8_valid(struct bytes in)
{
    size_t whole;
    return utf8_begins_valid(in, &whole) && whole == in.len;
}

/* Characters that would break a line of a list or turn the text around it. */
static bool utf8_code_harmful(uint32_t code)
{
    bool is_control = code < 0x20 || (code >= 0x7f && code <= 0x9f);
    bool is_separator = code == 0x2028 || code == 0x2029;
    bool is_direction = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    return is_control || is_separator || is_direction;
}

/* Unicode's White_Space, less what utf8_code_harmful refuses. */
static bool utf8_code_blank(uint32_t code)
{
    return code == 0x20 || code == 0xa0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200a) ||
           code == 0x202f || code == 0x205f || code == 0x3000;
}

bool utf8_name_valid(struct bytes in, size_t max_bytes)
{
    if (in.len > max_bytes) {
        return false;
    }
    bool is_visible = false;
    while (in.len > 0) {
        struct utf8_sequence sequence = utf8_first(in);
        if (!sequence.valid || utf8_code_harmful(sequence.code)) {
            return false;
        }
        is_visible = is_visible || !utf8_code_blank(sequence.code);
        in = bytes_from(in, sequence.bytes);
    }
    return is_visible;
}

void utf8_replace(struct bytes in, struct sink *out)
{
    while (in.len > 0) {
        struct utf8_sequence sequence = utf8_first(in);
        sink_put(out,
                 sequence.valid ? bytes_of(in.ptr, sequence.bytes) : bytes_str("\xef\xbf\xbd"));
        in = bytes_from(in, sequence.bytes);
    }
}

const char *utf8_past_mark(const char *text)
{
    return strncmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text;
}

/* SPDX-License-Identifier: MIT */
/*
 * base64: names and ids as they travel. Decoding takes exactly what java.util.Base64's basic
 * decoder takes, since that is what both ends of the original do with a name. What the bytes mean,
 * UTF-8 above all, is not looked at here.
 */
#include "proto/base64.h"

static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encoded_bytes(size_t len)
{
    return (len + 2) / 3 * 4;
}

static void base64_put_digit(uint32_t bits, unsigned shift, struct sink *out)
{
    sink_u8(out, (uint8_t)base64_alphabet[bits >> shift & 63]);
}

/* One to three bytes become four characters. */
static void base64_encode_unit(struct bytes unit, struct sink *out)
{
    uint32_t bits = (uint32_t)unit.ptr[0] << 16;
    bits |= unit.len > 1 ? (uint32_t)unit.ptr[1] << 8 : 0;
    bits |= unit.len > 2 ? unit.ptr[2] : 0;
    base64_put_digit(bits, 18, out);
    base64_put_digit(bits, 12, out);
    if (unit.len > 1) {
        base64_put_digit(bits, 6, out);
    } else {
        sink_u8(out, '=');
    }
    if (unit.len > 2) {
        base64_put_digit(bits, 0, out);
    } else {
        sink_u8(out, '=');
    }
}

void base64_encode(struct bytes in, struct sink *out)
{
    for (size_t at = 0; at < in.len; at += 3) {
        size_t left = in.len - at;
        base64_encode_unit(bytes_of(in.ptr + at, left < 3 ? left : 3), out);
    }
}

/* The value of a character, or -1. */
static int base64_digit(uint8_t character)
{
    if (character >= 'A' && character <= 'Z') {
        return character - 'A';
    }
    if (character >= 'a' && character <= 'z') {
        return character - 'a' + 26;
    }
    if (character >= '0' && character <= '9') {
        return character - '0' + 52;
    }
    if (character == '+') {
        return 62;
    }
    return character == '/' ? 63 : -1;
}

/* Two to four characters become one to three bytes. */
static bool base64_decode_unit(struct bytes unit, struct sink *out)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = i < unit.len ? base64_digit(unit.ptr[i]) : 0;
        if (digit < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)digit;
    }
    for (size_t i = 0; i + 1 < unit.len; i++) {
        sink_u8(out, (uint8_t)(bits >> (16 - 8 * i)));
    }
    return true;
}

/* Padding is right only where it fills a unit of four; anywhere else `=` is just no digit. */
static size_t base64_unpadded_bytes(struct bytes in)
{
    if (in.len == 0 || in.len % 4 != 0 || in.ptr[in.len - 1] != '=') {
        return in.len;
    }
    return in.ptr[in.len - 2] == '=' ? in.len - 2 : in.len - 1;
}

bool base64_decode(struct bytes in, struct sink *out)
{
    size_t len = base64_unpadded_bytes(in);
    if (len % 4 == 1) {
        return false;
    }
    for (size_t at = 0; at < len; at += 4) {
        size_t left = len - at;
        if (!base64_decode_unit(bytes_of(in.ptr + at, left < 4 ? left : 4), out)) {
            return false;
        }
    }
    return true;
}

/* SPDX-License-Identifier: MIT */
/*
 * bytes: borrowed byte ranges, a bounded writer and a bounded reader for big-endian fields.
 * Everything in proto/ takes and returns these by value; nothing here allocates.
 */
#ifndef PROTO_BYTES_H
#define PROTO_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** A borrowed range. `ptr` may be NULL when `len` is 0. Valid as long as the storage behind it. */
struct bytes {
    const uint8_t *ptr;
    size_t len;
};

/**
 * A writer into the caller's storage. It counts on past `cap` without writing, so a pass with
 * cap 0 measures. After the last write: `len > cap` means that the storage was too small.
 */
struct sink {
    uint8_t *ptr;
    size_t cap;
    size_t len;
};

static inline struct bytes bytes_of(const void *ptr, size_t len)
{
    return (struct bytes){ptr, len};
}

static inline struct bytes bytes_str(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/** Whether U+0000 is in it, which no text and no name may contain. */
static inline bool bytes_have_nul(struct bytes in)
{
    return in.len > 0 && memchr(in.ptr, 0, in.len) != NULL;
}

static inline struct bytes bytes_from(struct bytes in, size_t start)
{
    return start >= in.len ? (struct bytes){NULL, 0}
                           : (struct bytes){in.ptr + start, in.len - start};
}

static inline struct sink sink_into(void *storage, size_t cap)
{
    return (struct sink){storage, cap, 0};
}

static inline bool sink_fits(const struct sink *out)
{
    return out->len <= out->cap;
}

/** What was written; call only when it fits. */
static inline struct bytes sink_bytes(const struct sink *out)
{
    return (struct bytes){out->ptr, out->len};
}

static inline void sink_u8(struct sink *out, uint8_t value)
{
    if (out->len < out->cap) {
        out->ptr[out->len] = value;
    }
    out->len++;
}

static inline void sink_put(struct sink *out, struct bytes in)
{
    if (in.len != 0 && out->len <= out->cap && in.len <= out->cap - out->len) {
        memcpy(out->ptr + out->len, in.ptr, in.len);
    }
    out->len += in.len;
}

static inline void sink_text(struct sink *out, const char *text)
{
    sink_put(out, bytes_str(text));
}

static inline void sink_be16(struct sink *out, uint16_t value)
{
    sink_u8(out, (uint8_t)(value >> 8));
    sink_u8(out, (uint8_t)value);
}

static inline void sink_be32(struct sink *out, uint32_t value)
{
    sink_be16(out, (uint16_t)(value >> 16));
    sink_be16(out, (uint16_t)value);
}

static inline void sink_be64(struct sink *out, uint64_t value)
{
    sink_be32(out, (uint32_t)(value >> 32));
    sink_be32(out, (uint32_t)value);
}

static inline uint16_t be16_at(const uint8_t *ptr)
{
    return (uint16_t)(ptr[0] << 8 | ptr[1]);
}

static inline uint32_t be32_at(const uint8_t *ptr)
{
    return (uint32_t)be16_at(ptr) << 16 | be16_at(ptr + 2);
}

static inline uint64_t be64_at(const uint8_t *ptr)
{
    return (uint64_t)be32_at(ptr) << 32 | be32_at(ptr + 4);
}

#endif

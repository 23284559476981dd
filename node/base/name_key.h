/* SPDX-License-Identifier: MIT */
/* name_key: when two names are one, and how a name is shown. */
#ifndef BASE_NAME_KEY_H
#define BASE_NAME_KEY_H

#include "config.h"
#include "proto/bytes.h"

/* Some letters are written out longer in a key than in a name. */
#define NAME_KEY_BYTES_MAX (2 * CONFIG_NAME_BYTES_MAX)

/**
 * The key of a name: the same for all names that differ only in width, case, blanks and invisible
 * characters. NFKC, case folded, without default-ignorable characters and U+2800, blanks trimmed
 * and collapsed. A key is its own key.
 *
 * ret_key  into `storage`
 * returns  true | false: it is no name: empty, but for what cannot be seen; ill-formed; of a
 *          character that Unicode's tables here do not have, so that nobody knows its other forms;
 *          it or its key longer than may be
 * limits   name <= CONFIG_NAME_BYTES_MAX, key <= NAME_KEY_BYTES_MAX bytes
 */
bool name_key(struct bytes name, uint8_t storage[NAME_KEY_BYTES_MAX], struct bytes *ret_key);

/** The name as it is shown, within `name`: without blanks around it, else as it was written. */
struct bytes name_shown(struct bytes name);

#endif

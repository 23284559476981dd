/* SPDX-License-Identifier: MIT */
/* talk_target: the service that a client is to talk to, from what was said on the command line. */
#ifndef ADMIN_TALK_TALK_TARGET_H
#define ADMIN_TALK_TALK_TARGET_H

#include "admin/talk/talk_net.h"

#define TALK_TARGET_KEY_MAX 1024

struct talk_target {
    struct talk_address http, hgtp;
    char key[TALK_TARGET_KEY_MAX];
};

/** As it was said: `hgtp`, and one of the keys, may be NULL. */
struct talk_target_words {
    const char *verb; /* for messages */
    const char *http; /* HOST or HOST:PORT */
    const char *hgtp; /* the same for HGTP over UDP; NULL: host of `http` */
    const char *key, *key_file;
};

/** False: it was said on stderr what is wrong. */
bool talk_target_find(const struct talk_target_words *words, struct talk_target *ret_target);

#endif

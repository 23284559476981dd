/* SPDX-License-Identifier: MIT */
/* web_assets: the page and its parts (node/front/web), as they are served. */
#ifndef FRONT_WEB_ASSETS_H
#define FRONT_WEB_ASSETS_H

#include "proto/bytes.h"

struct web_asset {
    const char *path; /* without the leading slash; "" is the page */
    const char *content_type;
    const char *etag; /* quotes included */
    const uint8_t *bytes;
    size_t len;
};

/** NULL: there is none. */
const struct web_asset *web_asset_find(struct bytes path);

#endif

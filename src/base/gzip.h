/* SPDX-License-Identifier: BSD-2-Clause */
/* Bodies of HTTP in gzip. zlib, which captures need as well, takes 270 KB while it packs one. */
#pragma once

#include "base/buffer.h"

/* Appends the packed bytes. False: no memory, or more than 4 GiB. */
bool gzip_pack(struct buffer *out, const void *data, size_t size);
/* Returns whether an Accept-Encoding header names gzip, and does not refuse it by q=0. */
bool gzip_is_accepted(const char *header);

/* SPDX-License-Identifier: BSD-2-Clause */
/* The proxies that an environment names (HTTPS_PROXY=http://user:password@proxy:3128/), only by
 * host and port: user and password are in front of the "@" and are skipped. */
#pragma once

#include "base/buffer.h"

#define PROXY_HOST_MAX 253

/* Appends each proxy as "HTTPS_PROXY=127.0.0.1:3128", followed by a NUL. `is_cut`: the bytes end
 * before the environment does. */
void proc_proxies_find(struct buffer *out, const void *environment, size_t size, bool is_cut);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Secrets in the path of a request line of HTTP, "POST /bot123:AbC9.../send", and before the host
 * of "CONNECT user:X@host:443". Only mask.c includes this. */
#pragma once

#include "base/buffer.h"

/* Masks a request line. False, and nothing is written: it is no request line. */
bool mask_request(struct buffer *out, const char *text, size_t size);

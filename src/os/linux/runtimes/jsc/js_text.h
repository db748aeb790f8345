/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The name of a function of JavaScript, from the text around its start: its own name, the one that
 * it is assigned to, or that of the function it is passed to. Foreign bytes. Where the text is not
 * plainly one of these, there is no name: a wrong one is worse.
 */
#ifndef SOOTH_OS_LINUX_JS_TEXT_H
#define SOOTH_OS_LINUX_JS_TEXT_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/cursor.h"

#define JS_TEXT_BEFORE 2048 /* bytes that are looked at, at most */
#define JS_TEXT_FROM   256
#define JS_TEXT_NAME   128 /* of a name */

/* Appends "NAME", or "cb:NAME" of what it is passed to. `before` ends, and `from` begins, where the
 * engine has the start of the function; false: no name, and nothing is appended. */
bool js_text_name(struct span before, struct span from, struct buffer *out);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the name of a JavaScript function in the text around its start: its own name, the variable
 * that it is assigned to, or the function that it is passed to. The text comes from an untrusted
 * file. If the text is not clearly one of these forms, there is no name, because a wrong name is
 * worse.
 */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"
#include "base/cursor.h"

#define JS_TEXT_BEFORE 2048 /* most bytes that are examined */
#define JS_TEXT_FROM   256
#define JS_TEXT_NAME   128 /* size of a name */

/* Appends "NAME", or "cb:NAME" with the function that it is passed to. The engine has the
 * function's start where `before` ends and `from` begins. False: no name is found, and nothing is
 * appended. */
bool js_text_name(struct span before, struct span from, struct buffer *out);

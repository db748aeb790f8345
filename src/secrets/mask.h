/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeping secrets out of what sooth keeps. A command line is a list of
 * NUL-terminated arguments (as /proc/PID/cmdline holds it); what looks like a
 * secret is replaced by "***", the rest stays to the byte:
 *   - the value of an option or assignment whose name says key, token, secret,
 *     password, passwd, passphrase, credential, auth, cookie, bearer (any case;
 *     `--api-key X`, `--api-key=X`, `API_KEY=X`, `-H "Authorization: X"`),
 *   - words with the shape of a known service's token (mask_shapes.c has the table), Bearer X,
 *     Basic X; of AKIA and AIzaSy also what a name of 15 characters leaves of them,
 *   - the user part and every query value of a URL (scheme and host stay; of a database or ssh
 *     also a user without a password),
 *   - private keys in PEM, SQL (PASSWORD 'X', IDENTIFIED BY 'X'), connection strings (Pwd=X,
 *     name:X@tcp(host)), XML elements, Secrets of Kubernetes, the password of a .netrc line; NAME,
 *     = and X as arguments of their own,
 *   - in a request line of HTTP (`GET /x/TOKEN`) parts of the path that look like tokens,
 *   - the path of a URL that is one: hooks of Slack, Discord, Telegram and others,
 *   - the options that hold one in some programs only (`curl -u name:X`, `mysql -pX`;
 *     mask_programs.c has them), as arguments and in scripts.
 */
#pragma once

#include "base/buffer.h"

/* Masks a NUL-separated list into a NUL-separated list. `limit` (0: none) bounds the output.
 * Returns true when the output was cut. */
bool mask_arguments(struct buffer *out, const char *args, size_t size, size_t limit);
/* Masks one piece of text: a URL, a line, a name. */
void mask_text(struct buffer *out, const char *text, size_t size);
/* Returns false if mask_text() would not change the text. Takes a fraction of its time, for
 * millions of texts. */
bool mask_may_change(const char *text, size_t size);
/* Returns whether a variable or option of this name holds a secret. */
bool mask_is_secret_name(const char *name, size_t size);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names in what leaves the host, as keyed hashes: `project-3f0c…` with 16 hex digits. The same key
 * gives the same hash on each host and on each day, so rows of one project can be joined. Without
 * the key a name can be neither read nor guessed: a plain hash of "web-17" could be found by trying
 * names. Who has the key finds the hash of a name by any tool that has HMAC (docs/fleet.md).
 *
 * `kind` is the placeholder of the field (sooth/field.h): "project", "host", "user". One name has
 * different hashes as a project and as a user.
 */
#pragma once

#include "base/buffer.h"
#include "base/cursor.h"
#include "base/error.h"
#include "base/sha256.h"

struct name_key {
	struct hmac begun; /* HMAC after its key */
};

/* Reads the key: a file of 16 to 4096 bytes, which only its owner (the caller or root) may read. A
 * newline at its end does not count, so that other tools can take the key from a shell. */
int name_key_read(struct name_key *key, const char *path, struct sooth_error *err);
/* Appends "KIND-HASH", the first 8 bytes of HMAC-SHA-256 of "KIND:TEXT". An empty text stays
 * empty: it is no name. */
void name_hash(const struct name_key *key, const char *kind, struct span text, struct buffer *out);

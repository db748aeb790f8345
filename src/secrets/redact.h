/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Texts that may be handed to strangers: what names a person, a host or a project becomes a
 * placeholder, the same one wherever it stands. Secrets are masked as well (secrets/mask.h).
 *
 *   names that were learnt          user-1, host-1, project-2: as whole words, in any case
 *   /home/alice/work/x.js           ~user-1/path-1/path-2.js: homes, then parts that are
 *                                   not public; what is below /usr, /proc and the like stays
 *   192.0.2.7, 2001:db8::7          address-1; loopback and unspecified ones stay
 *   alice@example.com, @name        name-1
 *   arguments                       all but the first are ***
 *
 * Redaction misses a name that was not learnt, stands in no path, and is in a sentence or the name
 * of a program or thread. Names of files may have any characters, so each is learnt from a record
 * in which it stands alone, never from a sentence.
 */
#pragma once

#include "base/buffer.h"
#include "base/cursor.h"
#include "base/map.h"
#include "secrets/name_hash.h"

struct redactor {
	struct map names;     /* hash of a name -> struct redact_name of redact.c */
	struct buffer texts;  /* text of `names` */
	size_t name_most;     /* bytes of the longest */
	struct map numbers;   /* hash of placeholder and text -> uint32_t */
	struct map counts;    /* hash of a placeholder -> uint32_t */
	struct buffer paths;  /* whole paths, each ended by NUL, that are more than one word */
	bool is_full;	      /* a path was not learnt */
	struct buffer masked; /* scratch */
	/* Placeholders have hashes made with this key, the same on each host; NULL: numbers. Then
	 * also a public word is hashed if it is a whole name. Set before names are learnt. */
	const struct name_key *key;
};

void redactor_init(struct redactor *r);
void redactor_fini(struct redactor *r);
/* Learns a name of the kind `placeholder` ("user", "host"), wherever the name occurs. Public words
 * and texts shorter than three characters are not names. */
void redactor_learn_name(struct redactor *r, const char *placeholder, struct span name);
/* Learns the name of a file ("script", "file") as a whole, without a path. */
void redactor_learn_file(struct redactor *r, const char *placeholder, struct span name);
/* Learns the users whose homes are in the text, and the text itself if it is a path. */
void redactor_learn_paths(struct redactor *r, struct span text);
/* Returns whether every name and path was learnt. If not, what is written may have private names.
 */
bool redactor_is_complete(const struct redactor *r);
/* Appends the redacted text. To be called after all names are learnt. */
void redactor_write(struct redactor *r, struct span text, struct buffer *out);
/* Writes NUL-separated arguments; a NUL ends each. */
void redactor_write_arguments(struct redactor *r, struct span arguments, struct buffer *out);

/* --- for redact*.c --- */

/* Appends "path-3": the same number for the same text. */
void redactor_number(
	struct redactor *r, const char *placeholder, struct span text, struct buffer *out);
/* Returns whether a word is public. */
bool redact_is_public(struct span word);

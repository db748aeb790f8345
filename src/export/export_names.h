/* SPDX-License-Identifier: BSD-2-Clause */
/* Replaces names in the rows of an export: of hosts, users and projects, and in paths. */
#ifndef SOOTH_EXPORT_NAMES_H
#define SOOTH_EXPORT_NAMES_H

#include "export/feed.h"
#include "secrets/redact.h"

struct export_names {
	struct redactor redactor; /* without a key: nothing is replaced */
	struct buffer row;
};

void export_names_init(struct export_names *n, const struct name_key *key);
void export_names_fini(struct export_names *n);
/* Learns the names in a row: a consumer of a feed, whose user is the struct export_names. */
int export_names_learn(void *user, struct table *table, const struct sooth_record *record,
	struct sooth_error *err);
/* Fails if there were more names than can be kept. */
int export_names_check(const struct export_names *n, struct sooth_error *err);
/* Returns the row with replaced names, valid until the next call; NULL: no memory. */
const struct sooth_record *export_names_replace(
	struct export_names *n, const struct table *table, const struct sooth_record *record);

#endif

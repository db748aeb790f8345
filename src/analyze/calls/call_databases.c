/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors that databases answer, by code (see call_history.h). The kernel side kept only the code
 * (bpf/database.bpf.h), for reads with one buffer. */
#include <string.h>

#include "analyze/calls/call_history_parts.h"
#include "base/cleanup.h"

/* Redis errors that clients expect: they ask another server, or send the script. */
static const char *const expected[] = { "MOVED", "ASK", "NOSCRIPT" };

static bool is_expected_error(const struct syscalls_database_error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		if (error->database == SYSCALLS_REDIS &&
			!strncmp(error->code, expected[i], sizeof(error->code)))
			return true;
	}
	return false;
}

static void add_code(struct call_database *d, const struct syscalls_database_error *error)
{
	for (size_t i = 0; i < CALL_DATABASE_CODES; i++) {
		if (d->codes[i].count &&
			strncmp(d->codes[i].code, error->code, sizeof(error->code)))
			continue;
		memcpy(d->codes[i].code, error->code, sizeof(error->code));
		d->codes[i].count++;
		return;
	}
}

static void count_database_error(const struct call_at_hand *c, const struct call_path *peer,
	const struct syscalls_database_error *error)
{
	struct call_database *d = map_put(&c->history->databases, peer, NULL);

	if (!d)
		return;
	d->database = error->database;
	d->errors += c->weight;
	add_code(d, error);
}

void call_databases_add_call(const struct call_at_hand *c)
{
	const struct fd_followed *file = c->folded->from.file;
	struct syscalls_database_error error;
	struct call_database *known;
	struct call_path peer;

	if (c->folded->is_error || !c->folded->from.is_there || !file ||
		file->kind != FD_FOLLOWED_SOCKET || !*file->peer || c->folded->call->result <= 0)
		return;
	peer = call_path_key(span_of_string(file->peer));
	if (call_database_error(c->folded->call, &error)) {
		if (!is_expected_error(&error))
			count_database_error(c, &peer, &error);
		return;
	}
	known = map_get(&c->history->databases, &peer);
	if (known)
		known->others += c->weight;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors are listed at the begin and end of an observation, so a file system that was full
 * only in between is not recognized. */
#include "analyze/evidence/space_failure.h"

#include <assert.h>
#include <stdio.h>

#include "analyze/evidence/file_space.h"
#include "analyze/evidence/failure_meaning.h"
#include "analyze/evidence/limit_users.h"
#include "base/escape.h"
#include "explain/finding.h"
#include "model/errno_names.h"

#define SHOWN_MAX  4
#define GROUPS_MAX 256

struct space_key {
	uint32_t mount;
	uint32_t error;
};

struct space_sum {
	const struct fds_filesystem *space;
	struct call_failures all;
	uint64_t paths;
	const struct call_place *place; /* the place with most failures */
	uint64_t place_count;
};

static bool explains(const struct fds_filesystem *f, unsigned error)
{
	if (!file_space_is_measured(f))
		return false;
	if (error == LINUX_EROFS)
		return f->is_read_only;
	return error == LINUX_EDQUOT || file_space_is_full(f) || file_space_has_no_files_left(f);
}

/* Returns the file system that caused the failure; NULL: none is known. */
static const struct fds_filesystem *space_of(const struct check *e, const struct call_place *place)
{
	const struct snapshot *last = check_last(e, &e->input->fds);
	const struct snapshot *first = check_first(e, &e->input->fds);
	const struct fds_filesystem *f;

	if ((place->error != CALL_SHORT_WRITE && place->error != LINUX_ENOSPC &&
		    place->error != LINUX_EDQUOT && place->error != LINUX_EROFS) ||
		!call_takes_space(place->text) || watch_failure_is(e, place) ||
		failure_is_limit(e, place))
		return NULL;
	f = file_space_of_path(last, place->text);
	if (explains(f, place->error))
		return f;
	f = file_space_of_path(first, place->text);
	return explains(f, place->error) ? f : NULL;
}

/* Fills `out` with space_key -> struct space_sum. Call map_fini() afterwards. */
static void read_all(struct map *out, const struct check *e, const struct call_history *h)
{
	map_init(out, sizeof(struct space_key), sizeof(struct space_sum), GROUPS_MAX);
	map_for_each (
		&h->failures, const struct call_place *, place, const struct call_failures *, f) {
		const struct fds_filesystem *space = space_of(e, place);
		struct space_key group = { 0 };
		struct space_sum *s;

		if (!space)
			continue;
		group.mount = space->mount;
		group.error = place->error == CALL_SHORT_WRITE ? LINUX_ENOSPC : place->error;
		s = map_put(out, &group, NULL);
		if (!s)
			continue;
		s->space = space;
		call_failures_add(&s->all, f);
		s->paths++;
		if (f->count > s->place_count) {
			s->place = place;
			s->place_count = f->count;
		}
	}
}

/* Appends "no space left on /mnt (100 % used)". */
static void put_reason(struct buffer *out, const struct space_sum *s, unsigned error)
{
	struct span point = file_space_point(s->space);
	char used[FILE_SPACE_TEXT];

	if (error == LINUX_EROFS)
		buffer_format(out, "%.*s is read-only", SPAN_ARGS(point));
	else if (error == LINUX_EDQUOT)
		buffer_format(out, "the disk quota on %.*s is used up", SPAN_ARGS(point));
	else if (file_space_is_full(s->space))
		buffer_format(out, "no space left on %.*s (%s)", SPAN_ARGS(point),
			file_space_text(s->space, used));
	else
		buffer_format(out, "no inodes left on %.*s (all %llu are in use)", SPAN_ARGS(point),
			(unsigned long long)s->space->files);
}

bool space_failure_is(const struct check *e, const struct call_place *place)
{
	return space_of(e, place) != NULL;
}

bool space_failure_text(struct buffer *out, const struct check *e, const struct call_place *place)
{
	assert(place);

	struct space_sum s = { .space = space_of(e, place) };

	if (s.space)
		put_reason(out, &s, place->error);
	return s.space != NULL;
}

/* --- the finding --- */

static double weigh(const void *key, const void *value, const void *user)
{
	const struct space_sum *s = value;

	(void)key;
	return (double)s->all.count >= *(const double *)user ? (double)s->all.count : 0;
}

/* Makes the claim about the process with most space in open files; returns its PID, or 0:
 * unknown. */
static uint32_t claim_space(
	const struct check *e, struct check_result *out, const struct space_sum *s, unsigned error)
{
	const struct syscall_row *row = syscall_by_number(s->place->abi, s->place->number);
	bool writes = row && (row->transfer.direction == SYSCALL_WRITES ||
				     row->transfer.direction == SYSCALL_COPIES);
	char name[SYSCALL_NAME_SIZE];
	struct buffer why = { 0 };
	uint32_t holder = 0;

	put_reason(&why, s, error);
	if (file_space_is_full(s->space) && error != LINUX_EROFS)
		holder = limit_users_put_space(&why, e, file_space_point(s->space));
	if (writes)
		finding_claim(out, "writes to %s fail, %llu time%s: %s", s->place->text,
			(unsigned long long)s->all.count, s->all.count == 1 ? "" : "s",
			buffer_cstr(&why));
	else
		finding_claim(out, "%s on %s fails, %llu time%s: %s",
			check_call_name(s->place->abi, s->place->number, name), s->place->text,
			(unsigned long long)s->all.count, s->all.count == 1 ? "" : "s",
			buffer_cstr(&why));
	buffer_fini(&why);
	return holder;
}

static void emit_space(struct check_result *out, const struct space_sum *s)
{
	struct span point = file_space_point(s->space);

	finding_text(out, "file system", "%.*s%s", SPAN_ARGS(point),
		s->space->is_memory ? " (in memory)" : "");
	finding_number(out, "space left", (double)s->space->available_bytes, SOOTH_UNIT_BYTES, 0);
	finding_number(out, "size", (double)s->space->total_bytes, SOOTH_UNIT_BYTES, 0);
	if (s->space->files)
		finding_count(out, "inodes left", s->space->files_available, 0);
	if (s->paths > 1)
		finding_count(out, "paths", s->paths, 0);
}

static void report(const struct check *e, struct check_result *out, const struct check_calls *c,
	const struct check_ranked *one)
{
	const struct space_key *key = one->key;
	const struct space_sum *s = one->value;
	const char *error = errno_name(key->error);
	struct span point = file_space_point(s->space);
	char what[CALL_PATH], command[FILE_SPACE_COMMAND];
	uint32_t holder;

	snprintf(what, sizeof(what), "%u %.*s", key->error, SPAN_ARGS(point));
	finding_begin(out, c->lost ? FINDING_CONFIDENCE_MEDIUM : FINDING_CONFIDENCE_HIGH, what);
	finding_severity(out, FINDING_HIGH);
	finding_path(out, span_of_string(s->place->text));
	holder = claim_space(e, out, s, key->error);
	finding_text(out, "error", "%s", error ? error : "unknown");
	emit_space(out, s);
	check_calls_times(c, out, one->weight, s->all.first_ns, s->all.last_ns);
	check_calls_unseen(c, e, out);
	if (key->error != LINUX_EROFS)
		finding_remedy(out,
			"free space: %s; deleted files that are open: sooth inspect --fds %u",
			file_space_command(s->space, command), holder ? holder : e->id.pid);
	else if (escape_is_shell_word(point.data, point.size))
		finding_remedy(
			out, "find out why it is read-only: findmnt %.*s; dmesg", SPAN_ARGS(point));
	else
		finding_remedy(out, "find out why it is read-only: findmnt; dmesg");
	finding_end(out);
}

size_t space_failures_report(const struct check *e, struct check_result *out,
	const struct check_calls *calls, double least)
{
	struct check_ranked top[SHOWN_MAX];
	struct map all;
	size_t count;

	assert(calls);
	read_all(&all, e, calls->history);
	count = check_rank(&all, weigh, &least, top, SHOWN_MAX);
	for (size_t i = 0; i < count; i++)
		report(e, out, calls, &top[i]);
	map_fini(&all);
	return count;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/awaited_path.h"

#include <string.h>

#include "base/lock_name.h"
#include "base/sentence_units.h"
#include "explain/number.h"
#include "model/errno_names.h"

NUMBER(TIMES_LEAST, 3, NONE, "looks at one path: fewer are no wait for it");
NUMBER(TIME_PART, 2, NONE, "looks must span 1/TIME_PART of the observation");
NUMBER(OTHERS_TIMES, 4, NONE, "least looks at this path per look at another missing path");
NUMBER(BUSY_PERCENT, 5, PERCENT, "of a CPU: a busy program also looks for files");

static bool is_look(const struct call_place *place)
{
	const struct syscall_row *row = syscall_by_number(place->abi, place->number);

	return place->error == LINUX_ENOENT && *place->text == '/' && row &&
	       row->traits & (SYSCALL_LOOKS | SYSCALL_OPENS);
}

/* Counts reads and writes of files: a process with many does more than wait for a file. */
static uint64_t transfers_of(const struct call_history *h)
{
	uint64_t seen = 0;

	map_for_each_value (&h->files, const struct call_file *, f)
		seen += f->moves[CALL_READ].seen + f->moves[CALL_WRITTEN].seen;
	return seen;
}

static bool is_missing(const struct call_history *h, const char *path)
{
	map_for_each_key (&h->failures, const struct call_place *, place) {
		if (is_look(place) && !strcmp(place->text, path))
			return true;
	}
	return false;
}

/* Appends a lock file that exists at each look: `while [ -e x.lock ]`. */
static void put_lock_file(
	const struct call_history *h, uint64_t interval_ns, const char *before, struct buffer *out)
{
	const struct call_file *most = NULL;
	const char *path = NULL;
	char time[UNITS_SIZE];

	map_for_each (&h->files, const struct call_path *, key, const struct call_file *, f) {
		const char *name = strrchr(key->text, '/');

		if (!name || !is_lock_name(name + 1) || (most && f->looks <= most->looks))
			continue;
		most = f;
		path = key->text;
	}
	if (!most || most->looks < TIMES_LEAST ||
		(most->last_look_ns - most->first_look_ns) * TIME_PART < interval_ns ||
		transfers_of(h) >= most->looks || is_missing(h, path))
		return;
	buffer_format(out,
		"%sit looks again and again whether %s is still there (%llu times over %s): it is, "
		"and may be left over from a process that has ended",
		before, path, (unsigned long long)most->looks,
		sentence_duration(time, most->last_look_ns - most->first_look_ns));
}

void awaited_path_put(const struct diagnosis_input *input, const struct process_entry *p,
	const char *before, struct buffer *out)
{
	const struct call_history *h = p ? call_histories_get(&input->calls, &p->id) : NULL;
	uint64_t interval_ns = input->end_ns - input->begin_ns, all = 0;
	const struct call_failures *most = NULL;
	const struct call_place *path = NULL;
	char time[UNITS_SIZE];

	if (!h || process_table_cpu_percent(p) >= BUSY_PERCENT)
		return;
	map_for_each (&h->failures, const void *, key, const struct call_failures *, f) {
		if (!is_look(key))
			continue;
		all += f->seen;
		if (!most || f->seen > most->seen) {
			most = f;
			path = key;
		}
	}
	if (!most || most->seen < TIMES_LEAST || (all - most->seen) * OTHERS_TIMES > most->seen ||
		(most->last_ns - most->first_ns) * TIME_PART < interval_ns ||
		transfers_of(h) >= most->seen) {
		put_lock_file(h, interval_ns, before, out);
		return;
	}
	buffer_format(out,
		"%sit looks for %s again and again, which is not there (%llu times over %s)",
		before, path->text, (unsigned long long)most->seen,
		sentence_duration(time, most->last_ns - most->first_ns));
}

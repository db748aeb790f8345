/* SPDX-License-Identifier: BSD-2-Clause */
/* lock-refused: the process tries again and again to lock a file, without waiting in the call,
 * and another process has the lock all the time. Each attempt of SQLite first gets a shared lock,
 * so calls alone do not show that the lock for writing is refused: the holder must be known, and
 * nothing may be written. */
#include <stdio.h>
#include <string.h>

#include "analyze/diagnosis/call_check.h"
#include "analyze/diagnosis/check_waits.h"
#include "base/cleanup.h"
#include "base/lock_name.h"
#include "base/sentence_units.h"

#define ARGUMENTS_SHOWN 48 /* bytes of a command line */
#define FILES_MAX	1024

NUMBER(WORKS_PERCENT, 10, PERCENT, "of a CPU: a holder that computes may release the lock soon");

static const struct finding_option options[] = {
	TIME_THRESHOLD("min-time", 4e9, 1e8, 86400e9, "minimum time in which the lock is refused"),
	THRESHOLD("min-times", 2, 1, 1e9, "minimum number of attempts that were refused"),
};

struct refusal {
	const char *path;
	double count;
	uint64_t seen, first_ns, last_ns;
	uint64_t granted_ns;		  /* the last such call that succeeded; 0: none */
	const struct waits_party *holder; /* process with the lock at both samples; NULL: unknown */
};

/* --- the file --- */

static bool ends_in(const char *path, const char *ending)
{
	return span_ends(span_of_string(path), ending);
}

static bool is_database(const char *path)
{
	return is_database_name(span_of_string(path));
}

static bool is_written(
	const struct call_history *h, const char *base, size_t size, const char *ending)
{
	struct call_path key = { { 0 } };
	const struct call_file *f;

	if (snprintf(key.text, sizeof(key.text), "%.*s%s", (int)size, base, ending) >=
		(int)sizeof(key.text))
		return false;
	f = map_get(&h->files, &key);
	return f && f->moves[CALL_WRITTEN].calls;
}

/* Returns whether the process got the lock in between: then it writes to one of these files. */
static bool has_written(const struct call_history *h, const char *path)
{
	static const char *const endings[] = { "", "-journal", "-wal" };
	size_t size = strlen(path) - (ends_in(path, "-shm") ? strlen("-shm") : 0);

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		if (is_written(h, path, size, endings[i]))
			return true;
	}
	return false;
}

/* --- the holder --- */

static const struct waits_party *find_holder(
	const struct snapshot *s, const char *path, uint32_t pid, uint32_t only)
{
	snapshot_each (struct waits_party, p, s, WAITS_PARTY) {
		if (p->relation == WAITS_RELATION_LOCK && p->node_pid == pid && p->is_alive &&
			p->party_pid != pid && (!only || p->party_pid == only) &&
			span_equal(record_text(&p->record, &p->detail), path))
			return p;
	}
	return NULL;
}

static const struct waits_party *holder_of(const struct check *e, const char *path)
{
	const struct waits_party *now =
		find_holder(check_last(e, &e->input->waits), path, e->id.pid, 0);

	if (!now || !find_holder(check_first(e, &e->input->waits), path, e->id.pid, now->party_pid))
		return NULL;
	return now;
}

/* --- the calls --- */

/* Returns whether the call takes a lock: fcntl(2) with a lock, or flock(2). Both may wait for their
 * turn at a descriptor. */
static bool takes_lock(const struct call_repeat_key *key)
{
	const struct syscall_row *row = syscall_by_number(key->abi, key->number);

	return row && row->wait.what == SYSCALL_WAIT_TURN && row->wait.descriptor && key->fd >= 0;
}

static bool is_refused(const struct call_repeat_key *key)
{
	return key->result == -LINUX_EAGAIN || key->result == -LINUX_EACCES;
}

/* Fills `out` with call_path -> struct refusal, for all threads and descriptors together. */
static void read_refusals(struct map *out, const struct call_history *h)
{
	map_init(out, sizeof(struct call_path), sizeof(struct refusal), FILES_MAX);
	call_repeats_each (h, key, r) {
		struct refusal *all =
			takes_lock(key) && *r->text ? map_put(out, r->text, NULL) : NULL;

		if (!all)
			continue;
		all->path = r->text;
		if (!is_refused(key)) {
			if (key->result >= 0 && r->last_ns > all->granted_ns)
				all->granted_ns = r->last_ns;
			continue;
		}
		all->count += (double)r->count;
		all->seen += r->seen;
		if (!all->first_ns || r->first_ns < all->first_ns)
			all->first_ns = r->first_ns;
		if (r->last_ns > all->last_ns)
			all->last_ns = r->last_ns;
	}
}

/* Returns whether the process never got the lock, as far as the calls show. */
static bool is_always_refused(const struct call_history *h, const struct refusal *r)
{
	if (has_written(h, r->path))
		return false;
	if (is_database(r->path))
		return r->holder != NULL;
	return r->granted_ns < r->first_ns;
}

static uint64_t lasted_ns(const struct refusal *r, uint64_t interval_ns)
{
	return r->holder ? interval_ns : r->last_ns - r->first_ns;
}

/* Returns the file with the most refusals; path NULL: no file is refused all the time. */
static struct refusal find_lock(const struct check *e)
{
	struct refusal most = { 0 };
	struct map all;

	read_refusals(&all, e->calls.history);
	map_for_each_value (&all, struct refusal *, one) {
		if (one->seen < check_option(e, "min-times") || one->count <= most.count)
			continue;
		one->holder = holder_of(e, one->path);
		if (is_always_refused(e->calls.history, one))
			most = *one;
	}
	map_fini(&all);
	return most;
}

/* Appends the holder and its arguments, which are separated by NUL: "python3 (4711: reindex.py
 * app.db)". */
static void put_holder(struct buffer *out, const struct wait_graph *g, const struct refusal *r)
{
	const struct waits_process *p = wait_graph_process(g, r->holder->party_pid);
	struct span name = record_text(&r->holder->record, &r->holder->name);
	struct span title = p ? record_text(&p->record, &p->title) : span_of("", 0);
	const char *first = title.size ? memchr(title.data, 0, title.size) : NULL;

	buffer_format(out, "%.*s (%u", SPAN_ARGS(name), r->holder->party_pid);
	for (const char *c = first; c && c + 1 < title.data + title.size; c++) {
		if (*c == '\n' || c - first >= ARGUMENTS_SHOWN) {
			buffer_string(out, "...");
			break;
		}
		if (c == first)
			buffer_string(out, ":");
		buffer_append(out, *c ? c : " ", 1);
	}
	buffer_string(out, ")");
}

static void report_refusal(const struct check *e, struct check_result *out, const struct refusal *r)
{
	uint64_t ns = lasted_ns(r, e->calls.interval_ns);
	size_t size = strlen(r->path) - (ends_in(r->path, "-shm") ? strlen("-shm") : 0);
	struct wait_graph g;
	bool has_graph = check_graph(e, &g);

	finding_begin(out, confidence_high_if(r->holder), r->path);
	finding_low_if(out, r->holder && has_graph &&
				    wait_graph_cpu(&g, r->holder->party_pid) >= WORKS_PERCENT);
	finding_path(out, span_of_string(r->path));
	finding_claim(out, "%s%.*s is locked by ", is_database(r->path) ? "the database " : "",
		(int)size, r->path);
	if (r->holder && has_graph)
		put_holder(&out->claim, &g, r);
	else
		finding_claim(out, "another process");
	finding_claim(out, " for at least %s: it tries again and again, and was refused %.0f times",
		SENTENCE_DURATION(ns), r->count);
	finding_time(out, "locked for at least", ns);
	check_calls_times(out, r->count, r->first_ns, r->last_ns);
	if (r->holder && is_database(r->path))
		finding_remedy(out,
			"let process %u commit or roll back its transaction: sooth why %u shows "
			"what it does instead",
			r->holder->party_pid, r->holder->party_pid);
	else if (r->holder)
		finding_remedy(
			out, "sooth why %u shows what the holder does", r->holder->party_pid);
	else
		finding_remedy(out, "lslocks shows which process has the lock");
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct refusal r = find_lock(e);

	if (r.path && check_has_finding(e, "held-up"))
		check_fine(out, "the lock that is refused is that of held-up");
	else if (!r.path)
		check_calls_fine(e, out, "no lock on a file is refused all the time");
	else if (!check_is_over(e, "min-time", lasted_ns(&r, e->calls.interval_ns), r.path))
		check_blind_by(out, FINDING_SHORT,
			"a lock on a file is refused, but not for long yet", CHECK_LONGER);
	else
		report_refusal(e, out, &r);
}

const struct finding_detector finding_lock_refused = { diagnose, FINDING_OPTIONS(options) };

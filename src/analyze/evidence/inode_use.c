/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/inode_use.h"

#include <assert.h>
#include <stdio.h>

#include "analyze/evidence/file_space.h"
#include "base/sentence_units.h"
#include "base/escape.h"
#include "base/units.h"
#include "explain/finding.h"

NUMBER(MADE_LEAST, 20, NONE, "least files made during the observation");
NUMBER(SHARE_LEAST, 0.5, NONE, "of the inodes taken meanwhile: other processes make files too");
NUMBER(LEFT_PART, 20, NONE, "fewer than 1/LEFT_PART of the inodes left are nearly none");

struct inode_use {
	const struct fds_filesystem *space;
	uint64_t taken; /* inodes used meanwhile, by all processes */
	uint64_t made;	/* files that the process made or wrote, and that still exist */
	uint64_t interval_ns;
	const char *path; /* one path on the file system */
};

static void count_made(const struct check *e, const struct call_history *h, struct inode_use *u)
{
	const struct snapshot *last = check_last(e, &e->input->fds);

	map_for_each (&h->files, const struct call_path *, path, const struct call_file *, f) {
		if ((!f->contents.there_bytes && !f->contents.is_made) ||
			file_space_of_path(last, path->text) != u->space)
			continue;
		u->made++;
		u->path = path->text;
	}
}

/* Returns false if the file system loses no inodes, or other processes use them. */
static bool read_use(const struct check *e, const struct call_history *h,
	const struct fds_filesystem *now, struct inode_use *u)
{
	double taken;

	*u = (struct inode_use){ .space = now, .interval_ns = file_space_interval_ns(e) };
	if (!u->interval_ns || !file_space_inodes_taken(e, now, &taken) || taken < MADE_LEAST)
		return false;
	u->taken = (uint64_t)taken;
	count_made(e, h, u);
	return u->made >= MADE_LEAST && (double)u->made >= SHARE_LEAST * (double)u->taken;
}

static double left_ns(const struct inode_use *u)
{
	return (double)u->space->files_available * (double)u->interval_ns / (double)u->taken;
}

static bool is_short(const struct inode_use *u, double max_ns)
{
	double reach_ns = growth_foresight_ns(u->interval_ns);

	return u->space->files_available < u->space->files / LEFT_PART ||
	       left_ns(u) <= (max_ns < reach_ns ? max_ns : reach_ns);
}

static void report(const struct check *e, struct check_result *out, const struct check_calls *calls,
	const struct inode_use *u, double high_ns)
{
	struct span point = file_space_point(u->space);
	double rate = (double)u->taken * (double)NS_PER_S / (double)u->interval_ns;
	char what[CALL_PATH], time[UNITS_SIZE];

	snprintf(what, sizeof(what), "inodes %.*s", SPAN_ARGS(point));
	finding_begin(out, calls->lost ? FINDING_CONFIDENCE_MEDIUM : FINDING_CONFIDENCE_HIGH, what);
	if (left_ns(u) <= high_ns)
		finding_severity(out, FINDING_HIGH);
	finding_path(out, span_of_string(u->path));
	finding_claim(out,
		"uses up the inodes of %.*s: %.0f new files a second, such as %s; none are left in "
		"%s",
		SPAN_ARGS(point), rate, u->path, sentence_duration(time, (uint64_t)left_ns(u)));
	finding_count(out, "inodes left", u->space->files_available, 0);
	finding_count(out, "inodes", u->space->files, 0);
	finding_count(out, "inodes taken meanwhile", u->taken, u->interval_ns);
	finding_count(out, "files that the process made", u->made, u->interval_ns);
	finding_number(out, "space left", (double)u->space->available_bytes, SOOTH_UNIT_BYTES, 0);
	check_calls_unseen(calls, e, out);
	if (escape_is_shell_word(point.data, point.size))
		finding_remedy(out,
			"remove what is not needed: du -x --inodes %.*s | sort -n | tail; df -i "
			"shows what is left",
			SPAN_ARGS(point));
	else
		finding_remedy(out, "remove what is not needed; df -i shows what is left");
	finding_end(out);
}

size_t inode_use_report(const struct check *e, struct check_result *out,
	const struct check_calls *calls, double max_ns, double high_ns)
{
	assert(e);

	struct batch all = snapshot_records(check_last(e, &e->input->fds));
	size_t count = 0;

	assert(calls);
	batch_for_each (r, &all) {
		const struct fds_filesystem *f = record_as(r, FDS_FILESYSTEM, sizeof(*f));
		struct inode_use u;

		if (!f || !read_use(e, calls->history, f, &u) || !is_short(&u, max_ns))
			continue;
		report(e, out, calls, &u, high_ns);
		count++;
	}
	return count;
}

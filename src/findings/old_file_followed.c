/* SPDX-License-Identifier: BSD-2-Clause */
/* old-file-followed: the process waits at the end of a file for more, as tail -f does, but the file
 * was rotated away or deleted, and another file has its name. Three signs show that the process
 * follows the old file: a watch of its inode, reads that find its end again and again, or its name.
 */
#include <stdio.h>

#include "analyze/diagnosis/check_verdict.h"
#include "analyze/diagnosis/check_waits.h"
#include "base/sentence_units.h"

static const struct finding_option options[] = {
	THRESHOLD("min-reads", 2, 1, 1e9,
		"minimum number of reads that found the end of the file, where no watch shows that "
		"it is followed"),
};

static const struct fds_successor *successor_in(const struct snapshot *s, uint32_t fd)
{
	snapshot_each (struct fds_successor, f, s, FDS_SUCCESSOR) {
		if (f->fd == fd)
			return f;
	}
	return NULL;
}

static bool is_watched(const struct snapshot *s, const struct fds_descriptor *d)
{
	snapshot_each (struct fds_watch, w, s, FDS_WATCH) {
		if (w->inode == d->inode && w->device_major == d->device_major &&
			w->device_minor == d->device_minor)
			return true;
	}
	return false;
}

static bool is_read_in_vain(const struct check *e, uint32_t fd)
{
	uint64_t ends = 0;

	if (!e->calls.is_read)
		return false;
	call_repeats_each (e->calls.history, key, r) {
		const struct syscall_row *row = syscall_by_number(key->abi, key->number);

		if (key->fd != (int32_t)fd || !row || row->transfer.direction != SYSCALL_READS)
			continue;
		if (key->result > 0)
			return false;
		ends += key->result ? 0 : r->seen;
	}
	return ends >= check_option(e, "min-reads");
}

/* Returns whether the process follows the old file at both samples: a process that follows the name
 * opens the new file between them. */
static bool is_followed(const struct check *e, const struct fds_successor *now)
{
	const struct snapshot *first = check_first(e, &e->input->fds),
			      *last = check_last(e, &e->input->fds);
	const struct fds_descriptor *before = check_descriptor_in(first, now->fd),
				    *d = check_descriptor_in(last, now->fd);

	if (!before || !d || before->inode != d->inode || before->offset != d->offset ||
		!successor_in(first, now->fd))
		return false;
	return is_watched(last, d) || is_read_in_vain(e, now->fd) ||
	       span_equal(check_name(e->process), "tail");
}

#define CLAIM                                                                                      \
	"follows {path}, which was {gone}: the file of that name is another one now ({size}), "    \
	"and what is written there this process never sees"
#define UNSEEN "whether the present file has what it waits for"

static const struct claim_row of_tail = { CLAIM, UNSEEN,
	"start it again with tail -F, which follows the name" };
static const struct claim_row of_other = { CLAIM, UNSEEN,
	"restart it; it has to open the file again when the name leads to another inode, as tail "
	"-F does" };

static void report_file(
	const struct check *e, struct check_result *out, const struct fds_successor *now)
{
	const struct fds_descriptor *d = check_descriptor(e, now->fd);
	const struct fds_successor *before = successor_in(check_first(e, &e->input->fds), now->fd);
	struct span name = record_text(&now->record, &now->path);
	struct span is = record_text(&d->record, &d->path);
	char what[16];

	snprintf(what, sizeof(what), "fd %u", now->fd);
	finding_begin(out, FINDING_CONFIDENCE_HIGH, what);
	finding_descriptor(out, now->fd);
	finding_path(out, name);
	finding_value_span(out, "path", name);
	if (is.size != name.size)
		finding_value_text(out, "gone", "renamed to %.*s%s", SPAN_ARGS(is),
			d->is_deleted ? " and deleted" : "");
	else
		finding_value_text(out, "gone", "deleted");
	finding_value_text(out, "size", "%s", SENTENCE_SIZE(now->size_bytes));
	finding_bytes(out, "position, at the end of the old file", d->offset);
	if (before && before->inode == now->inode && now->size_bytes > before->size_bytes)
		finding_number(out, "written to the present file meanwhile",
			(double)(now->size_bytes - before->size_bytes), SOOTH_UNIT_BYTES,
			check_watched_ns(e));
	finding_claim_row(out, span_equal(check_name(e->process), "tail") ? &of_tail : &of_other);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct snapshot *last = check_last(e, &e->input->fds);
	unsigned count = 0;

	if (!last || !e->process || !e->process->is_there) {
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return;
	}
	snapshot_each (struct fds_successor, now, last, FDS_SUCCESSOR) {
		if (is_followed(e, now)) {
			report_file(e, out, now);
			count++;
		}
	}
	if (!count)
		check_fine(out, "it follows no file that has lost its name to another one");
}

const struct finding_detector finding_old_file_followed = { diagnose, FINDING_OPTIONS(options) };

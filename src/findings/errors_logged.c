/* SPDX-License-Identifier: BSD-2-Clause */
/* errors-logged: the process writes the same error into its own log again and again, and hardly
 * anything else. Some logs have only errors (error_log of a server) although most clients are
 * served well: the log of a process that listens must have other messages for comparison, unless
 * its clients wait. */
#include "analyze/evidence/failure_meaning.h"
#include "analyze/evidence/logged_errors.h"
#include "analyze/diagnosis/check_verdict.h"
#include "analyze/evidence/work_share.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "probes/signal_names.h"

#define ERRNO_NUMBERS 134 /* errno(3) on Linux */

static const struct finding_option options[] = {
	THRESHOLD("min-times", 3, 2, 1e6, "minimum number of such messages in the end of the log"),
	THRESHOLD("many", 6, 2, 1e6, "severity is medium from this number of such messages"),
	TIME_THRESHOLD("max-silence", 20e9, 1e9, 3600e9,
		"longest time since the log was written, where no such message came meanwhile"),
};

static uint64_t first_size(const struct check *e, const struct fds_descriptor *now)
{
	snapshot_each (struct fds_descriptor, d, check_first(e, &e->input->fds), FDS_DESCRIPTOR) {
		if (d->inode == now->inode && d->device_major == now->device_major &&
			d->device_minor == now->device_minor && !d->size_state)
			return d->size_bytes;
	}
	return UINT64_MAX;
}

static bool is_log_path(const struct check *e, const char *path)
{
	snapshot_each (struct logs_file, f, check_last(e, &e->input->logs), LOGS_FILE) {
		if (span_equal(record_text(&f->record, &f->path), path))
			return true;
	}
	return false;
}

/* Returns whether files were opened, written and closed during the observation. */
static bool writes_other_files(const struct check *e)
{
	const struct call_history *h = call_histories_get(&e->input->calls, &e->id);

	map_for_each (map_while(h, &h->files), const struct call_path *, path,
		const struct call_file *, f) {
		if (f->kind == FD_FOLLOWED_FILE && f->moves[CALL_WRITTEN].seen &&
			call_is_on_disk(path->text) && !is_log_path(e, path->text))
			return true;
	}
	return false;
}

/* Returns whether a file of the process that is no log grows: then it gets work done despite these
 * errors. */
static bool other_file_grows(const struct check *e)
{
	snapshot_each (struct fds_descriptor, d, check_last(e, &e->input->fds), FDS_DESCRIPTOR) {
		if (d->type == FDS_FILE && !d->inode_state && !d->size_state && !d->flags_state &&
			d->access != FDS_ACCESS_READ && d->size_bytes > first_size(e, d) &&
			!logged_errors_file(
				e->input, &e->id, d->inode, d->device_major, d->device_minor))
			return true;
	}
	return false;
}

static bool came_meanwhile(const struct check *e, const struct logged_error *l)
{
	if (l->error->new_state != SOOTH_STATE_ABSENT && l->error->times_new)
		return true;
	return l->file->silent_ns <= check_option(e, "max-silence") &&
	       l->error->behind <= l->error->messages / l->error->times;
}

static bool is_raised_by(const struct check *e, const struct logged_error *l)
{
	return l->error->times >= check_option(e, "min-times") && came_meanwhile(e, l) &&
	       logged_error_is_all(l) &&
	       (l->error->messages > l->error->times || l->elsewhere_new || l->error->is_warning ||
		       !work_has_listener(e) || check_has_finding(e, "clients-waiting")) &&
	       !other_file_grows(e) && !writes_other_files(e);
}

/* Appends the name of the signal in "terminated by signal 25". */
static void put_signal(struct buffer *out, struct span text)
{
	static const char *const before[] = { "by signal ", "on signal " };
	char name[SIGNAL_NAME_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
		const char *at = memmem(text.data, text.size, before[i], strlen(before[i]));
		unsigned number = 0;

		if (!at)
			continue;
		for (at += strlen(before[i]);
			at < text.data + text.size && number < 100 && *at >= '0' && *at <= '9';
			at++)
			number = number * 10 + (unsigned)(*at - '0');
		if (!number)
			return;
		signal_name(name, number);
		buffer_format(out, ": %s%s", name,
			strcmp(name, "SIGXFSZ") ? ""
						: ", its limit of the size of a file (ulimit -f)");
		return;
	}
}

static void report_error(
	const struct check *e, struct check_result *out, const struct logged_error *l)
{
	const struct logs_error *r = l->error;
	struct span text = record_text(&r->record, &r->text);
	struct span path = record_text(&l->file->record, &l->file->path);
	bool is_new = r->new_state != SOOTH_STATE_ABSENT && r->times_new > 1;

	finding_begin(out, confidence_high_if(is_new), "");
	finding_severity(out,
		r->is_warning || r->times < check_option(e, "many") ? FINDING_LOW : FINDING_MEDIUM);
	finding_message(out, text);
	finding_claim(out, "%s the same %s again and again: \"%.*s\"",
		path.size ? "logs" : "writes to standard error",
		r->is_warning ? "warning" : "error", SPAN_ARGS(text));
	watch_failure_put_meaning(&out->claim, text);
	put_signal(&out->claim, text);
	if (path.size) {
		finding_path(out, path);
		finding_text(out, "its log", "%.*s", SPAN_ARGS(path));
	}
	finding_text(out, "such messages", "%u of the last %u", r->times, r->messages);
	if (r->new_state != SOOTH_STATE_ABSENT && r->times_new)
		finding_count(out, "meanwhile", r->times_new, check_watched_ns(e));
	finding_unseen(out, "whether what it does between these messages succeeds");
	if (!path.size)
		finding_remedy(out, "read what it and its commands write to standard error");
	else if (escape_is_shell_word(path.data, path.size))
		finding_remedy(out, "read the log: tail -n 20 %.*s", SPAN_ARGS(path));
	else
		finding_remedy(out, "read the end of that log");
}

/* Returns whether the message has the text of an error number, which says why: "No space left on
 * device", where another message of the same failure says only "saving failed". */
static bool names_reason(const struct logged_error *l)
{
	for (uint64_t number = 1; number < ERRNO_NUMBERS; number++) {
		const char *reason = errno_text(number);

		if (reason &&
			span_contains(record_text(&l->error->record, &l->error->text), reason))
			return true;
	}
	return false;
}

/* Finds the error to report: the first one, or one as frequent that names a reason. */
static bool find_error(const struct check *e, struct logged_error *out)
{
	struct logged_error l;
	bool has_any = false, has_reason = false;

	for (size_t i = 0; logged_errors_at(e->input, &e->id, i, &l) && !has_reason; i++) {
		if ((has_any && l.error->times + 1 < out->error->times) || !is_raised_by(e, &l) ||
			logged_errors_are_said_above(e->input, e->process, l.file))
			continue;
		has_reason = names_reason(&l);
		if (!has_any || has_reason)
			*out = l;
		has_any = true;
	}
	return has_any;
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct logs_process *end = snapshot_end(check_last(e, &e->input->logs), sizeof(*end));
	/* left-behind: there may be nothing left to write to. children-failing: messages of its
	 * commands are part of that finding. */
	static const char *const better[] = { "left-behind", "children-failing" };
	struct logged_error l;

	if (!end || state_is_unmeasured(end->files_state)) {
		check_blind(out, end ? end->files_state
				 : e->process && e->process->is_there
					 ? SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)
					 : SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(better); i++) {
		if (check_has_finding(e, better[i])) {
			check_fine(out, "reported by %s", better[i]);
			return;
		}
	}
	if (find_error(e, &l))
		report_error(e, out, &l);
	else
		check_fine(out,
			"no error is what it mostly logs, in %u log file%s that it has open",
			end->files, end->files == 1 ? "" : "s");
}

const struct finding_detector finding_errors_logged = { diagnose, FINDING_OPTIONS(options) };

/* SPDX-License-Identifier: BSD-2-Clause */
/* The targets that the options and words of a command line select. */
#include "cli/selected/target_found.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analyze/process_table/process_match.h"
#include "base/units.h"
#include "cli/rights/explaining.h"
#include "cli/selected/process_table_scan.h"
#include "cli/selected/target_search.h"
#include "explain/report.h"
#include "os/os.h"
#include "probes/proc.h"

#define PID_MOST (4 << 20) /* PID_MAX_LIMIT of the kernel */

size_t target_found_count(const struct target_found *found)
{
	assert(found);
	return found->pids.size / sizeof(uint32_t);
}

const uint32_t *target_found_pids(const struct target_found *found)
{
	assert(found);
	return (const void *)found->pids.data;
}

int target_found_identify(struct target_found *found, struct sooth_error *err)
{
	assert(found);

	const uint32_t *pids = target_found_pids(found);
	size_t count = target_found_count(found);
	struct process_id id;
	int status = 0;

	if (!count)
		return 0;
	found->starts = calloc(count, sizeof(*found->starts));
	if (!found->starts)
		return error_no_memory(err);
	for (size_t i = 0; i < count && !status; i++) {
		status = os_native.identify(&os_native, (pid_t)pids[i], &id, err);
		found->starts[i] = status ? 0 : id.start_ticks;
	}
	return status;
}

bool target_found_has(const void *found, const struct process_id *id)
{
	const struct target_found *t = found;

	for (size_t i = 0; t && i < target_found_count(t); i++) {
		if (target_found_pids(t)[i] == id->pid)
			return !t->starts || t->starts[i] == id->start_ticks;
	}
	return !t || t->is_host || t->has_user;
}

void target_found_fini(struct target_found *found)
{
	assert(found);
	buffer_fini(&found->pids);
	free(found->starts);
	buffer_fini(&found->note);
}

static void add_pid(struct target_found *found, uint32_t pid)
{
	for (size_t i = 0; i < target_found_count(found); i++) {
		if (target_found_pids(found)[i] == pid)
			return;
	}
	buffer_append(&found->pids, &pid, sizeof(pid));
}

/* --- what goes together --- */

static int refuse_no_target(unsigned allowed, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "run without a target");
	error_why(err, "no process, session, agent, user or capture file is given");
	return error_remedy(err, "give -p PID, a NAME, --session ID, -u USER, a capture file%s",
		allowed & TARGET_MAY_BE_COMMAND ? ", or -- COMMAND" : "");
}

static int check_command(const struct arguments *a, unsigned allowed, struct sooth_error *err)
{
	if (a->command && !(allowed & TARGET_MAY_BE_COMMAND)) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "launch a command here");
		error_why(err, "this command only shows processes that are already running");
		return error_remedy(err, "to launch a command: sooth trace -- COMMAND");
	}
	if (a->command && !a->command[0]) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "launch a command");
		error_why(err, "no command is given after --");
		return error_remedy(
			err, "name the command after --, for example: sooth trace -- git status");
	}
	return 0;
}

/* Checks that only one kind is given: a command, a user, every process, or selected processes. */
static int check_one(const struct target_options *t, const struct arguments *a, unsigned allowed,
	struct sooth_error *err)
{
	bool has_processes = t->pids.count || target_has_holders(t) || target_has_groups(t) ||
			     a->count > (target_capture(a) != NULL);
	bool is_all = t->all && !(allowed & TARGET_SELECTS_ROWS);
	int kinds = (a->command != NULL) + (t->user != NULL) + is_all + has_processes;

	if (kinds <= 1)
		return 0;
	if (is_all) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "take --all and a target");
		error_why(err, "--all and other targets exclude each other");
		return error_remedy(err, "give one of the two");
	}
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "take several targets at once");
	error_why(err, "processes, -u USER and -- COMMAND exclude each other");
	return error_remedy(err, "give one of them");
}

static int check_captures(const struct arguments *a, struct sooth_error *err)
{
	const char *capture = target_capture(a);
	struct process_id ignored;

	for (size_t i = 0; i < a->count; i++) {
		if (target_word(a->items[i], &ignored) != TARGET_WORD_CAPTURE ||
			a->items[i] == capture)
			continue;
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "read %s and %s", capture, a->items[i]);
		error_why(err, "this command reads one capture");
		return error_remedy(err, "`sooth diff` compares two captures");
	}
	return 0;
}

static int check_time_range(
	const struct target_options *t, const struct arguments *a, struct sooth_error *err)
{
	if (!(t->part.from || t->part.to) || target_capture(a))
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "take a time range of what runs now");
	error_why(err, "--from and --to need a capture file");
	return error_remedy(err, "give a capture file, or leave out --from and --to");
}

static int check_targets(const struct target_options *t, const struct arguments *a,
	unsigned allowed, struct sooth_error *err)
{
	int status = check_time_range(t, a, err);

	if (!status)
		status = check_command(a, allowed, err);
	if (!status)
		status = check_one(t, a, allowed, err);
	return status ? status : check_captures(a, err);
}

/* --- PIDs --- */

/* Adds PID@START, which names one process for good: it is an error if another process has that
 * PID. */
static int add_process(
	struct target_found *found, const struct process_id *id, struct sooth_error *err)
{
	struct process_id now;
	int status = 0;

	if (id->start_ticks && !found->capture)
		status = os_native.identify(&os_native, (pid_t)id->pid, &now, err);
	if (!status && id->start_ticks && !found->capture && now.start_ticks != id->start_ticks)
		return target_reused_pid(id, err);
	add_pid(found, id->pid);
	return status;
}

static int add_pids(
	const struct target_options *t, struct target_found *found, struct sooth_error *err)
{
	struct process_id id = { 0 };
	int status = 0;

	for (size_t i = 0; i < t->pids.count && !status; i++) {
		if (target_word(t->pids.items[i], &id) != TARGET_WORD_PID || !id.pid)
			return target_bad_pid(t->pids.items[i], err);
		status = add_process(found, &id, err);
	}
	return status;
}

static bool is_pid_missing(uint32_t pid)
{
	struct process_id process;
	struct sooth_error ignored;

	return os_native.identify(&os_native, (pid_t)pid, &process, &ignored) == -ESRCH;
}

/* Drops PIDs without a process: one wrong PID among several does not end the report about the
 * others. If all PIDs are wrong, the observer reports the error. */
static void drop_missing(struct target_found *found)
{
	size_t count = target_found_count(found), kept = 0;
	uint32_t *pids = (void *)found->pids.data;
	struct buffer missing = { 0 };

	for (size_t i = 0; i < count; i++) {
		if (is_pid_missing(pids[i]))
			buffer_append(&missing, &pids[i], sizeof(*pids));
	}
	found->missing = missing.size / sizeof(*pids);
	if (found->missing == count)
		found->missing = 0;
	for (size_t i = 0, m = 0; i < count && found->missing; i++) {
		if (m < found->missing && pids[i] == ((const uint32_t *)(void *)missing.data)[m]) {
			buffer_format(&found->note,
				"sooth: cannot find process %u: no process has this PID\n",
				pids[i]);
			m++;
		} else {
			pids[kept++] = pids[i];
		}
	}
	if (found->missing)
		found->pids.size = kept * sizeof(*pids);
	buffer_fini(&missing);
}

/* --- searching --- */

static int search_host(struct target_search *s, struct sooth_error *err)
{
	struct process_table process_table;
	int status = process_table_scan_all(&process_table, err);

	if (!status)
		status = target_search_table(s, &process_table, err);
	process_table_fini(&process_table);
	return status ? status : target_search_holders(s, err);
}

struct process_snapshot {
	struct target_search *search;
	struct process_table process_table;
	struct sooth_error *err;
};

static int search_now(struct process_snapshot *reading)
{
	if (process_table_resolve(&reading->process_table))
		return error_no_memory(reading->err);
	return target_search_table(reading->search, &reading->process_table, reading->err);
}

/* Handles a record. A process table is complete with its snapshot. */
static int handle_record(
	void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	struct process_snapshot *reading = user;

	(void)schema;
	process_table_add_record(&reading->process_table, record);
	target_search_record(reading->search, record);
	return record->kind == PROC_SNAPSHOT ? search_now(reading) : 0;
}

static int refuse_second_target(const char *text, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "find \"%s\" in a stream", text);
	error_why(err, "to find a name, sooth must read the capture twice; a stream can be read "
		       "only once");
	return error_remedy(err, "save the capture to a file first, or give -p PID");
}

static int search_capture(struct target_search *s, const char *capture, struct sooth_error *err)
{
	struct sooth_error found = { 0 };
	struct process_snapshot reading = { .search = s, .err = &found };
	struct sooth_report *report;
	struct stat st;
	int status;

	/* A missing file is reported when the capture is read. */
	if (!strcmp(capture, "-") || (!stat(capture, &st) && !S_ISREG(st.st_mode)))
		return refuse_second_target(
			((const struct target_item *)(void *)s->items.data)->text, err);
	status = sooth_report_new(&report, "search", err);
	if (status)
		return status;
	process_table_init(&reading.process_table);
	sooth_report_on_record(report, handle_record, &reading);
	capture = explaining_begin(capture);
	status = sooth_report_read(report, capture, err);
	if (!status)
		status = sooth_report_finish(report, err);
	if (!status)
		status = search_now(&reading);
	/* The report knows only that its handler failed, so the error of the search replaces its
	 * error. */
	if (status && found.code)
		*err = found;
	process_table_fini(&reading.process_table);
	sooth_report_free(report);
	return status;
}

static void store_found_target(struct target_search *s, struct target_found *found)
{
	buffer_each (const struct process_id, id, &s->processes)
		add_pid(found, (uint32_t)id->pid);
	buffer_append(&found->note, s->note.data, s->note.size);
	found->is_searched = true;
}

static int search_targets(const struct target_options *t, const struct arguments *a, bool with_user,
	struct target_found *found, struct sooth_error *err)
{
	struct target_search s;
	int status = target_search_begin(&s, t, a, with_user, err);

	s.is_capture = found->capture != NULL;
	if (!status && target_search_is_needed(&s)) {
		status = found->capture ? search_capture(&s, found->capture, err)
					: search_host(&s, err);
		if (!status)
			status = target_search_end(&s, err);
		if (!status)
			store_found_target(&s, found);
	}
	target_search_fini(&s);
	if (!status && (buffer_failed(&found->pids) || buffer_failed(&found->note)))
		status = error_no_memory(err);
	return status;
}

/* --- words of digits --- */

/* Returns whether a number may be the beginning of a session's id. A PID is tried first. */
static bool may_be_session(
	const struct target_found *found, const char *word, const struct process_id *id)
{
	if (strlen(word) < SESSION_PREFIX_LEAST || word[strspn(word, "0123456789")])
		return false;
	return !id->pid || id->pid > PID_MOST ||
	       (!found->capture && is_pid_missing((uint32_t)id->pid));
}

/* Adds the session. -ESRCH: the word is no session either. */
static int add_session(const char *word, struct target_found *found, struct sooth_error *err)
{
	struct target_options session = { .sessions = { .items = { word }, .count = 1 } };

	return search_targets(&session, &(struct arguments){ 0 }, false, found, err);
}

static int add_number(const char *word, struct target_found *found, struct sooth_error *err)
{
	struct sooth_error no_session = { 0 };
	struct process_id id = { 0 };
	int status = -ESRCH;

	if (target_word(word, &id) != TARGET_WORD_PID)
		return 0;
	if (may_be_session(found, word, &id))
		status = add_session(word, found, &no_session);
	if (status != -ESRCH) {
		if (status)
			*err = no_session;
		return status;
	}
	return id.pid ? add_process(found, &id, err) : target_bad_pid(word, err);
}

static int find_processes(const struct target_options *t, const struct arguments *a,
	unsigned allowed, struct target_found *found, struct sooth_error *err)
{
	bool selects_rows = allowed & TARGET_SELECTS_ROWS;
	int status = 0;

	if (t->user && (selects_rows || !found->capture)) {
		status = target_parse_user(t->user, &found->user, err);
		found->has_user = true;
	}
	found->is_host = t->all && !selects_rows;
	if (!status)
		status = add_pids(t, found, err);
	for (size_t i = 0; i < a->count && !status; i++)
		status = add_number(a->items[i], found, err);
	if (!status && !found->capture && !(allowed & TARGET_KEEPS_MISSING))
		drop_missing(found);
	return status ? status : search_targets(t, a, !found->has_user, found, err);
}

int target_find(const struct target_options *t, const struct arguments *a, unsigned allowed,
	struct target_found *found, struct sooth_error *err)
{
	assert(a);

	int status = check_targets(t, a, allowed, err);

	assert(found);
	if (status)
		return status;
	found->capture = target_capture(a);
	found->command = a->command;
	if (!found->capture && !target_is_given(t, a) && !(allowed & TARGET_MAY_BE_HOST))
		return refuse_no_target(allowed, err);
	return found->command ? 0 : find_processes(t, a, allowed, found, err);
}

int target_find_in(const struct target_options *t, const char *capture,
	const struct arguments *words, struct target_found *found, struct sooth_error *err)
{
	int status = check_one(t, words, 0, err);

	assert(found);
	found->capture = capture;
	return status ? status : find_processes(t, words, 0, found, err);
}

/* --- using it --- */

/* Parses an end of a time range: "12s", "1m"; "-5s" is before the end of the capture. */
static int parse_border(
	const char *option, const char *text, int64_t *border_ns, struct sooth_error *err)
{
	bool is_before_end = text[0] == '-';
	uint64_t ns;

	if (parse_duration(text + is_before_end, &ns) && ns < INT64_MAX) {
		*border_ns = is_before_end ? -(int64_t)ns : (int64_t)ns;
		return 0;
	}
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "understand \"%s\" for %s", text, option);
	error_why(err, "expected a time");
	return error_remedy(err, "give a time after the start (12s, 200ms, 1m) or before the end "
				 "(-5s)");
}

/* Applies a time range to a report. */
static int time_range_options_select(
	const struct time_range_options *p, struct sooth_report *r, struct sooth_error *err)
{
	int64_t from_ns = 0, to_ns = TIME_RANGE_OPEN;
	int status = 0;

	if (!p->from && !p->to)
		return 0;
	if (p->from)
		status = parse_border("--from", p->from, &from_ns, err);
	if (!status && p->to)
		status = parse_border("--to", p->to, &to_ns, err);
	return status ? status : sooth_report_between(r, from_ns, to_ns, err);
}

int target_found_select(const struct target_found *found, const struct time_range_options *part,
	struct sooth_report *r, struct sooth_error *err)
{
	int status = 0;

	assert(found);
	for (size_t i = 0; i < target_found_count(found) && !status; i++)
		status = sooth_report_add_pid(r, (pid_t)target_found_pids(found)[i], err);
	if (found->is_searched)
		report_may_lack_pids(r);
	return status ? status : time_range_options_select(part, r, err);
}

int target_choice_select(void *user, struct sooth_report *report, struct sooth_error *err)
{
	const struct target_choice *chosen = user;

	return target_found_select(&chosen->found, &chosen->target->part, report, err);
}

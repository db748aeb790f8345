/* SPDX-License-Identifier: BSD-2-Clause */
/* The input and the results of a detector. */
#include "analyze/diagnosis/check.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "analyze/diagnosis/finding_tracker.h"
#include "analyze/diagnosis/known_faults.h"
#include "base/error_remedy.h"
#include "base/sentence_units.h"
#include "analyze/process_table/process_match.h"
#include "base/cleanup.h"

#define COMMAND_SIZE 160

NUMBER(INTERVAL_LEAST, NS_PER_S / 2, NS, "too short to conclude anything");
NUMBER(STILL_SHARE, 0.9, NONE, "of a threshold: a raised finding stays raised from there");

/* --- reading --- */

bool check_is_short(uint64_t interval_ns)
{
	return interval_ns < INTERVAL_LEAST;
}

double check_option(const struct check *e, const char *name)
{
	assert(e);
	for (size_t i = 0; i < e->type->detector->option_count; i++) {
		if (!strcmp(e->type->detector->options[i].name, name))
			return e->setting->options[i];
	}
	assert(!"a threshold that the finding has no row of");
	return 0;
}

const struct snapshot *check_first(const struct check *e, const struct snapshot_pair *pair)
{
	assert(e);
	assert(pair);
	return snapshots_get(&pair->first, &e->id);
}

const struct snapshot *check_last(const struct check *e, const struct snapshot_pair *pair)
{
	assert(e);
	assert(pair);

	const struct snapshot *last = snapshots_get(&pair->last, &e->id);

	return last ? last : check_first(e, pair);
}

const struct process_entry *check_process(const struct check *e, uint32_t pid, uint64_t start_ticks)
{
	struct process_id id = { .start_ticks = start_ticks, .pid = pid };

	return process_table_get(&e->input->host.process_table, &id);
}

uint64_t check_interval_ns(const struct check *e, const struct snapshot_pair *pair)
{
	const struct sooth_record *first = snapshot_end(check_first(e, pair), sizeof(*first));
	const struct sooth_record *last = snapshot_end(check_last(e, pair), sizeof(*last));

	return first && last && last->time_ns > first->time_ns ? last->time_ns - first->time_ns : 0;
}

uint64_t check_age_ns(const struct check *e)
{
	assert(e);
	return e->process ? host_state_elapsed(&e->input->host, e->process) * NS_PER_S : 0;
}

bool check_is_young(const struct check *e)
{
	return (double)check_age_ns(e) < check_option(e, "min-age");
}

bool check_is_stopped(const struct check *e)
{
	assert(e);
	return e->process &&
	       (e->process->process->state == 'T' || e->process->process->state == 't');
}

static void make_key(const struct check *e, const char *what, struct buffer *key)
{
	buffer_reset(key);
	buffer_string(key, e->type->id);
	if (e->id.pid)
		buffer_format(key, ":%u@%llu", e->id.pid, (unsigned long long)e->id.start_ticks);
	if (*what)
		buffer_format(key, ":%s", what);
}

bool check_is_raised(const struct check *e, const char *what)
{
	_cleanup_(buffer_fini) struct buffer key = { 0 };

	assert(e);
	make_key(e, what, &key);
	return e->raised && finding_tracker_is_raised(e->raised, buffer_cstr(&key));
}

bool check_has_finding(const struct check *e, const char *id)
{
	assert(e);
	return finding_rows_have(e->findings, id);
}

bool check_is_over(const struct check *e, const char *option, double value, const char *what)
{
	double threshold = check_option(e, option);

	return value >= (check_is_raised(e, what) ? threshold * STILL_SHARE : threshold);
}

/* --- system calls --- */

static bool is_too_short(const struct check *e)
{
	return e->is_one_look || !e->input->begin_ns || check_is_short(e->calls.interval_ns);
}

static void read_calls(struct check *e)
{
	assert(e);
	const struct diagnosis_input *r = e->input;
	const struct call_history *h = call_histories_get(&r->calls, &e->id);

	e->calls = (struct check_calls){ .history = h,
		.interval_ns = r->end_ns - r->begin_ns,
		.is_sampled = h && h->seen < h->calls,
		.lost = r->calls.lost };
	e->calls.is_read = (r->calls.has_calls || !r->calls.has_counts) && !is_too_short(e) && h;
}

void check_calls_windows(struct check_result *out)
{
	finding_text(out, "sampled in time",
		"calls were counted in short windows, in which counting slows them: the rates are "
		"at least these");
}

void check_calls_unseen(const struct check *e, struct check_result *out)
{
	assert(e);
	if (e->calls.lost)
		finding_unseen(out,
			"calls with lost records (%llu): the counts do not include them",
			(unsigned long long)e->calls.lost);
	if (e->calls.is_sampled)
		finding_text(out, "sampled",
			"%.2g %% of the calls were recorded one by one: the counts of this check "
			"are "
			"estimates made from them",
			100 * (double)e->calls.history->seen / (double)e->calls.history->calls);
	if (e->input->calls.has_time_gaps)
		check_calls_windows(out);
	if (e->input->calls.refused)
		finding_unseen(out, "some files, peers or errors were not counted: sooth's tables "
				    "were full");
	if (e->calls.history->uring_calls)
		finding_unseen(out,
			"which operations the process ran by io_uring (%llu calls of "
			"io_uring_enter)",
			(unsigned long long)e->calls.history->uring_calls);
}

/* --- a finding --- */

static void write_subject(struct check_result *out, struct buffer *to)
{
	struct finding_subject_row *s = &out->subject;
	bool is_path = s->path_state == SOOTH_STATE_VALUE;
	struct record_tail tail[] = {
		tail_buffer(is_path ? &s->path : &s->connection, &out->place),
		tail_buffer(&s->server, &out->server),
		tail_buffer(&s->message, &out->message),
	};

	RECORD_APPEND(to, s, tail, ARRAY_SIZE(tail));
}

/* Returns the remedy for the user of the recording, root or not. */
static const char *remedy_here(
	const struct check_result *out, char text[ERROR_REMEDY_SIZE], const char *remedy)
{
	return error_remedy_of(
		text, ERROR_REMEDY_SIZE, remedy, out->of->input->host.process_table.is_of_root);
}

/* Adds the faults of the running version that explain the finding. */
static void add_known_faults(struct check_result *out)
{
	_cleanup_(buffer_fini) struct buffer text = { 0 };
	size_t position = 0;

	while (known_fault_put(&text, out->of->process, out->of->type->id, &position))
		finding_text(out, "known fault", "%s", buffer_cstr(&text));
}

/* Nested rows come first in the tail, because they must be aligned. */
void check_end_finding(struct check_result *out)
{
	assert(out);

	struct finding_row *row = &out->row;
	_cleanup_(buffer_fini) struct buffer subject = { 0 };
	char text[ERROR_REMEDY_SIZE];

	if (!out->is_open)
		return;
	assert(out->claim.size || buffer_failed(&out->claim));
	if (out->of->setting->is_muted) {
		out->is_open = false;
		return;
	}
	add_known_faults(out);
	if (out->of->type->reads_calls)
		check_calls_unseen(out->of, out);
	out->is_open = false;
	if (out->tracker)
		finding_tracker_raise(out->tracker, buffer_cstr(&out->key), row);
	row->remedy_state = state_if(out->remedy.size);
	write_subject(out, &subject);
	struct record_tail tail[] = {
		tail_buffer(&row->subject, &subject),
		tail_buffer(&row->evidence, &out->evidence),
		tail_string(&row->id, out->of->type->id),
		tail_buffer(&row->claim, &out->claim),
		tail_string(&row->remedy, remedy_here(out, text, buffer_cstr(&out->remedy))),
		tail_buffer(&row->key, &out->key),
		tail_buffer(&row->unseen, &out->unseen),
	};
	RECORD_APPEND(out->findings, row, tail, ARRAY_SIZE(tail));
}

void finding_begin(struct check_result *out, enum finding_confidence confidence, const char *what)
{
	assert(out);

	struct buffer *all[] = { &out->claim, &out->remedy, &out->key, &out->evidence, &out->unseen,
		&out->place, &out->server, &out->message };

	check_end_finding(out);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		buffer_reset(all[i]);
	out->values.count = 0;
	out->row = (struct finding_row){
		.record = row_head(&out->of->id),
		.severity = (uint8_t)out->of->setting->severity,
		.confidence = (uint8_t)confidence,
	};
	out->subject = (struct finding_subject_row){
		.record = row_head(&out->of->id),
		.kind = out->of->id.pid ? FINDING_SUBJECT_PROCESS : FINDING_SUBJECT_HOST,
		.pid_state = state_if(out->of->id.pid),
		.tid_state = SOOTH_STATE_ABSENT,
		.fd_state = SOOTH_STATE_ABSENT,
		.path_state = SOOTH_STATE_ABSENT,
		.connection_state = SOOTH_STATE_ABSENT,
		.server_state = SOOTH_STATE_ABSENT,
		.message_state = SOOTH_STATE_ABSENT,
	};
	make_key(out->of, what, &out->key);
	out->is_open = true;
	if (out->of->setting->is_muted)
		out->muted++;
	else
		out->found++;
}

void finding_severity(struct check_result *out, enum finding_severity severity)
{
	assert(out);
	assert(out->is_open);
	if (!out->of->setting->is_severity_chosen)
		out->row.severity = (uint8_t)severity;
}

#define FORMAT_INTO(out, format)                                                                   \
	do {                                                                                       \
		va_list list;                                                                      \
		va_start(list, format);                                                            \
		buffer_vformat(out, format, list);                                                 \
		va_end(list);                                                                      \
	} while (0)

void finding_claim(struct check_result *out, const char *format, ...)
{
	assert(out);
	assert(out->is_open);
	FORMAT_INTO(&out->claim, format);
}

void finding_remedy(struct check_result *out, const char *format, ...)
{
	assert(out);
	assert(out->is_open);
	FORMAT_INTO(&out->remedy, format);
}

void finding_command(struct check_result *out, const char *name, struct span arguments)
{
	char text[COMMAND_SIZE + 1];
	size_t size = arguments.size < COMMAND_SIZE ? arguments.size : COMMAND_SIZE;

	while (size && !arguments.data[size - 1])
		size--;
	if (!size)
		return;
	for (size_t i = 0; i < size; i++)
		text[i] = arguments.data[i] ? arguments.data[i] : ' ';
	text[size] = '\0';
	finding_text(out, name, "%s", text);
}

void finding_unseen(struct check_result *out, const char *format, ...)
{
	assert(out);
	assert(out->is_open);
	FORMAT_INTO(&out->unseen, format);
	buffer_char(&out->unseen, '\0');
}

static const char *unit_name(enum sooth_unit unit, bool is_rate)
{
	switch (unit) {
	case SOOTH_UNIT_BYTES:
		return is_rate ? "bytes/s" : "bytes";
	case SOOTH_UNIT_NS:
		return is_rate ? "s/s" : "s";
	case SOOTH_UNIT_S:
		return "s";
	case SOOTH_UNIT_PERCENT:
		return "percent";
	default:
		return is_rate ? "1/s" : "";
	}
}

static void format_number(struct buffer *out, double value)
{
	double size = value < 0 ? -value : value;
	bool is_whole = size < 1e15 && value == (double)(int64_t)value;

	buffer_format(out, is_whole || size >= 100 ? "%.0f" : size >= 10 ? "%.1f" : "%.2f", value);
}

static void format_value(struct buffer *out, double value, enum sooth_unit unit, bool is_rate)
{
	double size = value < 0 ? -value : value;

	if (unit == SOOTH_UNIT_BYTES)
		buffer_format(out, "%s%s", value < 0 ? "-" : "", FORMAT_BYTES(whole_u64(size)));
	else if (unit == SOOTH_UNIT_NS)
		buffer_string(out, FORMAT_NS(whole_u64(size)));
	else if (unit == SOOTH_UNIT_S && size < 60)
		buffer_format(out, "%.0fs", value); /* no more digits than were measured */
	else if (unit == SOOTH_UNIT_S)
		buffer_string(out, FORMAT_NS(whole_u64(size * NS_PER_S)));
	else
		format_number(out, value);
	if (unit == SOOTH_UNIT_PERCENT)
		buffer_string(out, " %");
	if (is_rate)
		buffer_string(out, " a second");
}

static void add_evidence(struct check_result *out, struct finding_evidence_row *row,
	const char *name, const char *unit, const struct buffer *text)
{
	assert(out->is_open);
	assert(*name);
	row->record = row_head(&out->of->id);
	struct record_tail tail[] = {
		tail_string(&row->name, name),
		tail_string(&row->unit, unit),
		tail_buffer(&row->text, text),
	};
	RECORD_APPEND(&out->evidence, row, tail, ARRAY_SIZE(tail));
}

static void add_value(struct check_result *out, const char *name, double value,
	enum sooth_unit unit, uint64_t interval_ns, bool is_rate)
{
	bool is_time = unit == SOOTH_UNIT_NS;
	struct finding_evidence_row row = {
		.value = is_time ? value / (double)NS_PER_S : value,
		.interval_ns = interval_ns,
		.interval_state = state_if(interval_ns),
	};
	_cleanup_(buffer_fini) struct buffer text = { 0 };

	format_value(&text, value, unit, is_rate);
	if (interval_ns)
		buffer_format(&text, " over %s", FORMAT_NS(interval_ns));
	add_evidence(out, &row, name, unit_name(unit, is_rate), &text);
}

void finding_number(struct check_result *out, const char *name, double value, enum sooth_unit unit,
	uint64_t interval_ns)
{
	add_value(out, name, value, unit, interval_ns, false);
}

void finding_time(struct check_result *out, const char *name, uint64_t ns)
{
	add_value(out, name, (double)ns, SOOTH_UNIT_NS, 0, false);
}

void finding_bytes(struct check_result *out, const char *name, uint64_t bytes)
{
	add_value(out, name, (double)bytes, SOOTH_UNIT_BYTES, 0, false);
}

void finding_rate(struct check_result *out, const char *name, double per_s, enum sooth_unit unit,
	uint64_t interval_ns)
{
	add_value(out, name, per_s, unit, interval_ns, true);
}

void finding_text(struct check_result *out, const char *name, const char *format, ...)
{
	struct finding_evidence_row row = { .value_state = SOOTH_STATE_ABSENT,
		.interval_state = SOOTH_STATE_ABSENT };
	_cleanup_(buffer_fini) struct buffer text = { 0 };

	FORMAT_INTO(&text, format);
	add_evidence(out, &row, name, "", &text);
}

void finding_thread(struct check_result *out, uint32_t tid)
{
	assert(out);
	assert(out->is_open);
	out->subject.kind = FINDING_SUBJECT_THREAD;
	out->subject.record.tid = tid;
	out->subject.tid_state = SOOTH_STATE_VALUE;
}

void finding_descriptor(struct check_result *out, uint32_t fd)
{
	assert(out);
	assert(out->is_open);
	out->subject.kind = FINDING_SUBJECT_FD;
	out->subject.fd = fd;
	out->subject.fd_state = SOOTH_STATE_VALUE;
}

static void set_text(struct buffer *to, struct span text)
{
	buffer_reset(to);
	buffer_append(to, text.data, text.size);
}

void finding_path(struct check_result *out, struct span path)
{
	assert(out->is_open);
	set_text(&out->place, path);
	if (out->subject.kind != FINDING_SUBJECT_FD)
		out->subject.kind = FINDING_SUBJECT_PATH;
	out->subject.path_state = SOOTH_STATE_VALUE;
}

void finding_connection(struct check_result *out, struct span connection)
{
	assert(out->is_open);
	set_text(&out->place, connection);
	out->subject.kind = FINDING_SUBJECT_CONNECTION;
	out->subject.connection_state = SOOTH_STATE_VALUE;
}

void finding_server(struct check_result *out, struct span name)
{
	assert(out->is_open);
	set_text(&out->server, name);
	out->subject.server_state = SOOTH_STATE_VALUE;
}

void finding_message(struct check_result *out, struct span message)
{
	assert(out->is_open);
	set_text(&out->message, message);
	out->subject.message_state = SOOTH_STATE_VALUE;
}

/* --- nothing found --- */

void check_fine(struct check_result *out, const char *format, ...)
{
	assert(out);

	struct finding_fine_row row = { .record = row_head(&out->of->id) };
	_cleanup_(buffer_fini) struct buffer text = { 0 };

	FORMAT_INTO(&text, format);
	struct record_tail tail[] = {
		tail_string(&row.id, out->of->type->id),
		tail_buffer(&row.words, &text),
	};
	RECORD_APPEND(out->fine, &row, tail, ARRAY_SIZE(tail));
	out->is_reported = true;
}

void check_blind_by(struct check_result *out, enum finding_blind_cause cause, const char *reason,
	const char *remedy)
{
	assert(out);

	struct finding_blind_row row = { .record = row_head(&out->of->id),
		.cause = (uint8_t)cause,
		.remedy_state = state_if(*remedy) };
	char text[ERROR_REMEDY_SIZE];
	struct record_tail tail[] = {
		tail_string(&row.id, out->of->type->id),
		tail_string(&row.reason, reason),
		tail_string(&row.remedy, remedy_here(out, text, remedy)),
	};

	RECORD_APPEND(out->blind, &row, tail, ARRAY_SIZE(tail));
	out->is_reported = true;
}

void check_blind_because(struct check_result *out, const char *reason, const char *remedy)
{
	bool is_short = !strncmp(remedy, CHECK_LONGER_WORDS, strlen(CHECK_LONGER_WORDS));

	check_blind_by(out, is_short ? FINDING_SHORT : FINDING_UNDECIDED, reason, remedy);
}

enum finding_blind_cause check_cause(uint8_t state)
{
	switch (state >> 4) {
	case SOOTH_REASON_PERMISSION:
		return FINDING_REFUSED;
	case SOOTH_REASON_FAILED:
	case SOOTH_REASON_BLOCKED:
		return FINDING_FAILED;
	case SOOTH_REASON_INTERVAL:
		return FINDING_SHORT;
	case SOOTH_REASON_ENDED:
		return FINDING_ENDED;
	case SOOTH_REASON_UNSUPPORTED:
		return FINDING_UNSUPPORTED;
	case SOOTH_REASON_NOT_REQUESTED:
		return FINDING_NOT_REQUESTED;
	default:
		return FINDING_UNDECIDED;
	}
}

const char *check_remedy(uint8_t state)
{
	switch (state >> 4) {
	case SOOTH_REASON_PERMISSION:
		return "run sooth as the user of the process, or as root";
	case SOOTH_REASON_INTERVAL:
		return CHECK_LONGER;
	case SOOTH_REASON_BLOCKED:
		return "try again";
	default:
		return "";
	}
}

bool check_has_heap_sums(struct check_result *out)
{
	assert(out);
	if (!heap_use_is_unsummed(&out->of->input->heap, &out->of->id))
		return true;
	check_blind_because(out, "its allocations were recorded one by one, not added up by stack",
		"observe it: sooth diagnose --heap");
	return false;
}

void check_too_young(struct check_result *out)
{
	char reason[UNITS_SIZE + 48];

	assert(out);
	snprintf(reason, sizeof(reason), CHECK_YOUNG_WORDS " %s",
		SENTENCE_DURATION((uint64_t)check_option(out->of, "min-age")));
	check_blind_by(out, FINDING_YOUNG, reason, "try again later");
}

void check_may_be_start(struct check_result *out)
{
	finding_unseen(out, "whether it is still starting: ask again in some seconds");
}

void check_blind(struct check_result *out, uint8_t state)
{
	enum sooth_reason reason = (enum sooth_reason)(state >> 4);

	assert(out);
	/* A kernel thread has no memory and no descriptors, which looks as if it had exited. */
	if (reason == SOOTH_REASON_ENDED && out->of->process &&
		process_match_kernel(out->of->process))
		return;
	check_blind_by(out, check_cause(state), sooth_reason_text(reason), check_remedy(state));
}

/* --- diagnosing --- */

void check_calls_fine(const struct check *e, struct check_result *out, const char *what)
{
	assert(e);
	if (e->input->calls.has_time_gaps)
		check_blind_by(out, FINDING_FAILED,
			"calls were counted in short windows: rare ones can be missed",
			CHECK_LONGER);
	else
		check_fine(out, "%s", what);
}

bool check_calls_begin(const struct check *e, struct check_result *out)
{
	assert(e);
	const struct diagnosis_input *r = e->input;

	if (e->calls.is_read)
		return true;
	if (!r->calls.has_calls && r->calls.has_counts)
		check_blind_by(out, FINDING_NOT_REQUESTED,
			"the calls were only counted, not recorded one by one", "sooth diagnose");
	else if (is_too_short(e))
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL));
	else if (!e->calls.history && e->calls.lost)
		check_blind_by(out, FINDING_FAILED,
			"records of calls were lost, perhaps all calls of this process",
			"use a larger buffer: --buffer 128M");
	else
		check_calls_fine(e, out, "no system calls");
	return false;
}

void check_begin(struct check *e, const struct diagnosis_input *input, const struct process_id *id)
{
	assert(e);
	e->input = input;
	e->id = id ? *id : (struct process_id){ 0 };
	e->process = id ? process_table_get(&input->host.process_table, id) : NULL;
	e->series = id ? diagnosis_input_series(input, id) : (struct sample_series){ 0 };
	read_calls(e);
}

void check_result_fini(struct check_result *out)
{
	struct buffer *all[] = { &out->claim, &out->remedy, &out->key, &out->evidence, &out->unseen,
		&out->place, &out->server, &out->message };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		buffer_fini(all[i]);
	for (size_t i = 0; i < FINDING_VALUES_MAX; i++)
		buffer_fini(&out->values.all[i].text);
}

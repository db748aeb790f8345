/* SPDX-License-Identifier: BSD-2-Clause */
/* The record of an agent's session. The files of a process are checked at each sample (its status
 * changes); its log is only read again when it has changed. */
#include "os/linux/agent_logs/agent_files.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "recognize/agent.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/units.h"
#include "collect/agents_found.h"
#include "os/linux/agent_logs/agent_home.h"
#include "os/linux/agent_logs/agent_read_batch.h"
#include "os/os.h"
#include "os/linux/files/process_snapshot.h"
#include "os/linux/files/timeout.h"
#include "probes/proc.h"

#define KNOWN_MAX    1024
#define KNOWN_NS     (60 * NS_PER_S) /* a process that was not seen for so long has ended */
#define BLOCKED_NS   (30 * NS_PER_S)
#define SHARES_NS    (10 * NS_PER_S)
#define EXPENSIVE_NS (200 * NS_PER_MS) /* CPU time */
#define OPTION_LEAST 16		       /* ids are long; shorter values are list indexes or names */

/* State that is kept of a process between samples. */
struct known {
	char home[AGENT_READ_PATH];
	struct agent_log_file file; /* its log, and what was read from it */
	bool has_tool, is_cut;
	struct agent_tool tool;
	bool has_turn;
	struct agent_turn turn;
	char task[AGENT_TASK_MAX + 1];
	struct agent_token_place tokens;
	struct agent_database_place database;
	struct agent_servers servers;
	uint64_t place; /* hash of home and directory of the process */
	char pid[16];	/* in its own pid namespace */
	uint32_t uid;
	uint64_t seen_ns;    /* CLOCK_MONOTONIC */
	unsigned timeouts;   /* in a row: a single timeout may be due to a busy machine */
	uint64_t blocked_ns; /* its files are not read before this time */
	int blocked_status;  /* why not: they did not answer, or took too long */
};

/* A process with files to read. */
struct pending {
	struct agent_read job;
	struct process_id id;
	const struct agent *agent;
	const char *option; /* option that names the session */
	int status;	    /* status of finding its home */
	uint32_t uid;
	bool has_files;
};

/* Adds a process; NULL: there are too many. */
static struct known *known_put(struct agent_files_reader *f, const struct process_id *id)
{
	uint64_t now = clock_monotonic_ns();
	struct known *known = map_put(&f->known, id, NULL);

	if (!known) {
		map_for_each (&f->known, const void *, key, struct known *, value) {
			if (value->seen_ns + KNOWN_NS < now)
				map_remove(&f->known, key);
		}
		known = map_put(&f->known, id, NULL);
	}
	if (known)
		known->seen_ns = now;
	return known;
}

void agent_files_init(struct agent_files_reader *f)
{
	assert(f);
	*f = (struct agent_files_reader){ 0 };
	map_init(&f->known, sizeof(struct process_id), sizeof(struct known), KNOWN_MAX);
}

void agent_files_fini(struct agent_files_reader *f)
{
	assert(f);
	map_fini(&f->known);
	buffer_fini(&f->environment);
	buffer_fini(&f->pending);
	buffer_fini(&f->requests);
	timeout_fini(&f->timeout);
}

/* --- the input --- */

/* Finds "--session ID" or "--session=ID", and sets which option it was. */
static const char *find_option(
	const struct agent *agent, struct span arguments, char id[AGENT_ID_MAX + 1])
{
	struct cursor c = cursor_over(arguments.data, arguments.size);

	while (!cursor_at_end(&c)) {
		struct span argument = cursor_until(&c, '\0');

		for (size_t i = 0; i < AGENT_OPTIONS_MAX && agent->session_options[i]; i++) {
			const char *option = agent->session_options[i];
			struct span value = argument;
			struct cursor ahead = c;

			if (span_equal(argument, option)) {
				value = cursor_until(&ahead, '\0');
			} else if (span_starts(argument, option) &&
				   argument.data[strlen(option)] == '=') {
				value.data += strlen(option) + 1;
				value.size -= strlen(option) + 1;
			} else {
				continue;
			}
			if (value.size < OPTION_LEAST || !agent_word_is_plain(value, AGENT_ID_MAX))
				continue;
			snprintf(id, AGENT_ID_MAX + 1, "%.*s", SPAN_ARGS(value));
			return option;
		}
	}
	return NULL;
}

/* Sets the PID of the process in the innermost of its PID namespaces, as the process itself sees
 * it, and its user. */
static void read_ids(const struct process_snapshot *snapshot, struct buffer *scratch, char pid[16],
	uint32_t *uid)
{
	int status = procfs_read_at(snapshot->process, "status", scratch, PROCFS_SMALL);
	struct cursor c = cursor_over(scratch->data, status < 0 ? 0 : scratch->size);
	uint64_t inner = snapshot->id.pid;

	while (!cursor_at_end(&c)) {
		struct span line = cursor_line(&c);
		struct cursor fields = cursor_over(line.data, line.size);

		if (cursor_skip(&fields, "Uid:"))
			*uid = (uint32_t)cursor_decimal(&fields);
		if (!cursor_skip(&fields, "NSpid:"))
			continue;
		for (;;) {
			struct span word = cursor_word(&fields);

			if (!span_decimal(word, &inner))
				break;
		}
	}
	snprintf(pid, 16, "%u", (unsigned)inner);
}

static uint64_t start_utc_ns(const struct process_id *id)
{
	uint64_t age = clock_ns(CLOCK_BOOTTIME);
	uint64_t start = id->start_ticks * (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));

	age = age > start ? age - start : 0;
	return clock_realtime_ns() - age;
}

static void copy_word(char out[AGENT_READ_TEXT], const char *word)
{
	snprintf(out, AGENT_READ_TEXT, "%s", word ? word : "");
}

static void set_input(struct agent_read *job, const struct agent *agent)
{
	const struct agent_files *files = &agent->files;

	copy_word(job->files.session_file, files->session_file);
	copy_word(job->files.open_file, files->open_file);
	copy_word(job->files.log, files->log);
	copy_word(job->files.project_file, files->project_file);
	copy_word(job->files.session_key, files->session_key);
	copy_word(job->files.status_key, files->status_key);
	copy_word(job->files.start_key, files->start_key);
	copy_word(job->files.database, files->database);
	copy_word(job->files.version_key, files->version_key);
	copy_word(job->files.changed_key, files->changed_key);
	copy_word(job->files.waiting_key, files->waiting_key);
	copy_word(job->files.job_file, files->job_file);
	copy_word(job->files.job_key, files->job_key);
	copy_word(job->files.job_status_key, files->job_status_key);
	copy_word(job->files.spare_key, files->spare_key);
	copy_word(job->files.pid_key, files->pid_key);
	copy_word(job->files.directory_key, files->directory_key);
	copy_word(job->files.server_logs, files->server_logs);
	job->files.log_kind = files->log_kind;
}

/* --- what was read --- */

/* Keeps the results. The data of an unchanged log is taken from the last read. */
static void keep_results(
	struct agent_files_reader *f, const struct process_id *id, struct agent_read *job)
{
	struct known *known = map_get(&f->known, id);

	bool has_read = job->has_log && !job->log_status;

	if (!known)
		return;
	known->database = job->database;
	known->servers = job->servers;
	if (has_read || job->files.database[0])
		known->tokens = job->tokens;
	if (!has_read)
		return;
	if (!memcmp(&known->file, &job->log, sizeof(job->log))) {
		job->has_tool = known->has_tool;
		job->tool = known->tool;
		job->is_tool_cut = known->is_cut;
		job->has_turn = known->has_turn;
		job->turn = known->turn;
		return;
	}
	if (job->is_tool_cut && known->has_tool && known->file.inode == job->log.inode &&
		known->file.device == job->log.device && known->file.size <= job->log.size) {
		job->has_tool = true; /* the call is further up, and no lines were added since */
		job->tool = known->tool;
	}
	known->file = job->log;
	memcpy(known->task, job->task, sizeof(known->task));
	known->has_tool = job->has_tool;
	known->is_cut = job->is_tool_cut;
	known->tool = job->tool;
	known->has_turn = job->has_turn;
	known->turn = job->turn;
}

/* --- its fields --- */

/* Returns the state of a field. `is_reported`: whether the file with the field was found at all. */
static uint8_t state_of(int status, bool is_there, bool is_declared, bool is_reported)
{
	bool has_failed = status && status != -ENOENT && status != -ENOTDIR;

	if (is_there)
		return SOOTH_STATE_VALUE;
	if (is_declared && has_failed)
		return procfs_state(status);
	if (is_declared && is_reported)
		return SOOTH_STATE_ABSENT;
	return SOOTH_NOT_MEASURED(SOOTH_REASON_AGENT);
}

static void fill_repeats(struct proc_session *p, const struct agent_turn *calls)
{
	p->repeats_state = calls->repeats ? p->turn_state : SOOTH_STATE_ABSENT;
	p->repeats = calls->repeats;
	p->repeated_calls = calls->repeated_calls;
	p->repeats_since_utc_ns = calls->repeats_since_utc_ns;
	p->repeats_until_utc_ns = calls->repeats_until_utc_ns;
}

static void fill_turn(struct proc_session *p, const struct agent_read *job, int status,
	const struct agent *agent, bool is_transcript)
{
	bool is_known = job->info.session[0];
	uint8_t missing = SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED);

	if (is_transcript || !agent->files.log_kind)
		missing = state_of(
			status ? status : job->log_status, false, agent->files.log_kind, is_known);
	p->turn_state = job->has_turn ? SOOTH_STATE_VALUE : missing;
	p->call_state = p->error_state = p->turn_state;
	if (!p->call_state && !job->turn.call[0])
		p->call_state = SOOTH_STATE_ABSENT;
	p->asked_state = p->call_state || job->turn.asked[0] ? p->call_state : SOOTH_STATE_ABSENT;
	if (!p->error_state && !job->turn.error_status)
		p->error_state = SOOTH_STATE_ABSENT;
	fill_repeats(
		p, job->tokens.calls.repeats && !job->is_shared ? &job->tokens.calls : &job->turn);
	if (!job->has_turn)
		return;
	p->turn = job->turn.of;
	p->turn_utc_ns = job->turn.utc_ns;
	p->attempts = job->turn.attempts;
	p->error_status = job->turn.error_status;
}

static uint8_t missing_tokens(
	const struct agent_read *job, int status, const struct agent *agent, bool is_transcript)
{
	bool is_counted = agent->files.log_kind != AGENT_LOG_NONE;
	int read_status = agent->files.database ? job->database_status : job->log_status;

	if (is_counted && !is_transcript)
		return SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED);
	if (agent->files.database && !status && read_status == -EOPNOTSUPP)
		return SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	return state_of(status ? status : read_status, false, is_counted,
		agent->files.database || job->has_log);
}

static void fill_tokens(struct proc_session *p, const struct agent_read *job, int status,
	const struct agent *agent, bool is_transcript)
{
	const struct agent_tokens *t = &job->tokens.sum;
	uint8_t missing = missing_tokens(job, status, agent, is_transcript);

	p->tokens_state = t->has_any ? SOOTH_STATE_VALUE : missing;
	if (t->has_any && job->tokens.is_cut)
		p->tokens_state = SOOTH_STATE_TRUNCATED;
	if (job->is_shared && agent->files.database) {
		p->tokens_state = p->context_state = p->model_state =
			SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_JUDGED);
		return;
	}
	p->context_state = t->context ? SOOTH_STATE_VALUE : missing;
	p->model_state = t->model[0] ? SOOTH_STATE_VALUE : missing;
	p->turns = t->turns;
	p->input_tokens = t->input;
	p->output_tokens = t->output;
	p->context_tokens = t->context;
}

/* Fills in since when its answers had no effect, and what else its log counts. */
static void fill_progress(struct proc_session *p, const struct agent_tokens *t)
{
	const struct agent_progress *g = &t->progress;
	const struct agent_server_use *server = agent_progress_server(g);
	bool is_counted =
		p->tokens_state == SOOTH_STATE_VALUE || p->tokens_state == SOOTH_STATE_TRUNCATED;
	uint8_t missing = is_counted ? SOOTH_STATE_ABSENT : p->tokens_state;

	p->progress_state = is_counted && g->effect_utc_ns ? SOOTH_STATE_VALUE : missing;
	p->rate_state = p->progress_state;
	p->window_state = is_counted && t->window ? SOOTH_STATE_VALUE : missing;
	p->quota_state = is_counted && t->has_quota ? SOOTH_STATE_VALUE : missing;
	p->mcp_state = server ? SOOTH_STATE_VALUE : missing;
	p->prompt_utc_ns = g->prompt_utc_ns;
	p->effect_utc_ns = g->effect_utc_ns;
	p->answer_utc_ns = g->answer_utc_ns;
	p->spent_input_tokens = g->now.input - g->at_effect.input;
	p->spent_output_tokens = g->now.output - g->at_effect.output;
	p->spent_turns = g->now.turns - g->at_effect.turns;
	p->spent_calls = g->calls;
	p->unprompted_turns = g->now.turns - g->turns_at_prompt;
	p->tokens_a_minute = agent_tokens_a_minute(t, clock_realtime_ns());
	p->window_tokens = t->window;
	p->quota_percent = t->quota_percent;
	p->quota_resets_utc_ns = t->quota_resets_utc_ns;
	if (!server)
		return;
	p->mcp_calls = server->calls;
	p->mcp_errors = server->errors;
	p->mcp_total_ns = server->total_ns;
	p->mcp_longest_ns = server->longest_ns;
}

static void fill_servers(struct proc_session *p, const struct agent_read *job, bool is_logged)
{
	const struct agent_server_log *worst = &job->servers.worst;

	p->mcp_log_state = is_logged ? p->turn_state : SOOTH_NOT_MEASURED(SOOTH_REASON_AGENT);
	if (job->servers.read_ns)
		p->mcp_log_state = job->servers.is_cut && !worst->how ? SOOTH_STATE_TRUNCATED
								      : SOOTH_STATE_VALUE;
	p->mcp_start = (uint8_t)worst->how;
	p->mcp_start_utc_ns = worst->utc_ns;
	p->mcp_word_lines = worst->word_lines;
}

/* Branch and task distinguish sessions of a project. */
static void fill_task(struct proc_session *p, const struct agent_read *job, int status,
	const struct agent *agent, bool is_transcript)
{
	bool is_declared = agent->files.log_kind && agent->files.log_kind != AGENT_LOG_OPENCODE;

	p->branch_state =
		state_of(status ? status : job->branch_status, job->branch[0], true, true);
	p->task_state = state_of(status ? status : job->log_status, job->has_log && job->task[0],
		is_declared, job->info.session[0]);
	if (!is_transcript && is_declared)
		p->task_state = SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED);
}

static void fill_states(struct proc_session *p, const struct agent_read *job, int status,
	const struct agent *agent, bool is_transcript)
{
	const struct agent_files *files = &agent->files;
	int log_status = status ? status : job->log_status;
	bool is_known = job->info.session[0], has_file = job->source == AGENT_READ_FILE;
	bool has_id = files->session_key || files->open_file;

	status = status ? status : job->status;
	p->session_state = state_of(status, is_known, has_id, false);
	if (job->is_ambiguous) /* several sessions, and it is unknown which one is current */
		p->session_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNDECIDED);
	p->status_state = state_of(status, job->info.status[0], files->status_key, has_file);
	p->version_state = state_of(status, job->info.version[0], files->version_key, has_file);
	p->changed_state = state_of(status, job->info.changed_utc_ns, files->changed_key, has_file);
	p->waiting_state = state_of(status, job->info.waiting[0], files->waiting_key, has_file);
	p->job_state = state_of(status, job->job_status[0], files->job_file, has_file);
	/* No log: it has not been prompted yet. */
	p->activity_state = state_of(
		log_status, p->activity_utc_ns, files->log || files->changed_key, is_known);
	p->tool_state = state_of(log_status, job->has_tool, files->log_kind, is_known);
	if (job->is_tool_cut && !job->has_tool)
		p->tool_state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	if (!is_transcript && files->log_kind)
		p->tool_state = SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED);
}

static void write_source(struct buffer *out, const struct agent_read *job, const char *option)
{
	static const char *const sources[] = { [AGENT_READ_NONE] = "",
		[AGENT_READ_OPEN] = "open file",
		[AGENT_READ_OPTION] = "option ",
		[AGENT_READ_LOG] = "first line of its log",
		[AGENT_READ_NEWEST] = "newest log of its directory",
		[AGENT_READ_FILE] = "file " };

	buffer_reset(out);
	buffer_string(out, sources[job->source]);
	if (job->source == AGENT_READ_OPTION)
		buffer_string(out, option);
	else if (job->source == AGENT_READ_FILE)
		buffer_string(out, job->files.session_file);
}

static void emit_record(struct backend_run *run, struct proc_session *p,
	const struct agent_read *job, const struct buffer *source)
{
	const struct agent_session_info *info = &job->info;
	const struct agent_server_use *server = agent_progress_server(&job->tokens.sum.progress);
	const char *repeated =
		job->tokens.calls.repeats ? job->tokens.calls.repeated : job->turn.repeated;
	struct buffer events = { 0 };

	agent_progress_write_events(&events, &job->tokens.sum.progress);
	struct record_tail tail[] = {
		{ &p->session, info->session, strlen(info->session) },
		{ &p->source, source->data, source->size },
		{ &p->status, info->status, strlen(info->status) },
		{ &p->tool, job->tool.name, p->tool_state ? 0 : strlen(job->tool.name) },
		{ &p->version, info->version, strlen(info->version) },
		{ &p->waiting, info->waiting, strlen(info->waiting) },
		{ &p->call, job->turn.call, strlen(job->turn.call) },
		{ &p->asked, job->turn.asked, strlen(job->turn.asked) },
		{ &p->model, job->tokens.sum.model, strlen(job->tokens.sum.model) },
		{ &p->branch, job->branch, strlen(job->branch) },
		{ &p->task, job->task, p->task_state ? 0 : strlen(job->task) },
		{ &p->repeated, repeated, p->repeats_state ? 0 : strlen(repeated) },
		{ &p->mcp, server ? server->name : "", server ? strlen(server->name) : 0 },
		{ &p->log_end, events.data, events.size },
		{ &p->job, info->job, strlen(info->job) },
		{ &p->job_status, job->job_status, strlen(job->job_status) },
		{ &p->mcp_log, job->servers.worst.name, strlen(job->servers.worst.name) },
	};

	RECORD_APPEND(&run->out, p, tail, ARRAY_SIZE(tail));
	buffer_fini(&events);
}

/* --- reading --- */

/* Prepares the candidate files and the values to compare them with. No file is opened yet. */
static void prepare_job(struct agent_files_reader *f, struct pending *p, struct span directory)
{
	const struct known *known = map_get(&f->known, &p->id);
	struct agent_read *job = &p->job;

	set_input(job, p->agent);
	if (known) {
		job->known = known->file;
		job->tokens = known->tokens;
		job->database = known->database;
		job->servers = known->servers;
		memcpy(job->task, known->task, sizeof(job->task));
		memcpy(job->home, known->home, sizeof(job->home));
		memcpy(job->pid, known->pid, sizeof(job->pid));
	}
	if (directory.size < sizeof(job->directory))
		snprintf(job->directory, sizeof(job->directory), "%.*s", SPAN_ARGS(directory));
	job->start_ticks = p->id.start_ticks;
	job->start_utc_ns = start_utc_ns(&p->id);
}

/* Finds the home once: neither environment nor PID changes after the start. */
static int find_home(struct agent_files_reader *f, const struct backend_run *run, struct pending *p,
	struct known *known)
{
	_cleanup_process_snapshot_ struct process_snapshot snapshot = { .process = -1 };
	struct agent_read *job = &p->job;
	int status;

	if (known->home[0])
		return 0;
	if (process_snapshot_open(&snapshot, run, (pid_t)p->id.pid, &p->id))
		return -ESRCH;
	read_ids(&snapshot, &f->environment, job->pid, &known->uid);
	status = agent_home_find(job->home, sizeof(job->home), &p->agent->files, &f->timeout,
		&snapshot, &f->environment);
	if (!status) {
		memcpy(known->home, job->home, sizeof(known->home));
		memcpy(known->pid, job->pid, sizeof(known->pid));
	}
	return process_snapshot_status(&snapshot, status);
}

/* Reads the ids: the files are in the working directory, and reading is charged to the user. */
static int find_ids(struct agent_files_reader *f, const struct backend_run *run, struct pending *p,
	struct known *known)
{
	_cleanup_process_snapshot_ struct process_snapshot snapshot = { .process = -1 };

	if (known->pid[0])
		return 0;
	if (process_snapshot_open(&snapshot, run, (pid_t)p->id.pid, &p->id))
		return -ESRCH;
	read_ids(&snapshot, &f->environment, p->job.pid, &known->uid);
	memcpy(known->pid, p->job.pid, sizeof(known->pid));
	return 0;
}

/* Returns whether another process has the same place. Sessions of a database belong to a directory:
 * if two processes are there, it is unknown which has this session. */
static bool shares_place(const struct agent_files_reader *f, const struct known *own)
{
	map_for_each_value (&f->known, const struct known *, other) {
		if (other != own && other->place == own->place &&
			other->seen_ns + SHARES_NS > own->seen_ns)
			return true;
	}
	return false;
}

static int find_files(struct agent_files_reader *f, const struct backend_run *run,
	struct pending *p, struct span directory)
{
	struct known *known = known_put(f, &p->id);
	int status;

	if (!known)
		return -EBUSY;
	prepare_job(f, p, directory);
	if (known->blocked_ns > known->seen_ns)
		return known->blocked_status;
	status = p->agent->files.home ? find_home(f, run, p, known) : find_ids(f, run, p, known);
	p->uid = p->job.uid = known->uid;
	known->place = hash_bytes(HASH_BEGIN, p->job.home, strlen(p->job.home));
	known->place = hash_bytes(known->place, p->job.directory, strlen(p->job.directory));
	return status;
}

void agent_files_add(struct agent_files_reader *f, const struct backend_run *run,
	const struct process_id *id, const struct agent *agent, struct span arguments,
	struct span directory)
{
	assert(run);
	assert(agent);

	struct pending p = { .id = *id,
		.agent = agent,
		.job = { .process = -1,
			.needs_tool = run->options.interest & INTEREST_TRANSCRIPT &&
				      agent->files.log_kind } };

	const struct agent_part *part = agent_path_part(agent, arguments);

	assert(f);
	/* It may have the session of another process among its arguments. */
	if (part && part->role == AGENT_ROLE_HELPER)
		return;
	p.option = find_option(agent, arguments, p.job.option);
	p.status = find_files(f, run, &p, directory);
	p.has_files = !p.status;
	if (p.status != -ESRCH)
		buffer_append(&f->pending, &p, sizeof(p));
}

static struct pending *pending_of(const struct agent_files_reader *f, size_t *count)
{
	*count = f->pending.size / sizeof(struct pending);
	return (void *)f->pending.data;
}

static void take_read(
	struct agent_files_reader *f, struct pending *p, const struct agent_read_request *request)
{
	struct known *known = map_get(&f->known, &p->id);
	bool is_expensive = request->spent_ns > EXPENSIVE_NS &&
			    (p->job.log_status == -EDQUOT || p->job.database_status == -EDQUOT);

	p->status = request->status;
	if (known)
		known->timeouts = p->status == -ETIMEDOUT ? known->timeouts + 1 : 0;
	if (known && (known->timeouts > 1 || is_expensive)) {
		known->blocked_ns = known->seen_ns + BLOCKED_NS;
		known->blocked_status = is_expensive ? -EDQUOT : -EBUSY;
	}
	if (!p->status && p->job.needs_tool)
		keep_results(f, &p->id, &p->job);
}

static void read_all(struct agent_files_reader *f)
{
	size_t count, n = 0;
	struct pending *all = pending_of(f, &count);
	struct agent_read_request *requests;

	buffer_reset(&f->requests);
	requests = buffer_reserve(&f->requests, count * sizeof(*requests));
	for (size_t i = 0; i < count; i++) {
		const struct known *known = map_get(&f->known, &all[i].id);

		all[i].job.is_shared = known && shares_place(f, known);
		if (!requests && all[i].has_files)
			all[i].status = -ENOMEM;
		else if (all[i].has_files)
			requests[n++] = (struct agent_read_request){ .job = &all[i].job,
				.pid = (uint32_t)all[i].id.pid,
				.uid = all[i].uid };
	}
	agent_reads_run(requests, n, &f->timeout);
	for (size_t i = 0, k = 0; i < count && requests; i++) {
		if (all[i].has_files)
			take_read(f, &all[i], &requests[k++]);
	}
}

/* --- the record --- */

static void write_record(struct agent_files_reader *f, struct backend_run *run, struct pending *d)
{
	bool is_transcript = run->options.interest & INTEREST_TRANSCRIPT;
	struct proc_session p = { .record = { .time_ns = run->os->now_ns(run->os),
					  .start_ticks = d->id.start_ticks,
					  .pid = d->id.pid,
					  .kind = PROC_SESSION,
					  .cpu = SOOTH_CPU_NONE } };
	struct agent_read *job = &d->job;

	/* If no file can be read, the command line may name the session. */
	if (!job->info.session[0])
		agent_read_option(job);
	if (job->has_log && d->agent->files.log_kind != AGENT_LOG_OPENCODE &&
		job->log.changed_ns <= clock_realtime_ns() + CLOCK_SLACK_NS)
		p.activity_utc_ns = job->log.changed_ns;
	if (job->info.changed_utc_ns > p.activity_utc_ns)
		p.activity_utc_ns = job->info.changed_utc_ns;
	p.changed_utc_ns = job->info.changed_utc_ns;
	p.tool_utc_ns = job->has_tool ? job->tool.utc_ns : 0;
	fill_states(&p, job, d->status, d->agent, is_transcript);
	fill_turn(&p, job, d->status, d->agent, is_transcript);
	fill_tokens(&p, job, d->status, d->agent, is_transcript);
	fill_progress(&p, &job->tokens.sum);
	fill_servers(&p, job, d->agent->files.server_logs);
	p.queued_utc_ns = job->turn.queued_utc_ns;
	fill_task(&p, job, d->status, d->agent, is_transcript);
	/* A session that is at work may wait endlessly for its tool. */
	if (run->agents_found &&
		((p.status_state && p.turn_state) || !strcmp(job->info.status, "busy")))
		buffer_append(&run->agents_found->silent, &d->id, sizeof(d->id));
	write_source(&f->environment, job, d->option);
	emit_record(run, &p, job, &f->environment);
}

void agent_files_emit(struct agent_files_reader *f, struct backend_run *run)
{
	assert(f);

	size_t count;
	struct pending *all = pending_of(f, &count);

	assert(run);
	if (run->agents_found)
		buffer_reset(&run->agents_found->silent);
	if (count)
		read_all(f);
	for (size_t i = 0; i < count; i++) {
		if (all[i].status != -ESRCH)
			write_record(f, run, &all[i]);
	}
	buffer_reset(&f->pending);
}

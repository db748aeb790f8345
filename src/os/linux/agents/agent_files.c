/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The record of an agent's session; see agent_files.h. A look at the files of a process is
 * made at each sample (its status changes), its log is only read again when it has changed.
 */
#include "os/linux/agents/agent_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "os/linux/agents/agent_home.h"
#include "os/linux/agents/agent_read.h"
#include "probes/proc.h"

#define KNOWN_MAX    1024
#define OPTION_LEAST 16 /* ids are long; shorter values are numbers of a list, or names */

/* Of a process. */
struct known {
	char home[AGENT_READ_PATH];
	struct agent_log_file file; /* its log, and what that told */
	bool has_tool, is_cut;
	struct agent_tool tool;
};

void agent_files_init(struct agent_files_reader *f)
{
	*f = (struct agent_files_reader){ 0 };
	map_init(&f->known, sizeof(struct process_id), sizeof(struct known), KNOWN_MAX);
}

void agent_files_fini(struct agent_files_reader *f)
{
	map_fini(&f->known);
	buffer_fini(&f->environment);
	timeout_fini(&f->timeout);
}

/* --- what is asked --- */

/* "--session ID" or "--session=ID"; tells which option it was. */
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
			snprintf(id, AGENT_ID_MAX + 1, "%.*s", (int)value.size, value.data);
			return option;
		}
	}
	return NULL;
}

/* Of the process in the innermost of its pid namespaces: so it calls itself. */
static void inner_pid(const struct process_snapshot *reading, struct buffer *scratch, char pid[16])
{
	int status = procfs_read_at(reading->process, "status", scratch, PROCFS_SMALL);
	struct cursor c = cursor_over(scratch->data, status < 0 ? 0 : scratch->size);
	uint64_t inner = reading->id.pid;

	while (!cursor_at_end(&c)) {
		struct span line = cursor_line(&c);
		struct cursor words = cursor_over(line.data, line.size);

		if (!cursor_skip(&words, "NSpid:"))
			continue;
		for (;;) {
			struct span word = cursor_word(&words);

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

static void ask(struct agent_read *look, const struct agent *agent)
{
	const struct agent_files *files = &agent->files;

	copy_word(look->files.session_file, files->session_file);
	copy_word(look->files.open_file, files->open_file);
	copy_word(look->files.log, files->log);
	copy_word(look->files.project_file, files->project_file);
	copy_word(look->files.session_key, files->session_key);
	copy_word(look->files.status_key, files->status_key);
	copy_word(look->files.start_key, files->start_key);
	copy_word(look->files.version_key, files->version_key);
	copy_word(look->files.changed_key, files->changed_key);
	look->files.log_kind = files->log_kind;
}

/* --- looked at, with patience --- */

static void do_look(void *argument)
{
	agent_read(argument);
}

static void drop_look(void *argument)
{
	close(((struct agent_read *)argument)->process);
}

static int look_at(struct agent_files_reader *f, struct agent_read *look, int process)
{
	int status;

	look->process = fcntl(process, F_DUPFD_CLOEXEC, 0);
	if (look->process < 0)
		return -errno;
	status = timeout_call(
		&f->timeout, do_look, drop_look, look, sizeof(*look), look->process, TIMEOUT_MS);
	if (status != -ETIMEDOUT) /* else whoever is stuck has it */
		close(look->process);
	return status;
}

/* What the same log told before. */
static void remember(
	struct agent_files_reader *f, const struct process_id *id, struct agent_read *look)
{
	struct known *known = map_put(&f->known, id, NULL);

	if (!known || !look->has_log || look->log_status)
		return;
	if (!memcmp(&known->file, &look->log, sizeof(look->log))) {
		look->has_tool = known->has_tool;
		look->tool = known->tool;
		look->is_tool_cut = known->is_cut;
		return;
	}
	if (look->is_tool_cut && known->has_tool && known->file.inode == look->log.inode &&
		known->file.device == look->log.device && known->file.size <= look->log.size) {
		look->has_tool = true; /* it stands further up, and nothing has come since */
		look->tool = known->tool;
	}
	known->file = look->log;
	known->has_tool = look->has_tool;
	known->is_cut = look->is_tool_cut;
	known->tool = look->tool;
}

/* --- told --- */

/* `is_reported`: whether what would say it was found at all. */
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

static void fill_states(struct proc_session *p, const struct agent_read *look, int status,
	const struct agent *agent, bool is_transcript)
{
	const struct agent_files *files = &agent->files;
	int log_status = status ? status : look->log_status;
	bool is_known = look->words.session[0], has_file = look->source == AGENT_READ_FILE;
	bool has_id = files->session_key || files->open_file;

	status = status ? status : look->status;
	p->session_state = state_of(status, is_known, has_id, false);
	if (look->is_ambiguous) /* it has several, and nothing says which one is meant */
		p->session_state = SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_JUDGED);
	p->status_state = state_of(status, look->words.status[0], files->status_key, has_file);
	p->version_state = state_of(status, look->words.version[0], files->version_key, has_file);
	/* No log: it was not asked anything yet. */
	p->activity_state = state_of(
		log_status, p->activity_utc_ns, files->log || files->changed_key, is_known);
	p->tool_state = state_of(log_status, look->has_tool, files->log_kind, is_known);
	if (look->is_tool_cut && !look->has_tool)
		p->tool_state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	if (!is_transcript && files->log_kind)
		p->tool_state = SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED);
}

static void write_source(struct buffer *out, const struct agent_read *look, const char *option)
{
	static const char *const words[] = { [AGENT_READ_NONE] = "",
		[AGENT_READ_OPEN] = "open file",
		[AGENT_READ_OPTION] = "option ",
		[AGENT_READ_LOG] = "first line of its log",
		[AGENT_READ_FILE] = "file " };

	buffer_reset(out);
	buffer_string(out, words[look->source]);
	if (look->source == AGENT_READ_OPTION)
		buffer_string(out, option);
	else if (look->source == AGENT_READ_FILE)
		buffer_string(out, look->files.session_file);
}

static void tell(struct backend_run *run, struct proc_session *p, const struct agent_read *look,
	const struct buffer *source)
{
	const struct agent_words *words = &look->words;
	struct record_tail tail[] = {
		{ &p->session, words->session, strlen(words->session) },
		{ &p->source, source->data, source->size },
		{ &p->status, words->status, strlen(words->status) },
		{ &p->tool, look->tool.name, p->tool_state ? 0 : strlen(look->tool.name) },
		{ &p->version, words->version, strlen(words->version) },
	};

	RECORD_APPEND(&run->out, p, tail, ARRAY_SIZE(tail));
}

/* What may be there and what it is compared with; nothing is opened yet. */
static void prepare(struct agent_files_reader *f, struct agent_read *look,
	const struct process_snapshot *reading, const struct agent *agent, struct span directory)
{
	struct known *known = map_get(&f->known, &reading->id);

	ask(look, agent);
	if (known)
		look->known = known->file;
	if (directory.size < sizeof(look->directory))
		snprintf(look->directory, sizeof(look->directory), "%.*s", (int)directory.size,
			directory.data);
	look->start_ticks = reading->id.start_ticks;
	look->start_utc_ns = start_utc_ns(&reading->id);
	inner_pid(reading, &f->environment, look->pid);
}

/* Its environment is what it was started with, so that is read once. */
static int find_home(struct agent_files_reader *f, struct agent_read *look,
	const struct process_snapshot *reading, const struct agent *agent)
{
	struct known *known = map_put(&f->known, &reading->id, NULL);
	int status;

	if (known && known->home[0]) {
		memcpy(look->home, known->home, sizeof(look->home));
		return 0;
	}
	status = agent_home_find(look->home, sizeof(look->home), &agent->files, &f->timeout,
		reading, &f->environment);
	if (known && !status)
		memcpy(known->home, look->home, sizeof(known->home));
	return status;
}

static int find(struct agent_files_reader *f, struct agent_read *look,
	const struct process_snapshot *reading, const struct agent *agent, struct span directory)
{
	int status;

	if (!agent->files.home)
		return 0;
	prepare(f, look, reading, agent, directory);
	status = find_home(f, look, reading, agent);
	if (!status)
		status = look_at(f, look, reading->process);
	if (!status && look->wants_tool)
		remember(f, &reading->id, look);
	return process_snapshot_status(reading, status);
}

void agent_files_tell(struct agent_files_reader *f, struct backend_run *run,
	const struct process_snapshot *reading, const struct agent *agent, struct span arguments,
	struct span directory)
{
	bool is_transcript = run->options.interest & INTEREST_TRANSCRIPT;
	struct proc_session p = { .record = process_snapshot_head(reading, run, 0, PROC_SESSION) };
	struct agent_read look = { .process = -1,
		.wants_tool = is_transcript && agent->files.log_kind };
	const char *option = find_option(agent, arguments, look.option);
	int status = find(f, &look, reading, agent, directory);

	/* The command line tells it also where no file can be looked at. */
	if (!look.words.session[0])
		agent_read_option(&look);
	p.activity_utc_ns = look.has_log ? look.log.changed_ns : 0;
	if (look.words.changed_utc_ns > p.activity_utc_ns)
		p.activity_utc_ns = look.words.changed_utc_ns;
	p.tool_utc_ns = look.has_tool ? look.tool.utc_ns : 0;
	fill_states(&p, &look, status, agent, is_transcript);
	write_source(&f->environment, &look, option);
	tell(run, &p, &look, &f->environment);
}

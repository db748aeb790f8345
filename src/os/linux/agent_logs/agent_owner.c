/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file of an agent may take over its parser. With privileges these files are therefore read by a
 * process that has the ids of their owner: it sees only what the owner sees himself, and its answer
 * is checked. Before that this process does what needs the right to trace the agent: it opens its
 * root, and lists its open files.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parser.h"
#include "base/units.h"
#include "os/linux/agent_logs/agent_read.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/root_file.h"

#define NO_GROUP   65534
#define QUOTA_MAX  1e4		  /* percent */
#define SPENT_MOST (3 * NS_PER_S) /* its limit of CPU time */

struct reading {
	struct agent_read job;
	pid_t pid;	  /* of the process, as sooth sees it */
	uint64_t left_ns; /* CPU time that the files may take; 0: no limit */
	uint64_t spent_ns;
};

static int read_files(int root, void *user, struct buffer *more)
{
	struct reading *r = user;
	uint64_t begin = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	char path[32];
	_cleanup_close_ int process = -1;

	(void)more;
	snprintf(path, sizeof(path), "/proc/%d", (int)r->pid);
	process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	r->job.process = process;
	r->job.end_cpu_ns = r->left_ns ? begin + r->left_ns : 0;
	agent_read_files(&r->job, root);
	r->spent_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
	return 0;
}

/* --- the answer, which may be anything --- */

#define END(text) ((text)[sizeof(text) - 1] = '\0')

static void make_flag(bool *flag)
{
	unsigned char byte;

	memcpy(&byte, flag, 1);
	*flag = byte != 0;
}

static void make_status(int *status)
{
	if (*status > 0 || *status < -4095)
		*status = -EIO;
}

static void make_plain(char *word, size_t size)
{
	word[size - 1] = '\0';
	if (*word && !agent_word_is_plain(span_of_string(word), size - 1))
		*word = '\0';
}

static void check_turn(struct agent_turn *turn)
{
	if (turn->of >= PROC_TURNS)
		*turn = (struct agent_turn){ 0 };
	END(turn->call);
	END(turn->asked);
	END(turn->repeated);
}

static void check_progress(struct agent_progress *p)
{
	p->next %= AGENT_RESULTS_MAX;
	if (p->at_effect.turns > p->now.turns || p->at_effect.input > p->now.input ||
		p->at_effect.output > p->now.output || p->turns_at_prompt > p->now.turns)
		*p = (struct agent_progress){ 0 };
	for (size_t i = 0; i < AGENT_OPEN_MAX; i++) {
		END(p->open[i].tool);
		if (p->open[i].server > AGENT_SERVERS_MAX)
			p->open[i].server = 0;
	}
	for (size_t i = 0; i < AGENT_SERVERS_MAX; i++)
		make_plain(p->servers[i].name, sizeof(p->servers[i].name));
	for (size_t i = 0; i < AGENT_EVENTS_MAX; i++) {
		END(p->events[i].tool);
		if ((unsigned)p->events[i].kind > AGENT_ERROR)
			p->events[i].kind = AGENT_PROMPT;
	}
}

static void check_tokens(struct agent_token_place *place)
{
	struct agent_tokens *t = &place->sum;

	make_flag(&place->is_read);
	make_flag(&place->is_cut);
	make_flag(&t->has_any);
	make_flag(&t->has_quota);
	t->has_quota = t->has_quota && t->quota_percent >= 0 && t->quota_percent <= QUOTA_MAX;
	make_plain(t->model, sizeof(t->model));
	END(t->last_id);
	check_progress(&t->progress);
	check_turn(&place->calls);
	if (!agent_tokens_are_plausible(t))
		*place = (struct agent_token_place){ 0 };
}

static void check_session(struct agent_read *job)
{
	struct agent_session_info *info = &job->info;

	make_plain(info->session, sizeof(info->session));
	make_plain(info->job, sizeof(info->job));
	END(info->status);
	END(info->version);
	END(info->waiting);
	make_flag(&info->has_start_ticks);
	END(job->job_status);
	if ((unsigned)job->source > AGENT_READ_NEWEST)
		job->source = AGENT_READ_NONE;
}

static void check_statuses(struct agent_read *job)
{
	make_status(&job->status);
	make_status(&job->log_status);
	make_status(&job->database_status);
	make_status(&job->branch_status);
	make_flag(&job->is_ambiguous);
	make_flag(&job->has_log);
	make_flag(&job->has_tool);
	make_flag(&job->is_tool_cut);
	make_flag(&job->has_turn);
}

/* Drops future times: they do not show what the agent does now. */
static void drop_later_times(struct agent_read *job)
{
	struct agent_progress *p = &job->tokens.sum.progress;
	uint64_t *times[] = { &job->info.changed_utc_ns, &job->tool.utc_ns, &job->turn.utc_ns,
		&job->turn.queued_utc_ns, &job->turn.repeats_since_utc_ns,
		&job->turn.repeats_until_utc_ns, &job->tokens.calls.repeats_since_utc_ns,
		&job->tokens.calls.repeats_until_utc_ns, &job->servers.worst.utc_ns,
		&p->prompt_utc_ns, &p->effect_utc_ns, &p->answer_utc_ns };
	uint64_t last = clock_realtime_ns() + CLOCK_SLACK_NS;

	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		*times[i] = *times[i] > last ? 0 : *times[i];
}

/* Copies what was read, and nothing that sooth itself said. */
static void take_answer(struct agent_read *job, const struct agent_read *answer)
{
	job->tokens = answer->tokens;
	job->database = answer->database;
	job->servers = answer->servers;
	memcpy(job->task, answer->task, sizeof(job->task));
	job->database_status = answer->database_status;
	job->status = answer->status;
	job->info = answer->info;
	job->source = answer->source;
	memcpy(job->job_status, answer->job_status, sizeof(job->job_status));
	job->is_ambiguous = answer->is_ambiguous;
	job->has_log = answer->has_log;
	job->log = answer->log;
	job->log_status = answer->log_status;
	job->has_tool = answer->has_tool;
	job->is_tool_cut = answer->is_tool_cut;
	job->tool = answer->tool;
	job->has_turn = answer->has_turn;
	job->turn = answer->turn;
	job->branch_status = answer->branch_status;
	memcpy(job->branch, answer->branch, sizeof(job->branch));
	check_statuses(job);
	check_session(job);
	check_tokens(&job->tokens);
	check_turn(&job->turn);
	END(job->task);
	END(job->tool.name);
	END(job->branch);
	make_plain(job->servers.worst.name, sizeof(job->servers.worst.name));
	make_flag(&job->servers.is_cut);
	if ((unsigned)job->servers.worst.how > PROC_MCP_STARTS)
		job->servers.worst = (struct agent_server_log){ 0 };
	drop_later_times(job);
}

/* --- the question --- */

/* Reads ids and groups of the process: its files may be readable by a group. Returns 0; -EACCES: it
 * has rights of several users. */
static int find_owner(struct parser_owner *owner, const struct agent_read *job)
{
	struct buffer status = { 0 };
	int state = procfs_read_at(job->process, "status", &status, PROCFS_SMALL);
	uint64_t users[4] = { UINT64_MAX }, group;
	struct cursor c = cursor_over(status.data, state < 0 ? 0 : status.size);

	*owner = (struct parser_owner){ .gid = NO_GROUP };
	while (!cursor_at_end(&c)) {
		struct span line = cursor_line(&c);
		struct cursor fields = cursor_over(line.data, line.size);

		if (cursor_skip(&fields, "Uid:")) {
			for (size_t i = 0; i < ARRAY_SIZE(users); i++)
				users[i] = cursor_decimal(&fields);
		}
		if (cursor_skip(&fields, "Gid:"))
			owner->gid = (uint32_t)cursor_decimal(&fields);
		if (!cursor_skip(&fields, "Groups:"))
			continue;
		while (owner->group_count < PARSER_GROUPS_MAX &&
			span_decimal(cursor_word(&fields), &group))
			owner->groups[owner->group_count++] = (uint32_t)group;
	}
	buffer_fini(&status);
	owner->uid = (uint32_t)users[0];
	if (users[0] > UINT32_MAX)
		return state < 0 ? state : -EACCES;
	for (size_t i = 1; i < ARRAY_SIZE(users); i++) {
		if (users[i] != users[0])
			return -EACCES;
	}
	return 0;
}

void agent_read(struct agent_read *job, pid_t pid, uint64_t left_ns, uint64_t *spent_ns)
{
	static const struct parser parser = { "files of agents", read_files };
	_cleanup_close_ int root = root_open(job->process);
	struct reading reading = { .pid = pid, .left_ns = left_ns };
	struct parser_owner owner;
	int status;

	*spent_ns = 0;
	if (root < 0) {
		agent_read_fail(job, root);
		return;
	}
	if (job->files.open_file[0])
		agent_read_open_files(job);
	status = find_owner(&owner, job);
	if (status) {
		agent_read_fail(job, status);
		return;
	}
	job->uid = owner.uid; /* it may have changed since the process was found */
	reading.job = *job;
	if (job->files.database[0])
		owner.prepare = agent_database_prepare;
	status = parser_run_as(&parser, &owner, root, &reading, sizeof(reading));
	if (status) {
		agent_read_fail(job, status);
		return;
	}
	take_answer(job, &reading.job);
	*spent_ns = reading.spent_ns < SPENT_MOST ? reading.spent_ns : SPENT_MOST;
}

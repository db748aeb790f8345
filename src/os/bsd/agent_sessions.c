/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/bsd/agent_sessions.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/read_at.h"
#include "base/units.h"
#include "os/agent_logs/agent_environment.h"
#include "os/agent_logs/agent_tokens.h"
#include "os/agent_logs/agent_turn.h"
#include "os/bsd/members.h"
#include "os/os.h"
#include "probes/proc.h"

#define KNOWN_MAX	 1024
#define PATH_SIZE	 1024
#define PASSWD_SIZE	 4096
#define SESSION_FILE_MAX (64u << 10)
#define TAIL_BYTES	 (256u << 10) /* bytes that are read of the end of a log */
#define TOKEN_BYTES	 (1u << 20)   /* bytes that are read of a log at a time */
/* Tolerance when the time of a file is compared with the start of the process, because the wall
 * clock may have been set since the start. Files of earlier processes are older. */
#define CLOCK_SLACK_NS (2 * NS_PER_S)
#define NOT_REQUESTED  SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED)
#define BY_AGENT       SOOTH_NOT_MEASURED(SOOTH_REASON_AGENT)

/* An unchanged file has the same contents. */
struct file_state {
	uint64_t device, inode, size, changed_ns;
};

struct known_session {
	struct file_state log;
	struct agent_tool tool;
	struct agent_turn turn;
	struct agent_tokens tokens;
	uint64_t token_offset;
	bool has_tool, has_turn, is_cut;
};

struct session_read {
	const struct agent *agent;
	uint64_t start_utc_ns;
	uint32_t uid;
	char pid[16];
	char home[PATH_SIZE];
	struct span directory;
	struct agent_session_info info;
	int status;	/* status of reading its session file */
	int log_status; /* status of reading its log */
	bool has_file;
	bool has_log;
	struct known_session log;
};

void bsd_sessions_init(struct bsd_sessions *s)
{
	*s = (struct bsd_sessions){ 0 };
	map_init(&s->known, sizeof(struct process_id), sizeof(struct known_session), KNOWN_MAX);
}

void bsd_sessions_fini(struct bsd_sessions *s)
{
	map_fini(&s->known);
	buffer_fini(&s->bytes);
}

/* --- files --- */

/* Opens a regular file of the user. Returns a descriptor, or a negative errno. Opening a FIFO does
 * not wait, and reading one is not tried. */
static int open_owned(const char *path, uint32_t uid, struct file_state *state)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_uid != uid)
		return -EPERM;
	/* In whole seconds: the finer member has another name on each system. */
	*state = (struct file_state){ (uint64_t)st.st_dev, (uint64_t)st.st_ino,
		(uint64_t)st.st_size, (uint64_t)st.st_mtime * NS_PER_S };
	return TAKE_FD(fd);
}

static int read_file_part(struct buffer *out, int fd, uint64_t offset, size_t most)
{
	unsigned char *to;
	ssize_t size;

	buffer_reset(out);
	to = buffer_reserve(out, most);
	size = to ? read_at(fd, to, most, offset) : -ENOMEM;
	if (size < 0)
		return (int)size;
	buffer_commit(out, (size_t)size);
	return 0;
}

/* --- its home --- */

static bool home_of_user(struct session_read *r)
{
	struct passwd entry, *found = NULL;
	char texts[PASSWD_SIZE];

	return !getpwuid_r(r->uid, &entry, texts, sizeof(texts), &found) && found &&
	       agent_home_below(r->home, sizeof(r->home), span_of_string(found->pw_dir),
		       r->agent->files.home);
}

static bool find_home(
	struct session_read *r, const struct bsd_source *s, pid_t pid, struct buffer *bytes)
{
	bool found;

	buffer_reset(bytes);
	found = s->environment && !s->environment(s, pid, bytes) &&
		agent_home_of(r->home, sizeof(r->home), &r->agent->files, bytes->data, bytes->size);
	/* Keys of services stand beside it. */
	if (bytes->data)
		memset(bytes->data, 0, bytes->size);
	return found || home_of_user(r);
}

static struct agent_path values_of(const struct session_read *r)
{
	return (struct agent_path){ .pid = span_of_string(r->pid),
		.session = span_of_string(r->info.session),
		.directory = r->directory };
}

/* Fills in a pattern, of which each name has to stand for one name. */
static bool path_below(char *out, size_t room, const struct session_read *r, const char *pattern)
{
	struct span rest = span_of_string(pattern), name;
	struct agent_path values = values_of(r);
	size_t size = strlen(r->home);

	if (size >= room)
		return false;
	memcpy(out, r->home, size + 1);
	while ((name = agent_path_next(&rest)).size) {
		char one[AGENT_NAME_MAX + 1];
		int added;

		if (!agent_path_expand(one, sizeof(one), name, &values))
			return false;
		added = snprintf(out + size, room - size, "/%s", one);
		if (added < 0 || (size_t)added >= room - size)
			return false;
		size += (size_t)added;
	}
	return true;
}

/* --- what stands there --- */

/* Reads the session file of a process. An earlier process with the same number may have left its
 * file. */
static void read_session(struct session_read *r, struct buffer *bytes)
{
	char path[PATH_SIZE * 2];
	struct agent_session_info info;
	_cleanup_close_ int fd = -1;
	struct file_state state;

	if (!path_below(path, sizeof(path), r, r->agent->files.session_file))
		return;
	fd = open_owned(path, r->uid, &state);
	if (fd >= 0 && state.size > SESSION_FILE_MAX)
		r->status = -EFBIG;
	else
		r->status = fd < 0 ? fd : read_file_part(bytes, fd, 0, SESSION_FILE_MAX);
	if (r->status || state.changed_ns + CLOCK_SLACK_NS < r->start_utc_ns ||
		!agent_session_info_parse(&info, &r->agent->files, bytes->data, bytes->size))
		return;
	r->info = info;
	r->has_file = true;
}

/* Reads the tokens in a log from where it was read up to; only the end of a long log is read. */
static void read_tokens(struct session_read *r, int fd, struct buffer *bytes)
{
	struct known_session *k = &r->log;
	size_t taken;

	if (read_file_part(bytes, fd, k->token_offset, TOKEN_BYTES))
		return;
	taken = agent_tokens_read(&k->tokens, r->agent->files.log_kind, bytes->data, bytes->size);
	/* A line that is longer than all of it is none of an answer. */
	k->token_offset += taken || bytes->size < TOKEN_BYTES ? taken : bytes->size;
}

static void read_changed_log(
	struct session_read *r, int fd, const struct file_state *now, struct buffer *bytes)
{
	enum agent_log kind = r->agent->files.log_kind;
	uint64_t from = now->size > TAIL_BYTES ? now->size - TAIL_BYTES : 0;
	struct known_session *k = &r->log;

	if (now->device != k->log.device || now->inode != k->log.inode || now->size < k->log.size) {
		*k = (struct known_session){
			.token_offset = now->size > TOKEN_BYTES ? now->size - TOKEN_BYTES : 0
		};
		k->is_cut = k->token_offset != 0;
	}
	r->log_status = read_file_part(bytes, fd, from, TAIL_BYTES);
	if (r->log_status)
		return;
	k->has_tool = agent_log_last_tool(&k->tool, kind, bytes->data, bytes->size, from != 0);
	k->has_turn = agent_turn_read(&k->turn, kind, bytes->data, bytes->size, from != 0);
	read_tokens(r, fd, bytes);
	k->log = *now;
}

static void read_log(struct session_read *r, struct buffer *bytes, bool is_transcript)
{
	char path[PATH_SIZE * 2];
	_cleanup_close_ int fd = -1;
	struct file_state now;

	if (!r->agent->files.log || !r->info.session[0] ||
		!path_below(path, sizeof(path), r, r->agent->files.log))
		return;
	fd = open_owned(path, r->uid, &now);
	if (fd < 0) {
		r->log_status = fd;
		return;
	}
	r->has_log = true;
	if (is_transcript && r->agent->files.log_kind && memcmp(&now, &r->log.log, sizeof(now)))
		read_changed_log(r, fd, &now, bytes);
	else
		r->log.log.changed_ns = now.changed_ns;
}

/* --- the record --- */

static uint8_t state_of(int status, bool is_there, bool is_declared, bool is_reported)
{
	if (is_there)
		return SOOTH_STATE_VALUE;
	if (is_declared && status && status != -ENOENT && status != -ENOTDIR)
		return bsd_state(status);
	return is_declared && is_reported ? SOOTH_STATE_ABSENT : BY_AGENT;
}

static void fill_log(struct proc_session *p, const struct session_read *r, bool is_transcript)
{
	bool is_declared = r->agent->files.log_kind != AGENT_LOG_NONE;
	uint8_t missing = is_declared && !is_transcript
				  ? NOT_REQUESTED
				  : state_of(r->log_status, false, is_declared, r->has_log);
	const struct known_session *k = &r->log;

	p->tool_state = k->has_tool ? SOOTH_STATE_VALUE : missing;
	p->tool_utc_ns = k->has_tool ? k->tool.utc_ns : 0;
	p->turn_state = p->call_state = p->asked_state = p->error_state =
		k->has_turn ? SOOTH_STATE_VALUE : missing;
	p->repeats_state = SOOTH_STATE_ABSENT;
	if (k->has_turn) {
		p->repeats_state = state_of(0, k->turn.repeats != 0, true, true);
		p->repeats = k->turn.repeats;
		p->repeated_calls = k->turn.repeated_calls;
		p->repeats_since_utc_ns = k->turn.repeats_since_utc_ns;
		p->repeats_until_utc_ns = k->turn.repeats_until_utc_ns;
		p->call_state = state_of(0, k->turn.call[0], true, true);
		p->asked_state = state_of(0, k->turn.asked[0], true, true);
		p->error_state = state_of(0, k->turn.error_status, true, true);
		p->turn = k->turn.of;
		p->turn_utc_ns = k->turn.utc_ns;
		p->attempts = k->turn.attempts;
		p->error_status = k->turn.error_status;
	}
	p->tokens_state = k->tokens.has_any ? SOOTH_STATE_VALUE : missing;
	if (k->tokens.has_any && k->is_cut)
		p->tokens_state = SOOTH_STATE_TRUNCATED;
	p->branch_state = p->task_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	p->context_state = k->tokens.context ? SOOTH_STATE_VALUE : missing;
	p->model_state = k->tokens.model[0] ? SOOTH_STATE_VALUE : missing;
	p->turns = k->tokens.turns;
	p->input_tokens = k->tokens.input;
	p->output_tokens = k->tokens.output;
	p->context_tokens = k->tokens.context;
}

static void write_record(struct backend_run *run, const struct bsd_process *process,
	const struct session_read *r, bool is_transcript)
{
	const struct agent_files *files = &r->agent->files;
	const struct agent_session_info *info = &r->info;
	struct proc_session p = { .record = bsd_record(run, &process->id, 0, PROC_SESSION),
		.changed_utc_ns = info->changed_utc_ns,
		.activity_utc_ns = r->has_log ? r->log.log.changed_ns : 0,
		.session_state =
			state_of(r->status, info->session[0], files->session_key != NULL, false),
		.status_state = state_of(
			r->status, info->status[0], files->status_key != NULL, r->has_file),
		.version_state = state_of(
			r->status, info->version[0], files->version_key != NULL, r->has_file),
		.changed_state = state_of(
			r->status, info->changed_utc_ns, files->changed_key != NULL, r->has_file),
		.waiting_state = state_of(
			r->status, info->waiting[0], files->waiting_key != NULL, r->has_file) };
	const struct known_session *k = &r->log;
	char source[AGENT_NAME_MAX + 8] = "";

	if (p.changed_utc_ns > p.activity_utc_ns)
		p.activity_utc_ns = p.changed_utc_ns;
	p.activity_state = state_of(r->log_status, p.activity_utc_ns,
		files->log || files->changed_key, info->session[0]);
	fill_log(&p, r, is_transcript);
	p.progress_state = p.rate_state = p.window_state = p.quota_state = p.mcp_state =
		p.job_state = BY_AGENT;
	if (r->has_file)
		snprintf(source, sizeof(source), "file %s", files->session_file);
	struct record_tail tail[] = {
		{ &p.session, info->session, strlen(info->session) },
		{ &p.source, source, strlen(source) },
		{ &p.status, info->status, strlen(info->status) },
		{ &p.tool, k->tool.name, p.tool_state ? 0 : strlen(k->tool.name) },
		{ &p.version, info->version, strlen(info->version) },
		{ &p.waiting, info->waiting, strlen(info->waiting) },
		{ &p.asked, k->turn.asked, strlen(k->turn.asked) },
		{ &p.call, k->turn.call, p.call_state ? 0 : strlen(k->turn.call) },
		{ &p.model, k->tokens.model, strlen(k->tokens.model) },
		{ &p.repeated, k->turn.repeated, p.repeats_state ? 0 : strlen(k->turn.repeated) },
	};
	RECORD_APPEND(&run->out, &p, tail, ARRAY_SIZE(tail));
}

void bsd_sessions_write(struct bsd_sessions *s, struct backend_run *run,
	const struct bsd_process *process, const struct agent *agent, struct span directory)
{
	bool is_transcript = run->options.interest & INTEREST_TRANSCRIPT;
	struct session_read r = { .agent = agent,
		.start_utc_ns = process->start_utc_ns,
		.uid = process->uid,
		.directory = directory };
	struct known_session *known = map_get(&s->known, &process->id);

	snprintf(r.pid, sizeof(r.pid), "%u", process->id.pid);
	if (known)
		r.log = *known;
	if (agent->files.session_file &&
		find_home(&r, bsd_source_of(run->os), (pid_t)process->id.pid, &s->bytes)) {
		read_session(&r, &s->bytes);
		read_log(&r, &s->bytes, is_transcript);
	}
	write_record(run, process, &r, is_transcript);
	if (!known && map_put(&s->known, &process->id, NULL))
		known = map_get(&s->known, &process->id);
	if (known)
		*known = r.log;
}

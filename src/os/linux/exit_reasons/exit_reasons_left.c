/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/exit_reasons/exit_reasons_left.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/map.h"
#include "base/units.h"
#include "collect/agents_found.h"
#include "collect/backend.h"
#include "os/linux/exit_reasons/kernel_log.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/timeout.h"
#include "os/linux/rights/caller.h"
#include "os/linux/rights/capabilities.h"
#include "os/linux/rights/needs.h"
#include "os/os.h"
#include "probes/exit_reasons.h"

/* --- how a process ended, from /proc and a pidfd --- */

#define ENDED SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED)

/* struct pidfd_info of linux/pidfd.h as it was in 6.15, and its flag PIDFD_INFO_EXIT. */
struct pidfd_exit {
	uint64_t mask;
	uint64_t group;
	uint32_t ids[11];
	int32_t exit_code;
};
#define PIDFD_EXIT     (1u << 3)
#define PIDFD_GET_EXIT _IOWR(0xff, 11, struct pidfd_exit)

_Static_assert(sizeof(struct pidfd_exit) == 64, "PIDFD_INFO_SIZE_VER0");

/* Returns whether the status may be read: the kernel writes 0 for readers that may not trace the
 * process. A zombie has no memory left that would forbid it. */
static bool may_read_status(const struct process_id *process)
{
	return needs_has_capability(CAP_SYS_PTRACE) || caller_has_ids_of(process);
}

/* Reads the status of a process that was reaped. */
static uint8_t read_pidfd(int fd, uint32_t *status)
{
	struct pidfd_exit info = { .mask = PIDFD_EXIT };

	if (fd < 0 || ioctl(fd, PIDFD_GET_EXIT, &info) || !(info.mask & PIDFD_EXIT))
		return ENDED;
	*status = (uint32_t)info.exit_code;
	return SOOTH_STATE_VALUE;
}

static bool has_ended(
	const struct process_id *process, int descriptor, uint32_t *status, uint8_t *state)
{
	_cleanup_close_ int folder = procfs_open((pid_t)process->pid);
	struct buffer bytes = { 0 };
	struct procfs_stat stat;
	bool ended = true;

	if (folder < 0 || procfs_stat_at(folder, &stat, &bytes) ||
		stat.start_ticks != process->start_ticks)
		*state = read_pidfd(descriptor, status);
	else if (!procfs_has_ended(&stat))
		ended = false;
	else if (!may_read_status(process))
		*state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
	else
		*state = procfs_parse_exit_code(status, bytes.data, bytes.size) ? SOOTH_STATE_VALUE
										: ENDED;
	buffer_fini(&bytes);
	return ended;
}

bool exit_reasons_status_read(const struct backend_run *run, const struct process_id *process,
	int descriptor, struct exit_reasons_end *end)
{
	uint8_t state = ENDED;
	uint32_t status = 0;

	if (!has_ended(process, descriptor, &status, &state))
		return false;
	*end = (struct exit_reasons_end){ .record = { .time_ns = run->os->now_ns(run->os),
						  .start_ticks = process->start_ticks,
						  .pid = process->pid,
						  .kind = EXIT_REASONS_END,
						  .cpu = SOOTH_CPU_NONE },
		.status = status,
		.status_state = state,
		.peak_state = ENDED,
		.limits_state = ENDED,
		.oom_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED),
		.parent_state = ENDED,
		.signals_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED) };
	return true;
}

/* --- where the kernel puts the core of a process: core(5) --- */

static void add_literal(struct buffer *out, char c)
{
	if (strchr("*?[]\\", c))
		buffer_char(out, '\\');
	buffer_char(out, c);
}

static struct span without_end(struct span text)
{
	while (text.size && (text.data[text.size - 1] == '\n' || text.data[text.size - 1] == ' '))
		text.size--;
	return text;
}

bool core_file_pattern(struct buffer *out, struct span pattern, uint32_t pid, bool uses_pid)
{
	bool has_pid = false;

	pattern = without_end(pattern);
	if (!pattern.size || pattern.data[0] == '|' || memchr(pattern.data, '\0', pattern.size))
		return false;
	for (size_t i = 0; i < pattern.size; i++) {
		char c = pattern.data[i];

		if (c != '%') {
			add_literal(out, c);
			continue;
		}
		if (++i == pattern.size) /* a lone % at the end is dropped */
			break;
		c = pattern.data[i];
		if (c == 'p' || c == 'P')
			buffer_u64(out, pid);
		else if (c == '%')
			buffer_char(out, '%');
		else
			buffer_char(out, '*');
		has_pid |= c == 'p';
	}
	if (uses_pid && !has_pid) {
		buffer_char(out, '.');
		buffer_u64(out, pid);
	}
	return !buffer_failed(out);
}

struct span core_file_handler(struct span pattern)
{
	struct cursor c;

	pattern = without_end(pattern);
	if (!pattern.size || pattern.data[0] != '|')
		return span_of("", 0);
	c = cursor_over(pattern.data + 1, pattern.size - 1);
	return cursor_word(&c);
}

/* Returns the PID in the name of a core file. The process name may contain dots: only the boot id
 * can be found. */
bool core_file_pid(struct span name, struct span boot_id, uint32_t *pid)
{
	struct cursor c;
	uint64_t value;
	size_t at = 0;

	if (!span_starts(name, "core.") || !boot_id.size)
		return false;
	while (at + boot_id.size + 2 <= name.size &&
		!(name.data[at] == '.' && name.data[at + boot_id.size + 1] == '.' &&
			!memcmp(name.data + at + 1, boot_id.data, boot_id.size)))
		at++;
	if (at + boot_id.size + 2 > name.size)
		return false;
	at += boot_id.size + 2;
	c = cursor_over(name.data + at, name.size - at);
	value = cursor_decimal(&c);
	if (c.failed || value > UINT32_MAX || !cursor_skip(&c, "."))
		return false;
	*pid = (uint32_t)value;
	return true;
}

#define PLACES_MAX  4096
#define DUMPED_MAX  256
#define ENTRIES_MAX 65536 /* number of entries of a directory */
#define LOGGED_MAX  64	  /* the newest */
#define LOG_BYTES   ((size_t)4 << 20)
#define STORE	    "/var/lib/systemd/coredump"

static const uint8_t failed = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);

void exit_reasons_left_init(struct exit_reasons_left *l)
{
	struct buffer number = { 0 };
	int status;

	*l = (struct exit_reasons_left){ .since_s = (int64_t)(clock_realtime_ns() / NS_PER_S) - 1 };
	map_init(&l->places, sizeof(struct process_id), sizeof(struct buffer), PLACES_MAX);
	status =
		procfs_read_at(AT_FDCWD, "/proc/sys/kernel/core_pattern", &l->pattern, PROCFS_STAT);
	l->pattern_state = procfs_state(status);
	while (l->pattern.size && l->pattern.data[l->pattern.size - 1] == '\n')
		l->pattern.size--;
	status = procfs_read_at(AT_FDCWD, "/proc/sys/kernel/core_uses_pid", &number, PROCFS_STAT);
	l->uses_pid = !status && number.size && number.data[0] != '0';
	buffer_fini(&number);
}

void exit_reasons_left_fini(struct exit_reasons_left *l)
{
	map_for_each_value (&l->places, void *, value)
		buffer_fini(value);
	map_fini(&l->places);
	timeout_fini(&l->timeout);
	buffer_fini(&l->dumped);
	buffer_fini(&l->pattern);
}

static struct span pattern_of(const struct exit_reasons_left *l)
{
	return span_of((const char *)l->pattern.data, l->pattern.size);
}

/* Returns whether the paths of a process lead to the same files from here. */
static bool has_our_paths(int process)
{
	struct buffer root = { 0 };
	bool is_ours = procfs_shares_namespace(process, "ns/mnt") &&
		       !procfs_link_at(process, "root", &root) && root.size == 1;

	buffer_fini(&root);
	return is_ours;
}

void exit_reasons_left_place(struct exit_reasons_left *l, const struct process_id *process)
{
	bool is_relative = l->pattern.size && !strchr("|/", (char)l->pattern.data[0]);
	_cleanup_close_ int fd = is_relative ? procfs_open((pid_t)process->pid) : -1;
	struct buffer path = { 0 };
	struct process_id now;
	struct buffer *place;

	if (fd < 0 || procfs_identify_at(fd, &now) || now.start_ticks != process->start_ticks ||
		!has_our_paths(fd) || procfs_link_at(fd, "cwd", &path)) {
		buffer_fini(&path);
		return;
	}
	buffer_char(&path, '\0');
	place = map_put(&l->places, process, NULL);
	if (place) {
		buffer_fini(place);
		*place = path;
	} else {
		buffer_fini(&path);
	}
}

struct span exit_reasons_agents(const struct backend_run *run, bool has_selected)
{
	const struct probe_options *o = &run->options;
	unsigned wanted = INTEREST_BRIEF | INTEREST_STREAM;
	bool is_open =
		(o->interest & wanted) == wanted && (o->has_uid || (o->is_host && !has_selected));

	if (!is_open || !run->agents_found || buffer_failed(&run->agents_found->processes))
		return span_of("", 0);
	return span_of(
		(const char *)run->agents_found->processes.data, run->agents_found->processes.size);
}

static void forget_process(struct exit_reasons_left *l, const struct process_id *process)
{
	struct buffer *place = map_get(&l->places, process);

	if (place)
		buffer_fini(place);
	map_remove(&l->places, process);
}

void exit_reasons_left_note(struct exit_reasons_left *l, const struct exit_reasons_end *end)
{
	struct process_id id = process_id_of(&end->record);
	bool has_core =
		end->status_state == SOOTH_STATE_VALUE && end->status & EXIT_REASONS_CORE_FLAG;

	if (has_core && l->dumped.size < DUMPED_MAX * sizeof(id))
		buffer_append(&l->dumped, &id, sizeof(id));
	else if (!has_core)
		forget_process(l, &id);
}

/* --- core files --- */

/* Finds the folder of a pattern without escapes; false: the pattern names more than one folder. */
static bool folder_of(struct buffer *folder, const char *pattern, const char *end)
{
	for (const char *at = pattern; at < end; at++) {
		if (*at == '*')
			return false;
		if (*at == '\\' && at + 1 < end)
			at++;
		buffer_char(folder, *at);
	}
	buffer_char(folder, '\0');
	return true;
}

/* A search for the newest file. The folder may be the working directory of a process, and so on a
 * dead mount. */
struct newest {
	char folder[PATH_MAX];
	char pattern[256];
	int64_t since_s;
	uint8_t state;
	char name[256]; /* empty: none */
	uint64_t size;
};

static void run_find_job(void *argument)
{
	struct newest *n = argument;
	_cleanup_dir_ DIR *dir = opendir(n->folder);
	int64_t latest = n->since_s;
	struct dirent *entry;
	struct stat st;

	n->state = dir ? failed : procfs_state(-errno);
	for (unsigned i = 0; dir && i < ENTRIES_MAX && (entry = readdir(dir)); i++) {
		if (fnmatch(n->pattern, entry->d_name, 0) ||
			fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
			!S_ISREG(st.st_mode) || st.st_mtime < latest)
			continue;
		latest = st.st_mtime;
		n->size = (uint64_t)st.st_size;
		snprintf(n->name, sizeof(n->name), "%s", entry->d_name);
		n->state = SOOTH_STATE_VALUE;
	}
}

/* Finds the newest file with that name, and appends its path to the folder's. */
static uint8_t find_newest(
	struct exit_reasons_left *l, struct buffer *path, const char *name, uint64_t *size)
{
	_cleanup_free_ struct newest *n = calloc(1, sizeof(*n));
	int status;

	if (!n || path->size > sizeof(n->folder) || strlen(name) >= sizeof(n->pattern))
		return failed;
	memcpy(n->folder, path->data, path->size);
	strcpy(n->pattern, name);
	n->since_s = l->since_s;
	status = timeout_call(&l->timeout, run_find_job, NULL, n, sizeof(*n), -1, TIMEOUT_MS);
	if (status)
		return procfs_state(status);
	*size = n->size;
	if (*n->name) {
		path->size--; /* the end of the folder's text */
		buffer_format(path, "/%s", n->name);
	}
	return n->state;
}

static uint8_t find_file(struct exit_reasons_left *l, const struct process_id *process,
	struct buffer *path, uint64_t *size)
{
	const struct buffer *place = map_get(&l->places, process);
	struct buffer pattern = { 0 };
	uint8_t state = failed;
	const char *text, *slash;

	if (!core_file_pattern(&pattern, pattern_of(l), process->pid, l->uses_pid)) {
		buffer_fini(&pattern);
		return SOOTH_STATE_ABSENT;
	}
	text = buffer_cstr(&pattern);
	slash = strrchr(text, '/');
	if (*text != '/' && place)
		buffer_append(path, place->data, place->size - 1);
	if (*text != '/' && !place)
		state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
	else if (!slash)
		buffer_char(path, '\0');
	else if (*text != '/')
		buffer_char(path, '/');
	if ((*text == '/' || place) &&
		(!slash || folder_of(path, text, slash == text ? slash + 1 : slash)))
		state = find_newest(l, path, slash ? slash + 1 : text, size);
	buffer_fini(&pattern);
	return state;
}

static void emit_core(
	struct exit_reasons_left *l, struct backend_run *run, const struct process_id *process)
{
	struct span handler = core_file_handler(pattern_of(l));
	struct buffer path = { 0 };
	struct exit_reasons_core core = { .record = { .time_ns = run->os->now_ns(run->os),
						  .start_ticks = process->start_ticks,
						  .pid = process->pid,
						  .kind = EXIT_REASONS_CORE,
						  .cpu = SOOTH_CPU_NONE },
		.core_pid = process->pid,
		.handler_state = handler.size ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };

	core.path_state = l->pattern_state ? l->pattern_state
					   : find_file(l, process, &path, &core.size_bytes);
	core.size_state = core.path_state;
	if (core.path_state)
		buffer_reset(&path);
	struct record_tail tail[] = {
		{ &core.path, path.data, path.size },
		{ &core.handler, handler.data, handler.size },
	};
	RECORD_APPEND(&run->out, &core, tail, 2);
	buffer_fini(&path);
}

/* --- cores that systemd-coredump kept in this boot --- */

static void boot_id(char id[33])
{
	struct buffer text = { 0 };
	size_t used = 0;

	procfs_read_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", &text, PROCFS_STAT);
	for (size_t i = 0; i < text.size && used < 32; i++) {
		if (text.data[i] != '-' && text.data[i] != '\n')
			id[used++] = (char)text.data[i];
	}
	id[used] = '\0';
	buffer_fini(&text);
}

static void emit_stored_core(struct backend_run *run, int folder, const char *name, uint32_t pid)
{
	struct exit_reasons_core core = { .record = { .time_ns = run->os->now_ns(run->os),
						  .kind = EXIT_REASONS_CORE,
						  .cpu = SOOTH_CPU_NONE },
		.core_pid = pid,
		.handler_state = SOOTH_STATE_ABSENT };
	struct buffer path = { 0 };
	struct stat st;

	core.size_state =
		fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) ? failed : SOOTH_STATE_VALUE;
	core.size_bytes = core.size_state ? 0 : (uint64_t)st.st_size;
	buffer_format(&path, "%s/%s", STORE, name);
	struct record_tail tail[] = { { &core.path, path.data, path.size } };
	RECORD_APPEND(&run->out, &core, tail, 1);
	buffer_fini(&path);
}

static void emit_stored_cores(struct backend_run *run)
{
	_cleanup_dir_ DIR *dir = opendir(STORE);
	struct dirent *entry;
	unsigned reported = 0;
	uint32_t pid;
	char boot[33];

	boot_id(boot);
	for (unsigned i = 0; dir && i < ENTRIES_MAX && reported < DUMPED_MAX; i++) {
		entry = readdir(dir);
		if (!entry)
			break;
		if (!core_file_pid(span_of_string(entry->d_name), span_of_string(boot), &pid))
			continue;
		emit_stored_core(run, dirfd(dir), entry->d_name, pid);
		reported++;
	}
}

/* --- the log --- */

struct log_taking {
	struct buffer records;
	size_t count;
	uint64_t now_ns;
	uint32_t group_pid; /* PID of the process whose group is kept here */
	struct buffer group;
};

static void append_log(struct log_taking *t, const struct kernel_log_line *line,
	const struct kernel_log_end *e, struct span group)
{
	struct exit_reasons_log log = {
		.record = { .time_ns = t->now_ns, .kind = EXIT_REASONS_LOG, .cpu = SOOTH_CPU_NONE },
		.logged_ns = line->logged_ns,
		.virtual_bytes = e->virtual_bytes,
		.anonymous_bytes = e->anonymous_bytes,
		.file_bytes = e->file_bytes,
		.shared_bytes = e->shared_bytes,
		.address = e->address,
		.instruction = e->instruction,
		.log_pid = e->pid,
		.uid = e->uid,
		.what = e->what,
		.is_of_group = e->is_of_group,
		.figures_state = state_if(e->has_values),
		.address_state = state_if(e->has_address),
		.instruction_state = state_if(e->has_instruction),
		.uid_state = state_if(e->has_uid),
		.group_state = state_if(group.size),
		.object_state = state_if(e->object.size)
	};
	size_t size =
		e->name.size < EXIT_REASONS_NAME_SIZE ? e->name.size : EXIT_REASONS_NAME_SIZE - 1;

	memcpy(log.name, e->name.data, size);
	struct record_tail tail[] = {
		{ &log.group, group.data, group.size },
		{ &log.object, e->object.data, e->object.size },
		{ &log.trap, e->trap.data, e->trap.size },
	};
	RECORD_APPEND(&t->records, &log, tail, 3);
	t->count++;
}

static void handle_line(void *user, const struct kernel_log_line *line)
{
	struct log_taking *t = user;
	struct span group = span_of("", 0);
	struct kernel_log_end end;
	uint32_t pid;

	if (t->records.size >= LOG_BYTES)
		return;
	if (kernel_log_parse_group(&group, &pid, line->message)) {
		t->group_pid = pid;
		buffer_reset(&t->group);
		buffer_append(&t->group, group.data, group.size);
	} else if (kernel_log_parse(&end, line->message)) {
		if (end.what == EXIT_REASONS_LOG_OOM && end.is_of_group && end.pid == t->group_pid)
			group = span_of((const char *)t->group.data, t->group.size);
		append_log(t, line, &end, group);
	}
}

static uint8_t emit_kernel_log(struct backend_run *run)
{
	struct log_taking t = { .now_ns = run->os->now_ns(run->os) };
	int status = kernel_log_read(handle_line, &t);
	struct batch all = { t.records.data, t.records.size };
	size_t index = 0;

	batch_for_each (r, &all) {
		if (index++ + LOGGED_MAX >= t.count)
			buffer_append(&run->out, r, record_bytes(r));
	}
	buffer_fini(&t.records);
	buffer_fini(&t.group);
	return procfs_state(status);
}

void exit_reasons_left_emit(struct exit_reasons_left *l, struct backend_run *run)
{
	const struct process_id *dumped = (const void *)l->dumped.data;
	struct exit_reasons_host host = { .record = { .time_ns = run->os->now_ns(run->os),
						  .kind = EXIT_REASONS_HOST,
						  .cpu = SOOTH_CPU_NONE },
		.core_state = l->pattern_state };
	struct record_tail tail[] = { { &host.core_pattern, l->pattern.data, l->pattern.size } };

	for (size_t i = 0; i < l->dumped.size / sizeof(*dumped); i++)
		emit_core(l, run, &dumped[i]);
	/* The log and the names of stored cores have ids of the host, and would name its processes.
	 */
	if (needs_inner_pid_namespace()) {
		host.log_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	} else {
		emit_stored_cores(run);
		host.log_state = emit_kernel_log(run);
	}
	if (host.core_state)
		tail[0].size = 0;
	RECORD_APPEND(&run->out, &host, tail, 1);
}

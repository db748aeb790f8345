/* SPDX-License-Identifier: BSD-2-Clause */
/* Definitions of user-space probes. Formats: uprobetracer.rst and perf_event_open(2). Commands are
 * formatted without the C library because the guard does so too, after a fork from a process that
 * may have threads. */
#include "os/linux/uprobes/tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/error.h"
#include "base/log.h"
#include "model/process_id.h"
#include "os/linux/files/procfs.h"
#include "os/linux/rights/capabilities.h"
#include "os/linux/rights/needs.h"

#define TRACEFS_PREFIX "sooth_"

/* "p:" + a name of at most 70 + " /proc/self/fd/" + two numbers */
struct command {
	char text[192];
	size_t size;
};

static void add_text(struct command *c, const char *text)
{
	size_t size = strlen(text);

	if (size >= sizeof(c->text) - c->size)
		size = sizeof(c->text) - c->size - 1;
	memcpy(c->text + c->size, text, size);
	c->size += size;
	c->text[c->size] = '\0';
}

static void add_number(struct command *c, uint64_t value, unsigned base)
{
	char digits[24];
	char *at = digits + sizeof(digits) - 1;

	*at = '\0';
	do {
		*--at = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	add_text(c, at);
}

static void add_name(struct command *c, const struct tracefs_group *group, uint64_t event)
{
	add_text(c, TRACEFS_PREFIX);
	add_number(c, group->owner.pid, 10);
	add_text(c, "_");
	add_number(c, group->owner.start_ticks, 10);
	add_text(c, "_");
	add_number(c, group->guard, 10);
	if (group->pid_namespace) {
		add_text(c, "_");
		add_number(c, group->pid_namespace, 10);
	}
	add_text(c, "/e");
	add_number(c, event, 10);
}

static bool is_tracefs(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type == TRACEFS_MAGIC;
}

/* Opens the mounted tracefs. O_PATH avoids that debugfs mounts it, as a plain open of that folder
 * would cause. */
static int open_mounted(void)
{
	static const char *const places[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		int fd = open(places[i], O_PATH | O_NOFOLLOW | O_CLOEXEC);

		if (fd >= 0 && is_tracefs(fd))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -ENOENT;
}

static int open_private(void)
{
	_cleanup_close_ int context = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);
	int fd;

	if (context < 0 || syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	fd = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

static int refuse_tracefs(int code, struct sooth_error *err)
{
	if (code != -EPERM && code != -EACCES) {
		error_set(err, -ENOENT, SOOTH_FAULT_UNSUPPORTED, "open tracefs");
		error_why(err, "%s", strerror(-code));
		error_missing(err, "tracefs with uprobe_events");
		return error_remedy(
			err, "use a kernel built with CONFIG_UPROBE_EVENTS and CONFIG_PERF_EVENTS");
	}
	error_set(err, -EPERM, SOOTH_FAULT_PRIVILEGE, "define probes in tracefs");
	if (needs_has_capability(CAP_SYS_ADMIN)) {
		error_why(err, "%s, although sooth has the capability cap_sys_admin",
			strerror(-code));
		error_missing(err, "a kernel that is not locked down");
		return error_remedy(err,
			"check that /sys/kernel/security/lockdown shows [none] "
			"(kernel_lockdown(7)); in a container, run sooth on the host instead");
	}
	error_why(err, "%s", strerror(-code));
	error_missing(err, "the capability cap_sys_admin");
	return error_remedy(err, "run sooth as root");
}

int tracefs_open(struct sooth_error *err)
{
	int fd = open_mounted();
	int code;

	if (fd < 0)
		fd = open_private();
	if (fd < 0)
		return refuse_tracefs(fd, err);
	if (!faccessat(fd, "uprobe_events", R_OK | W_OK, 0))
		return fd;
	code = -errno;
	close(fd);
	return refuse_tracefs(code, err);
}

static int run_command(int tracefs, const struct command *c)
{
	/* Without O_TRUNC, which would remove the definitions of all programs. */
	_cleanup_close_ int fd = openat(tracefs, "uprobe_events", O_WRONLY | O_APPEND | O_CLOEXEC);

	return fd < 0 || write(fd, c->text, c->size) < 0 ? -errno : 0;
}

/* Adds the kernel's own message, if its last one is about this command: [ 12.345] trace_uprobe:
 * error: WORDS Command: p:... */
static void add_kernel_message(int tracefs, const struct command *c, struct sooth_error *err)
{
	_cleanup_close_ int fd = openat(tracefs, "error_log", O_RDONLY | O_CLOEXEC);
	struct span message = { 0 };
	char text[8192];
	struct cursor log;
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (got <= 0)
		return;
	log = cursor_over(text, (size_t)got);
	while (!cursor_at_end(&log)) {
		struct span line = cursor_line(&log);
		const char *error = memmem(line.data, line.size, "error: ", 7);

		if (error)
			message = span_of(error + 7, line.size - (size_t)(error + 7 - line.data));
		else if (message.data && memmem(line.data, line.size, c->text, c->size - 1))
			error_why(err, "%s (%.*s)", strerror(-err->code), SPAN_ARGS(message));
	}
}

int tracefs_define(int tracefs, const struct tracefs_group *group, uint64_t event, bool is_return,
	int file, uint64_t offset, struct sooth_error *err)
{
	struct command c = { .size = 0 };
	int code;

	add_text(&c, is_return ? "r:" : "p:");
	add_name(&c, group, event);
	add_text(&c, " /proc/self/fd/");
	add_number(&c, (uint64_t)file, 10);
	add_text(&c, ":0x");
	add_number(&c, offset, 16);
	add_text(&c, "\n");
	code = run_command(tracefs, &c);
	if (!code)
		return 0;
	if (code == -EPERM || code == -EACCES)
		return refuse_tracefs(code, err);
	error_errno(err, code, "define a probe at 0x%llx", (unsigned long long)offset);
	if (err)
		add_kernel_message(tracefs, &c, err);
	return code;
}

int64_t tracefs_event_id(int tracefs, const struct tracefs_group *group, uint64_t event)
{
	struct command c = { .size = 0 };
	_cleanup_close_ int fd = -1;
	struct cursor number;
	char text[24];
	ssize_t got;

	add_text(&c, "events/");
	add_name(&c, group, event);
	add_text(&c, "/id");
	fd = openat(tracefs, c.text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	got = read(fd, text, sizeof(text));
	if (got < 0)
		return -errno;
	number = cursor_over(text, (size_t)got);
	got = (ssize_t)cursor_decimal(&number);
	return number.failed ? -EIO : got;
}

int tracefs_event_open(int64_t id, pid_t tid, enum tracefs_reach reach)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = (uint64_t)id,
		.sample_period = 1,
		.sample_type = reach == TRACEFS_TREE ? PERF_SAMPLE_READ | PERF_SAMPLE_TID : 0,
		.disabled = 1,
		.inherit = reach == TRACEFS_TREE || reach == TRACEFS_TREE_LOOSELY,
		/* The kernel then inserts breakpoints only at the exec. */
		.enable_on_exec = reach == TRACEFS_NOWHERE,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

bool tracefs_inherits_loosely(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_READ | PERF_SAMPLE_TID,
		.disabled = 1,
		.inherit = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd < 0;
}

/* Tests an event. Returns 0 if it is unused, because the latch refused it. */
static int test_event_unused(int tracefs, const struct tracefs_group *group, uint64_t event)
{
	int64_t id = tracefs_event_id(tracefs, group, event);
	int fd = id < 0 ? (int)id : tracefs_event_open(id, 0, TRACEFS_NOWHERE);

	if (fd < 0)
		return fd == -EINVAL ? 0 : fd;
	close(fd);
	return -EBUSY;
}

int tracefs_remove(int tracefs, const struct tracefs_group *group, uint64_t event)
{
	struct command c = { .size = 0 };
	int code = test_event_unused(tracefs, group, event);

	if (code)
		return code;
	add_text(&c, "-:");
	add_name(&c, group, event);
	add_text(&c, "\n");
	return run_command(tracefs, &c);
}

/* --- removing definitions, found by their names: sooth's own, and those of dead owners --- */

#define RETRY_NS 10000000

struct definition {
	struct tracefs_group group;
	uint64_t event;
};

typedef void (*definition_visitor)(void *user, const struct definition *definition);

/* Parses a line: p:sooth_<pid>_<start>_<guard>[_<namespace>]/e<number> FILE:OFFSET */
static bool parse_definition(const char *line, size_t size, struct definition *definition)
{
	struct cursor c = cursor_over(line, size);
	uint64_t pid;

	if (!cursor_skip(&c, "p:" TRACEFS_PREFIX) && !cursor_skip(&c, "r:" TRACEFS_PREFIX))
		return false;
	pid = cursor_decimal(&c);
	c.failed |= pid > UINT32_MAX;
	definition->group.owner = (struct process_id){ .pid = (uint32_t)pid };
	c.failed |= !cursor_skip(&c, "_");
	definition->group.owner.start_ticks = cursor_decimal(&c);
	c.failed |= !cursor_skip(&c, "_");
	definition->group.guard = cursor_decimal(&c);
	definition->group.pid_namespace = cursor_skip(&c, "_") ? cursor_decimal(&c) : 0;
	c.failed |= !cursor_skip(&c, "/e");
	definition->event = cursor_decimal(&c);
	return cursor_skip(&c, " ") && !c.failed;
}

/* Visits each probe with a name of sooth. Some are skipped when other processes remove theirs
 * meanwhile. */
static int visit_definitions(int tracefs, definition_visitor visitor, void *user)
{
	_cleanup_close_ int fd = openat(tracefs, "uprobe_events", O_RDONLY | O_CLOEXEC);
	char line[128]; /* other programs' lines may be longer: their start is enough */
	char bytes[1024];
	size_t used = 0;
	ssize_t got;

	if (fd < 0)
		return -errno;
	while ((got = read(fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			struct definition definition;

			if (bytes[i] != '\n') {
				if (used < sizeof(line))
					line[used++] = bytes[i];
				continue;
			}
			if (parse_definition(line, used, &definition))
				visitor(user, &definition);
			used = 0;
		}
	}
	return got < 0 ? -errno : 0;
}

static bool is_same_definition(const struct definition *a, const struct definition *b)
{
	return a->group.owner.pid == b->group.owner.pid &&
	       a->group.owner.start_ticks == b->group.owner.start_ticks &&
	       a->group.guard == b->group.guard &&
	       a->group.pid_namespace == b->group.pid_namespace && a->event == b->event;
}

/* Collects every event once: its probes are adjacent. */
static void collect_event(void *user, const struct definition *definition)
{
	struct buffer *events = user;
	const struct definition *all = (const void *)events->data;
	size_t count = events->size / sizeof(*all);

	if (!count || !is_same_definition(&all[count - 1], definition))
		buffer_append(events, definition, sizeof(*definition));
}

/* Returns whether a PID namespace has a process, or may have one that sooth may not read. */
static bool may_have_processes(uint64_t pid_namespace)
{
	struct buffer pids = { 0 };
	bool may_have = procfs_list(&pids) != 0;

	buffer_each_while (const pid_t, pid, &pids, !may_have) {
		char path[64];
		struct stat ns;

		snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)*pid);
		may_have = stat(path, &ns) ? errno != ENOENT && errno != ESRCH
					   : ns.st_ino == pid_namespace;
	}
	buffer_fini(&pids);
	return may_have;
}

/* Returns whether the owner may be alive. Only the initial PID namespace has all processes. */
static bool may_be_alive(const struct tracefs_group *group)
{
	uint64_t own = needs_inner_pid_namespace();
	struct process_id now;

	if (group->pid_namespace != own)
		return own || may_have_processes(group->pid_namespace);
	return !procfs_identify((pid_t)group->owner.pid, &now) &&
	       now.start_ticks == group->owner.start_ticks;
}

static void remove_dead(int tracefs, const struct definition *definition, const struct log *log)
{
	unsigned long long pid = definition->group.owner.pid;
	int code;

	if (may_be_alive(&definition->group))
		return;
	code = tracefs_remove(tracefs, &definition->group, definition->event);
	if (!code)
		log_line(log, LOG_INFO, "removed probes that process %llu left", pid);
	else if (code == -EBUSY)
		log_line(log, LOG_INFO, "probes of process %llu are being removed", pid);
	else if (code != -ENOENT) /* another process's sweep was faster */
		log_line(log, LOG_WARNING, "remove probes that process %llu left: %s", pid,
			strerror(-code));
}

void uprobes_sweep_dead(int tracefs, const struct log *log)
{
	struct buffer events = { 0 };
	int code = visit_definitions(tracefs, collect_event, &events);

	if (code)
		log_line(log, LOG_WARNING, "list the probes in tracefs: %s", strerror(-code));
	buffer_each (const struct definition, definitions, &events)
		remove_dead(tracefs, definitions, log);
	buffer_fini(&events);
}

static int remove_unused(int tracefs, const struct tracefs_group *group, uint64_t count)
{
	int result = 0;

	for (uint64_t event = 0; event < count; event++) {
		int code = tracefs_remove(tracefs, group, event);

		if (code && code != -ENOENT && result != -EBUSY)
			result = code;
	}
	return result;
}

int uprobes_sweep_group(
	int tracefs, const struct tracefs_group *group, uint64_t count, uint64_t timeout_ns)
{
	const struct timespec pause = { .tv_nsec = RETRY_NS };
	uint64_t begin = clock_monotonic_ns();
	int code;

	while ((code = remove_unused(tracefs, group, count)) == -EBUSY &&
		clock_monotonic_ns() - begin < timeout_ns)
		nanosleep(&pause, NULL);
	return code;
}

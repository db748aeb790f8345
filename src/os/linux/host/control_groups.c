/* SPDX-License-Identifier: BSD-2-Clause */
/* Limits and use of control groups. Files: cgroups(7) and the kernel's admin-guide/cgroup-v1 and
 * cgroup-v2. */
#include "os/linux/host/control_groups.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/files/limits_files.h"
#include "os/linux/files/procfs.h"

#define MOUNTS_BYTES_MAX (4u << 20)
#define LEVELS_MAX	 64 /* depth of nested groups */

#define UNSUPPORTED SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)

/* Files with a value, NULL: none. A word: the value is behind it in that file (of I/O: in that of
 * the limit). */
struct resource {
	unsigned version;
	const char *name, *controller;
	enum limits_unit unit;
	const char *used, *limit, *peak;
	const char *reached, *reached_word;
	const char *kills, *kills_word;
	bool is_only_set; /* reported only if there is a limit */
};

static const struct resource resources[] = {
	{ 1, "memory", "memory", LIMITS_BYTES, "memory.usage_in_bytes", "memory.limit_in_bytes",
		"memory.max_usage_in_bytes", "memory.failcnt", NULL, "memory.oom_control",
		"oom_kill", false },
	{ 1, "memory+swap", "memory", LIMITS_BYTES, "memory.memsw.usage_in_bytes",
		"memory.memsw.limit_in_bytes", "memory.memsw.max_usage_in_bytes",
		"memory.memsw.failcnt", NULL, NULL, NULL, false },
	{ 1, "pids", "pids", LIMITS_NUMBER, "pids.current", "pids.max", "pids.peak", "pids.events",
		"max", NULL, NULL, false },
	{ 1, "cpu", "cpu", LIMITS_MICROSECONDS, NULL, "cpu.cfs_quota_us", NULL, "cpu.stat",
		"nr_throttled", NULL, NULL, false },
	{ 1, "io-read", "blkio", LIMITS_BYTES, NULL, "blkio.throttle.read_bps_device", NULL, NULL,
		NULL, NULL, NULL, true },
	{ 1, "io-write", "blkio", LIMITS_BYTES, NULL, "blkio.throttle.write_bps_device", NULL, NULL,
		NULL, NULL, NULL, true },
	{ 2, "io-read", "", LIMITS_BYTES, NULL, "io.max", NULL, NULL, "rbps", NULL, NULL, true },
	{ 2, "io-write", "", LIMITS_BYTES, NULL, "io.max", NULL, NULL, "wbps", NULL, NULL, true },
	{ 2, "memory", "", LIMITS_BYTES, "memory.current", "memory.max", "memory.peak",
		"memory.events", "max", "memory.events", "oom_kill", false },
	{ 2, "memory-high", "", LIMITS_BYTES, "memory.current", "memory.high", "memory.peak",
		"memory.events", "high", NULL, NULL, true },
	{ 2, "swap", "", LIMITS_BYTES, "memory.swap.current", "memory.swap.max", "memory.swap.peak",
		"memory.swap.events", "max", NULL, NULL, false },
	{ 2, "pids", "", LIMITS_NUMBER, "pids.current", "pids.max", "pids.peak", "pids.events",
		"max", NULL, NULL, false },
	{ 2, "cpu", "", LIMITS_MICROSECONDS, NULL, "cpu.max", NULL, "cpu.stat", "nr_throttled",
		NULL, NULL, false },
};

void control_groups_fini(struct control_groups *g)
{
	assert(g);
	buffer_fini(&g->lines);
	buffer_fini(&g->bytes);
}

/* --- mounts --- */

/* Copies a path with "\040" unescaped; false when it does not fit. */
static bool copy_path(char *to, size_t size, struct span from)
{
	size_t used = 0;

	for (size_t i = 0; i < from.size && used + 1 < size; i++) {
		const char *at = from.data + i;
		bool is_octal = at[0] == '\\' && from.size - i > 3;

		if (is_octal) {
			to[used++] = (char)((at[1] - '0') * 64 + (at[2] - '0') * 8 + at[3] - '0');
			i += 3;
		} else {
			to[used++] = *at;
		}
		if (used + 1 == size && i + 1 < from.size)
			return false;
	}
	to[used] = '\0';
	return true;
}

static void add_mount(struct control_groups *g, const struct group_mount_line *line)
{
	bool is_v2 = span_equal(line->type, "cgroup2");
	struct group_mount *to = &g->mounts[g->count];

	if ((!is_v2 && !span_equal(line->type, "cgroup")) || g->count == GROUP_MOUNTS_MAX)
		return;
	if (copy_path(to->point, sizeof(to->point), line->point) &&
		copy_path(to->root, sizeof(to->root), line->root) &&
		copy_path(to->controllers, sizeof(to->controllers),
			is_v2 ? span_of("", 0) : line->options))
		g->count++;
}

void control_groups_read_mounts(struct control_groups *g)
{
	struct cursor c;

	assert(g);
	g->count = 0;
	g->status = procfs_read_at(AT_FDCWD, "/proc/self/mountinfo", &g->lines, MOUNTS_BYTES_MAX);
	c = cursor_over(g->lines.data, g->lines.size);
	while (g->status >= 0 && !cursor_at_end(&c)) {
		struct group_mount_line line;

		if (group_mount_parse(&line, cursor_line(&c)))
			add_mount(g, &line);
	}
}

static const struct group_mount *mount_of(
	const struct control_groups *g, unsigned version, const char *controller)
{
	for (size_t i = 0; i < g->count; i++) {
		const struct group_mount *m = &g->mounts[i];
		struct span list = span_of(m->controllers, strlen(m->controllers));

		if (version == 2 ? !list.size : group_list_has(list, controller))
			return m;
	}
	return NULL;
}

/* Returns the group's path below the mount, "" for its root. NULL: the mount does not contain it.
 */
static const char *below_mount(const struct group_mount *m, const char *path)
{
	size_t root = strcmp(m->root, "/") ? strlen(m->root) : 0;

	if (strncmp(path, m->root, root) || (path[root] && path[root] != '/') ||
		strstr(path, "/../"))
		return NULL;
	return strcmp(path + root, "/") ? path + root : "";
}

static bool is_control_group(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && ((unsigned long)fs.f_type == CGROUP_SUPER_MAGIC ||
					    (unsigned long)fs.f_type == CGROUP2_SUPER_MAGIC);
}

static int open_group(const struct group_mount *m, const char *path)
{
	const char *below = below_mount(m, path);
	char full[sizeof(m->point) + GROUP_PATH_MAX];
	int fd;

	if (!below)
		return -EXDEV;
	snprintf(full, sizeof(full), "%s%s", m->point, below);
	fd = open(full, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (is_control_group(fd))
		return fd;
	close(fd);
	return -EXDEV; /* another file system is mounted over it */
}

/* --- values --- */

/* Reads a value in a file, which stands there alone or behind a word. Returns the state of the
 * value. */
static uint8_t read_value(
	struct control_groups *g, int group, const char *name, const char *word, uint64_t *value)
{
	int status = name ? procfs_read_at(group, name, &g->bytes, PROCFS_SMALL) : -ENOENT;
	bool is_good;

	if (status == -ENOENT || status == -EOPNOTSUPP)
		return UNSUPPORTED;
	if (status < 0)
		return procfs_state(status == -ENODEV ? -ESRCH : status);
	is_good = word ? group_event_parse(value, word, g->bytes.data, g->bytes.size)
		       : group_value_parse(value, g->bytes.data, g->bytes.size);
	return is_good ? SOOTH_STATE_VALUE : UNSUPPORTED;
}

/* Reads the limit of version 1: a quota per period. */
static uint8_t read_cpu_limit_v1(struct control_groups *g, int group, uint64_t *limit)
{
	uint64_t quota = 0, period = 0;
	uint8_t state = read_value(g, group, "cpu.cfs_quota_us", NULL, &quota);

	if (state == SOOTH_STATE_VALUE)
		state = read_value(g, group, "cpu.cfs_period_us", NULL, &period);
	if (state != SOOTH_STATE_VALUE)
		return state;
	*limit = quota == UINT64_MAX || !period ? UINT64_MAX
						: (uint64_t)((double)quota * 1e6 / (double)period);
	return SOOTH_STATE_VALUE;
}

static uint8_t read_cpu_limit_v2(struct control_groups *g, int group, uint64_t *limit)
{
	int status = procfs_read_at(group, "cpu.max", &g->bytes, PROCFS_SMALL);

	if (status < 0)
		return status == -ENOENT ? UNSUPPORTED : procfs_state(status);
	return group_cpu_parse(limit, g->bytes.data, g->bytes.size) ? SOOTH_STATE_VALUE
								    : UNSUPPORTED;
}

static bool is_io_limit(const struct resource *f)
{
	return !strncmp(f->name, "io-", 3);
}

static uint8_t read_io_limit(
	struct control_groups *g, int group, const struct resource *f, uint64_t *limit)
{
	int status = procfs_read_at(group, f->limit, &g->bytes, PROCFS_SMALL);

	if (status < 0)
		return status == -ENOENT ? UNSUPPORTED : procfs_state(status);
	return group_io_parse(limit, f->reached_word, g->bytes.data, g->bytes.size)
		       ? SOOTH_STATE_VALUE
		       : UNSUPPORTED;
}

static void read_limit(
	struct control_groups *g, int group, const struct resource *f, struct limits_group *to)
{
	bool is_cpu = f->unit == LIMITS_MICROSECONDS;

	to->limit_state = is_io_limit(f)    ? read_io_limit(g, group, f, &to->limit)
			  : !is_cpu	    ? read_value(g, group, f->limit, NULL, &to->limit)
			  : f->version == 1 ? read_cpu_limit_v1(g, group, &to->limit)
					    : read_cpu_limit_v2(g, group, &to->limit);
	if (to->limit_state != SOOTH_STATE_VALUE || to->limit != UINT64_MAX)
		return;
	to->limit = 0;
	to->limit_state = SOOTH_STATE_ABSENT;
}

/* Reads both lists of file pages, because the kernel can reclaim either; in version 1 including all
 * groups below. */
static uint8_t read_files(
	struct control_groups *g, int group, const struct resource *f, uint64_t *bytes)
{
	bool is_old = f->version == 1;
	uint64_t inactive = 0, active = 0;
	uint8_t state;

	if (f->unit != LIMITS_BYTES || !strcmp(f->name, "swap") || is_io_limit(f))
		return SOOTH_STATE_ABSENT;
	state = read_value(g, group, "memory.stat",
		is_old ? "total_inactive_file" : "inactive_file", &inactive);
	if (state == SOOTH_STATE_VALUE)
		state = read_value(g, group, "memory.stat",
			is_old ? "total_active_file" : "active_file", &active);
	*bytes = inactive + active;
	return state;
}

/* Reads a value of a group. Returns false when the group does not count this value. */
static bool read_group(
	struct control_groups *g, int group, const struct resource *f, struct limits_group *to)
{
	read_limit(g, group, f, to);
	to->used_state = read_value(g, group, f->used, NULL, &to->used);
	if (f->unit == LIMITS_MICROSECONDS || is_io_limit(f)) /* sums since the group was created */
		to->used_state = SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
	else if (to->limit_state == UNSUPPORTED && to->used_state == UNSUPPORTED)
		return false;
	else if (to->limit_state == UNSUPPORTED) /* the root of version 2, and of pids */
		to->limit_state = SOOTH_STATE_ABSENT;
	if (f->unit == LIMITS_MICROSECONDS && to->limit_state == UNSUPPORTED)
		return false;
	if (is_io_limit(f) && to->limit_state != SOOTH_STATE_VALUE)
		return false;
	to->peak_state = read_value(g, group, f->peak, NULL, &to->peak);
	to->reached_state = read_value(g, group, f->reached, f->reached_word, &to->reached);
	to->kills_state = f->kills ? read_value(g, group, f->kills, f->kills_word, &to->kills)
				   : SOOTH_STATE_ABSENT;
	to->file_state = read_files(g, group, f, &to->file_bytes);
	return !f->is_only_set || to->limit_state == SOOTH_STATE_VALUE;
}

/* Returns whether the limit of a group does not include the groups below it (version 1 before
 * Linux 5.11). */
static bool is_per_process(struct control_groups *g, int group, const struct resource *f)
{
	uint64_t value = 1;

	return f->version == 1 && !strcmp(f->controller, "memory") &&
	       read_value(g, group, "memory.use_hierarchy", NULL, &value) == SOOTH_STATE_VALUE &&
	       !value;
}

static void write_group(struct backend_run *run, const struct process_snapshot *snapshot,
	const struct resource *f, struct limits_group *group, const char *path)
{
	struct record_tail tail[] = { { &group->name, f->name, strlen(f->name) },
		{ &group->path, path, strlen(path) } };

	group->record = process_snapshot_head(snapshot, run, 0, LIMITS_GROUP);
	group->version = f->version;
	group->unit = f->unit;
	RECORD_APPEND(&run->out, group, tail, 2);
}

/* Reads one value in the process's group and in those above it. Returns 0 or a negative errno. */
static int read_levels(struct control_groups *g, struct backend_run *run,
	const struct process_snapshot *snapshot, const struct resource *f,
	const struct group_mount *m, struct span own)
{
	char path[GROUP_PATH_MAX];

	if (own.size >= sizeof(path))
		return -ENAMETOOLONG;
	memcpy(path, own.data, own.size);
	path[own.size] = '\0';
	if (!below_mount(m, path))
		return -EXDEV;
	for (unsigned level = 0; level < LEVELS_MAX && below_mount(m, path); level++) {
		struct limits_group group = { .is_inherited = level > 0 };
		_cleanup_close_ int fd = open_group(m, path);
		char *slash = strrchr(path, '/');

		if (fd < 0)
			return fd;
		if (level && is_per_process(g, fd, f))
			return 0;
		if (read_group(g, fd, f, &group) &&
			(!level || group.limit_state == SOOTH_STATE_VALUE)) {
			if (g->visit)
				g->visit(run, snapshot, fd, &group, f->name, path);
			write_group(run, snapshot, f, &group, path);
		}
		if (!strcmp(path, "/"))
			return 0;
		slash[slash == path] = '\0';
	}
	return 0;
}

static int read_own_groups(struct control_groups *g, const struct process_snapshot *snapshot)
{
	return process_snapshot_status(
		snapshot, procfs_read_at(snapshot->process, "cgroup", &g->lines, PROCFS_SMALL));
}

static int read_hierarchy(struct control_groups *g, struct backend_run *run,
	const struct process_snapshot *snapshot, const struct group_line *line, bool *seen)
{
	unsigned version = line->controllers.size ? 1 : 2;
	int status = 0;

	for (size_t i = 0; i < ARRAY_SIZE(resources) && !status; i++) {
		const struct resource *f = &resources[i];
		const struct group_mount *m;

		if (f->version != version ||
			(version == 1 && !group_list_has(line->controllers, f->controller)))
			continue;
		m = mount_of(g, version, f->controller);
		if (!m)
			continue;
		*seen = true;
		status = read_levels(g, run, snapshot, f, m, line->path);
	}
	return status;
}

uint8_t control_groups_read(
	struct control_groups *g, struct backend_run *run, const struct process_snapshot *snapshot)
{
	assert(g);

	int status = g->status < 0 ? g->status : read_own_groups(g, snapshot), worst = 0;
	struct cursor c = cursor_over(g->lines.data, g->lines.size);
	bool seen = false;

	if (status < 0)
		return procfs_state(status);
	while (!cursor_at_end(&c)) {
		struct group_line line;
		int failure;

		if (!group_line_parse(&line, cursor_line(&c)))
			continue;
		failure = read_hierarchy(g, run, snapshot, &line, &seen);
		worst = failure ? failure : worst;
	}
	if (!seen || worst == -EXDEV)
		return UNSUPPORTED;
	return procfs_state(worst ? worst : status);
}

int control_groups_open_of(const struct control_groups *g, struct span own, const char *controller,
	char path[GROUP_PATH_MAX])
{
	unsigned version = *controller ? 1 : 2;
	const struct group_mount *m = mount_of(g, version, controller);
	struct cursor c = cursor_over(own.data, own.size);

	while (m && !cursor_at_end(&c)) {
		struct group_line line;

		if (!group_line_parse(&line, cursor_line(&c)))
			continue;
		if (version == 1 ? !group_list_has(line.controllers, controller)
				 : line.controllers.size > 0)
			continue;
		if (line.path.size <= 1 || line.path.size >= GROUP_PATH_MAX)
			return -ENOENT;
		memcpy(path, line.path.data, line.path.size);
		path[line.path.size] = '\0';
		return open_group(m, path);
	}
	return -ENOENT;
}

int control_groups_open(
	struct control_groups *g, int process, const char *controller, char path[GROUP_PATH_MAX])
{
	assert(g);

	int status = procfs_read_at(process, "cgroup", &g->lines, PROCFS_SMALL);

	if (status < 0)
		return status;
	return control_groups_open_of(
		g, span_of((const char *)g->lines.data, g->lines.size), controller, path);
}

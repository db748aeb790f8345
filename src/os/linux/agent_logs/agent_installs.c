/* SPDX-License-Identifier: BSD-2-Clause */
/* Installed versions. Each home is read in one call that may time out, so that a dead home costs
 * its timeout once and the others are still reported. */
#include "os/linux/agent_logs/agent_installs.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "recognize/agent_set.h"
#include "os/linux/agent_logs/agent_walk.h"
#include "os/linux/programs/package_file.h"
#include "base/environ.h"
#include "base/hash.h"
#include "base/units.h"
#include "os/linux/files/user_names.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/root_file.h"
#include "os/os.h"
#include "probes/proc.h"

#define HOMES_MAX     256
#define VERSIONS_MAX  64 /* of one agent in one home */
#define PATH_SIZE     1024
#define FOLDER_SIZE   (PATH_SIZE * 2)
#define NAME_SIZE     40 /* the name of a user-defined agent has at most 32 bytes */
#define NO_USER	      UINT32_MAX
#define ENVIRON_BYTES (1u << 20) /* HOME comes before larger variables */
#define INSTALLS_MS   1000	 /* some hundred small calls */

/* Where package managers install for a user, below the home; @ is the package. */
static const char *const user_prefixes[] = {
	".npm-global/lib",
	".npm-packages/lib",
	".local/lib",
	".claude/local",
	".nvm/versions/node/*/lib",
	".local/share/fnm/node-versions/*/installation/lib",
	".local/share/mise/installs/node/*/lib",
	".asdf/installs/nodejs/*/lib",
	".volta/tools/image/packages/@/lib",
	".bun/install/global",
	".local/share/pnpm/global/*",
	".config/yarn/global",
};

static const char *const host_prefixes[] = {
	"usr/lib",
	"usr/local/lib",
	"opt/homebrew/lib",
	"home/linuxbrew/.linuxbrew/lib",
};

/* Folders of Python packages. */
static const char *const user_pythons[] = {
	".local/lib/python3*/site-packages",
	".local/share/pipx/venvs/*/lib/python3*/site-packages",
	".local/pipx/venvs/*/lib/python3*/site-packages",
	".local/share/uv/tools/*/lib/python3*/site-packages",
	".pyenv/versions/*/lib/python3*/site-packages",
};

static const char *const host_pythons[] = {
	"usr/lib/python3/dist-packages",
	"usr/lib/python3*/site-packages",
	"usr/local/lib/python3*/dist-packages",
	"usr/local/lib/python3*/site-packages",
};

struct found {
	char agent[NAME_SIZE];
	char version[PACKAGE_VERSION_SIZE];
	char path[PATH_SIZE];
};

#define HOME_CPU_NS (300 * NS_PER_MS) /* a home with links to links would take minutes */

/* One home, or the host with the home "/". */
struct home_scan {
	char top[PATH_SIZE];
	char home[PATH_SIZE];
	bool is_host;
	bool is_chosen; /* a process named it: it is read only if it belongs to that user */
	uint32_t uid;
	struct buffer found; /* struct found */
	/* While it is being read. */
	const struct agent *agent;
	int root;
	struct agent_set *agents; /* reference-counted; NULL: the built-in ones */
	uint64_t end_cpu_ns;	  /* CLOCK_THREAD_CPUTIME_ID */
	bool is_over;		  /* the time was used up: not all versions are known */
};

static void add_version(struct home_scan *scan, struct span version, struct span path)
{
	struct found found = { 0 };

	if (!version.size || version.size >= sizeof(found.version) ||
		path.size >= sizeof(found.path))
		return;
	snprintf(found.agent, sizeof(found.agent), "%s", scan->agent->name);
	memcpy(found.version, version.data, version.size);
	memcpy(found.path, path.data, path.size);
	buffer_append(&scan->found, &found, sizeof(found));
}

static void walk_pattern(struct home_scan *scan, const char *pattern,
	bool (*visit)(void *user, const char *path, const struct stat *st))
{
	const struct agent_path none = { 0 };
	struct agent_walk walk = { .root = scan->root,
		.values = &none,
		.project_file = "",
		.visit = visit,
		.user = scan,
		.end_cpu_ns = scan->end_cpu_ns };

	scan->is_over |= agent_walk(&walk, scan->home, pattern) == -EDQUOT;
}

/* --- folders named after versions --- */

/* Resolves links in the path with which executables in the folder are reported; otherwise the path
 * stays as it is. */
static void make_real(const struct home_scan *scan, int fd, char folder[FOLDER_SIZE])
{
	size_t top = strcmp(scan->top, "/") ? strlen(scan->top) : 0;
	char name[sizeof("/proc/self/fd/-2147483648")], path[FOLDER_SIZE];
	ssize_t size;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	size = readlink(name, path, sizeof(path) - 1);
	if (size <= (ssize_t)top || size == sizeof(path) - 1)
		return;
	path[size] = '\0';
	if (path[top] == '/' && !strncmp(path, scan->top, top))
		snprintf(folder, FOLDER_SIZE, "%s", path + top);
}

static void scan_versions(struct home_scan *scan)
{
	char folder[FOLDER_SIZE], path[FOLDER_SIZE + NAME_MAX + 1];
	_cleanup_dir_ DIR *dir = NULL;
	unsigned count = 0;
	int fd;

	snprintf(folder, sizeof(folder), "%s/%s", scan->home, scan->agent->versions);
	fd = root_file_open(scan->root, folder, O_RDONLY | O_DIRECTORY);
	if (fd >= 0)
		make_real(scan, fd, folder);
	dir = fd < 0 ? NULL : fdopendir(fd);
	for (struct dirent *entry; dir && count < VERSIONS_MAX && (entry = readdir(dir));) {
		struct span name = span_of(entry->d_name, strlen(entry->d_name));
		struct span version = agent_version(name);
		int size;

		/* A lock file or a download beside it has another form of name. */
		if (!version.size || !agent_word_is_plain(name, AGENT_ID_MAX))
			continue;
		size = snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		add_version(scan, version, span_of(path, (size_t)size));
		count++;
	}
}

/* --- npm packages --- */

static bool take_package(void *user, const char *path, const struct stat *seen)
{
	struct home_scan *scan = user;
	struct buffer bytes = { 0 };
	struct package package;
	struct stat st;

	(void)seen;
	if (!root_file_whole(scan->root, path, &bytes, PACKAGE_FILE_MAX, &st)) {
		package_parse(&package, bytes.data, bytes.size);
		add_version(scan, span_of(package.version, strlen(package.version)),
			span_of(path, (size_t)(strrchr(path, '/') - path)));
	}
	buffer_fini(&bytes);
	return true;
}

static void scan_package(struct home_scan *scan, const char *prefix, const char *name)
{
	const char *at = strchr(prefix, '@');
	char pattern[PATH_SIZE];

	if (at)
		snprintf(pattern, sizeof(pattern), "%.*s%s%s/node_modules/%s/package.json",
			(int)(at - prefix), prefix, name, at + 1, name);
	else
		snprintf(pattern, sizeof(pattern), "%s/node_modules/%s/package.json", prefix, name);
	walk_pattern(scan, pattern, take_package);
}

static void scan_packages(struct home_scan *scan, const char *name)
{
	if (scan->is_host) {
		for (size_t i = 0; i < ARRAY_SIZE(host_prefixes); i++)
			scan_package(scan, host_prefixes[i], name);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(user_prefixes); i++)
		scan_package(scan, user_prefixes[i], name);
}

/* --- Python packages --- */

#define METADATA "METADATA"

/* ".../NAME-VERSION.dist-info/METADATA" */
static bool take_distribution(void *user, const char *path, const struct stat *seen)
{
	struct home_scan *scan = user;
	struct span folder = span_of(path, strlen(path) - strlen("/" METADATA));
	struct span version = path_base(folder);
	size_t name = strlen(scan->agent->distribution) + 1;

	(void)seen;
	version.data += name;
	version.size -= name + strlen(".dist-info");
	if (agent_word_is_plain(version, PACKAGE_VERSION_SIZE))
		add_version(scan, version, folder);
	return true;
}

static void scan_distribution(struct home_scan *scan)
{
	const char *const *folders = scan->is_host ? host_pythons : user_pythons;
	size_t count = scan->is_host ? ARRAY_SIZE(host_pythons) : ARRAY_SIZE(user_pythons);
	char pattern[PATH_SIZE];

	for (size_t i = 0; i < count; i++) {
		snprintf(pattern, sizeof(pattern), "%s/%s-*.dist-info/" METADATA, folders[i],
			scan->agent->distribution);
		walk_pattern(scan, pattern, take_distribution);
	}
}

/* --- a home, with a timeout --- */

/* Returns whether the rule names a package, as the first of the agent's rules that do. */
static bool is_first_of_package(const struct agent *agent, size_t at)
{
	const struct agent_rule *rules = agent->rules;

	if (rules[at].kind != AGENT_RULE_PACKAGE)
		return false;
	for (size_t i = 0; i < at; i++) {
		if (rules[i].kind == AGENT_RULE_PACKAGE && !strcmp(rules[i].what, rules[at].what))
			return false;
	}
	return true;
}

static void do_read_home(void *argument)
{
	struct home_scan *scan = argument;
	_cleanup_close_ int root = open(scan->top, O_PATH | O_DIRECTORY | O_CLOEXEC);

	struct stat st = { .st_uid = scan->uid };
	size_t position = 0;

	scan->root = root;
	scan->end_cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) + HOME_CPU_NS;
	/* A process may name any folder: only its user's own is read. */
	if (scan->is_chosen && (root < 0 || fstatat(root, scan->home + 1, &st, 0)))
		return;
	if (st.st_uid != scan->uid)
		return;
	while (root >= 0 && (scan->agent = agent_set_next(scan->agents, &position))) {
		if (scan->agent->versions && !scan->is_host)
			scan_versions(scan);
		if (scan->agent->distribution)
			scan_distribution(scan);
		for (size_t r = 0; r < agent_rule_count(scan->agent); r++) {
			if (is_first_of_package(scan->agent, r))
				scan_packages(scan, scan->agent->rules[r].what);
		}
	}
}

static void drop_home(void *argument)
{
	struct home_scan *scan = argument;

	buffer_fini(&scan->found);
	agent_set_unref(scan->agents);
}

static void emit_found(struct backend_run *run, const struct home_scan *scan, uint32_t uid)
{
	for (size_t at = 0; at + sizeof(struct found) <= scan->found.size;
		at += sizeof(struct found)) {
		const struct found *found = (const void *)(scan->found.data + at);
		struct proc_installed p = {
			.record = { .time_ns = run->os->now_ns(run->os),
				.kind = PROC_INSTALLED,
				.cpu = SOOTH_CPU_NONE },
			.uid = uid,
		};
		struct record_tail tail[] = {
			{ &p.agent, found->agent, strlen(found->agent) },
			{ &p.version, found->version, strlen(found->version) },
			{ &p.path, found->path, strlen(found->path) },
		};

		RECORD_APPEND(&run->out, &p, tail, ARRAY_SIZE(tail));
	}
}

static void set_top(const struct agent_installs *i, char top[PATH_SIZE])
{
	snprintf(top, PATH_SIZE, "%s", i->root ? i->root : "/");
}

/* Reports that not all versions of this user are known (is_unread), or that they are now. */
static void emit_unread_state(struct agent_installs *i, struct backend_run *run, uint32_t uid,
	struct span home, int status, bool is_unread)
{
	struct proc_installed p = {
		.record = { .time_ns = run->os->now_ns(run->os),
			.kind = PROC_INSTALLED,
			.cpu = SOOTH_CPU_NONE },
		.uid = uid,
		.is_unread = is_unread,
	};
	struct record_tail tail[] = { { &p.path, home.data, home.size } };

	RECORD_APPEND(&run->out, &p, tail, ARRAY_SIZE(tail));
	i->is_incomplete |= is_unread;
	if (is_unread)
		backend_limit(run, "versions installed in a home",
			status == -ETIMEDOUT || status == -EBUSY || status == -EDQUOT
				? "reading the folder timed out"
				: strerror(-status),
			"");
}

static void emit_versions_in_home(struct agent_installs *i, struct backend_run *run,
	struct span home, uint32_t uid, bool is_chosen)
{
	struct home_scan scan = {
		.is_host = uid == NO_USER, .is_chosen = is_chosen, .uid = uid, .root = -1
	};
	uint64_t key = hash_bytes(hash_bytes(HASH_BEGIN, home.data, home.size), &uid, sizeof(uid));
	int status;

	if (home.size >= sizeof(scan.home) || (i->tries > 1 && map_get(&i->read, &key)))
		return;
	scan.agents = agent_set_ref(run->options.agents); /* a call that timed out keeps it */
	set_top(i, scan.top);
	memcpy(scan.home, home.data, home.size);
	status = timeout_call(
		&i->timeout, do_read_home, drop_home, &scan, sizeof(scan), -1, INSTALLS_MS);
	if (status) {
		if (status != -ETIMEDOUT)
			drop_home(&scan); /* after a timeout the thread owns it */
		emit_unread_state(i, run, uid, home, status, true);
		return;
	}
	emit_found(run, &scan, uid);
	if (scan.is_over)
		emit_unread_state(i, run, uid, home, -EDQUOT, true);
	drop_home(&scan);
	map_put(&i->read, &key, NULL);
}

/* --- users --- */

struct users_scan {
	char top[PATH_SIZE];
	struct buffer bytes;
	int status;
};

static void do_users(void *argument)
{
	struct users_scan *scan = argument;
	_cleanup_close_ int root = open(scan->top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	scan->status = root < 0 ? -errno
				: root_file_whole(root, PASSWD_PATH, &scan->bytes, PASSWD_MAX, &st);
}

static void drop_users(void *argument)
{
	buffer_fini(&((struct users_scan *)argument)->bytes);
}

void agent_installs_fini(struct agent_installs *i)
{
	assert(i);
	timeout_fini(&i->timeout);
	map_fini(&i->read);
}

void agent_installs_emit(
	struct agent_installs *i, struct backend_run *run, const uint32_t *uids, size_t count)
{
	struct users_scan users = { 0 };
	int status;

	assert(i);
	set_top(i, users.top);
	i->is_incomplete = false;
	if (!i->tries)
		map_init(&i->read, sizeof(uint64_t), 0, 2 * HOMES_MAX);
	for (size_t n = 0; i->tries && n < count && n < HOMES_MAX; n++)
		emit_unread_state(i, run, uids[n], span_of("", 0), 0, false);
	if (i->tries++)
		emit_unread_state(i, run, NO_USER, span_of("", 0), 0, false);
	emit_versions_in_home(i, run, span_of("", 0), NO_USER, false);
	status = timeout_call(
		&i->timeout, do_users, drop_users, &users, sizeof(users), -1, TIMEOUT_MS);
	for (size_t n = 0; n < count && n < HOMES_MAX; n++) {
		struct span home = span_of("", 0);

		if (status)
			emit_unread_state(i, run, uids[n], home, status, true);
		else if (!users.status &&
			 passwd_home(&home, users.bytes.data, users.bytes.size, uids[n]))
			emit_versions_in_home(i, run, home, uids[n], false);
	}
	if (!status)
		drop_users(&users);
}

/* Returns HOME of an environment; "": there is none. */
static struct span home_in(const struct buffer *environment)
{
	struct environ_walk walk = environ_over(environment->data, environment->size, false);
	struct environ_variable v;

	while (environ_next(&walk, &v)) {
		if (span_equal(v.name, "HOME"))
			return span_of(v.name.data + v.name.size + 1, v.size_bytes);
	}
	return span_of("", 0);
}

static bool is_of_account(
	struct agent_installs *i, struct span home, uint32_t uid, struct users_scan *users)
{
	struct span account;

	set_top(i, users->top);
	if (timeout_call(&i->timeout, do_users, drop_users, users, sizeof(*users), -1, TIMEOUT_MS))
		return true;
	return !users->status && passwd_home(&account, users->bytes.data, users->bytes.size, uid) &&
	       !span_compare(account, home);
}

void agent_installs_emit_of(
	struct agent_installs *i, struct backend_run *run, pid_t pid, uint32_t uid)
{
	_cleanup_close_ int process = procfs_open(pid);
	struct users_scan users = { 0 };
	struct buffer environment = { 0 };
	struct span home = span_of("", 0);

	assert(i);
	if (process >= 0 && timeout_read_at(&i->timeout, process, "environ", &environment,
				    ENVIRON_BYTES, TIMEOUT_MS) >= 0)
		home = home_in(&environment);
	if (home.size > 1 && home.data[0] == '/') {
		if (!is_of_account(i, home, uid, &users))
			emit_versions_in_home(i, run, home, uid, true);
		drop_users(&users);
	}
	buffer_fini(&environment);
}

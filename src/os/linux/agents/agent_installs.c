/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Installed versions; see agent_installs.h. Each home is looked at in one call that may be
 * given up, so that a dead one costs its time once and the others are still told.
 */
#include "os/linux/agents/agent_installs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "core/agent_set.h"
#include "core/script.h"
#include "os/linux/agents/agent_walk.h"
#include "os/linux/programs/package_file.h"
#include "os/linux/files/passwd.h"
#include "os/linux/files/root_file.h"
#include "os/os.h"
#include "probes/proc.h"

#define HOMES_MAX    256
#define VERSIONS_MAX 64 /* of one agent in one home */
#define PATH_SIZE    1024
#define FOLDER_SIZE  (PATH_SIZE * 2)
#define NAME_SIZE    40 /* a user's own has at most 32 bytes */
#define NOBODY	     UINT32_MAX
#define INSTALLS_MS  1000 /* some hundred small calls */

/* Where package managers put what is installed for a user, below the home; @ is the package. */
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

/* And folders of Python's distributions. */
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

/* One home, or the host with the home "/". */
struct home_look {
	char top[PATH_SIZE];
	char home[PATH_SIZE];
	bool is_host;
	struct buffer found; /* struct found */
	/* While it is being looked at. */
	const struct agent *agent;
	int root;
	struct agent_set *agents; /* counted; NULL: the built-in ones */
};

static void add(struct home_look *look, struct span version, struct span path)
{
	struct found found = { 0 };

	if (!version.size || version.size >= sizeof(found.version) ||
		path.size >= sizeof(found.path))
		return;
	snprintf(found.agent, sizeof(found.agent), "%s", look->agent->name);
	memcpy(found.version, version.data, version.size);
	memcpy(found.path, path.data, path.size);
	buffer_append(&look->found, &found, sizeof(found));
}

static void walk(struct home_look *look, const char *pattern,
	bool (*visit)(void *user, const char *path, const struct stat *st))
{
	const struct agent_path none = { 0 };
	struct agent_walk walk = { .root = look->root,
		.values = &none,
		.project_file = "",
		.visit = visit,
		.user = look };

	agent_walk(&walk, look->home, pattern);
}

/* --- folders called by versions --- */

/* As the executables in it are told, behind whatever links lead there; else it stays. */
static void make_real(const struct home_look *look, int fd, char folder[FOLDER_SIZE])
{
	size_t top = strcmp(look->top, "/") ? strlen(look->top) : 0;
	char name[sizeof("/proc/self/fd/-2147483648")], path[FOLDER_SIZE];
	ssize_t size;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	size = readlink(name, path, sizeof(path) - 1);
	if (size <= (ssize_t)top || size == sizeof(path) - 1)
		return;
	path[size] = '\0';
	if (path[top] == '/' && !strncmp(path, look->top, top))
		snprintf(folder, FOLDER_SIZE, "%s", path + top);
}

static void look_at_versions(struct home_look *look)
{
	char folder[FOLDER_SIZE], path[FOLDER_SIZE + NAME_MAX + 1];
	_cleanup_dir_ DIR *dir = NULL;
	unsigned count = 0;
	int fd;

	snprintf(folder, sizeof(folder), "%s/%s", look->home, look->agent->versions);
	fd = root_file_open(look->root, folder, O_RDONLY | O_DIRECTORY);
	if (fd >= 0)
		make_real(look, fd, folder);
	dir = fd < 0 ? NULL : fdopendir(fd);
	for (struct dirent *entry; dir && count < VERSIONS_MAX && (entry = readdir(dir));) {
		struct span name = span_of(entry->d_name, strlen(entry->d_name));
		struct span version = agent_version(name);
		int size;

		/* A lock or a download beside it is called otherwise. */
		if (!version.size || !agent_word_is_plain(name, AGENT_ID_MAX))
			continue;
		size = snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		add(look, version, span_of(path, (size_t)size));
		count++;
	}
}

/* --- npm packages --- */

static bool take_package(void *user, const char *path, const struct stat *seen)
{
	struct home_look *look = user;
	struct buffer bytes = { 0 };
	struct package package;
	struct stat st;

	(void)seen;
	if (!root_file_whole(look->root, path, &bytes, PACKAGE_FILE_MAX, &st)) {
		package_parse(&package, bytes.data, bytes.size);
		add(look, span_of(package.version, strlen(package.version)),
			span_of(path, (size_t)(strrchr(path, '/') - path)));
	}
	buffer_fini(&bytes);
	return true;
}

static void look_at_package(struct home_look *look, const char *prefix, const char *name)
{
	const char *at = strchr(prefix, '@');
	char pattern[PATH_SIZE];

	if (at)
		snprintf(pattern, sizeof(pattern), "%.*s%s%s/node_modules/%s/package.json",
			(int)(at - prefix), prefix, name, at + 1, name);
	else
		snprintf(pattern, sizeof(pattern), "%s/node_modules/%s/package.json", prefix, name);
	walk(look, pattern, take_package);
}

static void look_at_packages(struct home_look *look, const char *name)
{
	if (look->is_host) {
		for (size_t i = 0; i < ARRAY_SIZE(host_prefixes); i++)
			look_at_package(look, host_prefixes[i], name);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(user_prefixes); i++)
		look_at_package(look, user_prefixes[i], name);
}

/* --- Python's distributions --- */

#define METADATA "METADATA"

/* ".../NAME-VERSION.dist-info/METADATA" */
static bool take_distribution(void *user, const char *path, const struct stat *seen)
{
	struct home_look *look = user;
	struct span folder = span_of(path, strlen(path) - strlen("/" METADATA));
	struct span version = path_base(folder);
	size_t name = strlen(look->agent->distribution) + 1;

	(void)seen;
	version.data += name;
	version.size -= name + strlen(".dist-info");
	if (agent_word_is_plain(version, PACKAGE_VERSION_SIZE))
		add(look, version, folder);
	return true;
}

static void look_at_distribution(struct home_look *look)
{
	const char *const *folders = look->is_host ? host_pythons : user_pythons;
	size_t count = look->is_host ? ARRAY_SIZE(host_pythons) : ARRAY_SIZE(user_pythons);
	char pattern[PATH_SIZE];

	for (size_t i = 0; i < count; i++) {
		snprintf(pattern, sizeof(pattern), "%s/%s-*.dist-info/" METADATA, folders[i],
			look->agent->distribution);
		walk(look, pattern, take_distribution);
	}
}

/* --- a home, with patience --- */

static void do_home(void *argument)
{
	struct home_look *look = argument;
	_cleanup_close_ int root = open(look->top, O_PATH | O_DIRECTORY | O_CLOEXEC);

	size_t position = 0;

	look->root = root;
	while (root >= 0 && (look->agent = agent_set_next(look->agents, &position))) {
		if (look->agent->versions && !look->is_host)
			look_at_versions(look);
		if (look->agent->distribution)
			look_at_distribution(look);
		for (size_t r = 0; r < agent_rule_count(look->agent); r++) {
			if (look->agent->rules[r].kind == AGENT_RULE_PACKAGE)
				look_at_packages(look, look->agent->rules[r].what);
		}
	}
}

static void drop_home(void *argument)
{
	struct home_look *look = argument;

	buffer_fini(&look->found);
	agent_set_unref(look->agents);
}

static void emit_found(struct backend_run *run, const struct home_look *look, uint32_t uid)
{
	for (size_t at = 0; at + sizeof(struct found) <= look->found.size;
		at += sizeof(struct found)) {
		const struct found *found = (const void *)(look->found.data + at);
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

static void emit_home(
	struct agent_installs *i, struct backend_run *run, struct span home, uint32_t uid)
{
	struct home_look look = { .is_host = uid == NOBODY, .root = -1 };
	int status;

	if (home.size >= sizeof(look.home))
		return;
	look.agents = agent_set_ref(run->options.agents); /* a look that is given up keeps it */
	set_top(i, look.top);
	memcpy(look.home, home.data, home.size);
	status =
		timeout_call(&i->timeout, do_home, drop_home, &look, sizeof(look), -1, INSTALLS_MS);
	if (status) {
		if (status != -ETIMEDOUT)
			drop_home(&look); /* else the thread has it */
		backend_limit(run, "versions installed in a home",
			status == -ETIMEDOUT || status == -EBUSY ? "reading it did not return"
								 : strerror(-status),
			NULL);
		return;
	}
	emit_found(run, &look, uid);
	drop_home(&look);
}

/* --- whose --- */

struct users_look {
	char top[PATH_SIZE];
	struct buffer bytes;
	int status;
};

static void do_users(void *argument)
{
	struct users_look *look = argument;
	_cleanup_close_ int root = open(look->top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	look->status = root < 0 ? -errno
				: root_file_whole(root, PASSWD_PATH, &look->bytes, PASSWD_MAX, &st);
}

static void drop_users(void *argument)
{
	buffer_fini(&((struct users_look *)argument)->bytes);
}

void agent_installs_fini(struct agent_installs *i)
{
	timeout_fini(&i->timeout);
}

void agent_installs_emit(
	struct agent_installs *i, struct backend_run *run, const uint32_t *uids, size_t count)
{
	struct users_look users = { 0 };

	set_top(i, users.top);
	emit_home(i, run, span_of("", 0), NOBODY);
	if (timeout_call(&i->timeout, do_users, drop_users, &users, sizeof(users), -1, TIMEOUT_MS))
		return;
	for (size_t n = 0; n < count && n < HOMES_MAX; n++) {
		struct span home;

		if (!users.status &&
			passwd_home(&home, users.bytes.data, users.bytes.size, uids[n]))
			emit_home(i, run, home, uids[n]);
	}
	drop_users(&users);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* A process that fetches a debug file. */
#include "os/linux/profile/debuginfod_fetch.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parser.h"
#include "base/units.h"
#include "os/linux/files/close_between.h"
#include "os/linux/profile/debug_file.h"
#include "os/linux/profile/sealed_file.h"
#include "os/linux/profile/symbol_cache.h"
#include "os/linux/rights/caller.h"

#define LIBRARY	       "libdebuginfod.so.1"
#define WORK	       ".fetch-" /* and 8 digits: a folder for libdebuginfod below the cache */
#define WORK_NAME      32
#define WORK_DEPTH     2 /* ID/debuginfo */
#define UNFINISHED_S   3600
#define GRACE_MS       2000 /* time for libdebuginfod to end by itself */
#define CHILD_FOLDER   3    /* descriptors of the child */
#define CHILD_ANSWER   4
#define BUILD_ID_BYTES ((DEBUG_BUILD_ID_SIZE - 1) / 2)

/* Functions of <elfutils/debuginfod.h>, unchanged since its first version. */
struct library {
	void *(*begin)(void);
	int (*find)(void *client, const unsigned char *build_id, int size, char **path);
};

/* --- the folder of one fetch --- */

static bool make_work(int directory, char work[WORK_NAME])
{
	uint32_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return false;
	snprintf(work, WORK_NAME, WORK "%08x", number);
	return !mkdirat(directory, work, 0700);
}

/* Removes a work folder. Links are removed, not followed. */
static void remove_work(int directory, const char *name, int depth)
{
	int fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_dir_ DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *one;

	while (folder && (one = readdir(folder))) {
		if (!strcmp(one->d_name, ".") || !strcmp(one->d_name, ".."))
			continue;
		if (unlinkat(dirfd(folder), one->d_name, 0) && depth)
			remove_work(dirfd(folder), one->d_name, depth - 1);
	}
	unlinkat(directory, name, AT_REMOVEDIR);
}

/* Removes work folders of processes that were killed. */
static void remove_unfinished(int directory)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *one;
	struct stat st;

	while (folder && (one = readdir(folder))) {
		const char *number = one->d_name + sizeof(WORK) - 1;

		if (!strncmp(one->d_name, WORK, sizeof(WORK) - 1) && strlen(number) == 8 &&
			strspn(number, "0123456789abcdef") == 8 &&
			!fstatat(directory, one->d_name, &st, AT_SYMLINK_NOFOLLOW) &&
			S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
			st.st_mtim.tv_sec + UNFINISHED_S < time(NULL))
			remove_work(directory, one->d_name, WORK_DEPTH);
	}
}

/* --- in the child --- */

static bool load_library(struct library *l)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	*l = (struct library){ 0 };
	if (library) {
		*(void **)&l->begin = dlsym(library, "debuginfod_begin");
		*(void **)&l->find = dlsym(library, "debuginfod_find_debuginfo");
	}
	return l->begin && l->find;
}

static void set_number(const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	setenv(name, text, 1);
}

/* Keeps only the proxy settings for root: other variables of a library may name a file to load or
 * to write. */
static void keep_proxies(char **from, char **to)
{
	for (; (*to = *from); from++) {
		size_t size = strcspn(*from, "=");

		to += size > 6 && !strncasecmp(*from + size - 6, "_proxy", 6);
	}
}

/* Sets all variables that the library reads to sooth's values, except the proxy settings. */
static void set_environment(const struct debuginfod_request *r, const char *work)
{
	static const char *const none[] = { "DEBUGINFOD_PROGRESS", "DEBUGINFOD_VERBOSE",
		"DEBUGINFOD_HEADERS_FILE", "DEBUGINFOD_IMA_CERT_PATH" };
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		unsetenv(none[i]);
	if (!getuid())
		keep_proxies(environ, environ);
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", CHILD_FOLDER, work);
	setenv("DEBUGINFOD_CACHE_PATH", path, 1);
	setenv("DEBUGINFOD_URLS", r->urls, 1);
	set_number("DEBUGINFOD_TIMEOUT", DEBUGINFOD_SILENT_S);
	set_number("DEBUGINFOD_MAXTIME", DEBUGINFOD_FETCH_S);
	set_number("DEBUGINFOD_MAXSIZE", r->bytes_max);
	set_number("DEBUGINFOD_RETRY_LIMIT", 0);
}

/* Confines the child: its standard streams lead nowhere, and signals of the user end it. */
static bool confine_child(int directory, int answer, uint64_t bytes_max)
{
	static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM };
	struct rlimit size = { bytes_max, bytes_max }, none = { 0, 0 };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int folder = fcntl(directory, F_DUPFD, 16), answers = fcntl(answer, F_DUPFD, 16);
	sigset_t empty;

	for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
		signal(ending[i], SIG_DFL);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&empty);
	sigprocmask(SIG_SETMASK, &empty, NULL);
	for (int i = 0; i < 3; i++) {
		if (null < 0 || dup2(null, i) < 0)
			return false;
	}
	if (dup2(folder, CHILD_FOLDER) < 0 || dup2(answers, CHILD_ANSWER) < 0)
		return false;
	close_between(CHILD_ANSWER + 1, ~0u);
	parser_use_process(NULL);
	return !setrlimit(RLIMIT_FSIZE, &size) && !setrlimit(RLIMIT_CORE, &none) &&
	       !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && caller_drop_all(NULL);
}

static int parse_id(const char *text, unsigned char bytes[BUILD_ID_BYTES])
{
	int size = 0;

	for (; text[0] && text[1] && size < BUILD_ID_BYTES; text += 2, size++) {
		char digits[3] = { text[0], text[1], 0 };

		bytes[size] = (unsigned char)strtoul(digits, NULL, 16);
	}
	return size;
}

/* Keeps a fetched file. The servers decide what they send, so it is checked like any other debug
 * file. */
static int keep_file(const struct debuginfod_request *r, int fetched, const char *path)
{
	char name[SYMBOL_CACHE_NAME];
	struct debug_identity found;
	_cleanup_close_ int file = -1;

	if (!symbol_cache_name(name, SYMBOL_CACHE_DEBUG, r->build_id))
		return -EINVAL;
	debug_identity_read(fetched, &found);
	if (strcmp(found.build_id, r->build_id) != 0)
		return -EBADMSG;
	if (!debug_file_is_sound(fetched))
		return -ENOEXEC;
	if (fchmod(fetched, 0600))
		return -errno;
	file = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0 || !sealed_file_write(file))
		return file < 0 ? -errno : -EFBIG;
	return renameat(AT_FDCWD, path, CHILD_FOLDER, name) ? -errno : 0;
}

static int fetch_file(const struct debuginfod_request *r, const char *work)
{
	unsigned char id[BUILD_ID_BYTES];
	int size = parse_id(r->build_id, id), fetched;
	struct library library;
	char *path = NULL;
	void *client;

	set_environment(r, work);
	if (!load_library(&library))
		return -ELIBACC;
	client = library.begin();
	if (!client)
		return -ENOMEM;
	fetched = library.find(client, id, size, &path);
	return fetched < 0 ? fetched : keep_file(r, fetched, path);
}

static void run_child(
	const struct debuginfod_request *r, const char *work, int answer, pid_t parent)
{
	int status = -EPERM;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	if (confine_child(r->directory, answer, r->bytes_max + SEALED_FILE_MORE))
		status = fetch_file(r, work);
	_exit(write(CHILD_ANSWER, &status, sizeof(status)) == sizeof(status) ? EXIT_SUCCESS
									     : EXIT_FAILURE);
}

/* --- its parent --- */

static int left_ms(uint64_t end_ns)
{
	uint64_t now_ns = clock_monotonic_ns();

	return now_ns < end_ns ? (int)((end_ns - now_ns) / NS_PER_MS) : 0;
}

/* Returns the child's answer; -EINTR: a signal ended the child before it answered. */
static int wait_for_answer(pid_t pid, int answer)
{
	struct pollfd end = { .fd = answer, .events = POLLIN };
	uint64_t end_ns =
		clock_monotonic_ns() + DEBUGINFOD_FETCH_S * NS_PER_S + GRACE_MS * NS_PER_MS;
	int status = -ETIMEDOUT, exited;

	while (poll(&end, 1, left_ms(end_ns)) < 0 && errno == EINTR)
		;
	if (end.revents && read(answer, &status, sizeof(status)) != sizeof(status))
		status = -EINTR;
	if (!end.revents)
		kill(pid, SIGKILL);
	while (waitpid(pid, &exited, 0) < 0 && errno == EINTR)
		;
	return status;
}

static int start_child(const struct debuginfod_request *r, const char *work)
{
	pid_t parent = getpid(), pid;
	int ends[2], status;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid)
		run_child(r, work, ends[1], parent);
	close(ends[1]);
	status = pid < 0 ? -EAGAIN : wait_for_answer(pid, ends[0]);
	close(ends[0]);
	return status;
}

int debuginfod_fetch(const struct debuginfod_request *r)
{
	char work[WORK_NAME];
	int status;

	remove_unfinished(r->directory);
	if (!make_work(r->directory, work))
		return -errno;
	status = start_child(r, work);
	remove_work(r->directory, work, WORK_DEPTH);
	return status;
}

int debuginfod_fetch_test(void)
{
	pid_t pid = fork();
	struct library library;
	int status;

	if (!pid)
		_exit(load_library(&library) ? EXIT_SUCCESS : EXIT_FAILURE);
	if (pid < 0)
		return -EAGAIN;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS ? 0 : -ELIBACC;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process with one of each kind of mapping, all in place before "ready". Files are made in
 * --folder and stay until whoever gave it removes them. What cannot be made for want of a right or
 * a limit (locked memory) is told as a line "# without NAME".
 *
 * With --count N another N mappings are made, each of one page.
 */
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>

#define PAGE	  UINT64_C(4096)
#define PAGES	  16
#define COUNT_MAX 60000
#define THREADS	  3
#define RESERVED  (UINT64_C(70) << 30)
#define HUGE_SIZE (UINT64_C(4) << 20)

static char *folder;
static uint64_t more;

static void tell(struct truth *truth, const char *name, const void *from, uint64_t size)
{
	fprintf(truth->out, "%s %" PRIxPTR " %" PRIxPTR "\n", name, (uintptr_t)from,
		(uintptr_t)from + (uintptr_t)size);
}

/* Every page is touched by `touch`: 'r', 'w', or 0 for none. */
static int map(struct truth *truth, const char *name, uint64_t size, int protection, int flags,
	int fd, char touch)
{
	volatile char *at = mmap(NULL, size, protection, flags, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	for (uint64_t i = 0; touch && i < size; i += PAGE) {
		if (touch == 'w')
			at[i] = 1;
		else
			(void)at[i];
	}
	tell(truth, name, (const void *)at, size);
	return 0;
}

/* A file of PAGES pages that has been written. */
static int file_open(const char *name)
{
	char path[4096], page[PAGE];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	memset(page, 'x', sizeof(page));
	for (int i = 0; i < PAGES; i++) {
		if (write(fd, page, sizeof(page)) != (ssize_t)sizeof(page)) {
			close(fd);
			return -EIO;
		}
	}
	return fd;
}

static int map_file(struct truth *truth, const char *name, const char *file, int protection,
	int flags, char touch, bool unlinks)
{
	autoclose int fd = file_open(file);
	char path[4096];

	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), "%s/%s", folder, file);
	if (unlinks && unlink(path))
		return -errno;
	return map(truth, name, PAGES * PAGE, protection, flags, fd, touch);
}

static int map_files(struct truth *truth)
{
	static const struct {
		const char *name, *file;
		int protection, flags;
		char touch;
		bool unlinks;
	} files[] = {
		{ "file_private_clean", "private", PROT_READ, MAP_PRIVATE, 'r', false },
		{ "file_private_dirty", "written", PROT_READ | PROT_WRITE, MAP_PRIVATE, 'w',
			false },
		{ "file_shared_clean", "shared", PROT_READ, MAP_SHARED, 'r', false },
		{ "file_shared_dirty", "changed", PROT_READ | PROT_WRITE, MAP_SHARED, 'w', false },
		{ "file_deleted", "gone", PROT_READ, MAP_PRIVATE, 'r', true },
		{ "file_newline", "new\nline", PROT_READ, MAP_PRIVATE, 'r', false },
		{ "file_newline_deleted", "new\nline gone", PROT_READ, MAP_PRIVATE, 'r', true },
		{ "file_escape", "\033[31m \\012 red", PROT_READ, MAP_PRIVATE, 'r', false },
		{ "file_seems_deleted", "lives (deleted)", PROT_READ, MAP_PRIVATE, 'r', false },
		{ "file_untouched", "untouched", PROT_READ, MAP_PRIVATE, 0, false },
	};
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(files) && !err; i++)
		err = map_file(truth, files[i].name, files[i].file, files[i].protection,
			files[i].flags, files[i].touch, files[i].unlinks);
	return err;
}

static int map_shared(struct truth *truth)
{
	autoclose int memory = memfd_create("a memfd", MFD_CLOEXEC);
	int id, err;
	void *at;

	if (memory < 0 || ftruncate(memory, PAGES * PAGE))
		return -errno;
	err = map(truth, "memfd", PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 'w');
	if (!err)
		err = map(truth, "shared_anonymous", PAGES * PAGE, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 'w');
	id = shmget(IPC_PRIVATE, PAGES * PAGE, 0600);
	if (err || id < 0)
		return err ? err : -errno;
	at = shmat(id, NULL, 0);
	shmctl(id, IPC_RMID, NULL); /* gone with the last who has it */
	if (at == (void *)-1)
		return -errno;
	memset(at, 1, PAGES * PAGE);
	tell(truth, "sysv", at, PAGES * PAGE);
	return 0;
}

static int map_anonymous(struct truth *truth)
{
	const int kind = MAP_PRIVATE | MAP_ANONYMOUS;
	int err = map(truth, "anonymous", PAGES * PAGE, PROT_READ | PROT_WRITE, kind, -1, 'w');
	char *at;

	if (!err)
		err = map(truth, "untouched", PAGES * PAGE, PROT_READ, kind | MAP_NORESERVE, -1, 0);
	if (!err)
		err = map(truth, "reservation", RESERVED, PROT_NONE, kind | MAP_NORESERVE, -1, 0);
	if (!err)
		err = map(truth, "executable", PAGES * PAGE, PROT_READ | PROT_EXEC, kind, -1, 'r');
	at = err ? MAP_FAILED : mmap(NULL, HUGE_SIZE, PROT_READ | PROT_WRITE, kind, -1, 0);
	if (at == MAP_FAILED)
		return err ? err : -errno;
	if (madvise(at, HUGE_SIZE, MADV_HUGEPAGE))
		fprintf(truth->out, "# without huge\n");
	memset(at, 1, HUGE_SIZE);
	tell(truth, "huge", at, HUGE_SIZE);
	at = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, kind | MAP_STACK, -1, 0);
	if (at == MAP_FAILED)
		return -errno;
	if (mlock(at, PAGES * PAGE))
		fprintf(truth->out, "# without locked\n");
	else
		tell(truth, "locked", at, PAGES * PAGE);
	return 0;
}

static int map_more(void)
{
	char *at = more ? mmap(NULL, more * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
			: NULL;

	if (at == MAP_FAILED)
		return -errno;
	for (uint64_t i = 0; i < more; i += 2) {
		if (mprotect(at + i * PAGE, PAGE, PROT_READ | PROT_WRITE))
			return -errno;
	}
	return 0;
}

struct worker {
	pthread_barrier_t *here;
	void *volatile stack;
	pid_t tid;
};

static void *work(void *arg)
{
	struct worker *w = arg;

	w->stack = __builtin_frame_address(0);
	w->tid = gettid();
	pthread_barrier_wait(w->here);
	sleep_ns(WORKLOAD_SECONDS_MAX * NS_PER_SEC);
	return NULL;
}

static int start_threads(struct truth *truth)
{
	static pthread_barrier_t here;
	static struct worker workers[THREADS];
	pthread_t thread;
	int err = 0;

	pthread_barrier_init(&here, NULL, THREADS + 1);
	for (int i = 0; i < THREADS && !err; i++) {
		workers[i].here = &here;
		err = -pthread_create(&thread, NULL, work, &workers[i]);
	}
	if (err)
		return err;
	pthread_barrier_wait(&here);
	for (int i = 0; i < THREADS; i++)
		fprintf(truth->out, "stack %" PRIxPTR " %d\n", (uintptr_t)workers[i].stack,
			workers[i].tid);
	return 0;
}

static int run(const struct workload *w)
{
	autotruth truth = { 0 };
	int err = folder ? truth_begin(&truth) : -EINVAL;

	if (!err)
		err = map_files(&truth);
	if (!err)
		err = map_shared(&truth);
	if (!err)
		err = map_anonymous(&truth);
	if (!err)
		err = map_more();
	if (!err)
		err = start_threads(&truth);
	if (!err)
		err = truth_commit(&truth, w);
	return err ? err : workload_stay(w);
}

static const struct param params[] = {
	{ "folder", "PATH", "where its files are made", PARAM_TEXT, &folder, 0, 0 },
	{ "count", "N", "so many mappings more (0)", PARAM_NUMBER, &more, 0, COUNT_MAX },
	{ 0 },
};

const struct scenario scenario_maps = {
	.name = "maps",
	.help = "one of each kind of mapping",
	.params = params,
	.run = run,
};

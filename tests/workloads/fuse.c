/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files on a file system whose daemon stops answering, or answers late: any question that the
 * kernel has to hand on waits for it, or until the daemon ends. The file system is our own, by the
 * protocol of /dev/fuse, in a mount namespace of our own, so that it goes with us. It needs the
 * right to mount.
 */
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define MESSAGE_BYTES (1u << 17) /* at least FUSE_MIN_READ_BUFFER and a page */

static char *under, *served;
static bool answers_on, swallows, goes_inside, reads, is_interrupted;
static char folder[256];
static bool *is_silent; /* shared with the daemon; with late_ms it is slow then */
static uint64_t late_ms, user;
static int plain_fd = -1, served_fd = -1;
static uint64_t served_bytes, programs = 1;

enum { PROGRAM = 4 };
static const char *const names[] = {
	[2] = "plain", [3] = "living (deleted)", [PROGRAM] = "program"
};

static void reply(int fd, const struct fuse_in_header *to, int error, const void *data, size_t size)
{
	static unsigned char bytes[MESSAGE_BYTES + sizeof(struct fuse_out_header)];
	struct fuse_out_header head = {
		.len = (uint32_t)(sizeof(head) + size), .error = -error, .unique = to->unique
	};

	memcpy(bytes, &head, sizeof(head));
	if (size)
		memcpy(bytes + sizeof(head), data, size);
	if (write(fd, bytes, head.len) < 0)
		_exit(EXIT_FAILURE);
}

static struct fuse_attr attributes(uint64_t node)
{
	if (node == PROGRAM)
		return (struct fuse_attr){ .ino = node,
			.size = served_bytes,
			.blocks = served_bytes / 512,
			.mode = S_IFREG | 0755,
			.nlink = 1 };
	return (struct fuse_attr){ .ino = node,
		.size = node == FUSE_ROOT_ID ? 0 : 42,
		.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0600,
		.nlink = 1 };
}

/* Nothing it tells is remembered: every look at a name asks again. */
static void look_up(int fd, const struct fuse_in_header *in, const char *name)
{
	for (uint64_t node = 2; node < ARRAY_SIZE(names); node++) {
		struct fuse_entry_out out = { .nodeid = node, .attr = attributes(node) };

		if (strcmp(name, names[node]) == 0 && (node != PROGRAM || served)) {
			reply(fd, in, 0, &out, sizeof(out));
			return;
		}
	}
	reply(fd, in, ENOENT, NULL, 0);
}

static void read_program(int fd, const struct fuse_in_header *in, const struct fuse_read_in *read)
{
	static unsigned char bytes[MESSAGE_BYTES];
	size_t size = read->size < sizeof(bytes) ? read->size : sizeof(bytes);
	ssize_t got =
		in->nodeid == PROGRAM ? pread(served_fd, bytes, size, (off_t)read->offset) : -1;

	reply(fd, in, got < 0 ? EIO : 0, bytes, got < 0 ? 0 : (size_t)got);
}

static void answer(int fd, const struct fuse_in_header *in, const void *body)
{
	struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION, .max_write = 4096
	};
	struct fuse_attr_out attr = { .attr = attributes(in->nodeid) };
	struct fuse_open_out opened = { 0 };

	switch (in->opcode) {
	case FUSE_INIT:
		reply(fd, in, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		look_up(fd, in, body);
		break;
	case FUSE_GETATTR:
		reply(fd, in, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		reply(fd, in, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		read_program(fd, in, body);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
		break; /* have no answer */
	default:
		reply(fd, in, ENOSYS, NULL, 0);
	}
}

/*
 * Answers until it is told to be silent; from then on nothing is read, so that whoever waits can
 * still be killed: what has been read and not answered nobody can be killed out of. It ends when
 * the other end of `alive` closes: a process that ends waits for its files before it tells its
 * children.
 */
static void serve(int fd, int alive)
{
	static unsigned char message[MESSAGE_BYTES] __attribute__((aligned(8)));

	for (;;) {
		struct pollfd ready[] = { { .fd = alive, .events = POLLIN },
			{ .fd = fd, .events = POLLIN } };
		bool stays_silent = __atomic_load_n(is_silent, __ATOMIC_SEQ_CST);
		const struct fuse_in_header *in = (const void *)message;
		ssize_t got;

		if (poll(ready, stays_silent && !swallows && !late_ms ? 1 : 2, 100) <= 0 &&
			!ready[0].revents)
			continue;
		if (ready[0].revents)
			_exit(EXIT_SUCCESS);
		stays_silent = __atomic_load_n(is_silent, __ATOMIC_SEQ_CST);
		if (stays_silent && !swallows && !late_ms)
			continue;
		got = read(fd, message, sizeof(message));
		if (got < 0 && (errno == EINTR || errno == ENOENT || errno == EAGAIN))
			continue;
		if (got < (ssize_t)sizeof(*in))
			_exit(EXIT_SUCCESS);
		if (stays_silent && late_ms)
			sleep_ns(late_ms * NS_PER_MS);
		if (!stays_silent || late_ms)
			answer(fd, in, message + sizeof(*in));
	}
}

static int mount_here(int fd)
{
	char options[128];

	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=%u,group_id=0,allow_other",
		fd, (unsigned)user);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		mount("silent", folder, "fuse", MS_NOSUID | MS_NODEV, options))
		return errno == EPERM || errno == ENODEV ? -EOPNOTSUPP : -errno;
	return 0;
}

static int open_files(FILE *told)
{
	char path[512];
	int fd, watcher = inotify_init1(IN_CLOEXEC);

	/* A close that is not implemented is not asked for again: an end waits for those. */
	snprintf(path, sizeof(path), "%s/%s", folder, names[2]);
	fd = open(path, O_RDONLY);
	if (fd < 0 || close(fd))
		return -errno;
	for (size_t node = 2; node < PROGRAM; node++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[node]);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			return -errno;
		if (node == 2)
			plain_fd = fd;
		fprintf(told, "%d file %s\n", fd, path);
	}
	fd = open(folder, O_RDONLY | O_DIRECTORY);
	if (fd < 0 || inotify_add_watch(watcher, folder, IN_CREATE) < 0)
		return -errno;
	fprintf(told, "%d directory %s\n%d inotify watcher\n", fd, folder, watcher);
	if (goes_inside && chdir(folder))
		return -errno;
	return 0;
}

static void ignore(int number)
{
	(void)number;
}

static void *read_plain(void *arg)
{
	char byte;

	(void)arg;
	pthread_setname_np(pthread_self(), "reader");
	if (read(plain_fd, &byte, 1) < 0)
		return NULL; /* when the daemon has ended */
	return NULL;
}

static void *ask_again(void *arg)
{
	char path[512];
	struct stat st;

	(void)arg;
	snprintf(path, sizeof(path), "%s/%s", folder, names[2]);
	while (stat(path, &st) == 0)
		continue;
	return NULL; /* when the daemon has ended */
}

/* Runs the program from there, until it says "ready"; it waits for input then. */
static int start_program(int parent, FILE *told)
{
	int in[2], out[2];
	char path[512], line[16];
	pid_t pid;

	if (!served)
		return 0;
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		return -errno;
	snprintf(path, sizeof(path), "%s/%s", folder, names[PROGRAM]);
	pid = child_fork(parent);
	if (!pid) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execl(path, path, "wait", (char *)NULL);
		_exit(EXIT_FAILURE);
	}
	close(in[0]);
	close(out[1]);
	if (pid < 0 || read(out[0], line, sizeof(line)) <= 0)
		return pid < 0 ? (int)pid : -EIO;
	fprintf(told, "%d program %s\n", (int)pid, path);
	return 0;
}

static int start_asker(void)
{
	pthread_t thread;

	return late_ms ? -pthread_create(&thread, NULL, ask_again, NULL) : 0;
}

/* Whoever was interrupted while its question was taken waits on, and for nothing but the answer. */
static int start_reader(void)
{
	struct sigaction action = { .sa_handler = ignore };
	pthread_t thread;
	int err;

	if (!reads)
		return 0;
	sigaction(SIGUSR1, &action, NULL);
	err = -pthread_create(&thread, NULL, read_plain, NULL);
	sleep_ns(300 * NS_PER_MS); /* until it waits and the question was taken */
	if (!err && is_interrupted)
		pthread_kill(thread, SIGUSR1);
	return err;
}

static int run(const struct workload *w)
{
	autotruth truth = { 0 };
	int alive[2], parent, fd, err;
	pid_t daemon;

	if (served) {
		struct stat st;

		served_fd = open(served, O_RDONLY | O_CLOEXEC);
		if (served_fd < 0 || fstat(served_fd, &st))
			return -errno;
		served_bytes = (uint64_t)st.st_size;
	}
	/* Before all files: an end closes descriptors by their numbers. */
	if (pipe2(alive, O_CLOEXEC))
		return -errno;
	parent = parent_open();
	fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	is_silent = mmap(NULL, sizeof(*is_silent), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fd < 0 || is_silent == MAP_FAILED)
		return -EOPNOTSUPP;
	snprintf(folder, sizeof(folder), "%s/fuse-XXXXXX", under ? under : "/tmp");
	if (!mkdtemp(folder))
		return -errno;
	err = mount_here(fd);
	if (!err)
		err = truth_begin(&truth);
	if (err) {
		rmdir(folder);
		return err;
	}
	daemon = child_fork(parent);
	if (!daemon) {
		close(alive[1]);
		serve(fd, alive[0]);
	}
	close(alive[0]);
	close(fd);
	err = daemon < 0 ? daemon : open_files(truth.out);
	for (uint64_t i = 0; !err && i < programs; i++)
		err = start_program(parent, truth.out);
	close(parent);
	if (!err)
		err = truth_commit(&truth, w);
	__atomic_store_n(is_silent, !answers_on, __ATOMIC_SEQ_CST);
	if (!err)
		err = start_reader();
	if (!err)
		err = start_asker();
	if (!err)
		err = workload_stay(w);
	close(alive[1]);
	umount2(folder, MNT_DETACH);
	rmdir(folder);
	return err;
}

static const struct param params[] = {
	{ "directory", "DIR", "below which to mount (/tmp)", PARAM_TEXT, &under, 0, 0 },
	{ "swallow", NULL, "take questions all the same: who asks cannot be killed", PARAM_FLAG,
		&swallows, 0, 0 },
	{ "read", NULL, "a thread reads such a file", PARAM_FLAG, &reads, 0, 0 },
	{ "interrupt", NULL, "and a signal comes in between: with --swallow it cannot be killed",
		PARAM_FLAG, &is_interrupted, 0, 0 },
	{ "late", "MS", "answer so much later instead of not at all, and ask all the time",
		PARAM_NUMBER, &late_ms, 1, 10000 },
	{ "program", "FILE", "run this from there; it says \"ready\" and waits for input",
		PARAM_TEXT, &served, 0, 0 },
	{ "programs", "N", "as many of them (1)", PARAM_NUMBER, &programs, 1, 100 },
	{ "user", "UID", "the mount is of that user", PARAM_NUMBER, &user, 0, 65535 },
	{ "answers", NULL, "keep answering", PARAM_FLAG, &answers_on, 0, 0 },
	{ "inside", NULL, "with the working directory there", PARAM_FLAG, &goes_inside, 0, 0 },
	{ 0 },
};

const struct scenario scenario_fuse = {
	.name = "fuse",
	.help = "files of a file system that does not answer",
	.params = params,
	.run = run,
};

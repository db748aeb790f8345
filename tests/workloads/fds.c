/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One descriptor of every kind this kernel and user allow, and names made to mislead. Everything
 * lies in a new folder under --directory, which goes when the scenario ends. The truth file has a
 * line for each descriptor: its number, its type as sooth calls it, what it was made for.
 */
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>

static char *under;
static uint64_t many;
static uint64_t watch_count = 3;

static char folder[512];
static FILE *told;

/* A descriptor with what it is; what this machine refuses is told as refused. */
static int tell(int fd, const char *type, const char *what)
{
	if (fd < 0)
		fprintf(told, "# refused %s %s: %s\n", type, what, strerror(errno));
	else
		fprintf(told, "%d %s %s\n", fd, type, what);
	return fd;
}

/* Two of them may be in use at once. */
static const char *in_folder(const char *name)
{
	static char paths[2][1024];
	static unsigned turn;
	char *path = paths[turn++ % ARRAY_SIZE(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static int file(const char *name, int flags)
{
	return open(in_folder(name), flags | O_CREAT, 0600);
}

static void make_files(void)
{
	int fd = tell(file("plain", O_RDWR | O_APPEND | O_NONBLOCK | O_CLOEXEC), "file", "plain");

	if (write(fd, "0123456789", 10) == 10)
		lseek(fd, 4, SEEK_SET);
	tell(file("gone", O_WRONLY), "deleted", "gone");
	unlink(in_folder("gone"));
	/* It has another name, so it has links; the one it was opened by is gone. */
	tell(file("renamed", O_RDONLY), "file", "removed-link");
	if (link(in_folder("renamed"), in_folder("other-link")) == 0)
		unlink(in_folder("renamed"));
	tell(file("living (deleted)", O_RDONLY), "file", "living-suffix");
	tell(file("line\nbreak", O_RDONLY), "file", "newline");
	tell(file("\033[31mred\033[0m", O_RDONLY), "file", "escape");
	tell(file("bad\xff\xfe", O_RDONLY), "file", "not-utf8");
	tell(open(folder, O_RDWR | O_TMPFILE, 0600), "deleted", "tmpfile");
	tell(open(folder, O_RDONLY | O_DIRECTORY), "directory", "folder");
	tell(open(in_folder("plain"), O_PATH), "file", "path-only");
	mkdir(in_folder("removed"), 0700);
	tell(open(in_folder("removed"), O_RDONLY | O_DIRECTORY), "directory", "removed-directory");
	rmdir(in_folder("removed"));
}

static void make_pipes(void)
{
	int ends[2] = { -1, -1 }, fd;

	if (pipe2(ends, O_CLOEXEC) == 0) {
		tell(ends[0], "pipe", "pipe-read");
		tell(ends[1], "pipe", "pipe-write");
	}
	if (pipe(ends) == 0) {
		close(ends[1]);
		tell(ends[0], "pipe", "pipe-alone");
	}
	mkfifo(in_folder("fifo"), 0600);
	fd = open(in_folder("fifo"), O_RDWR | O_NONBLOCK);
	tell(fd, "fifo", "fifo");
	tell(open(in_folder("fifo"), O_WRONLY | O_NONBLOCK), "fifo", "fifo-write");
}

static void make_connection(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);
	int listening = socket(AF_INET, SOCK_STREAM, 0), calling = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(listening, (void *)&at, sizeof(at)) || listen(listening, 1) ||
		getsockname(listening, (void *)&at, &size) ||
		connect(calling, (void *)&at, sizeof(at)))
		return;
	tell(listening, "tcp", "listening");
	tell(calling, "tcp", "calling");
	tell(accept(listening, NULL, NULL), "tcp", "called");
}

static void make_sockets(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int pair[2] = { -1, -1 }, fd;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0) {
		tell(pair[0], "unix", "pair-first");
		tell(pair[1], "unix", "pair-second");
	}
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	strncpy(name.sun_path, "socket",
		sizeof(name.sun_path) - 1); /* the folder is where we are */
	if (bind(fd, (void *)&name, sizeof(name)) == 0)
		tell(fd, "unix", "unix-bound");
	tell(open(in_folder("socket"), O_PATH), "socket", "socket-node");
	make_connection();
	tell(socket(AF_INET6, SOCK_STREAM, 0), "tcp", "tcp6");
	tell(socket(AF_INET, SOCK_DGRAM, 0), "udp", "udp");
	tell(socket(AF_NETLINK, SOCK_RAW, 0), "netlink", "netlink");
	tell(socket(AF_PACKET, SOCK_RAW, 0), "packet", "packet");
	tell(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), "socket", "raw");
}

static void make_waiting(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int fd = tell(epoll_create1(EPOLL_CLOEXEC), "epoll", "epoll");
	int counter = tell(eventfd(7, EFD_SEMAPHORE), "eventfd", "eventfd"), timer;
	struct itimerspec every = { .it_interval = { 3600, 0 }, .it_value = { 7200, 0 } };
	sigset_t signals;

	event.data.fd = counter;
	epoll_ctl(fd, EPOLL_CTL_ADD, counter, &event);
	timer = tell(timerfd_create(CLOCK_MONOTONIC, 0), "timerfd", "timer-armed");
	timerfd_settime(timer, 0, &every, NULL);
	tell(timerfd_create(CLOCK_REALTIME, 0), "timerfd", "timer-idle");
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGTERM);
	tell(signalfd(-1, &signals, 0), "signalfd", "signalfd");
}

static void make_watches(void)
{
	int fd = tell(inotify_init1(IN_CLOEXEC), "inotify", "inotify");

	mkdir(in_folder("watched"), 0700);
	for (uint64_t i = 0; i < watch_count; i++) {
		char name[64];

		snprintf(name, sizeof(name), "watched/%llu", (unsigned long long)i);
		if (mkdir(in_folder(name), 0700))
			break;
		if (inotify_add_watch(fd, in_folder(name), IN_CREATE | IN_DELETE) < 0)
			break;
		fprintf(told, "# watch %s\n", in_folder(name));
	}
	inotify_add_watch(fd, in_folder("plain"), IN_MODIFY);
	fprintf(told, "# watch %s\n", in_folder("plain"));
	tell(fanotify_init(FAN_CLASS_NOTIF, O_RDONLY), "fanotify", "fanotify");
}

static int perf_event(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_TASK_CLOCK,
		.disabled = 1 };

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static int bpf_map(void)
{
	/* BPF_MAP_CREATE of an array of one. */
	struct {
		uint32_t type, key, value, entries;
		uint64_t rest[8];
	} attr = { 2, 4, 4, 1, { 0 } };

	return (int)syscall(SYS_bpf, 0, &attr, sizeof(attr));
}

static void make_kernel_objects(void)
{
	struct io_uring_params params = { 0 };
	int master, terminal;

	tell(memfd_create("memory", 0), "memfd", "memfd");
	tell((int)syscall(SYS_pidfd_open, getpid(), 0), "pidfd", "pidfd");
	tell(bpf_map(), "bpf", "bpf-map");
	tell(perf_event(), "perf", "perf");
	tell((int)syscall(SYS_io_uring_setup, 1, &params), "io_uring", "io_uring");
	tell((int)syscall(SYS_userfaultfd, 1 /* user mode only */), "userfaultfd", "userfaultfd");
	if (openpty(&master, &terminal, NULL, NULL, NULL) == 0) {
		tell(master, "pty", "pty-master");
		tell(terminal, "pty", "pty-terminal");
	}
	tell(open("/dev/null", O_RDWR), "device", "null");
	tell(open("/proc/self/ns/net", O_RDONLY), "namespace", "net");
	tell(open("/proc/self/stat", O_RDONLY), "file", "proc");
}

/* Very many of one kind: duplicates are descriptors like any. */
static int make_many(void)
{
	struct rlimit limit = { many + 1024, many + 1024 };
	int fd;

	if (!many)
		return 0;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		return -EOPNOTSUPP;
	fd = file("many", O_RDONLY);
	for (uint64_t i = 1; i < many; i++) {
		if (fcntl(fd, F_DUPFD, 0) < 0)
			return errno == EMFILE || errno == ENFILE ? -EOPNOTSUPP : -errno;
	}
	fprintf(told, "# many %s\n", in_folder("many"));
	return 0;
}

static void clean_up(void)
{
	static const char *const names[] = { "plain", "other-link", "renamed", "living (deleted)",
		"line\nbreak", "\033[31mred\033[0m", "bad\xff\xfe", "fifo", "socket", "many" };
	char name[64];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unlink(in_folder(names[i]));
	for (uint64_t i = 0; i < watch_count; i++) {
		snprintf(name, sizeof(name), "watched/%llu", (unsigned long long)i);
		rmdir(in_folder(name));
	}
	rmdir(in_folder("watched"));
	rmdir(folder);
}

static int run(const struct workload *w)
{
	autotruth truth = { 0 };
	int err = truth_begin(&truth);

	if (err)
		return err;
	told = truth.out;
	snprintf(folder, sizeof(folder), "%s/fds-XXXXXX", under ? under : "/tmp");
	if (!mkdtemp(folder) || chdir(folder))
		return -errno;
	make_files();
	make_pipes();
	make_sockets();
	make_waiting();
	make_watches();
	make_kernel_objects();
	err = make_many();
	if (!err)
		err = truth_commit(&truth, w);
	if (!err)
		err = workload_stay(w);
	clean_up();
	return err;
}

static const struct param params[] = {
	{ "directory", "DIR", "where to make files (/tmp)", PARAM_TEXT, &under, 0, 0 },
	{ "many", "N", "as many descriptors of one file (0)", PARAM_NUMBER, &many, 0, 1000000 },
	{ "watches", "N", "directories watched (3)", PARAM_NUMBER, &watch_count, 0, 100000 },
	{ 0 },
};

const struct scenario scenario_fds = {
	.name = "fds",
	.help = "a descriptor of every kind",
	.params = params,
	.run = run,
};

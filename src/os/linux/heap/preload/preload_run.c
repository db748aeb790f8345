/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/heap/preload/preload_run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "model/batch.h"
#include "os/linux/files/descriptors.h"
#include "os/linux/files/procfs.h"
#include "os/linux/heap/preload/preload_asks.h"
#include "os/linux/heap/preload/preload_forked.h"
#include "os/linux/heap/preload/preload_processes.h"
#include "os/linux/heap/preload/preload_unseen.h"
#include "os/linux/heap/preload/preload_library.h"
#include "os/linux/pause/thread_priority.h"
#include "os/os.h"

#define STAGED_MUCH    (256u << 10) /* bytes that are worth a drain */
#define SLEEP_NS       50000 /* while programs write: they make no system call to wake sooth */
#define SLEEP_MAX_NS   2000000
#define SLACK_NS       1000
#define READ_MUCH      (64u << 10)
#define FIRST	       (-20) /* setpriority(2): the highest */
#define UNSEEN_NS      (250 * NS_PER_MS)
#define LOOK_FEW_NS    (5 * NS_PER_MS)
#define FEW	       16
#define LOOK_NS	       (100 * NS_PER_MS)
#define SEGMENTS_MAX   32768
#define MET_MAX	       65536
#define FOLDER	       "sooth-heap-"
#define NEW_SOCKET     "new"
#define FOLDER_BYTES   64
#define PRELOAD_SOCKET "programs"
#define HELLO_MS       500
#define OWNER_US       100
#define FORKED_MAX     65536
#define QUIET_US       1000
#define BACKLOG	       1024

/* --- reading --- */

/* Returns how often to search for ended processes. Few processes are searched more often, because
 * sooth ends with the last of them; few slots are, too. Many slots are for threads that come and
 * go, and no new one waits for a slot. */
static uint64_t search_interval_ns(struct preload_run *s)
{
	return preload_process_count(s) <= FEW || preload_slots_are_few(s) ? LOOK_FEW_NS : LOOK_NS;
}

static bool read_segments(struct preload_run *s)
{
	uint64_t now = clock_monotonic_ns();
	bool has_read;

	atomic_store(&s->page->ticks, preload_ticks());
	atomic_fetch_add(&s->page->heartbeat, 1);
	has_read = preload_read_all(s);
	preload_asks_answer_quick(s);
	if (now - s->looked_ns >= search_interval_ns(s)) {
		s->looked_ns = now;
		preload_look_for_ended(s);
	}
	if (!s->is_elsewhere && !s->execs_are_known && now - s->unseen_ns >= UNSEEN_NS) {
		s->unseen_ns = now;
		preload_unseen_find_programs(s, now);
	}
	return has_read;
}

/* Reads the rings until the end. While this thread holds the mutex, sooth lives: if the thread
 * dies, the kernel marks the mutex. */
static void *read_until_stop(void *argument)
{
	struct preload_run *s = argument;
	struct timespec pause = { .tv_nsec = SLEEP_NS };
	const uint64_t one = 1;

	pthread_mutex_lock((pthread_mutex_t *)(void *)s->page->mutex);
	prctl(PR_SET_TIMERSLACK, SLACK_NS);
	setpriority(PRIO_PROCESS, 0, FIRST); /* programs wait for it; needs privilege */
	while (!s->is_stopping) {
		bool is_much, has_read;
		size_t before;

		pthread_mutex_lock(&s->lock);
		before = s->staged.size;
		has_read = read_segments(s);
		is_much = s->staged.size > STAGED_MUCH || s->has_ended;
		s->has_ended = false;
		before = s->staged.size > before ? s->staged.size - before : 0;
		pthread_mutex_unlock(&s->lock);
		/* If the counter is full, the write fails, but it is readable already. */
		if (is_much && write(s->filled, &one, sizeof(one)) < 0 && errno != EAGAIN)
			break;
		pause.tv_nsec = has_read ? SLEEP_NS : pause.tv_nsec + pause.tv_nsec / 4;
		if (pause.tv_nsec > SLEEP_MAX_NS)
			pause.tv_nsec = SLEEP_MAX_NS;
		if (before < READ_MUCH) /* otherwise the ring may be full again already */
			nanosleep(&pause, NULL);
	}
	pthread_mutex_unlock((pthread_mutex_t *)(void *)s->page->mutex);
	return NULL;
}

/* --- answering --- */

static bool send_welcome(int connection, int page, int segment)
{
	const struct preload_welcome welcome = { .version = PRELOAD_VERSION };

	return !descriptors_send(
		connection, (const int[]){ page, segment }, 2, &welcome, sizeof(welcome), 0);
}

static void note_known_process(struct preload_run *s, uint32_t pid, uint64_t time_ns)
{
	uint64_t *met = map_put(&s->met, &pid, NULL);

	if (met)
		*met = time_ns;
}

uint64_t preload_run_met_ns(struct preload_run *s, uint32_t pid, uint64_t since_ns)
{
	const uint64_t *met;
	uint64_t met_ns;

	pthread_mutex_lock(&s->lock);
	met = map_get(&s->met, &pid);
	met_ns = met && *met >= since_ns ? *met : 0;
	pthread_mutex_unlock(&s->lock);
	return met_ns;
}

bool preload_run_has_met(struct preload_run *s, uint32_t pid, uint64_t since_ns)
{
	return preload_run_met_ns(s, pid, since_ns) != 0;
}

/* Adds the process of a program that connects. NULL: the process cannot be known. */
static struct preload_process *add_program(struct preload_run *s, pid_t pid)
{
	struct preload_process *p;
	uint64_t time_ns = s->os->now_ns(s->os); /* earlier than all records of the program */
	struct process_id id;

	preload_meet_forked(s); /* it may be a forked child that wrote before its exec */
	p = preload_find_pid(s, (uint32_t)pid);
	if (p && (procfs_identify(pid, &id) || memcmp(&id, &p->id, sizeof(id)) != 0)) {
		preload_end_process(s, p); /* another process has that PID now */
		p = NULL;
	}
	if (p) {
		preload_end_program(s, &p->id);
		p = preload_find_pid(s, (uint32_t)pid); /* the list may have moved */
	}
	if (!p)
		p = preload_add_process(s, pid, time_ns, 0);
	if (!p)
		return NULL;
	p->program = ++s->programs;
	p->is_forked = false;
	preload_stacks_map(s->stacks, p->program, &p->id);
	preload_read_name(p);
	preload_emit_exec(s, p, time_ns);
	note_known_process(s, (uint32_t)pid, time_ns);
	s->connected++;
	return p;
}

static void welcome_program(
	struct preload_run *s, int connection, pid_t pid, const struct preload_hello *hello)
{
	struct preload_process *p =
		!preload_is_in_tree(s, (uint32_t)pid) ||
				(s->is_elsewhere && s->is_elsewhere(s->elsewhere_user, pid))
			? NULL
			: add_program(s, pid);
	struct preload_segment *segment;
	struct sooth_error ignored;

	if (!p || preload_segment_count_all(s) == SEGMENTS_MAX)
		return;
	segment = preload_segment_new(&p->id, hello->pid, &ignored);
	if (!segment)
		return;
	segment->program = p->program;
	segment->stacks = s->stacks;
	segment->find = preload_forked_find;
	segment->user = s;
	if (send_welcome(connection, s->memory, segment->fd))
		buffer_append(&s->segments, &segment, sizeof(segment));
	else
		preload_segment_free(segment);
}

/* Admits a program of the command's user or of root that has the token from the command's
 * environment. */
static bool is_admitted(
	const struct preload_run *s, const struct ucred *peer, const struct preload_hello *hello)
{
	return peer->pid > 0 && (!peer->uid || peer->uid == s->uid) &&
	       !memcmp(hello->token, s->token, sizeof(hello->token));
}

static void answer_connection(struct preload_run *s, int connection)
{
	struct timeval timeout = { .tv_usec = HELLO_MS * 1000 };
	struct preload_hello hello;
	struct ucred peer;
	socklen_t size = sizeof(peer);

	setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) ||
		recv(connection, &hello, sizeof(hello), 0) != (ssize_t)sizeof(hello) ||
		hello.version != PRELOAD_VERSION || hello.request != PRELOAD_STARTED ||
		!is_admitted(s, &peer, &hello))
		return;
	pthread_mutex_lock(&s->lock);
	welcome_program(s, connection, peer.pid, &hello);
	pthread_mutex_unlock(&s->lock);
	/* A program sends a second message only if it could not map the memory. */
	if (recv(connection, &hello, sizeof(hello), 0) == (ssize_t)sizeof(hello) &&
		hello.request == PRELOAD_FAILED) {
		pthread_mutex_lock(&s->lock);
		s->failed++;
		pthread_mutex_unlock(&s->lock);
	}
}

/* Answers programs. They wait for the answer, and on a busy host they would give up. */
static void *answer_until_stop(void *argument)
{
	struct preload_run *s = argument;
	struct pollfd waits[] = { { .fd = s->listening, .events = POLLIN },
		{ .fd = s->wake, .events = POLLIN }, { .fd = s->stop, .events = POLLIN } };

	thread_runs_first();
	while (!s->is_stopping) {
		uint64_t ignored;
		int connection;

		if (poll(waits, ARRAY_SIZE(waits), -1) <= 0)
			continue;
		if (waits[1].revents & POLLIN && read(s->wake, &ignored, sizeof(ignored)) > 0)
			while (preload_asks_answer_next(s))
				;
		if (!(waits[0].revents & POLLIN))
			continue;
		connection = accept4(s->listening, NULL, NULL, SOCK_CLOEXEC);
		if (connection < 0)
			continue;
		answer_connection(s, connection);
		close(connection);
	}
	return NULL;
}

/* --- from start to end --- */

static bool nothing_listens(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) &&
	       errno == ECONNREFUSED;
}

/* Removes a folder that sooth made, with its files. */
static void remove_folder(const char *folder)
{
	static const char *const names[] = { PRELOAD_SOCKET, PRELOAD_UNSEEN, NEW_SOCKET };
	char path[PRELOAD_PATH_BYTES];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}

/* Removes the folder of a sooth that was killed: no process listens at its socket. An empty folder
 * is one that is about to be used. */
static void remove_stale(const char *name)
{
	char folder[FOLDER_BYTES], path[PRELOAD_PATH_BYTES];
	struct stat st;

	if (snprintf(folder, sizeof(folder), "/tmp/%s", name) >= (int)sizeof(folder) ||
		lstat(folder, &st) || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		return;
	snprintf(path, sizeof(path), "%s/" PRELOAD_SOCKET, folder);
	if (nothing_listens(path))
		remove_folder(folder);
}

static void remove_all_stale(void)
{
	_cleanup_dir_ DIR *all = opendir("/tmp");
	const struct dirent *entry;

	while (all && (entry = readdir(all))) {
		if (!strncmp(entry->d_name, FOLDER, strlen(FOLDER)))
			remove_stale(entry->d_name);
	}
}

static int make_token(char token[PRELOAD_TOKEN_BYTES + 1], struct sooth_error *err)
{
	uint64_t key[2];

	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return error_errno(err, -errno, "name a socket");
	snprintf(token, PRELOAD_TOKEN_BYTES + 1, "%016" PRIx64 "%016" PRIx64, key[0], key[1]);
	return 0;
}

static int listen_here(struct preload_run *s, struct sooth_error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int status;

	remove_all_stale();
	status = make_token(s->token, err);
	if (status)
		return status;
	snprintf(s->folder, sizeof(s->folder), "/tmp/" FOLDER "XXXXXX");
	if (!mkdtemp(s->folder)) {
		s->folder[0] = '\0';
		return error_errno(err, -errno, "make a folder for a socket in /tmp");
	}
	/* Others may pass the folder but not list it: the command may run as another user. */
	chmod(s->folder, 0711);
	snprintf(s->path, sizeof(s->path), "%s/" PRELOAD_SOCKET, s->folder);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/" NEW_SOCKET, s->folder);
	s->listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->listening < 0 || fchmod(s->listening, 0600) ||
		bind(s->listening, (const struct sockaddr *)&address, sizeof(address)) ||
		chmod(address.sun_path, 0600) || listen(s->listening, BACKLOG) ||
		rename(address.sun_path, s->path)) /* it listens: no other run removes it */
		return error_errno(err, -errno, "listen at %s", s->path);
	return 0;
}

static int make_mutex(struct preload_page *page)
{
	pthread_mutexattr_t attributes;
	int status = pthread_mutexattr_init(&attributes);

	_Static_assert(sizeof(pthread_mutex_t) <= sizeof(page->mutex), "it has room");
	if (status)
		return status;
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	status = pthread_mutex_init((pthread_mutex_t *)(void *)page->mutex, &attributes);
	pthread_mutexattr_destroy(&attributes);
	return status;
}

/* Makes the page. Once it is mapped here, no process can map it for writing or write to it. */
static int make_page(struct preload_run *s, struct sooth_error *err)
{
	void *at;

	s->memory = preload_memory(PRELOAD_PAGE, PRELOAD_MEMORY "-session");
	if (s->memory < 0)
		return error_errno(err, s->memory, "make memory for a session");
	at = mmap(NULL, PRELOAD_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, s->memory, 0);
	if (at == MAP_FAILED)
		return error_errno(err, -errno, "map memory for a session");
	s->page = at;
	if (fcntl(s->memory, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) || make_mutex(s->page))
		return error_errno(err, -errno, "seal memory for a session");
	atomic_store(&s->page->version, PRELOAD_VERSION);
	return 0;
}

int preload_run_open(struct preload_run *s, struct backend_run *run, struct sooth_error *err)
{
	int status;

	s->os = run->os;
	s->streams = run->options.interest & INTEREST_STREAM;
	s->pauses = probe_may_pause(&run->options);
	s->listening = s->stop = s->memory = s->wake = s->marker = -1;
	s->filled = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->filled < 0 || s->wake < 0)
		return error_errno(err, -errno, "make a descriptor to wait for");
	pthread_mutex_init(&s->lock, NULL);
	preload_unseen_init(&s->unseen);
	map_init(&s->met, sizeof(uint32_t), sizeof(uint64_t), MET_MAX);
	map_init(&s->forked, sizeof(uint32_t), sizeof(struct process_id), FORKED_MAX);
	preload_clock_init(&s->clock);
	if (run->options.observer.heap.takes_stacks) {
		s->stacks = preload_stacks_open(&run->options, err);
		if (!s->stacks)
			return -ENOMEM;
	}
	status = make_page(s, err);
	if (!status)
		status = listen_here(s, err);
	if (!status)
		status = preload_unseen_watch(s, err);
	return status;
}

static int start_thread(
	struct preload_run *s, pthread_t *thread, void *(*run)(void *), struct sooth_error *err)
{
	int status = pthread_create(thread, NULL, run, s);

	if (status)
		return error_errno(err, -status, "start a thread that reads allocations");
	s->threads++;
	return 0;
}

static void fill_page(const struct preload_run *s)
{
	atomic_store(&s->page->streams, s->streams);
	atomic_store(&s->page->stacks, s->stacks != NULL);
	atomic_store(&s->page->waits, s->pauses);
	atomic_store(&s->page->second, preload_clock_second(&s->clock));
	atomic_store(&s->page->ticks, preload_ticks());
}

int preload_run_start(struct preload_run *s, struct launch *launch, struct sooth_error *err)
{
	int status;

	s->command = launch->process;
	s->launch = launch;
	s->uid = launch->as_user ? launch->uid : getuid();
	s->filters = preload_filters_own();
	if (s->uid != geteuid() && chown(s->path, s->uid, (gid_t)-1))
		return error_errno(err, -errno, "let the command reach %s", s->path);
	snprintf(launch->preload.variable, sizeof(launch->preload.variable), "%s=%s:%s%c",
		PRELOAD_VARIABLE, s->path, s->token,
		s->filters > PRELOAD_FILTERS_MAX ? '?' : (char)('0' + s->filters));
	/* The command is added now, so that its end is seen even if it never connects. */
	preload_add_process(s, (pid_t)s->command.pid, 0, 0);
	fill_page(s);
	s->stop = eventfd(0, EFD_CLOEXEC);
	if (s->stop < 0)
		return error_errno(err, -errno, "make a descriptor to wait for");
	status = start_thread(s, &s->answerer, answer_until_stop, err);
	if (!status)
		status = start_thread(s, &s->reader, read_until_stop, err);
	while (!status && !atomic_load(&s->page->owner))
		usleep(OWNER_US);
	atomic_store(&s->page->is_on, !status);
	return status;
}

static void emit_staged_records(struct preload_run *s, struct buffer *out)
{
	if (!out->size && !out->limit) {
		struct buffer empty = *out;

		*out = s->staged;
		s->staged = empty;
	} else {
		buffer_append(out, s->staged.data, s->staged.size);
	}
	buffer_reset(&s->staged);
}

void preload_run_drain(struct preload_run *s, struct buffer *out)
{
	uint64_t ignored;

	if (read(s->filled, &ignored, sizeof(ignored)) < 0 && errno != EAGAIN)
		return;
	pthread_mutex_lock(&s->lock);
	/* This comes first: then the records fit that the reader had to leave in the rings. */
	emit_staged_records(s, out);
	read_segments(s);
	emit_staged_records(s, out);
	s->drained_ns = s->complete_ns;
	pthread_mutex_unlock(&s->lock);
}

static void stop_threads(struct preload_run *s)
{
	uint64_t one = 1;

	if (!s->threads)
		return;
	s->is_stopping = true;
	if (write(s->stop, &one, sizeof(one)) < 0)
		return;
	pthread_join(s->answerer, NULL);
	if (s->threads > 1)
		pthread_join(s->reader, NULL);
	s->threads = 0;
}

void preload_run_stop(struct preload_run *s, struct buffer *out)
{
	atomic_store(&s->page->is_on, 0);
	stop_threads(s);
	usleep(QUIET_US); /* for threads in the midst of a record */
	for (size_t i = 0; i < preload_segment_count_all(s); i++)
		preload_read_segment(s, preload_segment_at(s, i));
	preload_look_for_ended(s);
	preload_run_drain_rest(s, out);
}

void preload_run_drain_rest(struct preload_run *s, struct buffer *out)
{
	for (size_t i = 0; i < preload_segment_count_all(s); i++)
		preload_read_segment(s, preload_segment_at(s, i));
	for (size_t i = 0; i < preload_segment_count_all(s); i++)
		preload_count_slots(s, preload_segment_at(s, i));
	emit_staged_records(s, out);
}

void preload_run_close(struct preload_run *s)
{
	if (s->page)
		atomic_store(&s->page->is_on, 0);
	stop_threads(s);
	for (size_t i = 0; i < preload_segment_count_all(s); i++)
		preload_segment_free(preload_segment_at(s, i));
	for (size_t i = 0; i < preload_process_count(s); i++) {
		close(preload_process_at(s, i)->directory);
		close(preload_process_at(s, i)->exit);
	}
	preload_stacks_close(TAKE_PTR(s->stacks));
	preload_unseen_fini(&s->unseen);
	buffer_fini(&s->segments);
	buffer_fini(&s->processes);
	map_fini(&s->met);
	map_fini(&s->forked);
	buffer_fini(&s->asked);
	buffer_fini(&s->staged);
	if (s->page)
		munmap(s->page, PRELOAD_PAGE);
	cleanup_close(&s->memory);
	cleanup_close(&s->stop);
	cleanup_close(&s->filled);
	cleanup_close(&s->wake);
	cleanup_close(&s->listening);
	cleanup_close(&s->marker);
	if (s->folder[0])
		remove_folder(s->folder);
	pthread_mutex_destroy(&s->lock);
}

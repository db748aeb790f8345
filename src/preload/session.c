/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connection to sooth: over a socket, which is closed as soon as the memory is mapped, so that
 * the program has no descriptor that it did not open. A forked child connects when it calls the
 * first function.
 */
#include "preload/preload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "preload/kernel_calls.h"

#define ANSWER_S     2 /* sooth may be stopped */
#define WAIT_NS	     10000000
#define WAITS_MAX    100 /* with no sign of life: sooth is gone */
#define SEGMENTS_MAX 64
#define CONNECT_NS   100000
#define STALE	     20000 /* steps of CONNECT_NS */

/* As the kernel has it. */
struct kernel_time {
	int64_t s, ns;
};

__thread struct thread self __attribute__((tls_model("initial-exec")));

static struct own_page no_page;
struct own_page *own_page = &no_page;
/* Until there is one: sooth is on, so that the page decides. */
static struct preload_session no_session = { .is_on = 1 };
struct preload_session *session = &no_session;

static char socket_path[108]; /* empty: there is no sooth */
static bool has_path, has_started;
static atomic_uint is_probed; /* of this process all calls are, and of its children */
static atomic_uint said;      /* PRELOAD_AROUND_* that sooth knows, and does not see */
static atomic_uint images;    /* numbers given to images, also before a fork */
static unsigned char *segments[SEGMENTS_MAX];
static atomic_uint segment_count;
static int sooth_pid;		 /* 0: in another namespace */
static uint32_t own_pid, parent; /* processes: of this image, and where it was forked */

extern char **environ __attribute__((weak));

/* --- where sooth is --- */

static bool take_path(const char *variable)
{
	static const char name[] = PRELOAD_VARIABLE "=";
	size_t i;

	for (i = 0; i < sizeof(name) - 1; i++) {
		if (variable[i] != name[i])
			return false;
	}
	for (size_t k = 0; k + 1 < sizeof(socket_path) && variable[i + k]; k++)
		socket_path[k] = variable[i + k];
	return true;
}

/* Before the C library is ready its list is empty: then the kernel's copy. */
static void find_in_file(void)
{
	char bytes[4096 + 256];
	size_t kept = 0;
	long fd = KERNEL(openat, AT_FDCWD, "/proc/self/environ", O_RDONLY | O_CLOEXEC, 0, 0, 0);
	long size;
	bool is_start = true;

	while (fd >= 0 && (size = KERNEL(read, fd, bytes + kept, 4096, 0, 0, 0)) > 0) {
		size_t from = 0, end = kept + (size_t)size;

		for (size_t i = 0; i < end; i++) {
			if (bytes[i])
				continue;
			if (is_start && take_path(bytes + from)) {
				KERNEL(close, fd, 0, 0, 0, 0, 0);
				return;
			}
			is_start = true;
			from = i + 1;
		}
		/* A longer variable is none of ours. */
		kept = end - from;
		if (kept > 256) {
			kept = 0;
			is_start = false;
		}
		for (size_t i = 0; i < kept; i++)
			bytes[i] = bytes[from + i];
	}
	if (fd >= 0)
		KERNEL(close, fd, 0, 0, 0, 0, 0);
}

static void find_path(void)
{
	has_path = true;
	if (!&environ || !environ) {
		find_in_file();
		return;
	}
	for (char **variable = environ; *variable; variable++) {
		if (take_path(*variable))
			return;
	}
}

/* --- the connection --- */

static long open_connection(void)
{
	struct kernel_time timeout = { ANSWER_S,
		0 }; /* struct timeval: the same for whole seconds */
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct ucred peer = { 0 };
	unsigned size = sizeof(peer);
	long fd = KERNEL(socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, 0, 0, 0);

	if (fd < 0)
		return fd;
	for (size_t i = 0; i < sizeof(socket_path); i++)
		address.sun_path[i] = socket_path[i];
	KERNEL(setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout), 0);
	KERNEL(setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout), 0);
	if (KERNEL(connect, fd, &address, sizeof(address), 0, 0, 0) < 0) {
		KERNEL(close, fd, 0, 0, 0, 0, 0);
		return -ECONNREFUSED;
	}
	if (KERNEL(getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &peer, &size, 0) >= 0)
		sooth_pid = peer.pid;
	return fd;
}

static bool send_hello(long fd, uint32_t request, int error, uint32_t around)
{
	struct preload_hello hello = { .version = PRELOAD_VERSION,
		.request = request,
		.error = error,
		.parent = parent,
		.around = around };

	return KERNEL(sendto, fd, &hello, sizeof(hello), MSG_NOSIGNAL, 0, 0) == (long)sizeof(hello);
}

static bool receive(long fd, int descriptors[2])
{
	struct preload_welcome welcome = { 0 };
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = { 0 };
	struct iovec piece = { &welcome, sizeof(welcome) };
	struct msghdr message = { .msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	long size = KERNEL(recvmsg, fd, &message, MSG_CMSG_CLOEXEC, 0, 0, 0);

	if (size != (long)sizeof(welcome) || welcome.version != PRELOAD_VERSION ||
		message.msg_controllen < CMSG_LEN(2 * sizeof(int)) ||
		control.head.cmsg_type != SCM_RIGHTS)
		return false;
	__builtin_memcpy(descriptors, CMSG_DATA(&control.head), 2 * sizeof(int));
	return true;
}

static void *map(int fd, size_t size)
{
	long at = KERNEL(mmap, 0, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return at < 0 && at > -4096 ? NULL : (void *)at;
}

static bool map_both(const int descriptors[2])
{
	struct preload_session *new_session = NULL;
	unsigned char *segment = map(descriptors[1], PRELOAD_SEGMENT_BYTES);
	unsigned count = atomic_load(&segment_count);

	if (session == &no_session) {
		new_session = map(descriptors[0], PRELOAD_PAGE);
		if (!new_session)
			return false;
		session = new_session;
	}
	if (!segment)
		return false;
	segments[count] = segment;
	atomic_store(&segment_count, count + 1);
	return true;
}

/* The socket is not in its root directory. A program that starts there cannot say so: it has no
 * page. */
static void note_unconnected(uint32_t request)
{
	if (request == PRELOAD_FORKED && session != &no_session && atomic_load(&session->is_on))
		atomic_fetch_add(&session->unconnected, 1);
}

static bool take_segment(uint32_t request)
{
	int descriptors[2] = { -1, -1 };
	bool is_done = false;
	long fd = open_connection();

	if (fd < 0) {
		note_unconnected(request);
		return false;
	}
	if (send_hello(fd, request, 0, 0) && receive(fd, descriptors)) {
		is_done = map_both(descriptors);
		if (!is_done)
			send_hello(fd, PRELOAD_FAILED, ENOMEM, 0);
		KERNEL(close, descriptors[0], 0, 0, 0, 0, 0);
		KERNEL(close, descriptors[1], 0, 0, 0, 0, 0);
	}
	KERNEL(close, fd, 0, 0, 0, 0, 0);
	return is_done;
}

static void pause_a_little(void)
{
	struct kernel_time step = { 0, CONNECT_NS };

	KERNEL(nanosleep, &step, 0, 0, 0, 0, 0);
}

/* Whether all of the process is probed now. */
static bool wait_for_answer(uint32_t request, uint32_t around)
{
	struct preload_welcome welcome = { 0 };
	long fd = open_connection();

	if (fd < 0)
		return false;
	if (!send_hello(fd, request, 0, around) ||
		KERNEL(recvfrom, fd, &welcome, sizeof(welcome), 0, 0, 0) != (long)sizeof(welcome))
		welcome.is_probed = 0;
	KERNEL(close, fd, 0, 0, 0, 0, 0);
	return welcome.is_probed != 0;
}

void session_tell_code(void)
{
	wait_for_answer(PRELOAD_CODE, 0);
}

static void turn_off(void)
{
	atomic_store(&own_page->image, IMAGE_OFF);
}

/* Calls that have begun are recorded here to their end. */
void session_calls_around(uint32_t around)
{
	/* Each allocator is reported; of what else is probed the rest needs none. */
	uint32_t known = atomic_load(&is_probed) ? PRELOAD_AROUND_ALL : atomic_load(&said);

	if (!(around & (PRELOAD_AROUND_OWN | ~known)))
		return;
	if (wait_for_answer(PRELOAD_AROUND, around)) {
		atomic_store(&is_probed, 1);
		turn_off();
	} else {
		atomic_fetch_or(&said, around);
	}
}

/* A page that a fork's child finds empty. */
static bool make_page(void)
{
	long at = KERNEL(
		mmap, 0, PRELOAD_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at < 0 && at > -4096)
		return false;
	if (KERNEL(madvise, at, PRELOAD_PAGE, MADV_WIPEONFORK, 0, 0, 0) < 0)
		return false;
	own_page = (struct own_page *)at;
	return true;
}

void session_leave_parent(void)
{
	unsigned count = atomic_load(&segment_count);

	if (atomic_load(&own_page->image))
		return;
	for (unsigned i = 0; i < count; i++)
		KERNEL(mmap, segments[i], PRELOAD_SEGMENT_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

static uint32_t connect_image(void)
{
	uint32_t request = has_started ? PRELOAD_FORKED : PRELOAD_STARTED;

	if (!has_path)
		find_path();
	if (!socket_path[0] || atomic_load(&is_probed))
		return IMAGE_OFF;
	has_started = true;
	session_leave_parent();
	atomic_store(&segment_count, 0);
	parent = own_pid;
	own_pid = (uint32_t)KERNEL(getpid, 0, 0, 0, 0, 0, 0);
	if (!take_segment(request))
		return IMAGE_OFF;
	if (request == PRELOAD_STARTED)
		loaded_begin();
	return atomic_fetch_add(&images, 1) + 1;
}

/* Once; false: there is none. */
static bool has_page(void)
{
	static atomic_uint is_making, is_made;
	unsigned none = 0;

	if (atomic_compare_exchange_strong(&is_making, &none, 1)) {
		if (!make_page())
			atomic_store(&no_page.image, IMAGE_OFF);
		atomic_store(&is_made, 1);
	}
	for (int i = 0; i < STALE && !atomic_load(&is_made); i++)
		pause_a_little();
	return own_page != &no_page;
}

static void session_connect(void)
{
	unsigned none = 0;

	if (!has_page())
		return;
	if (atomic_compare_exchange_strong(&own_page->is_connecting, &none, 1)) {
		atomic_store(&own_page->image, connect_image());
		return;
	}
	for (int i = 0; i < STALE && !atomic_load(&own_page->image); i++)
		pause_a_little();
}

/* --- slots --- */

static struct preload_slot *free_slot(uint32_t tid, struct thread *t)
{
	unsigned count = atomic_load(&segment_count);

	for (unsigned i = count; i-- > 0;) {
		for (unsigned k = 0; k < PRELOAD_SLOTS; k++) {
			struct preload_slot *slot = (void *)(segments[i] + PRELOAD_SLOT_AT(k));
			struct thread_memory *own;
			unsigned state = PRELOAD_SLOT_FREE;

			if (atomic_load(&slot->state) != PRELOAD_SLOT_FREE)
				continue;
			slot->begin_ticks = preload_ticks();
			if (!atomic_compare_exchange_strong(
				    &slot->state, &state, PRELOAD_SLOT_TAKEN))
				continue;
			atomic_store(&slot->tid, tid);
			t->ring = (void *)(segments[i] + PRELOAD_RING_AT(k));
			t->sent = (void *)(segments[i] + PRELOAD_SENT_AT(k));
			own = (void *)(segments[i] + PRELOAD_OWN_AT(k));
			t->waiting = own->waiting;
			t->kept = &own->kept;
			t->kept->count = 0;
			return slot;
		}
	}
	return NULL;
}

/* NULL: there is none to be had. */
static struct preload_slot *take_slot(struct thread *t)
{
	static atomic_uint is_growing;
	uint32_t tid = (uint32_t)KERNEL(gettid, 0, 0, 0, 0, 0, 0);
	struct preload_slot *slot = free_slot(tid, t);

	for (int i = 0; !slot && i < STALE; i++) {
		unsigned none = 0, before = atomic_load(&segment_count);
		bool has_grown = true;

		if (before == SEGMENTS_MAX)
			return NULL;
		if (atomic_compare_exchange_strong(&is_growing, &none, 1)) {
			if (atomic_load(&segment_count) == before)
				has_grown = take_segment(PRELOAD_MORE);
			atomic_store(&is_growing, 0);
		} else {
			pause_a_little();
		}
		if (!has_grown)
			return NULL;
		slot = free_slot(tid, t);
	}
	return slot;
}

static void begin_image(struct thread *t, uint32_t image)
{
	t->slot = take_slot(t);
	t->is_left_out = !t->slot;
	t->image = image;
	if (!t->slot)
		return;
	t->head = atomic_load(&t->slot->head);
	t->tail = atomic_load(&t->slot->tail);
	t->stack_from = t->stack_to = 0;
	t->last_ticks = 0; /* the first record has the whole time */
}

/* All segments are in use: what is missing is known. */
static bool leave_out(void)
{
	struct preload_slot *slot = (void *)segments[0];

	atomic_fetch_add(&slot->lost, 1);
	return false;
}

bool thread_begin_slow(struct thread *t)
{
	uint32_t image = atomic_load(&own_page->image);

	if (image == IMAGE_OFF || !atomic_load(&session->is_on))
		return false;
	if (t->image == image && image)
		return t->is_left_out ? leave_out() : true;
	/* A signal handler on top of what is done here. In a forked child it returns there. */
	if (t->is_busy) {
		session_leave_parent();
		return false;
	}
	t->is_busy = true;
	SIGNAL_BARRIER();
	if (!image)
		session_connect();
	image = atomic_load(&own_page->image);
	t->nested = 0;
	if (image && image != IMAGE_OFF)
		begin_image(t, image);
	SIGNAL_BARRIER();
	t->is_busy = false;
	return image && image != IMAGE_OFF && !t->is_left_out;
}

/* A program that makes no call, or has ended before sooth looks at it, is known by this; one that
 * has a malloc of its own calls nothing here. */
__attribute__((constructor)) static void connect_at_start(void)
{
	if ((atomic_load(&real_is_resolved) || real_resolve()) && real.is_first)
		thread_begin(&self);
}

/* --- waiting --- */

void session_wake(void)
{
	if (!atomic_exchange_explicit(&session->is_asleep, 0, memory_order_acq_rel))
		return;
	atomic_fetch_add(&session->wake, 1);
	KERNEL(futex, &session->wake, FUTEX_WAKE, 1, 0, 0, 0);
}

static bool is_gone(void)
{
	return sooth_pid > 0 && KERNEL(kill, sooth_pid, 0, 0, 0, 0, 0) == -ESRCH;
}

void session_wait_for_room(struct thread *t)
{
	unsigned beats = atomic_load(&session->heartbeat), quiet = 0;
	struct kernel_time timeout = { 0, WAIT_NS };

	while (atomic_load(&session->waits) && atomic_load(&session->is_on)) {
		unsigned space = atomic_load(&t->slot->space), now;

		t->tail = atomic_load_explicit(&t->slot->tail, memory_order_acquire);
		if (t->head + PRELOAD_RING_WORDS / 8 - t->tail <= PRELOAD_RING_WORDS)
			return;
		atomic_store(&t->slot->is_waiting, 1);
		session_wake();
		KERNEL(futex, &t->slot->space, FUTEX_WAIT, space, &timeout, 0, 0);
		now = atomic_load(&session->heartbeat);
		quiet = now == beats ? quiet + 1 : 0;
		beats = now;
		if (is_gone() || quiet > WAITS_MAX) {
			turn_off();
			return;
		}
	}
}

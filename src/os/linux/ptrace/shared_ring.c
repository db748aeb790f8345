/* SPDX-License-Identifier: BSD-2-Clause */
/* Ring of records between two processes. */
#include "os/linux/ptrace/shared_ring.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Maps the memory behind the descriptor twice in a row; NULL and errno on failure. */
static unsigned char *map_twice(int memory, size_t size)
{
	unsigned char *data = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (data == MAP_FAILED)
		return NULL;
	for (size_t i = 0; i < 2; i++) {
		if (mmap(data + i * size, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			    memory, 0) == MAP_FAILED) {
			munmap(data, 2 * size);
			return NULL;
		}
	}
	return data;
}

int shared_ring_open(struct shared_ring *r, size_t size, struct sooth_error *err)
{
	_cleanup_close_ int memory = memfd_create("sooth-ring", MFD_CLOEXEC);

	assert(r);
	*r = (struct shared_ring){ .size = size, .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	if (memory >= 0 && r->wake >= 0 && !ftruncate(memory, (off_t)size)) {
		r->state = mmap(NULL, sizeof(*r->state), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (r->state == MAP_FAILED)
			r->state = NULL;
		else
			r->data = map_twice(memory, size);
	}
	if (r->data)
		return 0;
	error_errno(err, -errno, "make a ring of shared memory");
	shared_ring_close(r);
	return err ? err->code : -ENOMEM;
}

void shared_ring_wake(const struct shared_ring *r)
{
	uint64_t one = 1;

	(void)!write(r->wake, &one, sizeof(one));
}

bool shared_ring_put(struct shared_ring *r, const void *data, size_t size, size_t spare)
{
	uint64_t at = r->state->produced;
	uint64_t waiting = at - __atomic_load_n(&r->state->consumed, __ATOMIC_ACQUIRE);

	if (waiting + size + spare > r->size)
		return false;
	memcpy(r->data + (at & (r->size - 1)), data, size);
	__atomic_store_n(&r->state->produced, at + size, __ATOMIC_RELEASE);
	if (waiting < r->size / 4 && waiting + size >= r->size / 4)
		shared_ring_wake(r);
	return true;
}

void shared_ring_read(struct shared_ring *r, struct buffer *out)
{
	uint64_t end = __atomic_load_n(&r->state->produced, __ATOMIC_ACQUIRE), count;
	uint64_t at = r->state->consumed;

	(void)!read(r->wake, &count, sizeof(count));
	buffer_append(out, r->data + (at & (r->size - 1)), end - at);
	__atomic_store_n(&r->state->consumed, end, __ATOMIC_RELEASE);
}

void shared_ring_close(struct shared_ring *r)
{
	assert(r);
	if (r->data)
		munmap(r->data, 2 * r->size);
	if (r->state)
		munmap(r->state, sizeof(*r->state));
	if (r->wake >= 0)
		close(r->wake);
	*r = (struct shared_ring){ .wake = -1 };
}

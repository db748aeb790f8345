/* SPDX-License-Identifier: BSD-2-Clause */
/* Consumer of a BPF ring buffer. */
#include "os/linux/bpf/ring.h"

#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "model/batch.h"
#include <sooth/field.h>

/* include/uapi/linux/bpf.h */
#define RING_BUSY    (1u << 31)
#define RING_DISCARD (1u << 30)
#define RING_HEADER  8

/* Bytes read before the producers see the freed room: each update costs them a cache line. */
#define RELEASE_BYTES (64 << 10)

/* Adds the ring to an epoll. The watch is edge-triggered: with level triggering the ring's own
 * descriptor would be readable while a single byte waits. */
int ring_watch(int map)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int wake = epoll_create1(EPOLL_CLOEXEC);

	if (wake < 0)
		return -errno;
	if (!epoll_ctl(wake, EPOLL_CTL_ADD, map, &event))
		return wake;
	close(wake);
	return -errno;
}

int ring_open(struct ring *r, int map, size_t size, struct sooth_error *err)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *consumer, *producer;
	int wake;

	consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	if (consumer == MAP_FAILED)
		return error_errno(err, -errno, "map the ring's consumer page");
	producer = mmap(NULL, page + 2 * size, PROT_READ, MAP_SHARED, map, (off_t)page);
	if (producer == MAP_FAILED) {
		int code = -errno;

		munmap(consumer, page);
		return error_errno(err, code, "map the ring's data");
	}
	wake = ring_watch(map);
	if (wake < 0) {
		munmap(consumer, page);
		munmap(producer, page + 2 * size);
		return error_errno(err, wake, "wait for the ring");
	}
	*r = (struct ring){ .consumer = consumer,
		.producer = producer,
		.data = (const unsigned char *)producer + page,
		.size = size,
		.page = page,
		.wake = wake };
	return 0;
}

size_t ring_read(struct ring *r, struct buffer *out)
{
	assert(r);
	assert(out);

	unsigned long at = *r->consumer, released = at;
	/* Data produced after this line waits for the next read, or a busy target could keep this
	 * loop running forever. */
	unsigned long end = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
	size_t before = out->size;

	while (at < end) {
		const unsigned char *record = r->data + (at & (r->size - 1));
		uint32_t header =
			__atomic_load_n((const uint32_t *)(const void *)record, __ATOMIC_ACQUIRE);
		uint32_t length = header & ~(RING_BUSY | RING_DISCARD);

		if (header & RING_BUSY)
			break;
		if (!(header & RING_DISCARD)) {
			const struct sooth_record *whole = (const void *)(record + RING_HEADER);

			if (sooth_record_check(whole, length))
				buffer_append(out, whole, record_bytes(whole));
			else
				r->damaged++;
		}
		at += (length + RING_HEADER + 7) & ~7ul;
		if (at - released >= RELEASE_BYTES) {
			released = at;
			__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
		}
	}
	if (at != released)
		__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
	return out->size - before;
}

void ring_forget(int wake)
{
	struct epoll_event event;

	(void)!epoll_wait(wake, &event, 1, 0);
}

void ring_awake(const struct ring *r)
{
	assert(r);
	ring_forget(r->wake);
}

uint64_t ring_produced(const struct ring *r)
{
	return __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
}

uint64_t ring_waiting(const struct ring *r)
{
	unsigned long consumed = __atomic_load_n(r->consumer, __ATOMIC_ACQUIRE);

	return ring_produced(r) - consumed;
}

void ring_close(struct ring *r)
{
	assert(r);
	if (!r->consumer)
		return;
	close(r->wake);
	munmap(r->consumer, r->page);
	munmap((void *)(uintptr_t)r->producer, r->page + 2 * r->size);
	*r = (struct ring){ 0 };
}

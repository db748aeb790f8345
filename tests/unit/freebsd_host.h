/* SPDX-License-Identifier: BSD-2-Clause */
/* A FreeBSD host made of answers of its sysctls, and its structs by hand: the members that
 * sys/user.h says, at its places. */
#ifndef SOOTH_TESTS_FREEBSD_HOST_H
#define SOOTH_TESTS_FREEBSD_HOST_H

#include "bsd_host.h"

#include <errno.h>

#include "os/freebsd/decode/kinfo_proc.h"
#include "os/freebsd/freebsd_source.h"

/* --- a host --- */

#define BOOT_S	    1000000
#define ANSWERS_MAX 64

struct answer {
	int name[5];
	unsigned names;
	const char *by_name;
	const void *data;
	size_t size;
	int status;
};

struct host {
	struct answer answers[ANSWERS_MAX];
	size_t count;
	unsigned grows; /* so often an answer is larger than it was said to be */
	unsigned calls;
	struct freebsd_calls system;
	struct bsd_source source;
	struct os os;
};

static inline int give(struct host *h, const struct answer *a, void *out, size_t *size)
{
	h->calls++;
	if (a->status)
		return a->status;
	if (!out) {
		*size = h->grows ? a->size / 2 : a->size;
		return 0;
	}
	if (h->grows) {
		h->grows--;
		return -ENOMEM;
	}
	if (*size < a->size)
		return -ENOMEM;
	memcpy(out, a->data, a->size);
	*size = a->size;
	return 0;
}

static inline int host_sysctl(
	const struct freebsd_calls *c, const int *name, unsigned names, void *out, size_t *size)
{
	struct host *h = c->user;

	for (size_t i = 0; i < h->count; i++) {
		const struct answer *a = &h->answers[i];

		if (!a->by_name && a->names == names &&
			!memcmp(a->name, name, names * sizeof(*name)))
			return give(h, a, out, size);
	}
	return -ESRCH;
}

static inline int host_sysctl_by_name(
	const struct bsd_sysctl *c, const char *name, void *out, size_t *size)
{
	struct host *h = c->user;

	for (size_t i = 0; i < h->count; i++) {
		if (h->answers[i].by_name && !strcmp(h->answers[i].by_name, name))
			return give(h, &h->answers[i], out, size);
	}
	return -ENOENT;
}

/* Names of answers that are only asked for by number. */
static inline int host_name_of(
	const struct freebsd_calls *c, const char *text, int *name, unsigned *names)
{
	static const struct {
		const char *text;
		int name[4];
		unsigned names;
	} known[] = { { "net.inet.tcp.pcblist", { 4, 2, 6, 11 }, 4 },
		{ "net.local.stream.pcblist", { 4, 1, 1, 1 }, 4 },
		{ "net.inet.udp.pcblist", { 4, 2, 17, 5 }, 4 }, { "kern.lockf", { 1, 39 }, 2 } };

	(void)c;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(text, known[i].text) || *names < known[i].names)
			continue;
		memcpy(name, known[i].name, known[i].names * sizeof(*name));
		*names = known[i].names;
		return 0;
	}
	return -ENOENT;
}

static inline void answer(struct host *h, int what, int pid, const void *data, size_t size)
{
	assert_true(h->count < ANSWERS_MAX);
	h->answers[h->count++] = (struct answer){
		.name = { 1, 14, what, pid }, .names = 4, .data = data, .size = size
	};
}

static inline void answer_name(struct host *h, const char *name, const void *data, size_t size)
{
	h->answers[h->count++] = (struct answer){ .by_name = name, .data = data, .size = size };
}

static inline void host_open(struct host *h)
{
	static const uint32_t page = 4096, cpus = 4;
	static const uint64_t memory = (uint64_t)8 << 30;
	static const int64_t boot[2] = { BOOT_S, 500000 };

	memset(h, 0, sizeof(*h));
	h->system = (struct freebsd_calls){ .sysctl = host_sysctl,
		.by_name = { .read = host_sysctl_by_name, .user = h },
		.name_of = host_name_of,
		.user = h };
	h->source = (struct bsd_source)FREEBSD_SOURCE(&h->system);
	h->os = bsd_test_os("freebsd", freebsd_backends, &h->source);
	answer_name(h, "hw.pagesize", &page, sizeof(page));
	answer_name(h, "hw.ncpu", &cpus, sizeof(cpus));
	answer_name(h, "hw.physmem", &memory, sizeof(memory));
	answer_name(h, "kern.boottime", boot, sizeof(boot));
	answer_name(h, "kern.hostname", "beastie", 8);
	answer_name(h, "kern.ostype", "FreeBSD", 8);
	answer_name(h, "kern.osrelease", "13.4-RELEASE", 13);
	answer_name(h, "hw.machine_arch", "amd64", 6);
}

/* --- structs by hand: the members that sys/user.h says, at its places --- */

struct kinfo {
	unsigned char bytes[KINFO_PROC_SIZE];
};

static inline void put(unsigned char *at, size_t offset, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		at[offset + i] = (unsigned char)(value >> 8 * i);
}

static inline struct kinfo kinfo(uint32_t pid, uint32_t ppid, uint32_t uid, const char *name)
{
	struct kinfo k = { { 0 } };

	put(k.bytes, 0, KINFO_PROC_SIZE, 4);
	put(k.bytes, 72, pid, 4);
	put(k.bytes, 76, ppid, 4);
	put(k.bytes, 80, pid, 4);	 /* pgid */
	put(k.bytes, 84, UINT32_MAX, 4); /* tpgid */
	put(k.bytes, 88, pid, 4);	 /* sid */
	put(k.bytes, 136, 1, 8);	 /* SIGHUP is ignored */
	put(k.bytes, 168, uid, 4);
	put(k.bytes, 256, 100u << 20, 8); /* size */
	put(k.bytes, 264, 2560, 8);	  /* rssize: 10 MiB of pages */
	put(k.bytes, 328, 1500000, 8);	  /* runtime: 1.5 s */
	put(k.bytes, 336, BOOT_S + 60, 8);
	put(k.bytes, 344, 500000, 8); /* start: 60 s after boot */
	put(k.bytes, 388, 3, 1);      /* SSLEEP */
	put(k.bytes, 1080, 8, 8);     /* TDF_SINTR */
	memcpy(k.bytes + 394, "main thread 6789", 16);
	memcpy(k.bytes + 411, "kqread", 6);
	memcpy(k.bytes + 447, name, strlen(name));
	memcpy(k.bytes + 502, "abc", 3);  /* the rest of the name of the thread */
	put(k.bytes, 560, UINT64_MAX, 8); /* NODEV */
	put(k.bytes, 568, UINT32_MAX, 4);
	put(k.bytes, 572, 2, 4);
	put(k.bytes, 596, 3, 4);
	put(k.bytes, 600, 100000 + pid, 4);
	put(k.bytes, 608 + 128, 77, 8);
	return k;
}

/* A record of a descriptor or a mapping: its own length, packed behind its path as the kernel does.
 */
static inline size_t pack(unsigned char *out, size_t fixed, const char *path)
{
	size_t size = (fixed + strlen(path) + 1 + 7) & ~(size_t)7;

	memcpy(out + fixed, path, strlen(path) + 1);
	put(out, 0, size, 4);
	return size;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * User-space probes by links of type uprobe_multi (Linux 6.6): a link for each file of an event
 * and process. cap_bpf and cap_perfmon are enough. The kernel puts breakpoints into that process's
 * memory only and removes them when the link's descriptor closes, for any reason. A child has none
 * until it is attached to.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/map.h"
#include "os/linux/uprobes/links_holder.h"
#include "os/linux/uprobes/prober.h"

#define UPROBE_MULTI_RETURN 1
#define LINKS_MAX	    65536
#define ENDED_MAX	    64 /* closing a link takes the kernel some ms */

/* Places in one file, under one event. */
struct multi_group {
	unsigned event;
	int file; /* its own descriptor */
	int program;
	bool is_return;
	size_t first, count; /* range in `offsets` and `cookies` */
};

struct multi {
	uint32_t type; /* type of the attachment */
	unsigned events;
	struct buffer groups;	     /* struct multi_group */
	struct buffer offsets;	     /* uint64_t */
	struct buffer cookies;	     /* uint64_t */
	struct buffer links;	     /* struct multi_link */
	size_t ended;		     /* number of these whose process has ended */
	struct map attached;	     /* struct multi_key -> nothing */
	struct links_holder *holder; /* has the links; NULL: this process */
};

struct multi_link {
	int fd;		 /* -1: the holder has it */
	uint32_t number; /* there */
	uint32_t pid;	 /* 0: it has ended */
};

struct multi_key {
	uint32_t event;
	uint32_t pid;
};

static int open_type(void **out, uint32_t type, struct sooth_error *err)
{
	struct multi *m = calloc(1, sizeof(*m));

	if (!m)
		return error_no_memory(err);
	m->type = type;
	map_init(&m->attached, sizeof(struct multi_key), 0, LINKS_MAX);
	*out = m;
	return 0;
}

static int multi_open(void **out, const struct log *log, struct sooth_error *err)
{
	(void)log;
	return open_type(out, PROBER_MULTI_ATTACH_TYPE, err);
}

static int session_open(void **out, const struct log *log, struct sooth_error *err)
{
	(void)log;
	return open_type(out, PROBER_SESSION_ATTACH_TYPE, err);
}

static struct multi_group *group_at(const struct multi *m, size_t index)
{
	return &((struct multi_group *)(void *)m->groups.data)[index];
}

static size_t group_count(const struct multi *m)
{
	return m->groups.size / sizeof(struct multi_group);
}

static int add_group(struct multi *m, const struct prober_place *places, size_t count,
	struct multi_group group, struct sooth_error *err)
{
	group.first = m->offsets.size / sizeof(uint64_t);
	group.count = count;
	group.file = fcntl(places[0].file, F_DUPFD_CLOEXEC, 3);
	if (group.file < 0)
		return error_errno(err, -errno, "keep a probed file open");
	for (size_t i = 0; i < count; i++) {
		buffer_append(&m->offsets, &places[i].offset, sizeof(places[i].offset));
		buffer_append(&m->cookies, &places[i].cookie, sizeof(places[i].cookie));
	}
	buffer_append(&m->groups, &group, sizeof(group));
	return buffer_failed(&m->groups) || buffer_failed(&m->offsets) || buffer_failed(&m->cookies)
		       ? error_no_memory(err)
		       : 0;
}

/* Places of one file are adjacent. */
static int multi_define(void *prober, const struct prober_place *places, size_t count,
	bool is_return, int program, unsigned *event, size_t *refused, struct sooth_error *err)
{
	struct multi *m = prober;
	struct multi_group group = {
		.event = m->events, .program = program, .is_return = is_return
	};
	int status = 0;

	if (refused)
		*refused = 0;
	for (size_t i = 0, next; i < count && !status; i = next) {
		next = i + 1;
		while (next < count && places[next].file == places[i].file)
			next++;
		status = add_group(m, places + i, next - i, group, err);
	}
	*event = m->events++;
	return status;
}

/* Attaches a group to a process. Returns 0 or a negative errno; nothing is attached if the holder
 * of the links is gone. */
static int attach_group(struct multi *m, const struct multi_group *g, uint32_t pid)
{
	const struct links_holder_link link = {
		.offsets = (const uint64_t *)(const void *)m->offsets.data + g->first,
		.cookies = (const uint64_t *)(const void *)m->cookies.data + g->first,
		.count = (uint32_t)g->count,
		.type = m->type,
		.flags = g->is_return ? UPROBE_MULTI_RETURN : 0,
		.pid = pid,
		.program = g->program,
		.file = g->file
	};
	struct multi_link kept = { .fd = -1, .pid = pid };
	int64_t status = m->holder ? links_holder_make(m->holder, &link) : links_make(&link);

	if (status == -EPIPE && m->holder)
		return 0;
	if (status < 0)
		return (int)status;
	if (m->holder)
		kept.number = (uint32_t)status;
	else
		kept.fd = (int)status;
	buffer_append(&m->links, &kept, sizeof(kept));
	return 0;
}

static void close_link(struct multi *m, struct multi_link *link)
{
	if (link->fd >= 0)
		cleanup_close(&link->fd);
	else if (m->holder)
		links_holder_close(m->holder, link->number);
	link->fd = -1;
}

static void multi_hold(void *prober, struct links_holder *holder)
{
	((struct multi *)prober)->holder = holder;
}

static int multi_attach(void *prober, unsigned event, pid_t pid, pid_t tid, struct sooth_error *err)
{
	struct multi *m = prober;
	struct multi_key key = { event, (uint32_t)pid };
	bool is_new;

	(void)tid;
	if (!map_put(&m->attached, &key, &is_new))
		return error_no_memory(err);
	for (size_t i = 0; is_new && i < group_count(m); i++) {
		const struct multi_group *g = group_at(m, i);
		int status = g->event == event ? attach_group(m, g, key.pid) : 0;

		if (status)
			return error_errno(err, status,
				"probe functions of process %d by a link of type %s", (int)pid,
				m->type == PROBER_SESSION_ATTACH_TYPE ? "uprobe_session"
								      : "uprobe_multi");
	}
	return buffer_failed(&m->links) ? error_no_memory(err) : is_new;
}

static size_t multi_descriptors(const void *prober)
{
	const struct multi *m = prober;

	return m ? m->links.size / sizeof(struct multi_link) : 0;
}

static void close_ended(struct multi *m)
{
	struct multi_link *links = (void *)m->links.data;
	size_t count = multi_descriptors(m), kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (links[i].pid)
			links[kept++] = links[i];
		else
			close_link(m, &links[i]);
	}
	m->links.size = kept * sizeof(*links);
	m->ended = 0;
}

/* Notes that a process has ended: another process may get its PID soon. */
static void multi_release(void *prober, pid_t pid)
{
	struct multi *m = prober;
	struct multi_link *links = (void *)m->links.data;

	for (uint32_t e = 0; e < m->events; e++)
		map_remove(&m->attached, &(struct multi_key){ e, (uint32_t)pid });
	for (size_t i = multi_descriptors(m); i-- > 0;) {
		if (links[i].pid != (uint32_t)pid)
			continue;
		links[i].pid = 0;
		m->ended++;
	}
	if (m->ended > ENDED_MAX)
		close_ended(m);
}

/* Removes the links, the last ones first, so that entries go before their returns. Links of ended
 * processes slow nothing down. The kernel removes the breakpoints and then waits, for each link. */
static void multi_detach(void *prober)
{
	struct multi *m = prober;
	struct multi_link *links = (void *)m->links.data;

	for (size_t i = multi_descriptors(m); i-- > 0;) {
		if (!links[i].pid)
			continue;
		close_link(m, &links[i]);
	}
}

static void multi_close(void *prober, uint64_t *detach_ns)
{
	uint64_t begin_ns = clock_monotonic_ns();
	struct multi *m = prober;

	if (!m)
		return;
	multi_detach(m);
	close_ended(m);
	for (size_t i = 0; i < group_count(m); i++)
		close(group_at(m, i)->file);
	if (detach_ns)
		*detach_ns = clock_monotonic_ns() - begin_ns;
	buffer_fini(&m->links);
	buffer_fini(&m->groups);
	buffer_fini(&m->offsets);
	buffer_fini(&m->cookies);
	map_fini(&m->attached);
	free(m);
}

const struct prober_type prober_multi = {
	.open = multi_open,
	.define = multi_define,
	.hold = multi_hold,
	.attach = multi_attach,
	.release = multi_release,
	.descriptors = multi_descriptors,
	.detach = multi_detach,
	.close = multi_close,
};

const struct prober_type prober_session = {
	.open = session_open,
	.define = multi_define,
	.hold = multi_hold,
	.attach = multi_attach,
	.release = multi_release,
	.descriptors = multi_descriptors,
	.detach = multi_detach,
	.close = multi_close,
};

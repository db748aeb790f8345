/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/bpf/children_before.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "base/units.h"
#include "os/linux/files/procfs.h"

#define CHILDREN_MAX 1024 /* children that are examined */
#define NAMED_MAX    5

struct child {
	uint32_t pid;
	char name[16];
	uint64_t rss_bytes;
};

struct search {
	struct map followed; /* uint32_t, a PID */
	struct map known;    /* uint32_t, a PID of a child */
	struct buffer found; /* struct child */
};

static bool read_child(struct child *child)
{
	_cleanup_close_ int process = procfs_open((pid_t)child->pid);
	struct buffer bytes = { 0 };
	struct procfs_stat stat;
	bool runs =
		process >= 0 && !procfs_stat_at(process, &stat, &bytes) && !procfs_has_ended(&stat);

	if (runs) {
		snprintf(child->name, sizeof(child->name), "%.*s", (int)stat.name.size,
			(const char *)stat.name.data);
		child->rss_bytes = stat.rss_pages * (uint64_t)sysconf(_SC_PAGESIZE);
	}
	buffer_fini(&bytes);
	return runs;
}

static void add_child(struct search *s, uint32_t pid)
{
	struct child child = { .pid = pid };
	bool is_new;

	/* sooth may be a child of the shell that is its target. */
	if (pid == (uint32_t)getpid() || map_get(&s->followed, &pid) ||
		!map_put(&s->known, &pid, &is_new) || !is_new || !read_child(&child))
		return;
	buffer_append(&s->found, &child, sizeof(child));
}

static void add_children_of(struct search *s, uint32_t pid)
{
	struct buffer children = { 0 };

	procfs_children((pid_t)pid, &children);
	buffer_each (const pid_t, child, &children)
		add_child(s, (uint32_t)*child);
	buffer_fini(&children);
}

static void find_children(struct search *s)
{
	map_for_each_key (&s->followed, const uint32_t *, pid)
		add_children_of(s, *pid);
	for (size_t i = 0; i < s->found.size / sizeof(struct child); i++)
		add_children_of(s, ((const struct child *)(const void *)s->found.data)[i].pid);
}

static int larger_first(const void *a, const void *b)
{
	const struct child *one = a, *other = b;

	return one->rss_bytes > other->rss_bytes ? -1 : one->rss_bytes < other->rss_bytes;
}

static void report_earlier_children(struct backend_run *run, struct child *all, size_t count)
{
	size_t named = count < NAMED_MAX ? count : NAMED_MAX;
	struct buffer what = { 0 }, remedy = { 0 };
	char text[UNITS_SIZE];

	qsort(all, count, sizeof(*all), larger_first);
	buffer_format(&what, "%zu process%s that the target had started before:", count,
		count > 1 ? "es" : "");
	buffer_string(&remedy, "observe them too: -p ");
	for (size_t i = 0; i < named; i++) {
		buffer_format(&what, "%s %s %u (%s)", i ? "," : "", all[i].name, all[i].pid,
			format_bytes(text, all[i].rss_bytes));
		buffer_format(&remedy, "%s%u", i ? "," : "", all[i].pid);
	}
	if (count > named)
		buffer_format(&what, " and %zu more", count - named);
	backend_limit(run, buffer_cstr(&what), "only processes that start from now on are followed",
		buffer_cstr(&remedy));
	buffer_fini(&what);
	buffer_fini(&remedy);
}

void children_before_emit(struct backend_run *run, struct follow *f)
{
	struct buffer list = { 0 };
	struct sooth_error ignored;
	struct search s = { 0 };

	map_init(&s.followed, sizeof(uint32_t), 0, SIZE_MAX);
	map_init(&s.known, sizeof(uint32_t), 0, CHILDREN_MAX);
	if (!follow_list(f, &list, &ignored)) {
		buffer_each (const struct follow_listed, thread, &list)
			map_put(&s.followed, &thread->pid, NULL);
		find_children(&s);
	}
	if (s.found.size)
		report_earlier_children(run, (struct child *)(void *)s.found.data,
			s.found.size / sizeof(struct child));
	buffer_fini(&list);
	buffer_fini(&s.found);
	map_fini(&s.followed);
	map_fini(&s.known);
}

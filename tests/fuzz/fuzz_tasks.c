/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of threads, limits and control groups, and an environment: any bytes, and what
 * is found lies within them. A value of the environment never comes out as a name.
 */
#include <string.h>

#include "fuzz.h"
#include "base/environ.h"
#include "os/linux/files/limits_files.h"
#include "os/linux/files/task_files.h"

static const char *from, *to;

static void check_inside(struct span s)
{
	CHECK(!s.size || (s.data >= from && s.data + s.size <= to));
}

static void threads(const uint8_t *data, size_t size)
{
	struct task_signals signals;
	struct task_stat stat;
	struct task_call call;
	struct task_io io;
	struct span value;
	uint64_t a, b;
	bool is_32_bit;

	if (task_stat_parse(&stat, data, size))
		check_inside(stat.shared.name);
	if (task_call_parse(&call, data, size))
		CHECK(!call.is_running || !call.has_call);
	task_signals_parse(&signals, data, size);
	task_io_parse(&io, data, size);
	task_schedstat_parse(&a, &b, data, size);
	task_auxv_parse(&is_32_bit, data, size);
	if (task_status_find(&value, "SigQ:", data, size))
		check_inside(value);
}

static void limits_of_line(struct span line)
{
	struct group_mount_line mount;
	struct pressure_line pressure;
	struct segment_line segment;
	struct limits_line limit;
	struct group_line group;

	if (limits_line_parse(&limit, line))
		CHECK(limit.name.size && limit.unit < LIMITS_UNITS);
	if (pressure_line_parse(&pressure, line))
		CHECK(pressure.share_10s >= 0 && pressure.share_10s < 101);
	segment_line_parse(&segment, line);
	if (group_line_parse(&group, line)) {
		check_inside(group.path);
		check_inside(group.controllers);
		group_list_has(group.controllers, "memory");
	}
	if (group_mount_parse(&mount, line)) {
		check_inside(mount.root);
		check_inside(mount.point);
		check_inside(mount.options);
	}
}

static void limits(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	uint64_t value;

	while (!cursor_at_end(&c))
		limits_of_line(cursor_line(&c));
	group_value_parse(&value, data, size);
	group_event_parse(&value, "max", data, size);
	group_cpu_parse(&value, data, size);
	group_io_parse(&value, NULL, data, size);
	group_io_parse(&value, "wbps", data, size);
}

static void environment(const uint8_t *data, size_t size, bool is_cut)
{
	struct environ_walk walk = environ_over(data, size, is_cut);
	struct environ_variable v;
	uint64_t all = 0;

	while (environ_next(&walk, &v)) {
		check_inside(v.name);
		CHECK(v.name.size <= ENVIRON_NAME_MAX && v.size_bytes <= size);
		all += v.name.size + v.size_bytes;
		CHECK(all <= size);
		CHECK(v.is_redacted == !v.name.size);
		if (v.is_redacted)
			continue;
		/* Up to the first equals sign, from the begin of an entry. */
		CHECK(!memchr(v.name.data, '=', v.name.size));
		CHECK(v.name.data[v.name.size] == '=');
		CHECK(v.name.data == from || v.name.data[-1] == '\0');
	}
	CHECK(cursor_at_end(&walk.at));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	from = (const char *)data;
	to = from + size;
	threads(data, size);
	limits(data, size);
	environment(data, size, false);
	environment(data, size, true);
	return 0;
}

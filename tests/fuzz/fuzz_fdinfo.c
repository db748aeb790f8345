/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/PID/fdinfo/N and /proc/PID/mountinfo: whatever stands there, no byte outside is read, and
 * what is listed line by line is what was counted. */
#include <string.h>

#include "fuzz.h"
#include "os/linux/fds/fd_kind.h"
#include "os/linux/fds/fdinfo.h"
#include "os/linux/files/mounts.h"
#include "probes/fds.h"

static void check_lists(const struct fdinfo *f, const uint8_t *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	struct fdinfo_member member;
	struct fdinfo_watch watch;
	uint32_t count = 0;

	while (fdinfo_next_member(&c, &member))
		count++;
	CHECK(count <= f->members); /* broken lines are counted and not listed */
	c = cursor_over(data, size);
	for (count = 0; fdinfo_next_watch(&c, &watch); count++) {
		CHECK(watch.handle_bytes <= FDINFO_HANDLE_MAX);
		CHECK(watch.device_minor < 1u << 20);
	}
	CHECK(count <= f->watches);
}

static void check_details(const struct fdinfo *f, const uint8_t *data, size_t size)
{
	struct fd_raw raw = { .path = span_of((const char *)data, size),
		.mode = size ? data[0] << 8 : 0,
		.protocol = span_of((const char *)data, size) };
	struct buffer out = { 0 };

	CHECK(fd_kind(&raw) < FDS_TYPES);
	for (uint8_t type = 0; type < FDS_TYPES; type++)
		fd_detail(&out, type, &raw, f);
	CHECK(!buffer_failed(&out));
	buffer_fini(&out);
}

static void check_mounts(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	struct buffer out = { 0 };
	struct mount_line line;

	while (!cursor_at_end(&c)) {
		if (!mounts_parse(cursor_line(&c), &line))
			continue;
		CHECK(line.point.data >= (const char *)data);
		CHECK(line.point.data + line.point.size <= (const char *)data + size);
		buffer_reset(&out);
		mounts_unescape(&out, line.point);
		CHECK(out.size <= line.point.size);
		mounts_is_safe(line.type);
	}
	buffer_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fdinfo f;

	fdinfo_parse(&f, data, size);
	check_lists(&f, data, size);
	check_details(&f, data, size);
	check_mounts(data, size);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a file whose stacks are walked: its whole table, rules for single places by its
 * index
 * (.eh_frame_hdr), and what it says about its debug file. The index may contradict the section.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "os/linux/profile/debug_file.h"
#include "os/linux/profile/unwind_file.h"
#include "os/linux/profile/unwind_row.h"

#define PLACES 24

static void check_table(const struct unwind_table *t)
{
	const struct unwind_row *rows = (const void *)t->rows.data;
	size_t rules = t->rules.size / sizeof(struct unwind_rule);

	CHECK(rules <= UNWIND_RULES_MAX);
	for (size_t i = 0; i < t->rows.size / sizeof(*rows); i++) {
		CHECK((rows[i].rule & ~UNWIND_IS_ENTRY) < rules);
		CHECK(!i || rows[i - 1].offset < rows[i].offset);
	}
}

static void check_place(struct timeout *timeout, int fd, uint64_t offset)
{
	struct unwind_found found;
	int parser = -1;
	int status = unwind_row_find(timeout, fd, &parser, offset, &found);

	close(parser);
	CHECK(status <= 0);
	CHECK(found.end == PROFILE_WHOLE || found.end == PROFILE_NO_ROW);
	CHECK(!status || found.end == PROFILE_NO_ROW);
	CHECK(!found.has_entry || (found.end == PROFILE_WHOLE && found.entry <= offset));
}

static void check_identity(int fd)
{
	struct debug_identity identity;

	debug_identity_read(fd, &identity);
	CHECK(strnlen(identity.build_id, sizeof(identity.build_id)) < sizeof(identity.build_id));
	CHECK(strnlen(identity.link, sizeof(identity.link)) < sizeof(identity.link));
	CHECK(!strchr(identity.link, '/'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz-unwind", MFD_CLOEXEC);
	struct timeout timeout = { 0 };
	struct unwind_table table = { 0 };
	const struct unwind_row *rows;
	size_t count, step;
	int status;

	CHECK(fd >= 0);
	CHECK(write(fd, data, size) == (ssize_t)size);
	status = unwind_file_read(&timeout, fd, NULL, &table);
	CHECK(status <= 0);
	if (!status) {
		check_table(&table);
		rows = (const void *)table.rows.data;
		count = table.rows.size / sizeof(*rows);
		step = count / PLACES + 1;
		for (size_t i = 0; i < count; i += step)
			check_place(&timeout, fd, rows[i].offset);
		unwind_table_fini(&table);
	}
	check_place(&timeout, fd, 0);
	check_place(&timeout, fd, size / 2);
	check_place(&timeout, fd, UINT64_MAX);
	check_identity(fd);
	timeout_fini(&timeout);
	close(fd);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of smaps and status. */
#include "os/linux/maps/smaps.h"

#include <string.h>

#include "base/cleanup.h"
#include "os/linux/files/maps.h"

#define DELETED	 " (deleted)"
#define KILOBYTE 1024u

struct smaps_line {
	const char *name;
	size_t length; /* length of the name */
	size_t offset;
};

#define OF_MAPPING(name_, member)                                                                  \
	{                                                                                          \
		name_, sizeof(name_) - 1, offsetof(struct maps_mapping, member)                    \
	}

static const struct smaps_line of_mapping[] = {
	OF_MAPPING("Rss", rss_bytes),
	OF_MAPPING("Pss", pss_bytes),
	OF_MAPPING("Shared_Clean", shared_clean_bytes),
	OF_MAPPING("Shared_Dirty", shared_dirty_bytes),
	OF_MAPPING("Private_Clean", private_clean_bytes),
	OF_MAPPING("Private_Dirty", private_dirty_bytes),
	OF_MAPPING("Anonymous", anonymous_bytes),
	OF_MAPPING("AnonHugePages", huge_bytes),
	OF_MAPPING("ShmemPmdMapped", huge_bytes),
	OF_MAPPING("FilePmdMapped", huge_bytes),
	OF_MAPPING("Shared_Hugetlb", huge_bytes),
	OF_MAPPING("Private_Hugetlb", huge_bytes),
	OF_MAPPING("Locked", locked_bytes),
	OF_MAPPING("Swap", swap_bytes),
};

#define OF_PROCESS(name_, member)                                                                  \
	{                                                                                          \
		name_, sizeof(name_) - 1, offsetof(struct maps_process, member)                    \
	}

static const struct smaps_line of_process[] = {
	OF_PROCESS("VmPeak", vsz_peak_bytes),
	OF_PROCESS("VmSize", vsz_bytes),
	OF_PROCESS("VmLck", locked_bytes),
	OF_PROCESS("VmHWM", rss_peak_bytes),
	OF_PROCESS("VmRSS", rss_bytes),
	OF_PROCESS("RssAnon", rss_anonymous_bytes),
	OF_PROCESS("RssFile", rss_file_bytes),
	OF_PROCESS("RssShmem", rss_shared_bytes),
	OF_PROCESS("VmSwap", swap_bytes),
};

/* Reads a number of kilobytes, which is invalid if it overflows 64 bits as bytes. */
static bool kilobytes(struct cursor *c, uint64_t *bytes)
{
	uint64_t value = cursor_decimal(c);

	if (c->failed || value > UINT64_MAX / KILOBYTE)
		return false;
	*bytes = value * KILOBYTE;
	return true;
}

/* Finds the value of a line "Name:     123 kB". */
static const struct smaps_line *find_value(
	const struct smaps_line *lines, size_t count, struct span line, uint64_t *bytes)
{
	const char *colon = memchr(line.data, ':', line.size);
	size_t length = colon ? (size_t)(colon - line.data) : 0;

	for (size_t i = 0; i < count && colon; i++) {
		struct cursor c;

		if (lines[i].length != length || memcmp(lines[i].name, line.data, length))
			continue;
		c = cursor_over(colon + 1, line.size - length - 1);
		return kilobytes(&c, bytes) ? &lines[i] : NULL;
	}
	return NULL;
}

static void parse_flags(struct smaps_mapping *m, struct span flags)
{
	static const struct {
		const char name[3];
		uint8_t flag;
	} known[] = {
		{ "nr", MAPS_NO_RESERVE },
		{ "dc", MAPS_NOT_IN_FORKS },
		{ "wf", MAPS_ZEROED_IN_FORKS },
		{ "hg", MAPS_HUGE_SELECTED },
		{ "nh", MAPS_HUGE_UNWANTED },
		{ "lo", MAPS_LOCKED },
		{ "dd", MAPS_NOT_IN_DUMPS },
		{ "gd", MAPS_GROWS_DOWN },
	};
	struct cursor c = cursor_over(flags.data, flags.size);

	m->has_flags = true;
	while (!cursor_at_end(&c)) {
		struct span word = cursor_word(&c);

		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			m->is.flags |= span_equal(word, known[i].name) ? known[i].flag : 0;
	}
}

void smaps_value(struct smaps_mapping *m, struct span line)
{
	static const char page[] = "KernelPageSize", flags[] = "VmFlags:";
	uint64_t bytes;
	const struct smaps_line *f = find_value(of_mapping, ARRAY_SIZE(of_mapping), line, &bytes);

	if (f) {
		uint64_t *to = (uint64_t *)((char *)&m->is + f->offset);

		/* Several kinds of huge pages are one sum. */
		*to = f->offset == offsetof(struct maps_mapping, huge_bytes) ? *to + bytes : bytes;
		m->has_values |= f == &of_mapping[0];
		return;
	}
	if (span_starts(line, flags))
		parse_flags(m, span_of(line.data + strlen(flags), line.size - strlen(flags)));
	else if (find_value(&(struct smaps_line){ page, sizeof(page) - 1, 0 }, 1, line, &bytes) &&
		 bytes <= UINT32_MAX)
		m->is.page_bytes = (uint32_t)bytes;
}

static uint8_t protection_of(const struct maps_line *line)
{
	return (uint8_t)((line->is_readable ? MAPS_READ : 0) |
			 (line->is_writable ? MAPS_WRITE : 0) |
			 (line->is_executable ? MAPS_EXECUTE : 0) |
			 (line->is_shared ? MAPS_SHARED : 0));
}

bool smaps_begin(struct smaps_mapping *m, struct span line)
{
	struct maps_line first;

	/* Names of values begin with a capital, addresses are lower-case. */
	if ((line.size && line.data[0] >= 'A' && line.data[0] <= 'Z') ||
		!maps_parse(line, &first) || first.to < first.from)
		return false;
	*m = (struct smaps_mapping){ .is = { .from = first.from,
					     .to = first.to,
					     .offset = first.offset,
					     .inode = first.inode,
					     .device_major = first.device_major,
					     .device_minor = first.device_minor,
					     .protection = protection_of(&first) },
		.path = first.path };
	return true;
}

bool smaps_cut_deleted(struct span *path)
{
	if (!span_ends(*path, DELETED) || path->size == strlen(DELETED))
		return false;
	path->size -= strlen(DELETED);
	return true;
}

bool smaps_status(struct maps_process *p, const void *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	bool has_size = false;

	while (!cursor_at_end(&c)) {
		uint64_t bytes;
		const struct smaps_line *f =
			find_value(of_process, ARRAY_SIZE(of_process), cursor_line(&c), &bytes);

		if (!f)
			continue;
		memcpy((char *)p + f->offset, &bytes, sizeof(bytes));
		has_size |= f->offset == offsetof(struct maps_process, vsz_bytes);
	}
	return has_size;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the resident probe. */
#include "probes/resident.h"

#include "model/probe.h"
#include "model/schema.h"

static const char *const cause_texts[RESIDENT_CAUSES] = {
	[RESIDENT_CHANGED] = "changed",
	[RESIDENT_FIRST] = "first",
	[RESIDENT_LAST] = "last",
};
static const struct sooth_names causes = { RESIDENT_CAUSES, cause_texts };

static const char *const member_texts[RESIDENT_MEMBERS] = {
	[RESIDENT_FILE] = "file",
	[RESIDENT_ANONYMOUS] = "anonymous",
	[RESIDENT_SWAP] = "swapped",
	[RESIDENT_SHARED] = "shared",
};
const struct sooth_names resident_member_names = { RESIDENT_MEMBERS, member_texts };

#define BYTES(member, name, help)                                                                  \
	FIELD_NUMBER_AS(resident_level, member, name, help, .unit = SOOTH_UNIT_BYTES)

static const struct sooth_field level_fields[] = {
	FIELD_OF(UNSIGNED, resident_level, record.time_ns, time_ns, "time it was recorded",
		.unit = SOOTH_UNIT_TIME_NS),
	FIELD_NUMBER_AS(resident_level, at_ns, value_time_ns,
		"time of the values; a highest value is recorded once it is known to be one",
		.unit = SOOTH_UNIT_TIME_NS),
	FIELD_PID(resident_level),
	FIELD_TID(resident_level),
	FIELD_OF(ENUM, resident_level, cause, cause,
		"why it was recorded: changed; first or last value of a program", .names = &causes),
	BYTES(bytes[RESIDENT_ANONYMOUS], rss_anonymous_bytes,
		"resident anonymous memory (heap, stacks)"),
	BYTES(bytes[RESIDENT_FILE], rss_file_bytes, "resident pages of mapped files"),
	BYTES(bytes[RESIDENT_SHARED], rss_shared_bytes,
		"resident pages of shared memory and tmpfs"),
	BYTES(bytes[RESIDENT_SWAP], swap_bytes, "swapped anonymous memory"),
	BYTES(peak_bytes, peak_bytes, "highest resident memory of the program so far"),
	BYTES(kernel_peak_bytes, kernel_peak_bytes, "the same, as the kernel noted it (VmHWM)"),
	BYTES(start_peak_bytes, start_peak_bytes, "VmHWM at the first record of the program"),
	BYTES(error_bytes, error_bytes, "bound of the error of each kind"),
	BYTES(kernel_error_bytes, kernel_error_bytes, "bound of the error of VmHWM"),
	BYTES(page_bytes, page_bytes, "size of a page"),
};

RECORD_SCHEMA(resident_level, 120, "resident.level", RESIDENT_LEVEL, EVENT, level_fields);

static const struct sooth_schema *const schemas[] = { &resident_level_schema, NULL };

const struct probe probe_resident = {
	.name = "resident",
	.help = "resident memory by kind at each change, so that no peak is missed",
	.schemas = schemas,
	.offers = INTEREST_STREAM,
};

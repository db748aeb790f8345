/* SPDX-License-Identifier: BSD-2-Clause */
/* Field tables of the view "maps". */
#include "analyze/maps/maps_rows.h"

#include "analyze/maps/map_classes.h"
#include "model/schema.h"

#define FIELD_CLASS(type_, ...)                                                                    \
	{                                                                                          \
		.name = "class", .type = SOOTH_FIELD_ENUM, FIELD_AT(type_, class_),                \
		.names = &map_class_names,                                                         \
		.help = "use of the memory: glibc-heap, thread-stack, file, v8, ...; empty: not "  \
			"recognized",                                                              \
		__VA_ARGS__                                                                        \
	}

#define BYTES(type_, member_, label_, help_, ...)                                                  \
	FIELD_NUMBER(type_, member_, help_, .label = label_, .unit = SOOTH_UNIT_BYTES,             \
		FIELD_STATE_AT(type_, figures_state), ##__VA_ARGS__)

#define RESERVED "anonymous address space without pages: it costs no memory"
#define PSS	 "resident, each shared page divided by the processes that share it"

static const struct sooth_field maps_class_fields[] = {
	FIELD_PID(maps_class_row),
	FIELD_CLASS(maps_class_row, .is_key = true),
	FIELD_NUMBER(maps_class_row, mappings, "number of memory mappings"),
	FIELD_NUMBER(maps_class_row, size_bytes, "size of the address space (virtual memory)",
		.label = "SIZE", .unit = SOOTH_UNIT_BYTES),
	BYTES(maps_class_row, reserved_bytes, "RESERVED", RESERVED),
	BYTES(maps_class_row, rss_bytes, "RSS", "resident"),
	BYTES(maps_class_row, pss_bytes, "PSS", PSS),
	BYTES(maps_class_row, dirty_bytes, "DIRTY", "resident and changed"),
	BYTES(maps_class_row, swap_bytes, "SWAP", "swapped out"),
};

#define HIDDEN(member_, help_)                                                                     \
	FIELD_NUMBER(maps_mapping_row, member_, help_, .unit = SOOTH_UNIT_BYTES,                   \
		FIELD_STATE_AT(maps_mapping_row, figures_state), .is_hidden = true)

static const struct sooth_field maps_mapping_row_fields[] = {
	FIELD_PID(maps_mapping_row),
	FIELD_NUMBER_AS(maps_mapping_row, from, start_address,
		"first address of the memory mapping", .label = "START", .unit = SOOTH_UNIT_HEX,
		.is_key = true),
	FIELD_NUMBER_AS(maps_mapping_row, to, end_address, "first address after the memory mapping",
		.unit = SOOTH_UNIT_HEX, .is_hidden = true),
	FIELD_NUMBER(maps_mapping_row, size_bytes, "size of the address space (virtual memory)",
		.label = "SIZE", .unit = SOOTH_UNIT_BYTES),
	BYTES(maps_mapping_row, rss_bytes, "RSS", "resident"),
	BYTES(maps_mapping_row, pss_bytes, "PSS", PSS),
	BYTES(maps_mapping_row, dirty_bytes, "DIRTY", "resident and changed"),
	BYTES(maps_mapping_row, swap_bytes, "SWAP", "swapped out"),
	{ .name = "protection",
		.label = "PROT",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(maps_mapping_row, protection),
		.names = &maps_protection_names,
		.help = "access: r read, w write, x execute; p private, s shared" },
	FIELD_CLASS(maps_mapping_row),
	FIELD_STRING(maps_mapping_row, path,
		"path of the mapped file, or the kernel's name in brackets", .may_shrink = true,
		FIELD_STATE_AT(maps_mapping_row, path_state)),
	FIELD_TRUTH(maps_mapping_row, is_deleted, "the mapped file was deleted", .is_hidden = true),
	BYTES(maps_mapping_row, reserved_bytes, "RESERVED", RESERVED, .is_hidden = true),
	HIDDEN(shared_clean_bytes, "resident, shared, unchanged"),
	HIDDEN(shared_dirty_bytes, "resident, shared, changed"),
	HIDDEN(private_clean_bytes, "resident, private, unchanged"),
	HIDDEN(private_dirty_bytes, "resident, private, changed"),
	HIDDEN(anonymous_bytes, "resident, anonymous"),
	HIDDEN(huge_bytes, "in huge pages"),
	HIDDEN(locked_bytes, "memory locked against swapping"),
	FIELD_NUMBER(maps_mapping_row, page_bytes, "size of a page of the mapping",
		.unit = SOOTH_UNIT_BYTES, .is_hidden = true,
		FIELD_STATE_AT(maps_mapping_row, page_state)),
	FIELD_NUMBER_AS(maps_mapping_row, flags, flags_mask,
		"flags of the mapping: 1 not reserved, 2 not in forks, 4 zeroed in forks, 8 huge "
		"pages on, 16 huge pages off, 32 locked, 64 not in dumps, 128 grows down",
		.unit = SOOTH_UNIT_HEX, .is_hidden = true,
		FIELD_STATE_AT(maps_mapping_row, flags_state)),
	FIELD_NUMBER(maps_mapping_row, offset, "offset of the mapping in the file",
		.unit = SOOTH_UNIT_HEX, .is_hidden = true),
	FIELD_NUMBER(maps_mapping_row, inode, "inode number of the mapped file; 0: no file",
		.is_hidden = true),
	FIELD_NUMBER(maps_mapping_row, device_major, "major device number of the mapped file",
		.is_hidden = true),
	FIELD_NUMBER(maps_mapping_row, device_minor, "minor device number of the mapped file",
		.is_hidden = true),
};

static const struct sooth_field maps_runtime_fields[] = {
	FIELD_PID(maps_runtime_row),
	{ .name = "runtime",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(maps_runtime_row, runtime),
		.names = &maps_runtime_names,
		.is_key = true,
		.help = "allocator or language runtime found in the process" },
	FIELD_STRING_AS(maps_runtime_row, why, reason, "how the runtime was recognized",
		.may_shrink = true),
};

#define OF_STATUS(member_, help_)                                                                  \
	FIELD_NUMBER(maps_memory_row, member_, help_, .unit = SOOTH_UNIT_BYTES,                    \
		FIELD_STATE_AT(maps_memory_row, status_state))

static const struct sooth_field maps_memory_fields[] = {
	FIELD_PID(maps_memory_row),
	OF_STATUS(vsz_bytes, "size of the address space (virtual memory), mostly reservations"),
	OF_STATUS(vsz_peak_bytes, "largest address space of the process so far"),
	OF_STATUS(rss_bytes, "resident memory of the process, as the kernel counts it"),
	OF_STATUS(rss_peak_bytes, "highest resident memory of the process so far"),
	OF_STATUS(rss_anonymous_bytes, "resident anonymous memory of the process (heap, stacks)"),
	OF_STATUS(rss_file_bytes, "resident pages of mapped files"),
	OF_STATUS(rss_shared_bytes, "resident pages of shared memory and tmpfs"),
	OF_STATUS(swap_bytes, "memory that is swapped out"),
	OF_STATUS(locked_bytes, "memory locked against swapping"),
	FIELD_NUMBER(maps_memory_row, pss_bytes, "sum over the mappings; " PSS,
		.unit = SOOTH_UNIT_BYTES, FIELD_STATE_AT(maps_memory_row, pss_state)),
	FIELD_NUMBER(maps_memory_row, mappings, "number of memory mappings of the process",
		FIELD_STATE_AT(maps_memory_row, mappings_state)),
	FIELD_NUMBER(maps_memory_row, mappings_max,
		"maximum mappings of a process (vm.max_map_count)",
		FIELD_STATE_AT(maps_memory_row, max_state)),
};

ROW_SCHEMA(maps_class, "memory_classes", maps_class_row);
ROW_SCHEMA(maps_mapping_row, "maps", maps_mapping_row);
ROW_SCHEMA(maps_runtime, "map_runtimes", maps_runtime_row);
ROW_SCHEMA(maps_memory, "map_memory", maps_memory_row,
	.line = "{pid}: {rss_bytes} resident (peak {rss_peak_bytes}): {rss_anonymous_bytes} "
		"anonymous, {rss_file_bytes} of files, {rss_shared_bytes} shared; {swap_bytes} "
		"swapped, {locked_bytes} locked\naddress space {vsz_bytes} (peak {vsz_peak_bytes}) "
		"in {mappings} mappings of {mappings_max} allowed");

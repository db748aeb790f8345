/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of the view "maps". */
#ifndef SOOTH_ANALYZE_MAPS_ROWS_H
#define SOOTH_ANALYZE_MAPS_ROWS_H

#include "model/row_list.h"
#include "probes/maps.h"

#define MAPS_CLASS_ROW(F, S)                                                                       \
	F(S, PID)                                                                                  \
	F(S, NAMED, ENUM32, class_, class, ALWAYS,                                                 \
		"use of the memory: glibc-heap, thread-stack, file, v8, ...; empty: not "          \
		"recognized",                                                                      \
		.names = &map_class_names, .is_key = true)                                         \
	F(S, U64, mappings, ALWAYS, "number of memory mappings")                                   \
	F(S, U64, size_bytes, ALWAYS, "size of the address space (virtual memory)",                \
		.label = "SIZE", .unit = SOOTH_UNIT_BYTES)                                         \
	F(S, U64, reserved_bytes, MAYBE(figures_state), RESERVED, .label = "RESERVED",             \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, rss_bytes, WITH(figures_state), "resident", .label = "RSS",                      \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, pss_bytes, WITH(figures_state), PSS, .label = "PSS", .unit = SOOTH_UNIT_BYTES)   \
	F(S, U64, dirty_bytes, WITH(figures_state), "resident and changed", .label = "DIRTY",      \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, swap_bytes, WITH(figures_state), "swapped out", .label = "SWAP",                 \
		.unit = SOOTH_UNIT_BYTES)

struct maps_class_row {
	struct sooth_record record;
	ROW_MEMBERS(MAPS_CLASS_ROW, maps_class_row)
};

#define MAPS_MAPPING_ROW(F, S)                                                                     \
	F(S, PID)                                                                                  \
	F(S, NAMED, U64, from, start_address, ALWAYS, "first address of the memory mapping",       \
		.label = "START", .unit = SOOTH_UNIT_HEX, .is_key = true)                          \
	F(S, NAMED, U64, to, end_address, ALWAYS, "first address after the memory mapping",        \
		.unit = SOOTH_UNIT_HEX, .is_hidden = true)                                         \
	F(S, U64, size_bytes, ALWAYS, "size of the address space (virtual memory)",                \
		.label = "SIZE", .unit = SOOTH_UNIT_BYTES)                                         \
	F(S, U64, rss_bytes, MAYBE(figures_state), "resident", .label = "RSS",                     \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, pss_bytes, WITH(figures_state), PSS, .label = "PSS", .unit = SOOTH_UNIT_BYTES)   \
	F(S, U64, dirty_bytes, WITH(figures_state), "resident and changed", .label = "DIRTY",      \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, swap_bytes, WITH(figures_state), "swapped out", .label = "SWAP",                 \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, ENUM8, protection, ALWAYS, "access: r read, w write, x execute; p private, s shared", \
		.label = "PROT", .names = &maps_protection_names)                                  \
	F(S, NAMED, ENUM8, class_, class, ALWAYS,                                                  \
		"use of the memory: glibc-heap, thread-stack, file, v8, ...; empty: not "          \
		"recognized",                                                                      \
		.names = &map_class_names)                                                         \
	F(S, TEXT, path, MAYBE(path_state),                                                        \
		"path of the mapped file, or the kernel's name in brackets", .may_shrink = true)   \
	F(S, BOOL, is_deleted, ALWAYS, "the mapped file was deleted", .is_hidden = true)           \
	F(S, U64, reserved_bytes, WITH(figures_state), RESERVED, .label = "RESERVED",              \
		.unit = SOOTH_UNIT_BYTES, .is_hidden = true)                                       \
	F(S, U64, shared_clean_bytes, WITH(figures_state), "resident, shared, unchanged",          \
		.unit = SOOTH_UNIT_BYTES, .is_hidden = true)                                       \
	F(S, U64, shared_dirty_bytes, WITH(figures_state), "resident, shared, changed",            \
		.unit = SOOTH_UNIT_BYTES, .is_hidden = true)                                       \
	F(S, U64, private_clean_bytes, WITH(figures_state), "resident, private, unchanged",        \
		.unit = SOOTH_UNIT_BYTES, .is_hidden = true)                                       \
	F(S, U64, private_dirty_bytes, WITH(figures_state), "resident, private, changed",          \
		.unit = SOOTH_UNIT_BYTES, .is_hidden = true)                                       \
	F(S, U64, anonymous_bytes, WITH(figures_state), "resident, anonymous",                     \
		.unit = SOOTH_UNIT_BYTES, .is_hidden = true)                                       \
	F(S, U64, huge_bytes, WITH(figures_state), "in huge pages", .unit = SOOTH_UNIT_BYTES,      \
		.is_hidden = true)                                                                 \
	F(S, U64, locked_bytes, WITH(figures_state), "memory locked against swapping",             \
		.unit = SOOTH_UNIT_BYTES, .is_hidden = true)                                       \
	F(S, U32, page_bytes, MAYBE(page_state), "size of a page of the mapping",                  \
		.unit = SOOTH_UNIT_BYTES, .is_hidden = true)                                       \
	F(S, NAMED, U8, flags, flags_mask, MAYBE(flags_state),                                     \
		"flags of the mapping: 1 not reserved, 2 not in forks, 4 zeroed in forks, 8 huge " \
		"pages on, 16 huge pages off, 32 locked, 64 not in dumps, 128 grows down",         \
		.unit = SOOTH_UNIT_HEX, .is_hidden = true)                                         \
	F(S, U64, offset, ALWAYS, "offset of the mapping in the file", .unit = SOOTH_UNIT_HEX,     \
		.is_hidden = true)                                                                 \
	F(S, U64, inode, ALWAYS, "inode number of the mapped file; 0: no file", .is_hidden = true) \
	F(S, U32, device_major, ALWAYS, "major device number of the mapped file",                  \
		.is_hidden = true)                                                                 \
	F(S, U32, device_minor, ALWAYS, "minor device number of the mapped file", .is_hidden = true)

struct maps_mapping_row {
	struct sooth_record record;
	ROW_MEMBERS(MAPS_MAPPING_ROW, maps_mapping_row)
};

#define MAPS_RUNTIME_ROW(F, S)                                                                     \
	F(S, PID)                                                                                  \
	F(S, ENUM32, runtime, ALWAYS, "allocator or language runtime found in the process",        \
		.names = &maps_runtime_names, .is_key = true)                                      \
	F(S, NAMED, TEXT, why, reason, ALWAYS, "how the runtime was recognized", .may_shrink = true)

struct maps_runtime_row {
	struct sooth_record record;
	ROW_MEMBERS(MAPS_RUNTIME_ROW, maps_runtime_row)
};

#define MAPS_MEMORY_ROW(F, S)                                                                      \
	F(S, PID)                                                                                  \
	F(S, U64, vsz_bytes, MAYBE(status_state),                                                  \
		"size of the address space (virtual memory), mostly reservations",                 \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, vsz_peak_bytes, WITH(status_state),                                              \
		"largest address space of the process so far", .unit = SOOTH_UNIT_BYTES)           \
	F(S, U64, rss_bytes, WITH(status_state),                                                   \
		"resident memory of the process, as the kernel counts it",                         \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, rss_peak_bytes, WITH(status_state),                                              \
		"highest resident memory of the process so far", .unit = SOOTH_UNIT_BYTES)         \
	F(S, U64, rss_anonymous_bytes, WITH(status_state),                                         \
		"resident anonymous memory of the process (heap, stacks)",                         \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, rss_file_bytes, WITH(status_state), "resident pages of mapped files",            \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, rss_shared_bytes, WITH(status_state),                                            \
		"resident pages of shared memory and tmpfs", .unit = SOOTH_UNIT_BYTES)             \
	F(S, U64, swap_bytes, WITH(status_state), "memory that is swapped out",                    \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, locked_bytes, WITH(status_state), "memory locked against swapping",              \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, pss_bytes, MAYBE(pss_state), "sum over the mappings; " PSS,                      \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U32, mappings, MAYBE(mappings_state), "number of memory mappings of the process")     \
	F(S, U32, mappings_max, MAYBE(max_state),                                                  \
		"maximum mappings of a process (vm.max_map_count)")

struct maps_memory_row {
	struct sooth_record record;
	ROW_MEMBERS(MAPS_MEMORY_ROW, maps_memory_row)
};

extern const struct sooth_schema maps_class_schema;
extern const struct sooth_schema maps_mapping_row_schema;
extern const struct sooth_schema maps_runtime_schema;
extern const struct sooth_schema maps_memory_schema;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the maps probe. */
#include "probes/maps.h"

#include "model/probe.h"
#include "model/schema.h"

static const char *const protection_names[] = { "---p", "r--p", "-w-p", "rw-p", "--xp", "r-xp",
	"-wxp", "rwxp", "---s", "r--s", "-w-s", "rw-s", "--xs", "r-xs", "-wxs", "rwxs" };
const struct sooth_names maps_protection_names = { 16, protection_names };

static const char *const runtime_names[MAPS_RUNTIMES] = { "glibc", "musl", "mimalloc", "jemalloc",
	"tcmalloc", "javascriptcore", "v8", "go", "rust", "python", "java" };
const struct sooth_names maps_runtime_names = { MAPS_RUNTIMES, runtime_names };

#define FIGURE(member_, help_)                                                                     \
	FIELD_NUMBER(maps_mapping, member_, help_, .unit = SOOTH_UNIT_BYTES,                       \
		FIELD_STATE_AT(maps_mapping, figures_state))

static const struct sooth_field mapping_fields[] = {
	FIELD_PID(maps_mapping),
	FIELD_NUMBER_AS(maps_mapping, from, start_address, "first address of the memory mapping",
		.unit = SOOTH_UNIT_HEX, .is_key = true),
	FIELD_NUMBER_AS(maps_mapping, to, end_address, "first address after the memory mapping",
		.unit = SOOTH_UNIT_HEX),
	FIELD_NUMBER(
		maps_mapping, offset, "offset of the mapping in the file", .unit = SOOTH_UNIT_HEX),
	FIELD_NUMBER(maps_mapping, inode, "inode number of the mapped file; 0: no file"),
	FIELD_NUMBER(maps_mapping, device_major, "major device number of the mapped file"),
	FIELD_NUMBER(maps_mapping, device_minor, "minor device number of the mapped file"),
	FIGURE(rss_bytes, "resident"),
	FIGURE(pss_bytes, "resident, each shared page divided by the processes that share it"),
	FIGURE(shared_clean_bytes, "resident, shared, unchanged"),
	FIGURE(shared_dirty_bytes, "resident, shared, changed"),
	FIGURE(private_clean_bytes, "resident, private, unchanged"),
	FIGURE(private_dirty_bytes, "resident, private, changed"),
	FIGURE(anonymous_bytes, "resident, anonymous"),
	FIGURE(huge_bytes, "in huge pages"),
	FIGURE(locked_bytes, "locked in memory"),
	FIGURE(swap_bytes, "swapped out"),
	FIELD_NUMBER(maps_mapping, page_bytes, "size of a page of the mapping; 0: unknown",
		.unit = SOOTH_UNIT_BYTES),
	FIELD_OF(ENUM, maps_mapping, protection, protection,
		"access: r read, w write, x execute; p private, s shared",
		.names = &maps_protection_names),
	FIELD_AS_WITH(UNSIGNED, maps_mapping, flags, flags_mask, flags_state,
		"flags of the mapping: 1 not reserved, 2 not in forks, 4 zeroed in forks, 8 huge "
		"pages on, 16 huge pages off, 32 locked, 64 not in dumps, 128 grows down",
		.unit = SOOTH_UNIT_HEX),
	FIELD_TRUTH(maps_mapping, is_deleted, "the mapped file was deleted"),
	FIELD_WITH(TEXT, maps_mapping, path, path_state,
		"path of the mapped file, or the kernel's name in brackets"),
};

static const struct sooth_field stack_fields[] = {
	FIELD_PID(maps_stack),
	FIELD_TID(maps_stack),
	FIELD_NUMBER(maps_stack, address, "memory address in the thread's stack",
		.unit = SOOTH_UNIT_HEX),
	FIELD_TRUTH(maps_stack, is_thread_area,
		"the address is the thread area, not the stack pointer"),
};

static const struct sooth_field runtime_fields[] = {
	FIELD_PID(maps_runtime_found),
	FIELD_OF(ENUM, maps_runtime_found, runtime, runtime,
		"allocator or language runtime found in the process", .names = &maps_runtime_names),
	FIELD_STRING_AS(maps_runtime_found, why, reason, "how the runtime was recognized"),
};

#define OF_STATUS(member_, help_)                                                                  \
	FIELD_NUMBER(maps_process, member_, help_, .unit = SOOTH_UNIT_BYTES,                       \
		FIELD_STATE_AT(maps_process, status_state))

static const struct sooth_field process_fields[] = {
	FIELD_PID(maps_process),
	OF_STATUS(vsz_bytes, "size of the address space (virtual memory), mostly reservations"),
	OF_STATUS(vsz_peak_bytes, "largest address space of the process so far"),
	OF_STATUS(rss_bytes, "resident memory of the process, as the kernel counts it"),
	OF_STATUS(rss_peak_bytes, "highest resident memory of the process so far"),
	OF_STATUS(rss_anonymous_bytes, "resident anonymous memory of the process (heap, stacks)"),
	OF_STATUS(rss_file_bytes, "resident pages of mapped files"),
	OF_STATUS(rss_shared_bytes, "resident pages of shared memory and tmpfs"),
	OF_STATUS(swap_bytes, "memory that is swapped out"),
	OF_STATUS(locked_bytes, "memory locked against swapping"),
	FIELD_WITH(UNSIGNED, maps_process, mappings, mappings_state,
		"number of memory mappings listed"),
	FIELD_WITH(UNSIGNED, maps_process, mappings_max, max_state,
		"maximum mappings of a process (vm.max_map_count)"),
};

static const struct sooth_field managed_heap_fields[] = {
	FIELD_PID(maps_managed_heap),
	FIELD_NUMBER(maps_managed_heap, old_bytes,
		"memory used in the old generation of the Java heap after its last collection",
		.unit = SOOTH_UNIT_BYTES),
	FIELD_NUMBER(maps_managed_heap, old_capacity_bytes,
		"present size of the old generation of the Java heap", .unit = SOOTH_UNIT_BYTES),
	FIELD_NUMBER(maps_managed_heap, collections,
		"collections of the young generation since the JVM started"),
	FIELD_NUMBER(maps_managed_heap, full_collections,
		"full collections, or of the old generation, since the JVM started"),
};

#define SAMPLE_SCHEMA(id, struct_, name_, kind_)                                                   \
	static const struct sooth_schema id##_schema = { .name = name_,                            \
		.kind = kind_,                                                                     \
		.class_ = SOOTH_CLASS_SAMPLE,                                                      \
		.fixed_size = sizeof(struct struct_),                                              \
		SCHEMA_FIELDS(id##_fields) }

SAMPLE_SCHEMA(mapping, maps_mapping, "maps.mapping", MAPS_MAPPING);
SAMPLE_SCHEMA(stack, maps_stack, "maps.stack", MAPS_STACK);
SAMPLE_SCHEMA(runtime, maps_runtime_found, "maps.runtime", MAPS_RUNTIME);
SAMPLE_SCHEMA(managed_heap, maps_managed_heap, "maps.java_heap", MAPS_MANAGED_HEAP);
SAMPLE_SCHEMA(process, maps_process, "maps.process", MAPS_PROCESS);

static const struct sooth_schema *const schemas[] = { &mapping_schema, &stack_schema,
	&runtime_schema, &managed_heap_schema, &process_schema, NULL };

const struct probe probe_maps = {
	.name = "maps",
	.help = "memory mappings of processes: address, file, resident size, use",
	.offers = INTEREST_SAMPLE | INTEREST_DETAIL | INTEREST_BRIEF,
	.schemas = schemas,
};

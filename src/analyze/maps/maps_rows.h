/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of the view "maps". */
#ifndef SOOTH_ANALYZE_MAPS_ROWS_H
#define SOOTH_ANALYZE_MAPS_ROWS_H

#include "model/field.h"
#include "probes/maps.h"

struct maps_class_row {
	struct sooth_record record;
	uint64_t mappings;
	uint64_t size_bytes;
	uint64_t reserved_bytes;
	uint64_t rss_bytes;
	uint64_t pss_bytes;
	uint64_t dirty_bytes;
	uint64_t swap_bytes;
	uint32_t class_;
	uint8_t figures_state;
	uint8_t unused[3];
};

struct maps_mapping_row {
	struct sooth_record record;
	uint64_t from, to, offset, inode;
	uint64_t size_bytes, reserved_bytes;
	uint64_t rss_bytes, pss_bytes, dirty_bytes, swap_bytes;
	uint64_t shared_clean_bytes, shared_dirty_bytes, private_clean_bytes, private_dirty_bytes;
	uint64_t anonymous_bytes, huge_bytes, locked_bytes;
	uint32_t device_major, device_minor;
	uint32_t page_bytes;
	uint8_t class_, protection, is_deleted, flags;
	uint8_t figures_state, path_state, flags_state, page_state;
	uint8_t unused[4];
	struct sooth_text path;
};

struct maps_runtime_row {
	struct sooth_record record;
	uint32_t runtime;
	uint32_t unused;
	struct sooth_text why;
};

struct maps_memory_row {
	struct sooth_record record;
	uint64_t vsz_bytes, vsz_peak_bytes;
	uint64_t rss_bytes, rss_peak_bytes;
	uint64_t rss_anonymous_bytes, rss_file_bytes, rss_shared_bytes;
	uint64_t swap_bytes, locked_bytes;
	uint64_t pss_bytes; /* sum over the mappings */
	uint32_t mappings, mappings_max;
	uint8_t status_state, pss_state, mappings_state, max_state;
	uint8_t unused[4];
};

extern const struct sooth_schema maps_class_schema;
extern const struct sooth_schema maps_mapping_row_schema;
extern const struct sooth_schema maps_runtime_schema;
extern const struct sooth_schema maps_memory_schema;

#endif

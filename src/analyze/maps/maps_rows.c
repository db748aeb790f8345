/* SPDX-License-Identifier: BSD-2-Clause */
/* Field tables of the view "maps". */
#include "analyze/maps/maps_rows.h"

#include "analyze/maps/map_classes.h"
#include "model/schema.h"

#define RESERVED "anonymous address space without pages: it costs no memory"
#define PSS	 "resident, each shared page divided by the processes that share it"

ROW_FIELDS(maps_class_fields, MAPS_CLASS_ROW, maps_class_row);

ROW_FIELDS(maps_mapping_row_fields, MAPS_MAPPING_ROW, maps_mapping_row);

ROW_FIELDS(maps_runtime_fields, MAPS_RUNTIME_ROW, maps_runtime_row);

ROW_FIELDS(maps_memory_fields, MAPS_MEMORY_ROW, maps_memory_row);

ROW_SCHEMA(maps_class, "memory_classes", maps_class_row);
ROW_SCHEMA(maps_mapping_row, "maps", maps_mapping_row);
ROW_SCHEMA(maps_runtime, "map_runtimes", maps_runtime_row);
ROW_SCHEMA(maps_memory, "map_memory", maps_memory_row,
	.line = "{pid}: {rss_bytes} resident (peak {rss_peak_bytes}): {rss_anonymous_bytes} "
		"anonymous, {rss_file_bytes} of files, {rss_shared_bytes} shared; {swap_bytes} "
		"swapped, {locked_bytes} locked\naddress space {vsz_bytes} (peak {vsz_peak_bytes}) "
		"in {mappings mapping} of {mappings_max} allowed");

/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of the view "heap-table". */
#ifndef SOOTH_ANALYZE_HEAP_ROWS_H
#define SOOTH_ANALYZE_HEAP_ROWS_H

#include "model/field.h"
#include "probes/heap.h"

struct heap_totals_row {
	struct sooth_record record;
	uint64_t events;
	uint64_t failed;
	uint64_t overflows;
	uint64_t unfinished;
	uint64_t allocated_bytes;
	uint64_t freed_bytes;
	uint64_t live_bytes;
	uint64_t live_blocks;
	uint64_t peak_bytes;
	uint64_t peak_after_ns;
	uint64_t frees_unknown;
	uint64_t frees_inherited;
	uint64_t frees_from_before;
	uint64_t replaced_blocks;
	uint64_t exec_blocks;
	uint64_t exec_bytes;
	uint64_t lost;
	uint64_t processes;
	double rate_per_s;
	uint8_t measured_state; /* of values from aggregates */
	uint8_t live_state;	/* of values from single calls */
	uint8_t inexact_state;
	uint8_t rate_state;
	uint8_t unfinished_state; /* single calls do not give it */
	uint8_t unused[3];
	struct sooth_text inexact;
};

struct heap_type_row {
	struct sooth_record record;
	uint64_t count;
	uint64_t failed;
	uint64_t overflows;
	uint64_t unfinished;
	uint64_t bytes;
	uint64_t mean_bytes;
	uint64_t total_ns;
	uint64_t mean_ns;
	uint64_t max_ns;
	uint32_t function;
	uint8_t bytes_state; /* absent: free */
	uint8_t mean_bytes_state;
	uint8_t time_state;
	uint8_t mean_ns_state;
	uint8_t unfinished_state;
	uint8_t unused[7];
};

struct heap_size_row {
	struct sooth_record record;
	uint64_t from_bytes;
	uint64_t below_bytes;
	uint64_t count;
	double share_percent;
	uint8_t below_state;
	uint8_t unused[7];
};

struct heap_process_row {
	struct sooth_record record;
	uint64_t events;
	uint64_t allocated_bytes;
	uint64_t live_bytes;
	uint64_t live_blocks;
	uint64_t peak_bytes;
	uint8_t live_state;
	uint8_t name_state;
	uint8_t has_left;
	uint8_t unused[5];
	char name[16];
};

struct heap_gap_row {
	struct sooth_record record;
	uint64_t unseen_ns;
	struct sooth_text path;
};

struct heap_site_row {
	struct sooth_record record;
	uint64_t offset;
	uint32_t function;
	uint8_t has_return;
	uint8_t is_single_stepped;
	uint8_t unused[2];
	struct sooth_text path;
	struct sooth_text why;
};

struct heap_probes_row {
	struct sooth_record record;
	uint64_t sites;
	uint64_t files;
	uint64_t single_stepped;
	uint64_t attach_ns;
	uint64_t forgotten_ns;
	uint8_t cost_state;
	uint8_t unused[7];
};

extern const struct sooth_schema heap_totals_schema;
extern const struct sooth_schema heap_type_schema;
extern const struct sooth_schema heap_size_schema;
extern const struct sooth_schema heap_process_schema;
extern const struct sooth_schema heap_gap_schema;
extern const struct sooth_schema heap_site_schema;
extern const struct sooth_schema heap_probes_schema;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two reports side by side. Each side is what a report emitted to its sinks: rows of any schema,
 * unchanged. The field tables (schemas) determine what is compared, and how a row is found on the
 * other side. A difference counts if it is beyond noise:
 *
 *   - a count over the run (SOOTH_MERGE_SUM) is compared per second; the noise of a number of
 *     events is three times the square root of the count (Poisson);
 *   - any other value must differ by a share of the larger one and by a least amount of its unit;
 *   - a maximum (SOOTH_MERGE_MAX) must differ by a factor of two.
 *
 * A row is known by its process and its key. A process is the same if both sides saw it; else it is
 * known by agent, role and project, else by its name; several with one name are numbered. Values of
 * a single process and moment (pids, inodes, addresses, states, positions) are not compared.
 */
#pragma once

#include "base/map.h"
#include "explain/output.h"

#define COMPARISON_TABLES_MAX 128

struct comparison_table {
	char name[64]; /* name of the section; for findings, which stand in the list of processes,
			* of the schema */
	const struct sooth_schema *schema;
	struct buffer rows;
};

/* The rows of a report; zeroed is valid. */
struct comparison_side {
	const char *file; /* borrowed */
	struct comparison_table tables[COMPARISON_TABLES_MAX];
	size_t table_count;
	struct comparison_table *filling; /* NULL: rows are ignored */
	uint64_t bytes;
	uint64_t refused; /* rows beyond the bound */
	/* about the recording */
	uint64_t begin_ns, end_ns;
	uint64_t last_ns; /* time of the last record, the end of a truncated capture */
	uint64_t lost;	  /* lost records */
	bool has_losses;  /* anything was lost */
	bool is_part;	  /* only a time range of the run (next line) was read */
	uint64_t time_range_from_ns, time_range_to_ns, time_range_whole_ns, time_range_left_out;
	char boot_id[64], hostname[64], version[64];
	bool has_processes;   /* the probe "proc" was recorded */
	struct buffer probes; /* "proc, threads" */
};

/* A sink; `user` of its options is the side. */
extern const struct sink_type comparison_sink;
/* Adds a row, as a sooth_record_handler; `user` is the side. */
int comparison_add_row(
	void *user, const struct sooth_schema *schema, const struct sooth_record *record);
void comparison_side_fini(struct comparison_side *side);
/* Returns the length of the run, as far as the capture has it; 0: the run never started. */
uint64_t comparison_side_ns(const struct comparison_side *side);

struct comparison_reported {
	uint64_t changed, appeared, vanished, within_noise;
};

/* Emits the sections of the comparison. Differences up to `share` of the larger value are noise. */
int comparison_emit(struct output *output, const struct comparison_side *a,
	const struct comparison_side *b, double share, struct comparison_reported *reported,
	struct sooth_error *err);

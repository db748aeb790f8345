/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of the view "limits". One column has values of different units: text output shows the
 * texts, programs read the numbers beside them.
 */
#ifndef SOOTH_ANALYZE_LIMITS_ROWS_H
#define SOOTH_ANALYZE_LIMITS_ROWS_H

#include "model/field.h"
#include "probes/limits.h"

struct limits_row {
	struct sooth_record record;
	uint64_t used, soft, hard;
	double percent;
	uint32_t unit;
	uint8_t used_state, soft_state, hard_state, percent_state;
	struct sooth_text name, used_text, soft_limit_text, hard_limit_text;
};

struct limits_group_row {
	struct sooth_record record;
	uint64_t used, limit, peak, reached, kills;
	double percent;
	uint32_t unit, version;
	uint8_t used_state, limit_state, peak_state, reached_state, kills_state, percent_state;
	uint8_t is_inherited;
	uint8_t unused;
	struct sooth_text name, path, used_text, limit_text, peak_text;
};

struct limits_pressure_row {
	struct sooth_record record;
	double some_10s, some_60s, some_300s;
	double full_10s, full_60s, full_300s;
	uint8_t full_state;
	uint8_t is_host;
	uint8_t path_state;
	uint8_t unused[5];
	struct sooth_text resource, path;
};

struct limits_oom_row {
	struct sooth_record record;
	int64_t oom_score, oom_score_adjustment;
	uint64_t memory_available_bytes, memory_bytes;
	uint8_t oom_state, memory_state;
	uint8_t unused[6];
};

extern const struct sooth_schema limits_row_schema;
extern const struct sooth_schema limits_group_row_schema;
extern const struct sooth_schema limits_pressure_row_schema;
extern const struct sooth_schema limits_oom_row_schema;

#endif

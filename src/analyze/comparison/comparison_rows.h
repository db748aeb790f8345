/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of a comparison. */
#ifndef SOOTH_ANALYZE_COMPARISON_ROWS_H
#define SOOTH_ANALYZE_COMPARISON_ROWS_H

#include "model/field.h"

enum change_kind { CHANGE_CHANGED, CHANGE_APPEARED, CHANGE_VANISHED, CHANGES };

struct change_row {
	struct sooth_record record;
	double before_value, after_value, noise, percent;
	uint8_t kind; /* enum change_kind */
	uint8_t is_rate;
	uint8_t field_state, before_state, after_state;
	uint8_t value_state; /* of before_value, after_value, noise: absent for texts */
	uint8_t percent_state;
	uint8_t difference_state;
	struct sooth_text table, row, field, before, after, difference, unit;
};

/* One of the two captures. */
struct compared_side_row {
	struct sooth_record record;
	uint64_t interval_ns, lost, refused;
	uint8_t observed_state;
	uint8_t has_losses;
	uint8_t unused[6];
	struct sooth_text side, file, hostname, version, probes;
};

/* The compared time range, if one was requested. */
struct compared_part_row {
	struct sooth_record record;
	uint64_t from_ns, to_ns, whole_ns, left_out;
	struct sooth_text side;
};

/* A table that only one capture has. */
struct one_sided_row {
	struct sooth_record record;
	struct sooth_text table, side, reason;
};

struct comparison_row {
	struct sooth_record record;
	uint64_t rows, changed, appeared, vanished, within_noise, not_measured, incomparable;
	double noise_percent;
	struct sooth_text words, rule;
};

extern const struct sooth_schema change_schema, compared_side_schema, compared_part_schema,
	one_sided_schema, comparison_schema;

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* An expression as nodes: what its parser makes, and what is evaluated. */
#ifndef SOOTH_MODEL_FILTER_NODES_H
#define SOOTH_MODEL_FILTER_NODES_H

#include <regex.h>

#include "model/filter.h"

#define NODES_MAX 128
#define DEPTH_MAX 32
#define WORD_MAX  256

enum node_kind { NODE_OR, NODE_AND, NODE_NOT, NODE_COMPARE };
enum comparison {
	COMPARE_TRUE,
	COMPARE_EQ,
	COMPARE_NE,
	COMPARE_LT,
	COMPARE_LE,
	COMPARE_GT,
	COMPARE_GE,
	COMPARE_MATCH,
	COMPARE_NO_MATCH
};

struct node {
	enum node_kind kind;
	size_t a, b;
	enum comparison how;
	char field[64];
	char value[WORD_MAX];
	bool has_regex;
	regex_t regex;
	/* Of the schema at hand: */
	const struct sooth_schema *schema;
	const struct sooth_field *known;
	bool is_number;
	double number;
};

struct filter {
	struct node nodes[NODES_MAX];
	size_t count;
	size_t root;
	struct buffer text; /* of a field, while it is compared */
};

#endif

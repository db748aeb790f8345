/* SPDX-License-Identifier: BSD-2-Clause */
/* The frames of a flamegraph as its sink received them, and where they are drawn. */
#ifndef SOOTH_SINKS_FLAMEGRAPH_TREE_H
#define SOOTH_SINKS_FLAMEGRAPH_TREE_H

#include "base/names.h"
#include "explain/sink.h"
#include "sinks/svg.h"

#define FLAMEGRAPH_FRAMES_MAX (1u << 20)
#define FLAMEGRAPH_DEPTH_MAX  512
#define FLAMEGRAPH_DATA_MAX   (3u << 20) /* bytes of the file that frames may take */
#define FLAMEGRAPH_BOXES_MAX  8000	 /* that are drawn for who runs no scripts */
#define FLAMEGRAPH_NONE	      UINT32_MAX

struct flamegraph_frame {
	uint64_t value, before, after;
	uint64_t from;	 /* where it begins, in the same measure */
	uint32_t parent; /* FLAMEGRAPH_NONE: none */
	uint32_t name;	 /* number */
	uint16_t depth;
	uint8_t kind;
	bool differs, is_kept, is_boxed;
};

struct flamegraph_tree {
	struct names names;  /* as they came */
	struct names plain;  /* as they are shown; each of the first is one of them */
	struct buffer shown; /* uint32_t: which, by number */
	struct buffer scratch;
	struct buffer frames; /* struct flamegraph_frame, each before what is below it */
	uint32_t above[FLAMEGRAPH_DEPTH_MAX];
	size_t depth; /* of the last frame, and one */
	uint64_t total, total_before, total_after;
	bool differs;	  /* any of the first frames */
	uint64_t refused; /* rows that found no room */
	/* After flamegraph_tree_lay_out(): */
	size_t kept, levels;
	uint64_t left_out, left_out_value, left_out_widest;
};

struct flamegraph_fields {
	const struct sooth_field *name, *depth, *weight, *kind, *before, *after, *differs;
};

/* False: rows of that section are no frames. */
bool flamegraph_fields_find(struct flamegraph_fields *f, const struct section *section);

void flamegraph_tree_init(struct flamegraph_tree *t);
void flamegraph_tree_fini(struct flamegraph_tree *t);
void flamegraph_tree_add(struct flamegraph_tree *t, const struct flamegraph_fields *fields,
	const struct sooth_record *row);
size_t flamegraph_tree_count(const struct flamegraph_tree *t);
struct flamegraph_frame *flamegraph_tree_frame(const struct flamegraph_tree *t, size_t number);
/* Chooses the widest frames that the file has room for, and says where each begins. False: no
 * memory. */
bool flamegraph_tree_lay_out(struct flamegraph_tree *t, double least_share);

#endif

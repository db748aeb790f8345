/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view malloc-heaps. */
#pragma once

/* A report has the view twice: fragmentation comes first, a heap in use behind other answers. */
enum malloc_heaps_place {
	MALLOC_HEAPS_ALWAYS,
	MALLOC_HEAPS_FIRST,  /* nothing, unless a heap is fragmented */
	MALLOC_HEAPS_BEHIND, /* the reverse */
};

struct malloc_heaps_options {
	enum malloc_heaps_place place;
};

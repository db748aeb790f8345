/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the resident program and its loader. */
#pragma once

#include "probes/resident.h"

#define RESIDENT_CPUS_MOST   64	  /* with more, counts that the CPUs hold are left out */
#define RESIDENT_SPACES_MOST 8192 /* address spaces */

/* Set before the programs are loaded. */
struct resident_config {
	uint32_t page_bytes;
	uint32_t cpus;	      /* CPUs that may hold counts */
	uint32_t batch_pages; /* from 6.2 on: pages of a kind that a CPU holds at most */
	uint32_t unused;
};

struct resident_control {
	uint64_t lost;	      /* records that did not fit the ring */
	uint64_t lost_spaces; /* address spaces for which the table had no room */
	uint64_t events;      /* calls of the tracepoint for followed processes */
	uint64_t is_off;
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* A probe is a thing that can be observed; the same name and fields on every system. */
#pragma once

#include "model/field.h"

/* An observer's requests to a probe for a process; a probe may offer only some. */
enum interest {
	INTEREST_SAMPLE = 1,	  /* states at moments */
	INTEREST_COUNT = 2,	  /* aggregates made in the kernel */
	INTEREST_STREAM = 4,	  /* every event */
	INTEREST_FROM_EXEC = 8,	  /* nothing before the exec of the process */
	INTEREST_DETAIL = 16,	  /* SAMPLE also reads values that take long to read */
	INTEREST_BRIEF = 32,	  /* SAMPLE reads little or nothing about processes of no agent */
	INTEREST_TRANSCRIPT = 64, /* SAMPLE also reads values from an agent's log */
	INTEREST_ONCE = 128,	  /* SAMPLE reads at the start, not at the end */
	INTEREST_EDGES = 256,	  /* SAMPLE reads at the start and at the end, not between */
	INTEREST_RUNNING = 512,	  /* SAMPLE does not search for installed versions */
};

struct probe {
	const char *name;
	const char *old_name; /* name in earlier versions, still accepted; NULL: none */
	const char *help;
	unsigned offers; /* bits of enum interest that the probe supports */
	/* Interest to add to STREAM for its views: sums stay right even if events are lost. 0:
	 * events are enough. */
	unsigned beside_stream;
	/* Interest to add to SAMPLE: EDGES if each sample makes the target work. */
	unsigned beside_sample;
	const struct sooth_schema *const *schemas; /* NULL at the end */
};

/* The probes of this build, from probes.def; NULL at the end. */
extern const struct probe *const registry_probes[];

/* Finds a probe by its name, or by its name in earlier versions; NULL when there is none. */
const struct probe *registry_probe(const char *name);
/* Returns the schema of a kind; NULL when this build does not know the kind. */
const struct sooth_schema *registry_schema(uint16_t kind);
/* Returns the kind of a schema by its name; 0 when there is none. */
uint16_t registry_kind(const char *schema);

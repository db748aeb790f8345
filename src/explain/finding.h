/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A finding: a row in findings.def with its default severity, its claim and the probes it needs; a
 * file in src/findings with its detector: the thresholds as options, and the function that
 * diagnoses; and a page in docs/findings.
 */
#pragma once

#include "explain/number.h"
#include "model/field.h"

enum finding_severity {
	FINDING_INFO,
	FINDING_LOW,
	FINDING_MEDIUM,
	FINDING_HIGH,
	FINDING_CRITICAL,
	FINDING_SEVERITIES,
};
extern const struct sooth_names finding_severity_names;

enum finding_scope {
	FINDING_OF_PROCESS, /* runs once per process */
	FINDING_OF_HOST,    /* runs once */
	FINDING_OF_BOTH,    /* the finding is of a process or of the host, which has no process */
};

/* A threshold, set by "fd-leak.min-rate=2". */
struct finding_option {
	const char *name; /* "min-rate" */
	const char *help;
	enum sooth_unit unit; /* unit of the values: bytes, ns, percent, none */
	double default_value; /* used if the user sets none */
	double min, max;      /* limits of a setting */
	bool is_unlisted;     /* seldom worth setting: --list-findings has it with -v only */
};

/* A row of a table of thresholds: default, minimum, maximum, help; then .unit, if it has one. */
#define THRESHOLD(name_, default_, min_, max_, help_, ...)                                         \
	{                                                                                          \
		.name = name_, .default_value = default_, .min = min_, .max = max_, .help = help_, \
		__VA_ARGS__                                                                        \
	}
/* These define a threshold whose value has a unit. */
#define PERCENT_THRESHOLD(...) THRESHOLD(__VA_ARGS__, .unit = SOOTH_UNIT_PERCENT)
#define BYTES_THRESHOLD(...)   THRESHOLD(__VA_ARGS__, .unit = SOOTH_UNIT_BYTES)
#define TIME_THRESHOLD(...)    THRESHOLD(__VA_ARGS__, .unit = SOOTH_UNIT_NS)

/* These define one that is seldom worth setting. */
#define UNLISTED(...)	      THRESHOLD(__VA_ARGS__, .is_unlisted = true)
#define UNLISTED_PERCENT(...) PERCENT_THRESHOLD(__VA_ARGS__, .is_unlisted = true)
#define UNLISTED_BYTES(...)   BYTES_THRESHOLD(__VA_ARGS__, .is_unlisted = true)
#define UNLISTED_TIME(...)    TIME_THRESHOLD(__VA_ARGS__, .is_unlisted = true)

struct check;
struct check_result;

struct finding_detector {
	/* Reads the check, and writes the result: a finding, "all is fine", or what it could not
	 * see (analyze/diagnosis/check.h). */
	void (*diagnose)(const struct check *check, struct check_result *out);
	const struct finding_option *options;
	size_t option_count;
	/* For a detector that needs an interval: what a single look shows all the same, by values
	 * since the start of the process. Returns whether it reported a finding. NULL: nothing. */
	bool (*diagnose_once)(const struct check *check, struct check_result *out);
};

#define FINDING_OPTIONS(table)                                                                     \
	.options = (table), .option_count = sizeof(table) / sizeof((table)[0])

struct finding_type {
	const char *id;	   /* "fd-leak" */
	const char *claim; /* claim in a few words */
	enum finding_scope scope;
	const char *probes;  /* "proc,fds": the probes it cannot work without */
	const char *instead; /* a probe that shows a part if those are missing; NULL: none */
	const char *also; /* "syscalls": probes that show other forms of it; NULL: none. Where they
			     are refused, no process is free of it. */
	/* "fd-leak,filling-up": findings of the same process that are causes of this one, and are
	 * reported before it. NULL: none. */
	const char *follows;
	bool reads_calls;    /* rests on the system calls: not checked without them */
	bool needs_interval; /* needs at least two samples */
	bool needs_running;  /* a process that has ended is not checked */
	/* The highest severity that the detector gives itself, if above that of the registry. */
	enum finding_severity worst;
	bool is_of_holder; /* another process blocks this one, and may have the same cause */
	/* The process at the other end of the finding's descriptor causes the finding. */
	bool is_of_peer;
	bool tells_answer;   /* the claim says for how long a server has not answered */
	bool diagnoses_gone; /* also checks processes that ended before they were sampled */
	const struct finding_detector *detector;
};

/* A row of the registry. */
struct finding_entry {
	const struct finding_type *type; /* NULL ends the list */
	enum finding_severity severity;
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts that commands with a target share: the target and output options, and the run itself. A
 * live report and one from a capture are the same; only the source differs. */
#pragma once

#include <sooth/observer.h>

#include "capture/index.h"
#include "cli/debug_servers.h"
#include "cli/output/output.h"
#include "cli/selected/target_found.h"
#include "cli/watch/watch.h"
#include "explain/sink.h"

struct run_options {
	uint64_t duration_ns;	       /* 0: until the target exits or the user stops it */
	uint64_t buffer_bytes;	       /* 0: the default of the probe */
	uint64_t max_overhead_percent; /* of the CPU time of the target; 0: no limit */
	const char *control;	       /* name of a socket; NULL: none */
	bool dry_run;		       /* only says what would be attached, and its price */
};

#define RUN_OVERHEAD_PERCENT 5 /* of commands that limit it unasked */
#define RUN_OPTION_COUNT     5
extern const struct option run_option_rows[RUN_OPTION_COUNT];
#define RUN_GROUP(config, member)                                                                  \
	{                                                                                          \
		.title = "Observation", .options = run_option_rows, .count = RUN_OPTION_COUNT,     \
		.offset = offsetof(config, member)                                                 \
	}

#define RUN_PROBES_MAX 20

struct run_probe {
	const char *name;
	unsigned interest; /* enum sooth_interest */
};

struct run_view {
	const char *name;
	const void *options;
};

#define RUN_MORE 2

/* A side output: a file of its own beside the report, from the same records. */
struct run_side_output {
	const char *path; /* NULL: none; "-": standard output, with the report on standard error */
	struct run_view view;
	const char *sink;
	enum packing packing;
	/* A second sink for the same output, with a file of its own; NULL: none. */
	const char *beside_path, *beside_sink;
	const char *name;  /* name of its report; NULL: that of the main report */
	bool is_picture;   /* draw SVG, or PNG if the name ends in ".png" */
	bool has_no_notes; /* notes about omissions go to standard error */
	bool is_named;	   /* the command itself prints the file name at the end */
	bool is_whole;	   /* the file gets its name only when complete: a part is useless */
};

/* Gaps that are known before the start, for the notes of the report. */
enum run_unseen_what { RUN_UNSEEN_PROCESSES, RUN_UNSEEN_CALLS, RUN_UNSEEN_SAMPLES, RUN_UNSEEN_MAX };

struct run_unseen {
	const char *what; /* the missing data; NULL: none */
	const char *reason, *remedy;
};

/* Work done at intervals during the run. */
struct run_chore {
	uint64_t every_ns; /* 0: none */
	void *user;
	int (*act)(void *user, struct sooth_observer *o, struct sooth_error *err);
};

/* Callbacks by which a live run follows its records: it may continue at its end, and add probes. */
struct run_extension {
	sooth_record_handler take;	 /* takes each record; NULL: no callbacks */
	uint64_t (*more_ns)(void *user); /* additional time; 0: the run ends; NULL: none */
	/* May add probes, at each step. NULL: none. */
	void (*step)(void *step_user, struct sooth_observer *o, uint64_t left_ns);
	void *step_user;
	const char *progress;
	void *user;
};

/* Reads the history that a monitor keeps, instead of a capture. */
struct run_history {
	bool is_read;
	const char *folder; /* NULL: the default */
	uint64_t from_utc_ns;
};

/* The report as a page for a browser. */
struct run_page {
	bool is_written;      /* false: no page */
	bool is_attached;     /* the product has the page, redacted, as a member */
	bool has_pictures;    /* with pictures of what was recorded */
	const void *findings; /* options of a view of findings that comes first; NULL: none */
};

/* One run, as the command describes it. */
struct run {
	const char *name; /* name of the report */
	const struct target_options *target;
	const struct output_options *output;
	const struct arguments *arguments;
	/* The target, if the command has resolved it; NULL: run_report() does that. */
	const struct target_found *found;
	struct run_probe probes[RUN_PROBES_MAX]; /* an empty name ends it */
	struct run_view views[RUN_PROBES_MAX];
	bool default_views; /* show the default view of each probe in the stream */
	bool is_stream;	    /* -j means JSON lines */
	struct run_page page;
	struct run_side_output product;
	struct run_side_output more[RUN_MORE]; /* of other views; path NULL: none */
	bool is_silent;			       /* no report: only the capture or the side output */
	unsigned allowed;		       /* enum target_allowed */
	struct run_options options;
	struct sooth_observer_options observer; /* run_options_of() adds the shared options */
	const struct debug_servers *servers;	/* servers of debug files; NULL: none */
	const struct watch_options *watch;	/* a repeated report; NULL: one */
	const struct alert_options *alerts;	/* alerts on the rows of a stream; NULL: none */
	/* Selected processes of the host, beside those of the target. */
	const uint32_t *selected;
	size_t selected_count;
	const char *progress;	 /* name of the slow step: "observing"; NULL: not shown */
	bool looks_for_programs; /* search programs also in the folders of PATH */
	struct run_unseen unseen[RUN_UNSEEN_MAX];
	pid_t *launched; /* set to the PID of the launched command; NULL: not needed */
	struct run_chore chore;
	struct run_extension extension;
	struct run_history history;
	struct survey *survey; /* fill in only this summary of a capture; NULL: report */
	/* The first line of the report so far, shown during the run; NULL: none. */
	struct findings_so_far *so_far;
};

#define EXIT_DAMAGED 5 /* the capture is damaged; the report covers the readable part */
#define EXIT_MISSING 4 /* some selected processes do not exist; the others are reported */

/* Returns the exit status or a negative errno with err filled. */
int run_report(const struct run *run, struct sooth_error *err);
/* Reports damage of a capture that was read to standard error. Returns 0 or EXIT_DAMAGED. */
int run_damage(const struct sooth_report *r, const char *path);

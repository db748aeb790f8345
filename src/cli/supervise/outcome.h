/* SPDX-License-Identifier: BSD-2-Clause */
/* How a supervised command ended, as a paragraph, as JSON and as a workflow command of GitHub. */
#pragma once

#include "analyze/diagnosis/ending_claim.h"
#include "cli/command/command.h"
#include "cli/supervise/tree.h"
#include "cli/supervise/waited.h"

#define OUTCOME_ERROR_SIZE 256

struct outcome {
	const char *name; /* of the command, as typed */
	struct process_id id;
	uint64_t start_ns, end_ns;
	int wait_status, exit_status;
	uint64_t limit_ns;  /* the time limit, if it was exceeded; 0: it was not */
	uint64_t ending_ns; /* when sooth sent SIGTERM because of that */
	bool was_killed;    /* it took SIGKILL */
	int passed_signal;  /* the last signal that sooth passed on; 0: none */
	pid_t passed_sender;
	char passed_name[17]; /* name of its sender; empty: not known */
	struct waited waited;
	struct tree left; /* the processes that the command left running */
	struct endings endings;
	char error[OUTCOME_ERROR_SIZE]; /* the last error that it printed; empty: none seen */
	const char *error_unseen;	/* why errors were not read; NULL: they were */
};

extern const struct command_table outcome_tables[];

/* Appends the paragraph, without escapes. */
void outcome_text(struct buffer *out, const struct outcome *o);
/* Prints the paragraph to standard error, for GitHub Actions also as an annotation. */
void outcome_print(const struct outcome *o, const struct buffer *text);
/* Writes the JSON file. `text` is empty for a command that succeeded. */
int outcome_write(const struct outcome *o, const struct buffer *text, const char *path,
	struct sooth_error *err);

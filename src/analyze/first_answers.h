/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first answer of a diagnosis for each session or process, from the records of a view that
 * reads them too. analyze/answer/first_answers.h makes one; that folder is above such views.
 */
#pragma once

#include <stdbool.h>

struct batch;
struct buffer;
struct process_id;
struct sooth_error;

struct first_answers {
	void (*add_batch)(struct first_answers *a, const struct batch *batch);
	/* After the last record. 0, or a negative errno with err filled. */
	int (*resolve)(struct first_answers *a, struct sooth_error *err);
	/* Appends the answer of the session with this main process; false: it has none. */
	bool (*put_of_session)(
		const struct first_answers *a, const struct process_id *main, struct buffer *out);
	/* Appends the answer of a process: a finding about it, or about the process that holds it
	 * up. */
	bool (*put_of_process)(
		const struct first_answers *a, const struct process_id *id, struct buffer *out);
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP answers on connections without TLS, by status (see call_history.h). The kernel side kept
 * only the status of reads with one buffer (keep_status() in bpf/pieces.bpf.h). */
#include <string.h>

#include "analyze/calls/call_history_parts.h"

#define ERRORS_FROM 400
#define NOT_FOUND   404 /* 404 is ordinary: programs ask whether something exists */

static void add_error(struct call_answers *a, unsigned status)
{
	for (size_t i = 0; i < CALL_ANSWER_ERRORS; i++) {
		if (a->errors[i].count && a->errors[i].status != status)
			continue;
		a->errors[i].status = status;
		a->errors[i].count++;
		return;
	}
}

void call_answers_add_call(const struct call_at_hand *c)
{
	const struct fd_followed *file = c->folded->from.file;
	uint64_t now = c->folded->call->record.time_ns;
	struct call_answers *a;
	struct call_path key;
	unsigned status;

	if (c->folded->is_error || !c->folded->from.is_there || !file ||
		file->kind != FD_FOLLOWED_SOCKET || !*file->peer)
		return;
	status = call_http_status(c->folded->call);
	if (!status)
		return;
	key = call_path_key(span_of_string(file->peer));
	a = map_put(&c->history->answers, &key, NULL);
	if (!a)
		return;
	if (status < ERRORS_FROM || status == NOT_FOUND) {
		a->good += c->weight;
		a->last_good_ns = now;
		return;
	}
	a->bad += c->weight;
	a->last_bad_ns = now;
	a->last_status = status;
	add_error(a, status);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of what processes wait for. */
#include "analyze/waits/why_rows.h"

#include "analyze/activity/activity_rows.h"
#include "analyze/waits/wait_chain.h"
#include "model/schema.h"

ROW_FIELDS(why_link_fields, WHY_LINK_ROW, why_link_row);
ROW_SCHEMA(why_link, "why.link", why_link_row);

ROW_FIELDS(why_thread_fields, WHY_THREAD_ROW, why_thread_row);
static ROW_SCHEMA(why_thread, "why.thread", why_thread_row,
	.line = "thread {name} ({pid}/{tid}) {text}[; in {call}][, {wait_channel}]");

ROW_FIELDS(why_remedy_fields, WHY_REMEDY_ROW, why_remedy_row);
ROW_SCHEMA(why_remedy, "why.remedy", why_remedy_row, .line = "try: {text}");

ROW_FIELDS(why_fields, WHY_ROW, why_row);
ROW_FIELDS(why_evidence_fields, WHY_EVIDENCE_ROW, why_row);
#define LINE "{text}[\n  not known: {reason}]"
ROW_SCHEMA(why, "why", why_row, .line = LINE);
ROW_SCHEMA(why_evidence, "why", why_row, .line = LINE);

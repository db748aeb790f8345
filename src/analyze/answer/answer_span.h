/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of answers, for a history. */
#ifndef SOOTH_ANALYZE_ANSWER_SPAN_H
#define SOOTH_ANALYZE_ANSWER_SPAN_H

#include "analyze/answer/causes.h"

/* Appends the record of an answer, from when its finding was first seen or its wait began. */
void answer_span_append(const struct cause *c, const struct diagnosis *s, struct buffer *out);
/* Lets a kept record last until its finding was last seen. */
void answer_span_extend(struct buffer *kept, const struct finding_row *last);
/* Returns whether the answer was not seen for `silent_ns`, and notes that it is over. */
bool answer_span_is_over(struct buffer *kept, uint64_t now_ns, uint64_t silent_ns);
/* Returns whether to write the record although the answer goes on: a monitor may be killed. */
bool answer_span_is_long(const struct buffer *kept);
/* Begins the next record of the answer where this one ends. */
void answer_span_begin_again(struct buffer *kept);

#endif

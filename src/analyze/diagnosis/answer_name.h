/* SPDX-License-Identifier: BSD-2-Clause */
/* How the short text names what was diagnosed. */
#ifndef SOOTH_ANALYZE_ANSWER_NAME_H
#define SOOTH_ANALYZE_ANSWER_NAME_H

#include "analyze/diagnosis/diagnosis.h"

/* "claude 4711 (app)", "bash 4720 (tool of claude 4711, app)", "python3 99", "the host". */
void answer_name(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out);
/* It belongs to a session whose main process is diagnosed too. */
bool answer_is_child(const struct diagnosis *s, const struct diagnosed *j);

#endif

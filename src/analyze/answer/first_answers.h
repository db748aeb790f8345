/* SPDX-License-Identifier: BSD-2-Clause */
/* The first answer of each session or process, for the list of processes and for waits. */
#pragma once

#include "analyze/diagnosis/check_settings.h"
#include "analyze/first_answers.h"

/* The answers of `sooth diagnose --quick` for the view "processes"; NULL: no memory. The settings
 * are borrowed. */
struct first_answers *first_answers_new(const struct check_settings *settings);
void first_answers_free(struct first_answers *a);

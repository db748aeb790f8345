/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets the options of the observer from the options of a run. */
#pragma once

#include <sooth/observer.h>

#include "cli/run.h"

/* Fills `options`, which borrows texts from the run and from the environment. */
int run_options_of(
	struct sooth_observer_options *options, const struct run *run, struct sooth_error *err);

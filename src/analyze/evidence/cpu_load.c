/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/cpu_load.h"

#include <assert.h>

#include "explain/number.h"

NUMBER(OWN, 2, NONE, "ready threads of the diagnosed process and of sooth");
NUMBER(MOST, 8, NONE, "limit: two samples of the load are no proof of more");

double cpu_load_of(const struct diagnosis_input *input)
{
	assert(input);

	const struct host_load *first = &input->first_load, *last = &input->load;
	double cpu_load;

	if (!last->record.time_ns || !last->cpus || first->load_state || last->load_state)
		return 1;
	cpu_load = (((double)first->running + (double)last->running) / 2 - OWN) / last->cpus;
	return cpu_load < 1 ? 1 : cpu_load > MOST ? MOST : cpu_load;
}

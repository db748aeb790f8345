/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/crowding.h"

#include <assert.h>

#define OWN  2 /* ready threads of the diagnosed process and of sooth */
#define MOST 8 /* two moments say no more */

double crowding_of(const struct diagnosis_input *input)
{
	assert(input);

	const struct host_load *first = &input->first_load, *last = &input->load;
	double crowding;

	if (!last->record.time_ns || !last->cpus || first->load_state || last->load_state)
		return 1;
	crowding = (((double)first->running + (double)last->running) / 2 - OWN) / last->cpus;
	return crowding < 1 ? 1 : crowding > MOST ? MOST : crowding;
}

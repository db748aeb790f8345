/* SPDX-License-Identifier: BSD-2-Clause */
/* Goroutines of a program that a target may have made up: first the address of its main function.
 */
#include <string.h>

#include "fuzz.h"
#include "os/linux/runtimes/go/go_layout.h"

#define MOST 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct go_goroutine all[MOST] = { 0 };
	struct go_layout l;
	size_t count = 0;
	uint64_t main;

	if (size < sizeof(main))
		return 0;
	memcpy(&main, data, sizeof(main));
	data += sizeof(main);
	size -= sizeof(main);
	while (count < MOST && size >= sizeof(all[0])) {
		memcpy(&all[count++], data, sizeof(all[0]));
		data += sizeof(all[0]);
		size -= sizeof(all[0]);
	}
	if (go_layout_find(&l, all, count, main, UINT64_MAX)) {
		for (size_t i = 0; i < count; i++)
			(void)go_status_of(&l, &all[i]);
	}
	return 0;
}

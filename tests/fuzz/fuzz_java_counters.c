/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters of a JVM: any process may write any bytes into a file that is called so. */
#include "fuzz.h"
#include "os/linux/runtimes/java/java_counters.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct maps_managed_heap c;
	bool allows_attach;

	java_counters_parse(&c, &allows_attach, data, size);
	return 0;
}

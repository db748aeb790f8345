/* SPDX-License-Identifier: BSD-2-Clause */
/* What a user says of findings: refused with a line, or within its range. */
#include <string.h>

#include "analyze/diagnosis/check_settings.h"
#include "explain/registry.h"
#include "fuzz.h"

static void check(const struct check_settings *s)
{
	for (size_t i = 0; registry_findings[i].type; i++) {
		const struct finding_type *type = registry_findings[i].type;

		CHECK(s->all[i].severity < FINDING_SEVERITIES);
		for (size_t k = 0; k < type->detector->option_count; k++) {
			CHECK(s->all[i].options[k] >= type->detector->options[k].min);
			CHECK(s->all[i].options[k] <= type->detector->options[k].max);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct check_settings settings;
	struct sooth_error err;

	check_settings_init(&settings);
	check(&settings);
	if (check_settings_parse(&settings, "findings", (const char *)data, size, &err)) {
		CHECK(strstr(err.why, "line "));
		CHECK(err.remedy[0]);
	}
	check(&settings);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "probes/bsd_channels.h"

static const struct {
	const char *name;
	enum bsd_channel channel;
} channels[] = {
#define BSD_CHANNEL(kind, name_) { name_, BSD_CHANNEL_##kind },
#include "probes/bsd_channels.def"
};

enum bsd_channel bsd_channel_of(struct span name)
{
	for (size_t i = 0; i < sizeof(channels) / sizeof(channels[0]); i++) {
		if (span_equal(name, channels[i].name))
			return channels[i].channel;
	}
	return BSD_CHANNEL_NONE;
}

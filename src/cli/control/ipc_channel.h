/* SPDX-License-Identifier: BSD-2-Clause */
/* The receiving end of an ipc-channel (a Rust crate), as in memtrack: the other program makes a
 * socket and passes its name. That program gets the sending end of a channel, and sends commands,
 * each with a channel for the answer. Format: packets of a Unix socket with 8 bytes of size before
 * the data, in bincode; ends of channels are passed as descriptors. */
#pragma once

#include <sooth/observer.h>

#include "base/error.h"

struct ipc_channel {
	int receiver; /* -1: the other program is gone */
};

/* Connects to the socket of that name, and sends the other end of the channel. */
int ipc_channel_open(struct ipc_channel *c, const char *name, struct sooth_error *err);
/* Handles the commands enable, disable and ping. Has the type of run_chore.act. */
int ipc_channel_serve(void *channel, struct sooth_observer *o, struct sooth_error *err);
void ipc_channel_close(struct ipc_channel *c);

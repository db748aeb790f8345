/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What programs that are loaded by os/linux/bpf/bpf_walk.h and that loader agree on: the number of
 * a call that takes a pointer to one of the kernel's types for what it is without further
 * trust. It becomes the kernel's bpf_rdonly_cast() (6.2), or nothing, which is what kernels
 * before that did (they take a number for no pointer then, hence the second). Without it the
 * verifier looks up by name, for each pointer that is read from there, how far that one can be
 * trusted: ten times the time of all the rest.
 */
#ifndef SOOTH_BPF_WALK_H
#define SOOTH_BPF_WALK_H

#define WALK_CAST     0x50074
#define WALK_CAN_CAST 0x50075 /* 1 where it is the kernel's, else 0 */

#endif

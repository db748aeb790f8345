/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Shared by programs loaded with os/linux/bpf/bpf_walk.h and that loader: the number of a call that
 * casts a pointer to a kernel type without further checks. It becomes the kernel's
 * bpf_rdonly_cast() (6.2), or a plain copy on older kernels, whose verifier needs no cast (they
 * accept no number as a pointer, hence the second). Without the cast the verifier looks up by name
 * how far it can trust each pointer that is read: this takes ten times as long as all the rest.
 */
#pragma once

#define WALK_CAST	   0x50074
#define WALK_CAN_CAST	   0x50075 /* 1 if the kernel has it, else 0 */
#define WALK_PID_NAMESPACE 0x50076 /* see OWN_NAMESPACE of ids.bpf.h */

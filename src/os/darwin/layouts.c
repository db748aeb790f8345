/* SPDX-License-Identifier: BSD-2-Clause */
/* Compares the numbers in the decoders with the headers of this system: if this file does not
 * compile, the decoders are wrong. */
#include <errno.h>
#include <fcntl.h>
#include <libproc.h>
#include <mach/vm_statistics.h>
#include <stddef.h>
#include <sys/param.h>
#include <sys/proc.h>
#include <sys/proc_info.h>
#include <sys/resource.h>
#include <sys/sysctl.h>

#define AT(type, member, offset)                                                                   \
	_Static_assert(offsetof(struct type, member) == (offset), #type " " #member);
#define SAME(theirs, value) _Static_assert((theirs) == (value), #theirs);

#define TASK(name, member, offset)	 AT(proc_taskallinfo, member, offset)
#define THREAD(name, member, offset)	 AT(proc_threadinfo, member, offset)
#define REGION(name, member, offset)	 AT(proc_regionwithpathinfo, member, offset)
#define VNODE_FD(name, member, offset)	 AT(vnode_fdinfowithpath, member, offset)
#define SOCKET_FD(name, member, offset)	 AT(socket_fdinfo, member, offset)
#define PIPE_FD(name, member, offset)	 AT(pipe_fdinfo, member, offset)
#define KINFO_PROC(name, member, offset) AT(kinfo_proc, member, offset)
#define PROC_NUMBER(name, theirs, value) SAME(theirs, value)
#define FD_NUMBER(name, theirs, value)	 SAME(theirs, value)
#define TAG_NUMBER(name, theirs, value)	 SAME(theirs, value)
#define STRUCT_SIZE(name, theirs, value) SAME(sizeof(struct theirs), value)
#include "os/darwin/decode/layouts.def"

#define ERROR(name, freebsd, darwin, linux_) SAME(name, darwin)
#define ERROR_DARWIN(name, darwin, linux_)   SAME(name, darwin)
#include "os/bsd/errno.def"

AT(rusage_info_v2, ri_phys_footprint, 72)
AT(proc_vnodepathinfo, pvi_cdir.vip_path, 152)
SAME(TSI_S_CLOSED, 0)
SAME(TSI_S_LISTEN, 1)
SAME(TSI_S_ESTABLISHED, 4)
SAME(TSI_S_TIME_WAIT, 10)
SAME(O_APPEND, 8)
SAME(SOCKINFO_IN, 1)
SAME(SOCKINFO_TCP, 2)
SAME(SOCKINFO_UN, 3)

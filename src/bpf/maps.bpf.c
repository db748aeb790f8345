/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The mappings of one process, from the kernel's iterator over them: the values that
 * fs/proc/task_mmu.c would print, as numbers. User space decides which one is the heap or the
 * stack.
 */
#include "bpf/types.bpf.h"
#include "bpf/maps.h"

#define FMODE_BACKING (1u << 25) /* include/linux/fs.h, since 6.5: a file under overlayfs */
#define PAGE_SHIFT    12

struct hlist_bl_node___maps {
	struct hlist_bl_node___maps **pprev;
} KERNEL_TYPE;
struct dentry___maps {
	struct hlist_bl_node___maps d_hash;
} KERNEL_TYPE;

struct file___maps {
	unsigned int f_mode;
	struct path f_path;
	struct inode *f_inode;
} KERNEL_TYPE;

struct vm_operations_struct {
	void *name;
} KERNEL_TYPE;

struct vm_special_mapping {
	const char *name;
} KERNEL_TYPE;

struct anon_vma_name {
	char name[1];
} KERNEL_TYPE;

struct mm_struct___maps {
	unsigned long start_brk, brk, start_stack, task_size;
} KERNEL_TYPE;

struct vm_area_struct {
	unsigned long vm_start, vm_end, vm_flags, vm_pgoff;
	struct mm_struct___maps *vm_mm;
	struct file___maps *vm_file;
	const struct vm_operations_struct *vm_ops;
	void *vm_private_data;
	struct {
		int rb_subtree_last;
	} shared;
	struct anon_vma_name *anon_name;
} KERNEL_TYPE;

struct bpf_iter__task_vma {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	struct vm_area_struct *vma;
} KERNEL_TYPE;

struct visit {
	struct maps_visit is;
	char text[MAPS_TEXT_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct visit);
} room SEC(".maps");

uint32_t selected SEC(".data.control") = 0; /* the selected process */

static void take_text(struct visit *v, long size, enum maps_text kind)
{
	v->is.text = size > 0 && size <= MAPS_TEXT_MAX ? kind : MAPS_TEXT_UNSURE;
	v->is.text_size = size > 0 && size <= MAPS_TEXT_MAX ? (uint32_t)size - 1 : 0;
}

/* Before 6.2 the name shares its memory with a member for mapped files. */
static bool may_have_name(struct vm_area_struct *vma)
{
	if (!bpf_core_field_exists(vma->anon_name))
		return false;
	return !vma->vm_file ||
	       bpf_core_field_offset(vma->anon_name) != bpf_core_field_offset(vma->shared);
}

static bool take_given_name(struct visit *v, struct vm_area_struct *vma)
{
	struct anon_vma_name *given = NULL;

	if (!may_have_name(vma))
		return false;
	given = BPF_CORE_READ(vma, anon_name);
	if (!given)
		return false;
	take_text(v, bpf_probe_read_kernel_str(v->text, sizeof(v->text), &given->name),
		vma->vm_file ? MAPS_TEXT_NAMED_FILE : MAPS_TEXT_NAMED);
	return true;
}

static void take_file(struct visit *v, struct vm_area_struct *vma)
{
	struct file___maps *file = vma->vm_file;
	struct dentry___maps *dentry = (void *)BPF_CORE_READ(file, f_path.dentry);

	v->is.offset = (uint64_t)vma->vm_pgoff << PAGE_SHIFT;
	v->is.inode = BPF_CORE_READ(file, f_inode, i_ino);
	v->is.device = BPF_CORE_READ(file, f_inode, i_sb, s_dev);
	/*
	 * d_unhashed(), include/linux/dcache.h. d_unlinked() excludes dentries that are their own
	 * parent; among mappings these are memfds and shared memory, whose names also end with "
	 * (deleted)" in the kernel.
	 */
	v->is.is_unlinked = !BPF_CORE_READ(dentry, d_hash.pprev);
	if (BPF_CORE_READ(file, f_mode) & FMODE_BACKING)
		v->is.text = MAPS_TEXT_UNSURE; /* its own path and inode are not those of the
						  backing file */
	else if (!take_given_name(v, vma))
		take_text(v, bpf_d_path(&file->f_path, v->text, sizeof(v->text)), MAPS_TEXT_PATH);
}

static void take_no_file(struct visit *v, struct vm_area_struct *vma)
{
	struct vm_special_mapping *special = vma->vm_private_data;
	const char *name = NULL;

	v->is.offset = v->is.inode = 0;
	v->is.device = 0;
	v->is.is_unlinked = 0;
	/* Only special mappings have a function for their name. */
	if (BPF_CORE_READ(vma, vm_ops) && BPF_CORE_READ(vma, vm_ops, name)) {
		name = BPF_CORE_READ(special, name);
		take_text(v, bpf_probe_read_kernel_str(v->text, sizeof(v->text), name),
			MAPS_TEXT_KERNEL);
		if (v->is.text == MAPS_TEXT_KERNEL && v->text[0] != '[')
			v->is.text = MAPS_TEXT_UNSURE;
		return;
	}
	take_given_name(v, vma);
}

SEC("iter/task_vma")
int on_mapping(struct bpf_iter__task_vma *context)
{
	struct vm_area_struct *vma = context->vma;
	struct task_struct *task = context->task;
	struct mm_struct___maps *mm;
	uint32_t zero = 0;
	struct visit *v;

	/* Threads share the mappings: those of the first one are complete. */
	if (!vma || !task || (uint32_t)task->pid != selected)
		return 0;
	v = bpf_map_lookup_elem(&room, &zero);
	if (!v)
		return 0;
	mm = vma->vm_mm;
	v->is.from = vma->vm_start;
	v->is.to = vma->vm_end;
	v->is.flags = vma->vm_flags;
	v->is.brk_from = mm->start_brk;
	v->is.brk_to = mm->brk;
	v->is.stack = mm->start_stack;
	v->is.space = mm->task_size;
	v->is.text = MAPS_TEXT_NONE;
	v->is.text_size = 0;
	if (vma->vm_file)
		take_file(v, vma);
	else
		take_no_file(v, vma);
	bpf_seq_write(
		context->meta->seq, v, sizeof(v->is) + (v->is.text_size & (MAPS_TEXT_MAX - 1)));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the emulated i915 offers to kvmgt, in place of the real driver's
 * intel_gvt_set_ops().
 */
#ifndef EMULATED_GVT_H
#define EMULATED_GVT_H

#include <linux/pci.h>

/* The device and vendor that the emulated GPU shows in sysfs: Kaby Lake's HD Graphics 630. */
#define GPU_VENDOR 0x8086
#define GPU_DEVICE 0x591b

/**
 * struct gvt_ops - what kvmgt does with each GPU
 * @attach: makes the GPU a parent of mediated devices
 * @detach: undoes it; all vGPUs are removed
 */
struct gvt_ops {
	int (*attach)(struct pci_dev *gpu);
	void (*detach)(struct pci_dev *gpu);
};

/*
 * Registers kvmgt for the GPU. Fails with -ENODEV unless i915 was loaded with
 * enable_gvt=1 and found its GPU, as the real one does.
 */
int emulated_gvt_set_ops(const struct gvt_ops *ops);
void emulated_gvt_clear_ops(void);

#endif

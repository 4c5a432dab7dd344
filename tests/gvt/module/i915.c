// SPDX-License-Identifier: GPL-2.0-only
/*
 * An emulated Intel GPU: a PCI driver with the name and the parameter of the
 * real one, for a device of QEMU's that has nothing to do with graphics (edu).
 * It draws nothing. The vGPUs are kvmgt's.
 */

#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>

#include "gvt.h"

static bool enable_gvt;
module_param(enable_gvt, bool, 0400);
MODULE_PARM_DESC(enable_gvt, "Enable support for Intel GVT-g (default: false)");

/* Protects the two pointers below. */
static DEFINE_MUTEX(lock);
static struct pci_dev *gpu;
static const struct gvt_ops *gvt_ops;

int emulated_gvt_set_ops(const struct gvt_ops *ops)
{
	int ret = -ENODEV;

	mutex_lock(&lock);
	if (gpu && enable_gvt) {
		ret = ops->attach(gpu);
		if (!ret)
			gvt_ops = ops;
	}
	mutex_unlock(&lock);
	return ret;
}
EXPORT_SYMBOL_GPL(emulated_gvt_set_ops);

void emulated_gvt_clear_ops(void)
{
	mutex_lock(&lock);
	if (gpu && gvt_ops)
		gvt_ops->detach(gpu);
	gvt_ops = NULL;
	mutex_unlock(&lock);
}
EXPORT_SYMBOL_GPL(emulated_gvt_clear_ops);

static int gpu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int ret = 0;

	/*
	 * Programs learn from sysfs which GPU this is, and sysfs shows these
	 * fields. The configuration space still has edu's.
	 */
	pdev->vendor = GPU_VENDOR;
	pdev->device = GPU_DEVICE;
	pdev->class = PCI_CLASS_DISPLAY_VGA << 8;

	mutex_lock(&lock);
	if (gpu)
		ret = -EBUSY;
	else
		gpu = pdev;
	mutex_unlock(&lock);
	return ret;
}

static void gpu_remove(struct pci_dev *pdev)
{
	mutex_lock(&lock);
	if (gvt_ops)
		gvt_ops->detach(pdev);
	gvt_ops = NULL;
	gpu = NULL;
	mutex_unlock(&lock);

	/* So that the driver can be loaded again. */
	pdev->vendor = 0x1234;
	pdev->device = 0x11e8;
}

static const struct pci_device_id gpu_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },	/* QEMU's edu */
	{ }
};
MODULE_DEVICE_TABLE(pci, gpu_ids);

static struct pci_driver gpu_driver = {
	.name = "i915",
	.id_table = gpu_ids,
	.probe = gpu_probe,
	.remove = gpu_remove,
};
module_pci_driver(gpu_driver);

MODULE_DESCRIPTION("An emulated Intel GPU, for tests of gvtg-xml");
MODULE_LICENSE("GPL");

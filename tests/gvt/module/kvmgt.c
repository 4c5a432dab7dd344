// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emulated Intel vGPUs: mediated devices with the types of GVT-g, for tests of
 * gvtg-xml on machines without an Intel GPU.
 *
 * A vGPU has the PCI configuration space of an Intel GPU, a BAR of plain
 * memory, an OpRegion, and a display region with a picture. Nothing in a guest
 * can draw on it. Written from Documentation/driver-api/vfio*.rst and
 * include/uapi/linux/vfio.h.
 */

#include <linux/font.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uuid.h>
#include <linux/version.h>
#include <linux/vfio.h>
#include <linux/vmalloc.h>
#include <drm/drm_fourcc.h>

#include "gvt.h"

/* A region's offset in the device's file, as vfio-pci has it. */
#define REGION_SHIFT 40
#define REGION_OFFSET(index) ((u64)(index) << REGION_SHIFT)

enum {
	REGION_OPREGION = VFIO_PCI_NUM_REGIONS,
	REGION_DISPLAY,
	REGION_COUNT,
};

#define CONFIG_SIZE 256
#define BAR_SIZE (64 * 1024)
#define OPREGION_SIZE (8 * 1024)

/* Megabytes of graphics memory in the aperture, and what the host keeps of it (drivers/gpu/drm/i915/gvt/gvt.h). */
static unsigned int aperture = 512;
module_param(aperture, uint, 0444);
MODULE_PARM_DESC(aperture, "Size of the GPU's aperture in MB (default: 512)");
#define HOST_LOW_MB 128
#define FENCES 4
#define FREE_FENCES (32 - 4)

/**
 * struct vgpu_type - a type of vGPU, with the sizes of drivers/gpu/drm/i915/gvt/vgpu.c
 * @type: what mdev knows of it
 * @low_mb: memory in the aperture
 * @high_mb: memory beyond the aperture
 * @weight: the share of the GPU's time
 * @width: pixels of a line
 * @height: lines
 */
struct vgpu_type {
	struct mdev_type type;
	unsigned int low_mb, high_mb, weight, width, height;
};

#define VGPU_TYPE(number, low, high, w, h)				\
	{								\
		.type.sysfs_name = "GVTg_V5_" #number,			\
		.low_mb = (low), .high_mb = (high),			\
		.weight = 16 / (number), .width = (w), .height = (h),	\
	}

static struct vgpu_type vgpu_types[] = {
	VGPU_TYPE(8, 64, 384, 1024, 768),
	VGPU_TYPE(4, 128, 512, 1920, 1200),
	VGPU_TYPE(2, 256, 1024, 1920, 1200),
	VGPU_TYPE(1, 512, 2048, 1920, 1200),
};

static struct mdev_type *mdev_types[ARRAY_SIZE(vgpu_types)];
static struct mdev_parent parent;

/* Protects the three counters below. */
static DEFINE_MUTEX(lock);
static unsigned int used_low_mb;
static unsigned int used_fences;
static DEFINE_IDA(vgpu_ids);

/**
 * struct vgpu - an emulated vGPU
 * @vdev: its VFIO device; first, as vfio_alloc_device() wants it
 * @type: its type
 * @id: the number that the real kvmgt shows as intel_vgpu/vgpu_id, from 1 on
 * @lock: protects @config
 * @config: the PCI configuration space
 * @bar: the memory behind BAR 0
 * @opregion: the OpRegion
 * @picture: what the display shows: XRGB8888, no padding between lines
 */
struct vgpu {
	struct vfio_device vdev;
	const struct vgpu_type *type;
	int id;
	struct mutex lock;
	u8 config[CONFIG_SIZE];
	u8 *bar;
	u8 *opregion;
	u32 *picture;
};

static struct vgpu *to_vgpu(struct vfio_device *vdev)
{
	return container_of(vdev, struct vgpu, vdev);
}

static const struct vgpu_type *to_vgpu_type(const struct mdev_type *type)
{
	return container_of(type, struct vgpu_type, type);
}

static size_t picture_size(const struct vgpu *vgpu)
{
	return (size_t)vgpu->type->width * vgpu->type->height * sizeof(u32);
}

/* The number of vGPUs of a type that still fit; the lock must be held. */
static unsigned int available(const struct vgpu_type *type)
{
	unsigned int free_mb = aperture - HOST_LOW_MB - used_low_mb;

	return min(free_mb / type->low_mb, (FREE_FENCES - used_fences) / FENCES);
}

/*
 * Draws the vGPU's name and type on squares of two colours, which come from
 * the first bytes of the UUID: so each vGPU has a picture of its own, and a
 * test can compute it.
 */
static void draw_text(struct vgpu *vgpu, const char *text, unsigned int y)
{
	const struct font_desc *font = find_font("VGA8x16");
	unsigned int width = vgpu->type->width, scale = 2, x = 64, row, column;
	const u8 *glyph;

	if (!font)
		return;
	for (; *text && x + 8 * scale <= width; text++, x += 8 * scale) {
		glyph = (const u8 *)font->data + (u8)*text * 16;
		for (row = 0; row < 16 * scale; row++)
			for (column = 0; column < 8 * scale; column++)
				if (glyph[row / scale] & (0x80 >> (column / scale)))
					vgpu->picture[(y + row) * width + x + column] = 0xffffff;
	}
}

static void draw_picture(struct vgpu *vgpu, const guid_t *uuid)
{
	unsigned int width = vgpu->type->width, x, y;
	/* Dark enough for white text. */
	u32 first = (uuid->b[3] & 0x7f) << 16 | (uuid->b[2] & 0x7f) << 8 | (uuid->b[1] & 0x7f);
	u32 second = first | 0x202020;
	char text[64];

	for (y = 0; y < vgpu->type->height; y++)
		for (x = 0; x < width; x++)
			vgpu->picture[y * width + x] = (x / 64 + y / 64) % 2 ? second : first;

	snprintf(text, sizeof(text), "Emulated Intel vGPU i915-%s", vgpu->type->type.sysfs_name);
	draw_text(vgpu, text, 64);
	snprintf(text, sizeof(text), "%pUl", uuid);
	draw_text(vgpu, text, 112);
}

static void reset_config(struct vgpu *vgpu)
{
	u8 *config = vgpu->config;

	memset(config, 0, CONFIG_SIZE);
	*(__le16 *)&config[PCI_VENDOR_ID] = cpu_to_le16(GPU_VENDOR);
	*(__le16 *)&config[PCI_DEVICE_ID] = cpu_to_le16(GPU_DEVICE);
	*(__le16 *)&config[PCI_STATUS] = cpu_to_le16(PCI_STATUS_FAST_BACK);
	config[PCI_REVISION_ID] = 4;
	*(__le16 *)&config[PCI_CLASS_DEVICE] = cpu_to_le16(PCI_CLASS_DISPLAY_VGA);
	*(__le32 *)&config[PCI_BASE_ADDRESS_0] = cpu_to_le32(PCI_BASE_ADDRESS_SPACE_MEMORY);
	*(__le16 *)&config[PCI_SUBSYSTEM_VENDOR_ID] = cpu_to_le16(GPU_VENDOR);
	*(__le16 *)&config[PCI_SUBSYSTEM_ID] = cpu_to_le16(0x2212);
}

/* A signature, a size in KB and a version, which is all that a test can see of it. */
static void fill_opregion(u8 *opregion)
{
	memcpy(opregion, "IntelGraphicsMem", 16);
	*(__le32 *)&opregion[16] = cpu_to_le32(OPREGION_SIZE / 1024);
	*(__le32 *)&opregion[20] = cpu_to_le32(0x02000000);
}

static int vgpu_init(struct vfio_device *vdev)
{
	struct vgpu *vgpu = to_vgpu(vdev);
	struct mdev_device *mdev = to_mdev_device(vdev->dev);
	int ret = -ENOMEM;

	vgpu->type = to_vgpu_type(mdev->type);
	mutex_init(&vgpu->lock);

	mutex_lock(&lock);
	if (!available(vgpu->type)) {
		mutex_unlock(&lock);
		return -ENOSPC;
	}
	used_low_mb += vgpu->type->low_mb;
	used_fences += FENCES;
	mutex_unlock(&lock);

	vgpu->id = ida_alloc_min(&vgpu_ids, 1, GFP_KERNEL);
	if (vgpu->id < 0) {
		ret = vgpu->id;
		goto release_resources;
	}
	vgpu->bar = vzalloc(BAR_SIZE);
	vgpu->opregion = vzalloc(OPREGION_SIZE);
	vgpu->picture = vmalloc_user(PAGE_ALIGN(picture_size(vgpu)));
	if (!vgpu->bar || !vgpu->opregion || !vgpu->picture)
		goto free_memory;

	reset_config(vgpu);
	fill_opregion(vgpu->opregion);
	draw_picture(vgpu, &mdev->uuid);
	return 0;

free_memory:
	vfree(vgpu->picture);
	vfree(vgpu->opregion);
	vfree(vgpu->bar);
	ida_free(&vgpu_ids, vgpu->id);
release_resources:
	mutex_lock(&lock);
	used_low_mb -= vgpu->type->low_mb;
	used_fences -= FENCES;
	mutex_unlock(&lock);
	return ret;
}

static void vgpu_release(struct vfio_device *vdev)
{
	struct vgpu *vgpu = to_vgpu(vdev);

	vfree(vgpu->picture);
	vfree(vgpu->opregion);
	vfree(vgpu->bar);
	ida_free(&vgpu_ids, vgpu->id);

	mutex_lock(&lock);
	used_low_mb -= vgpu->type->low_mb;
	used_fences -= FENCES;
	mutex_unlock(&lock);
}

/*
 * Returns the memory behind a region and its size; NULL for a region that does
 * not exist.
 */
static u8 *region_memory(struct vgpu *vgpu, unsigned int index, u64 *size)
{
	switch (index) {
	case VFIO_PCI_CONFIG_REGION_INDEX:
		*size = CONFIG_SIZE;
		return vgpu->config;
	case VFIO_PCI_BAR0_REGION_INDEX:
		*size = BAR_SIZE;
		return vgpu->bar;
	case REGION_OPREGION:
		*size = OPREGION_SIZE;
		return vgpu->opregion;
	case REGION_DISPLAY:
		*size = PAGE_ALIGN(picture_size(vgpu));
		return (u8 *)vgpu->picture;
	default:
		*size = 0;
		return NULL;
	}
}

/* Returns which bits of a byte of the configuration space can be written. */
static u8 writable_bits(unsigned int offset)
{
	switch (offset) {
	case PCI_COMMAND:
		return PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	case PCI_COMMAND + 1:
		return PCI_COMMAND_INTX_DISABLE >> 8;
	case PCI_CACHE_LINE_SIZE:
	case PCI_INTERRUPT_LINE:
		return 0xff;
	case PCI_BASE_ADDRESS_0 ... PCI_BASE_ADDRESS_0 + 3:
		return ~(BAR_SIZE - 1) >> (offset - PCI_BASE_ADDRESS_0) * 8;
	case 0xfc ... 0xff:	/* ASLS, the OpRegion's address in the guest */
		return 0xff;
	default:
		return 0;
	}
}

static ssize_t vgpu_read(struct vfio_device *vdev, char __user *buf, size_t count, loff_t *ppos)
{
	struct vgpu *vgpu = to_vgpu(vdev);
	u64 offset = *ppos & (REGION_OFFSET(1) - 1), size;
	u8 *memory = region_memory(vgpu, *ppos >> REGION_SHIFT, &size);
	unsigned long rest;

	if (!memory || offset >= size)
		return -EINVAL;
	count = min_t(u64, count, size - offset);
	mutex_lock(&vgpu->lock);
	rest = copy_to_user(buf, memory + offset, count);
	mutex_unlock(&vgpu->lock);
	if (rest)
		return -EFAULT;
	*ppos += count;
	return count;
}

static ssize_t vgpu_write(struct vfio_device *vdev, const char __user *buf, size_t count, loff_t *ppos)
{
	struct vgpu *vgpu = to_vgpu(vdev);
	unsigned int index = *ppos >> REGION_SHIFT;
	u64 offset = *ppos & (REGION_OFFSET(1) - 1), size, i;
	u8 *memory = region_memory(vgpu, index, &size);
	ssize_t ret = -EFAULT;

	if (!memory || offset >= size)
		return -EINVAL;
	if (index != VFIO_PCI_CONFIG_REGION_INDEX && index != VFIO_PCI_BAR0_REGION_INDEX)
		return -EPERM;
	count = min_t(u64, count, size - offset);

	mutex_lock(&vgpu->lock);
	if (index == VFIO_PCI_BAR0_REGION_INDEX) {
		if (copy_from_user(memory + offset, buf, count))
			goto unlock;
	} else {
		for (i = 0; i < count; i++) {
			u8 mask = writable_bits(offset + i), value;

			if (get_user(value, (const u8 __user *)buf + i))
				goto unlock;
			memory[offset + i] = (memory[offset + i] & ~mask) | (value & mask);
		}
	}
	*ppos += count;
	ret = count;
unlock:
	mutex_unlock(&vgpu->lock);
	return ret;
}

static int vgpu_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	struct vgpu *vgpu = to_vgpu(vdev);
	unsigned int shift = REGION_SHIFT - PAGE_SHIFT;

	if (vma->vm_pgoff >> shift != REGION_DISPLAY)
		return -EINVAL;
	return remap_vmalloc_range(vma, vgpu->picture, vma->vm_pgoff & ((1UL << shift) - 1));
}

/* Fills in a region's description; the OpRegion is recognised by a capability. */
static int describe_region(struct vgpu *vgpu, struct vfio_region_info *info, struct vfio_info_cap *caps)
{
	struct vfio_region_info_cap_type opregion = {
		.header.id = VFIO_REGION_INFO_CAP_TYPE,
		.header.version = 1,
		.type = VFIO_REGION_TYPE_PCI_VENDOR_TYPE | PCI_VENDOR_ID_INTEL,
		.subtype = VFIO_REGION_SUBTYPE_INTEL_IGD_OPREGION,
	};
	u64 size;

	if (info->index >= REGION_COUNT)
		return -EINVAL;
	info->offset = REGION_OFFSET(info->index);
	info->flags = 0;
	if (region_memory(vgpu, info->index, &size))
		info->flags = VFIO_REGION_INFO_FLAG_READ;
	info->size = size;

	switch (info->index) {
	case VFIO_PCI_CONFIG_REGION_INDEX:
	case VFIO_PCI_BAR0_REGION_INDEX:
		info->flags |= VFIO_REGION_INFO_FLAG_WRITE;
		return 0;
	case REGION_DISPLAY:
		info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
		return 0;
	case REGION_OPREGION:
		return vfio_info_add_capability(caps, &opregion.header, sizeof(opregion));
	default:
		return 0;
	}
}

/* QEMU asks first which kind of picture there is (PROBE), then for the picture, at each refresh. */
static int describe_picture(struct vgpu *vgpu, struct vfio_device_gfx_plane_info *plane)
{
	if (plane->flags == (VFIO_GFX_PLANE_TYPE_PROBE | VFIO_GFX_PLANE_TYPE_REGION))
		return 0;
	if (plane->flags != VFIO_GFX_PLANE_TYPE_REGION)
		return -EINVAL;

	plane->drm_format = DRM_FORMAT_XRGB8888;
	plane->drm_format_mod = 0;
	plane->width = vgpu->type->width;
	plane->height = vgpu->type->height;
	plane->stride = vgpu->type->width * sizeof(u32);
	plane->size = picture_size(vgpu);
	plane->x_pos = plane->y_pos = 0;
	plane->x_hot = plane->y_hot = 0;
	plane->region_index = REGION_DISPLAY;
	return 0;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
/* Newer kernels copy this structure themselves, and ask for get_region_info_caps(). */
static long get_region_info(struct vgpu *vgpu, void __user *arg)
{
	size_t minsz = offsetofend(struct vfio_region_info, offset);
	struct vfio_info_cap caps = { };
	struct vfio_region_info info;
	long ret;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	ret = describe_region(vgpu, &info, &caps);
	if (ret)
		return ret;

	info.cap_offset = 0;
	if (caps.size) {
		info.flags |= VFIO_REGION_INFO_FLAG_CAPS;
		if (info.argsz < sizeof(info) + caps.size) {
			info.argsz = sizeof(info) + caps.size;
		} else {
			vfio_info_cap_shift(&caps, sizeof(info));
			if (copy_to_user(arg + sizeof(info), caps.buf, caps.size))
				ret = -EFAULT;
			info.cap_offset = sizeof(info);
		}
		kfree(caps.buf);
	}
	if (!ret && copy_to_user(arg, &info, sizeof(info)))
		ret = -EFAULT;
	return ret;
}
#else
static int vgpu_get_region_info_caps(struct vfio_device *vdev, struct vfio_region_info *info,
				     struct vfio_info_cap *caps)
{
	return describe_region(to_vgpu(vdev), info, caps);
}
#endif

static long get_device_info(void __user *arg)
{
	size_t minsz = offsetofend(struct vfio_device_info, num_irqs);
	struct vfio_device_info info;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	info.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
	info.num_regions = REGION_COUNT;
	info.num_irqs = VFIO_PCI_NUM_IRQS;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

/* No interrupts: nothing in a guest drives the device. */
static long get_irq_info(void __user *arg)
{
	size_t minsz = offsetofend(struct vfio_irq_info, count);
	struct vfio_irq_info info;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz || info.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	info.flags = 0;
	info.count = 0;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

static long query_gfx_plane(struct vgpu *vgpu, void __user *arg)
{
	size_t minsz = offsetofend(struct vfio_device_gfx_plane_info, region_index);
	struct vfio_device_gfx_plane_info plane;
	long ret;

	if (copy_from_user(&plane, arg, minsz))
		return -EFAULT;
	if (plane.argsz < minsz)
		return -EINVAL;
	ret = describe_picture(vgpu, &plane);
	if (!ret && copy_to_user(arg, &plane, minsz))
		ret = -EFAULT;
	return ret;
}

static long vgpu_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	struct vgpu *vgpu = to_vgpu(vdev);
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return get_device_info(user);
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
	case VFIO_DEVICE_GET_REGION_INFO:
		return get_region_info(vgpu, user);
#endif
	case VFIO_DEVICE_GET_IRQ_INFO:
		return get_irq_info(user);
	case VFIO_DEVICE_SET_IRQS:
		return 0;
	case VFIO_DEVICE_RESET:
		mutex_lock(&vgpu->lock);
		reset_config(vgpu);
		mutex_unlock(&vgpu->lock);
		return 0;
	case VFIO_DEVICE_QUERY_GFX_PLANE:
		return query_gfx_plane(vgpu, user);
	default:
		return -ENOTTY;
	}
}

static const struct vfio_device_ops vgpu_ops = {
	.name = "i915-gvt",
	.init = vgpu_init,
	.release = vgpu_release,
	.read = vgpu_read,
	.write = vgpu_write,
	.mmap = vgpu_mmap,
	.ioctl = vgpu_ioctl,
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
	.get_region_info_caps = vgpu_get_region_info_caps,
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	.bind_iommufd = vfio_iommufd_emulated_bind,
	.unbind_iommufd = vfio_iommufd_emulated_unbind,
	.attach_ioas = vfio_iommufd_emulated_attach_ioas,
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	.detach_ioas = vfio_iommufd_emulated_detach_ioas,
#endif
};

static ssize_t vgpu_id_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct vgpu *vgpu = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%d\n", vgpu ? vgpu->id : 0);
}
static DEVICE_ATTR_RO(vgpu_id);

static struct attribute *vgpu_attributes[] = {
	&dev_attr_vgpu_id.attr,
	NULL
};

static const struct attribute_group vgpu_group = {
	.name = "intel_vgpu",
	.attrs = vgpu_attributes,
};

static const struct attribute_group *vgpu_groups[] = {
	&vgpu_group,
	NULL
};

static int vgpu_probe(struct mdev_device *mdev)
{
	struct vgpu *vgpu = vfio_alloc_device(vgpu, vdev, &mdev->dev, &vgpu_ops);
	int ret;

	if (IS_ERR(vgpu))
		return PTR_ERR(vgpu);
	dev_set_drvdata(&mdev->dev, vgpu);
	ret = vfio_register_emulated_iommu_dev(&vgpu->vdev);
	if (ret)
		vfio_put_device(&vgpu->vdev);
	return ret;
}

static void vgpu_remove(struct mdev_device *mdev)
{
	struct vgpu *vgpu = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&vgpu->vdev);
	vfio_put_device(&vgpu->vdev);
}

static unsigned int vgpu_get_available(struct mdev_type *type)
{
	unsigned int number;

	mutex_lock(&lock);
	number = available(to_vgpu_type(type));
	mutex_unlock(&lock);
	return number;
}

static ssize_t vgpu_show_description(struct mdev_type *mdev_type, char *buf)
{
	const struct vgpu_type *type = to_vgpu_type(mdev_type);

	return sysfs_emit(buf, "low_gm_size: %uMB\nhigh_gm_size: %uMB\nfence: %u\nresolution: %ux%u\nweight: %u\n",
			  type->low_mb, type->high_mb, FENCES, type->width, type->height, type->weight);
}

static struct mdev_driver vgpu_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.driver = {
		.name = "intel_vgpu_mdev",
		.owner = THIS_MODULE,
		.dev_groups = vgpu_groups,
	},
	.probe = vgpu_probe,
	.remove = vgpu_remove,
	.get_available = vgpu_get_available,
	.show_description = vgpu_show_description,
};

static int attach(struct pci_dev *gpu)
{
	unsigned int count = 0;

	/* As the real one: a type that does not fit the aperture is not offered. */
	while (count < ARRAY_SIZE(vgpu_types) && available(&vgpu_types[count])) {
		mdev_types[count] = &vgpu_types[count].type;
		count++;
	}
	return mdev_register_parent(&parent, &gpu->dev, &vgpu_driver, mdev_types, count);
}

static void detach(struct pci_dev *gpu)
{
	mdev_unregister_parent(&parent);
}

static const struct gvt_ops gvt_ops = {
	.attach = attach,
	.detach = detach,
};

static int __init kvmgt_init(void)
{
	int ret;

	if (aperture <= HOST_LOW_MB)
		return -EINVAL;
	ret = mdev_register_driver(&vgpu_driver);
	if (ret)
		return ret;
	ret = emulated_gvt_set_ops(&gvt_ops);
	if (ret)
		mdev_unregister_driver(&vgpu_driver);
	return ret;
}

static void __exit kvmgt_exit(void)
{
	emulated_gvt_clear_ops();
	mdev_unregister_driver(&vgpu_driver);
}

module_init(kvmgt_init);
module_exit(kvmgt_exit);

MODULE_DESCRIPTION("Emulated Intel vGPUs, for tests of gvtg-xml");
MODULE_LICENSE("GPL");

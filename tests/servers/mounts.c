/*
 * For a JVM in a chroot: its root is no mount point there, so Java finds no file
 * system under it ("Mount point not found") and the servers do not start.  Loaded
 * before libc, this tells Java of one.
 */
#include <mntent.h>
#include <stdio.h>

FILE *
setmntent(const char *file, const char *mode)
{
	static char mounts[] = "root / ext4 rw 0 0\n";

	(void)file;
	(void)mode;
	return fmemopen(mounts, sizeof(mounts) - 1, "r");
}

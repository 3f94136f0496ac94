/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files around the database; see file.h. */
#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

/* A new name in a directory lasts only when the directory itself was synced. */
static void sync_directory(const char *path)
{
	char directory[PATH_MAX];
	char *slash;
	int fd;

	if (!text_copy(directory, sizeof directory, path))
		return;
	slash = strrchr(directory, '/');
	if (!slash)
		text_copy(directory, sizeof directory, ".");
	else
		slash[slash == directory] = '\0';
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fsync(fd) < 0)
		log_warning("store %s: the directory cannot be synced: %s", directory, strerror(errno));
	close(fd);
}

/* The file is opened here only when it is new: closing any descriptor of it drops every lock this process holds on it
 * (fcntl(2)). */
bool store_file_prepare(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0) {
		if (!S_ISREG(st.st_mode)) {
			log_error("store %s: not a regular file: move it away or name another path", path);
			return false;
		}
		if ((st.st_mode & 077) && chmod(path, 0600) < 0) {
			log_error("store %s: others may read it and chmod failed (%s): make it mode 0600", path,
				  strerror(errno));
			return false;
		}
		return true;
	}
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		log_error("store %s: cannot be made (%s): check that its directory exists and may be written", path,
			  strerror(errno));
		return false;
	}
	close(fd);
	sync_directory(path);
	return true;
}

bool store_file_keep_aside(const char *path, char *aside, unsigned aside_size)
{
	static const char *const tails[] = {"-wal", "-journal", "-shm",
					    ""}; /* the database last: without it all is found again */
	char from[PATH_MAX], to[PATH_MAX];
	struct stat st;
	int n = 1;

	while (text_format(aside, aside_size, "%s.corrupt-%d", path, n) && lstat(aside, &st) == 0)
		n++;
	for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
		if (!text_format(from, sizeof from, "%s%s", path, tails[i]) ||
		    !text_format(to, sizeof to, "%s%s", aside, tails[i]))
			return false;
		if (rename(from, to) < 0 && errno != ENOENT) {
			log_error("store %s: corrupt, and cannot be kept aside as %s: %s", from, to, strerror(errno));
			return false;
		}
	}
	sync_directory(path);
	return true;
}

bool store_reserve_make(const char *path, int64_t free_bytes)
{
	char name[PATH_MAX];
	struct stat st;
	struct statvfs room;

	if (statvfs(path, &room) < 0 || (int64_t)(room.f_bavail * room.f_frsize) < free_bytes)
		return false;
	if (!text_format(name, sizeof name, "%s.reserve", path))
		return false;
	int fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	bool there =
	    fstat(fd, &st) == 0 && st.st_size >= STORE_RESERVE_BYTES && st.st_blocks * 512ll >= STORE_RESERVE_BYTES;
	if (!there)
		there = posix_fallocate(fd, 0, STORE_RESERVE_BYTES) == 0;
	if (!there)
		unlink(name);
	close(fd);
	return there;
}

bool store_reserve_give_back(const char *path)
{
	char name[PATH_MAX];

	return text_format(name, sizeof name, "%s.reserve", path) && unlink(name) == 0;
}

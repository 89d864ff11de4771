/* Makes one write, fsync, rename or truncation below a folder fail: the Nth of those counted.
   Loaded before the C library; armed by `shim_arm`, which a test calls. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char below[PATH_MAX];
static long seen, target;
static int failure, lasting;

void shim_arm(const char *folder, long number, int error, int keep) {
    strncpy(below, folder, sizeof below - 1);
    seen = 0;
    target = number;
    failure = error;
    lasting = keep;
}

long shim_seen(void) { return __atomic_load_n(&seen, __ATOMIC_SEQ_CST); }

static int refused(void) {
    long now = __atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST);
    if (target && (now == target || (lasting && now > target))) {
        errno = failure;
        return 1;
    }
    return 0;
}

static int counts_path(const char *path) {
    return below[0] && path && strncmp(path, below, strlen(below)) == 0;
}

static int counts(int fd) {
    char link[64], path[PATH_MAX];
    if (!below[0]) return 0;
    int kept = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = kept;
    if (length < 0) return 0;
    path[length] = 0;
    return counts_path(path);
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t size) {
    REAL(write);
    return counts(fd) && refused() ? -1 : real(fd, data, size);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(writev);
    return counts(fd) && refused() ? -1 : real(fd, parts, count);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    REAL(pwrite);
    return counts(fd) && refused() ? -1 : real(fd, data, size, at);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    REAL(pwrite64);
    return counts(fd) && refused() ? -1 : real(fd, data, size, at);
}
int fsync(int fd) {
    REAL(fsync);
    return counts(fd) && refused() ? -1 : real(fd);
}
int fdatasync(int fd) {
    REAL(fdatasync);
    return counts(fd) && refused() ? -1 : real(fd);
}
int ftruncate(int fd, off_t size) {
    REAL(ftruncate);
    return counts(fd) && refused() ? -1 : real(fd, size);
}
int ftruncate64(int fd, off64_t size) {
    REAL(ftruncate64);
    return counts(fd) && refused() ? -1 : real(fd, size);
}
int rename(const char *from, const char *to) {
    REAL(rename);
    return counts_path(to) && refused() ? -1 : real(from, to);
}
int renameat(int old, const char *from, int new, const char *to) {
    REAL(renameat);
    return counts_path(to) && refused() ? -1 : real(old, from, new, to);
}
